//! Authorities: who signs people in, and the names under which that is known.

pub(crate) mod cloud;
pub(crate) mod issuer;
pub(crate) mod metadata;
pub(crate) mod raw;
pub(crate) mod tenant;

use core::fmt;
use std::sync::Arc;

use http::Uri;

use crate::error::ConfigError;
use issuer::Issuer;
use metadata::ProviderMetadata;
use raw::RawAuthority;
use tenant::Tenant;

/// The host that answers instance discovery for hosts that are not compiled in.
const PUBLIC_CLOUD: &str = "login.microsoftonline.com";

/// An identity provider, and for Entra the tenant in it.
///
/// The text is checked before it is parsed: what passes is a host of the Entra clouds, a host that Entra's instance
/// discovery will be asked about, an OpenID Connect issuer, or an address of this machine for local development.
///
/// ```
/// use auth_core::Authority;
///
/// let authority = Authority::parse("https://login.microsoftonline.us/contoso.example")?;
/// assert_eq!(authority.environment(), "login.microsoftonline.us");
/// assert!(Authority::parse("https://login.microsoftonline.com@evil.example/t").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Entra(Entra),
    Oidc(Oidc),
}

/// Entra, or an identity provider on this machine that is shaped like it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entra {
    origin: String,
    host: String,
    names: Names,
    tenant: Tenant,
}

/// The other names of an Entra host.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    /// Compiled in.
    Cloud(&'static cloud::Cloud),
    /// Told by instance discovery.
    Discovered(Arc<InstanceMetadata>),
    /// This machine; its names are its loopback addresses.
    Loopback { scheme: &'static str, port: u16 },
    /// Not known yet.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Oidc {
    issuer: String,
    host: String,
    realm: String,
    port: Option<u16>,
}

/// The names of one cloud, as instance discovery tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceMetadata {
    /// Every host name of the cloud.
    pub aliases: Vec<String>,
    /// The name under which tokens are written to the shared cache.
    pub preferred_cache: String,
}

