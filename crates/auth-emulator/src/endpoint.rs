//! The endpoints, by name.

/// An endpoint of the emulator.
///
/// ```
/// use auth_emulator::{Endpoint, Fault, Faults};
///
/// let faults = Faults::default();
/// faults.push(Endpoint::Discovery, Fault::status(500));
/// assert_eq!(faults.pending(Endpoint::Token), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/{tenant}/v2.0/.well-known/openid-configuration`
    Discovery,
    /// `/common/discovery/instance`
    InstanceDiscovery,
    /// `/{tenant}/discovery/v2.0/keys`
    Keys,
    /// `/{tenant}/oauth2/v2.0/authorize`
    Authorize,
    /// The form of the sign-in page.
    SignIn,
    /// The form of the consent page.
    Consent,
    /// `/{tenant}/oauth2/v2.0/token`
    Token,
    /// `/{tenant}/oauth2/v2.0/devicecode`
    DeviceAuthorization,
    /// `/devicelogin`, where users enter the codes of their devices: the page and its forms.
    DeviceLogin,
    /// `/`
    Index,
}

impl Endpoint {
    /// The endpoint at a path, and the tenant segment of the path.
    pub(crate) fn at(path: &str) -> Option<(Self, Option<&str>)> {
        match path {
            "/" => return Some((Self::Index, None)),
            "/devicelogin" => return Some((Self::DeviceLogin, None)),
            _ => {}
        }
        let (tenant, rest) = path.strip_prefix('/')?.split_once('/')?;
        let endpoint = match rest {
            "v2.0/.well-known/openid-configuration" => Self::Discovery,
            "discovery/instance" => Self::InstanceDiscovery,
            "discovery/v2.0/keys" => Self::Keys,
            "oauth2/v2.0/authorize" => Self::Authorize,
            "oauth2/v2.0/signin" => Self::SignIn,
            "oauth2/v2.0/consent" => Self::Consent,
            "oauth2/v2.0/token" => Self::Token,
            "oauth2/v2.0/devicecode" => Self::DeviceAuthorization,
            _ => return None,
        };
        Some((endpoint, Some(tenant)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_endpoints() {
        for (path, expected) in [
            ("/", Some((Endpoint::Index, None))),
            ("/devicelogin", Some((Endpoint::DeviceLogin, None))),
            ("/common/devicelogin", None),
            ("/common/oauth2/v2.0/devicecode", Some((Endpoint::DeviceAuthorization, Some("common")))),
            ("/common/oauth2/v2.0/token", Some((Endpoint::Token, Some("common")))),
            ("/common/discovery/instance", Some((Endpoint::InstanceDiscovery, Some("common")))),
            ("/common/oauth2/token", None),
            ("/favicon.ico", None),
        ] {
            assert_eq!(Endpoint::at(path), expected, "{path}");
        }
    }
}