impl Authority {
    /// The given tenant of Entra's public cloud: a GUID, a domain name, `common`, `organizations` or `consumers`.
    ///
    /// # Errors
    /// [`ConfigError::Tenant`] when the name cannot be a tenant's.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let authority = Authority::tenant("contoso.onmicrosoft.com")?;
    /// assert_eq!(authority.environment(), "login.windows.net");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn tenant(tenant: &str) -> Result<Self, ConfigError> {
        Self::entra(
            format!("https://{PUBLIC_CLOUD}"),
            PUBLIC_CLOUD.to_owned(),
            known_names(PUBLIC_CLOUD),
            tenant.parse()?,
        )
    }

    /// An Entra authority `https://{host}/{tenant}`; the tenant is `common` when there is none.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] when the text breaks the rules of S-36 and S-37, [`ConfigError::Tenant`] when its
    /// path is no tenant.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let raw = RawAuthority::parse(text)?;
        let tenant = match raw.segments.as_slice() {
            [] => Tenant::Common,
            [tenant] => tenant.parse()?,
            _ => {
                return Err(ConfigError::Authority("an Entra authority has one path segment, its tenant"));
            }
        };
        let names = match raw.port {
            Some(port) if raw.is_loopback() => Names::Loopback { scheme: raw.scheme, port },
            _ => known_names(&raw.host),
        };
        Self::entra(raw.origin(), raw.host, names, tenant)
    }

    /// An OpenID Connect provider by its issuer, exactly as the provider spells it.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] when the text breaks the rules of S-36 and S-37.
    ///
    /// ```
    /// # use auth_core::Authority;
    /// let authority = Authority::oidc("https://idp.example/realms/staff")?;
    /// assert_eq!(authority.environment(), "idp.example");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn oidc(issuer: &str) -> Result<Self, ConfigError> {
        let raw = RawAuthority::parse(issuer)?;
        let realm = raw.segments.first().cloned().unwrap_or_default();
        Ok(Self(Kind::Oidc(Oidc { issuer: issuer.to_owned(), host: raw.host, realm, port: raw.port })))
    }

    fn entra(origin: String, host: String, names: Names, tenant: Tenant) -> Result<Self, ConfigError> {
        Ok(Self(Kind::Entra(Entra { origin, host, names, tenant })))
    }

    /// The Entra tenant; `None` for an OpenID Connect issuer.
    #[must_use]
    pub fn tenant_name(&self) -> Option<&Tenant> {
        match &self.0 {
            Kind::Entra(entra) => Some(&entra.tenant),
            Kind::Oidc(_) => None,
        }
    }

    /// The same authority for another tenant. An OpenID Connect issuer has none and stays as it is.
    #[must_use]
    pub fn with_tenant(&self, tenant: Tenant) -> Self {
        match &self.0 {
            Kind::Entra(entra) => Self(Kind::Entra(Entra { tenant, ..entra.clone() })),
            Kind::Oidc(_) => self.clone(),
        }
    }

    /// The same authority, knowing its other names. What is compiled in stays as it is (S-39).
    #[must_use]
    pub fn with_instance(&self, instance: InstanceMetadata) -> Self {
        match &self.0 {
            Kind::Entra(entra) if entra.names == Names::Unknown => {
                Self(Kind::Entra(Entra { names: Names::Discovered(Arc::new(instance)), ..entra.clone() }))
            }
            Kind::Entra(_) | Kind::Oidc(_) => self.clone(),
        }
    }

    /// Whether this is Entra under a host that instance discovery must confirm before anything is sent to it.
    #[must_use]
    pub fn needs_instance_discovery(&self) -> bool {
        matches!(&self.0, Kind::Entra(entra) if entra.names == Names::Unknown)
    }

    /// The `environment` under which tokens of this authority are written to the shared cache: the preferred name of
    /// the cloud, else the host without its port.
    #[must_use]
    pub fn environment(&self) -> &str {
        match &self.0 {
            Kind::Entra(entra) => match &entra.names {
                Names::Cloud(cloud) => cloud.preferred_cache,
                Names::Discovered(instance) => &instance.preferred_cache,
                Names::Loopback { .. } | Names::Unknown => &entra.host,
            },
            Kind::Oidc(oidc) => &oidc.host,
        }
    }

    /// Whether a cache entry with this `environment` may belong to this authority. A name is not proof where
    /// [`issuer_decides`](Self::issuer_decides).
    #[must_use]
    pub fn is_environment(&self, environment: &str) -> bool {
        let is = |name: &str| name.eq_ignore_ascii_case(environment);
        let is_host = |host: &str, port: Option<u16>| {
            let with_port = |port| {
                environment
                    .rsplit_once(':')
                    .is_some_and(|(name, tail)| name.eq_ignore_ascii_case(host) && tail.parse() == Ok::<u16, _>(port))
            };
            is(host) || port.is_some_and(with_port)
        };
        match &self.0 {
            Kind::Entra(entra) => match &entra.names {
                Names::Cloud(cloud) => cloud.aliases.iter().any(|alias| is(alias)),
                Names::Discovered(instance) => instance.aliases.iter().any(|alias| is(alias)),
                Names::Loopback { port, .. } => is_host(&entra.host, Some(*port)),
                Names::Unknown => is(&entra.host),
            },
            Kind::Oidc(oidc) => is_host(&oidc.host, oidc.port),
        }
    }

    /// Whether the environment alone does not tell whose entry it is, as several issuers share a host: then only entries
    /// count whose id_token was [issued](Self::is_issuer) by this authority.
    #[must_use]
    pub fn issuer_decides(&self) -> bool {
        match &self.0 {
            Kind::Entra(entra) => matches!(entra.names, Names::Loopback { .. } | Names::Unknown),
            Kind::Oidc(_) => true,
        }
    }

    /// Whether an id_token with this `iss` was issued by this authority, for any tenant of it.
    #[must_use]
    pub fn is_issuer(&self, iss: &str) -> bool {
        match self.issuer() {
            issuer @ Issuer::Exact { .. } => issuer.accepts(iss, None),
            issuer @ Issuer::Entra { .. } => issuer.tenant_of(iss).is_some(),
        }
    }

    /// The `realm` of an entry of this authority when no id_token names one.
    #[must_use]
    pub fn default_realm(&self) -> &str {
        match &self.0 {
            Kind::Entra(entra) => entra.tenant.as_str(),
            Kind::Oidc(oidc) => &oidc.realm,
        }
    }

    /// The endpoints, where they need no discovery.
    #[must_use]
    pub fn metadata(&self) -> Option<ProviderMetadata> {
        let Kind::Entra(entra) = &self.0 else { return None };
        if entra.names == Names::Unknown {
            return None;
        }
        let endpoint = |name: &str| format!("{}/{}/oauth2/v2.0/{name}", entra.origin, entra.tenant).parse().ok();
        Some(ProviderMetadata {
            issuer: self.issuer(),
            authorization_endpoint: endpoint("authorize")?,
            token_endpoint: endpoint("token")?,
            form_post: true,
            iss_parameter: false,
            pkce: true,
        })
    }

    /// Where the OpenID configuration document stands (Discovery §4, RFC 8414 is for others).
    pub(crate) fn configuration_url(&self) -> Option<Uri> {
        let base = match &self.0 {
            Kind::Entra(entra) => format!("{}/{}/v2.0", entra.origin, entra.tenant),
            Kind::Oidc(oidc) => oidc.issuer.trim_end_matches('/').to_owned(),
        };
        format!("{base}/.well-known/openid-configuration").parse().ok()
    }

    /// Where to ask for the names of this host: always a compiled-in host (S-39).
    pub(crate) fn instance_discovery_url(&self) -> Option<Uri> {
        let Kind::Entra(entra) = &self.0 else { return None };
        let authorize = format!("{}/{}/oauth2/v2.0/authorize", entra.origin, entra.tenant);
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("api-version", "1.1")
            .append_pair("authorization_endpoint", &authorize)
            .finish();
        format!("https://{PUBLIC_CLOUD}/common/discovery/instance?{query}").parse().ok()
    }

    /// The host, for messages.
    #[must_use]
    pub fn host(&self) -> &str {
        match &self.0 {
            Kind::Entra(entra) => &entra.host,
            Kind::Oidc(oidc) => &oidc.host,
        }
    }

    pub(crate) fn issuer(&self) -> Issuer {
        match &self.0 {
            Kind::Entra(entra) => {
                let https = |alias: &str| format!("https://{alias}");
                let (mut origins, loopback) = match &entra.names {
                    Names::Cloud(cloud) => (cloud.aliases.iter().map(|alias| https(alias)).collect(), false),
                    Names::Discovered(instance) => (instance.aliases.iter().map(|alias| https(alias)).collect(), false),
                    Names::Loopback { scheme, port } => {
                        let hosts = ["127.0.0.1", "[::1]", "localhost"];
                        (hosts.iter().map(|host| format!("{scheme}://{host}:{port}")).collect(), true)
                    }
                    Names::Unknown => (Vec::new(), false),
                };
                if !origins.contains(&entra.origin) {
                    origins.insert(0, entra.origin.clone());
                }
                Issuer::Entra { origins, tenant: entra.tenant.clone(), loopback }
            }
            Kind::Oidc(oidc) => Issuer::Exact { issuer: oidc.issuer.clone(), loopback: oidc.port.is_some() },
        }
    }
}

/// As the user wrote it, canonical.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Entra(entra) => write!(f, "{}/{}", entra.origin, entra.tenant),
            Kind::Oidc(oidc) => f.write_str(&oidc.issuer),
        }
    }
}

fn known_names(host: &str) -> Names {
    cloud::of_host(host).map_or(Names::Unknown, Names::Cloud)
}

#[cfg(test)]
mod tests;
