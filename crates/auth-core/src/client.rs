//! The application, and what it tells servers about itself.

use core::fmt;
use core::time::Duration;
use std::borrow::Cow;
use std::sync::Arc;

use crate::claims::{self, Claims};
use crate::correlation::CorrelationId;
use crate::error::ConfigError;

/// The client id of a registered application (RFC 6749 §2.2). Clones share the text.
///
/// ```
/// use auth_core::ClientId;
///
/// assert_eq!(ClientId::new("00001111-aaaa-2222-bbbb-3333cccc4444")?.as_str().len(), 36);
/// assert!(ClientId::new("two words").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// Creates a client id.
    ///
    /// # Errors
    /// [`ConfigError::ClientId`] if `id` is not 1 to 256 visible ASCII characters.
    pub fn new(id: impl Into<String>) -> Result<Self, ConfigError> {
        let id = id.into();
        if is_name(&id) { Ok(Self(id.into())) } else { Err(ConfigError::ClientId) }
    }

    /// Returns the id as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The application that makes the requests. Clones share its data.
///
/// ```
/// use auth_core::{Application, ClientId};
///
/// let app = Application::new(ClientId::new("my-client-id")?).with_name("inventory", "2.1")?;
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Application {
    pub(crate) client_id: ClientId,
    pub(crate) name: Option<Arc<(String, String)>>,
    capabilities: Arc<[String]>,
    pub(crate) clock_skew: Duration,
}

/// The largest clock skew that can be set (S-74).
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);
const DEFAULT_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

impl Application {
    /// Creates an application that only sends its client id.
    #[must_use]
    pub fn new(client_id: ClientId) -> Self {
        Self { client_id, name: None, capabilities: Arc::default(), clock_skew: DEFAULT_CLOCK_SKEW }
    }

    /// Sends the application's name and version (`x-app-name`, `x-app-ver`), for the provider's logs.
    ///
    /// # Errors
    /// [`ConfigError::ApplicationName`] if the name or the version is not at most 256 printable ASCII characters.
    pub fn with_name(mut self, name: impl Into<String>, version: impl Into<String>) -> Result<Self, ConfigError> {
        let (name, version) = (name.into(), version.into());
        let sendable = |text: &str| text.len() <= 256 && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        for (what, text) in [("name", &name), ("version", &version)] {
            if !sendable(text) {
                return Err(ConfigError::ApplicationName(what));
            }
        }
        self.name = Some(Arc::new((name, version)));
        Ok(self)
    }

    /// Declares the client's capabilities beyond the protocol, in the `claims` of every request. `cp1` means that it
    /// handles claims challenges ([`ClaimsChallenge`](crate::ClaimsChallenge)), so that Entra may issue long-lived
    /// tokens that can be revoked at any time (continuous access evaluation).
    ///
    /// ```
    /// use auth_core::{Application, ClientId};
    ///
    /// let app = Application::new(ClientId::new("my-client-id")?).with_capabilities(["cp1"])?;
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Capability`] if a capability is not 1 to 256 visible ASCII characters.
    pub fn with_capabilities(
        mut self,
        capabilities: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, ConfigError> {
        let mut distinct = Vec::new();
        for capability in capabilities {
            let capability = capability.into();
            if !is_name(&capability) {
                return Err(ConfigError::Capability);
            }
            if !distinct.contains(&capability) {
                distinct.push(capability);
            }
        }
        self.capabilities = distinct.into();
        Ok(self)
    }

    /// Tolerates this much clock skew between this machine and the provider in the times of ID tokens; five minutes by
    /// default (S-74).
    ///
    /// # Errors
    /// [`ConfigError::ClockSkew`] if `skew` is more than ten minutes.
    pub fn with_clock_skew(mut self, skew: Duration) -> Result<Self, ConfigError> {
        if skew > MAX_CLOCK_SKEW {
            return Err(ConfigError::ClockSkew);
        }
        self.clock_skew = skew;
        Ok(self)
    }

    /// Returns the client id.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the client's capabilities beyond the protocol.
    #[must_use]
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }
}

/// What all requests of one call have in common: the application, the correlation id, and extra query parameters.
///
/// ```
/// use auth_core::{Application, ClientId, CorrelationId, RequestContext};
///
/// let application = Application::new(ClientId::new("my-client-id")?);
/// let context = RequestContext::new(application, CorrelationId::generate(&mut rand::rngs::SysRng)?)
///     .with_extra_query(vec![("slice".to_owned(), "testslice".to_owned())])?;
/// assert_eq!(context.client_id().as_str(), "my-client-id");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct RequestContext {
    pub(crate) application: Application,
    pub(crate) correlation_id: CorrelationId,
    pub(crate) extra_query: Vec<(String, String)>,
}

impl RequestContext {
    /// Creates the context of one call.
    #[must_use]
    pub fn new(application: Application, correlation_id: CorrelationId) -> Self {
        Self { application, correlation_id, extra_query: Vec::new() }
    }

    /// Adds query parameters to the authorization and token requests of the call, as MSAL does.
    ///
    /// # Errors
    /// [`ConfigError::ReservedParameter`] if the protocol itself sets a parameter of this name (S-10),
    /// [`ConfigError::DuplicateParameter`] if a name is repeated.
    pub fn with_extra_query(mut self, parameters: Vec<(String, String)>) -> Result<Self, ConfigError> {
        let mut rest = parameters.as_slice();
        while let Some(((name, _), others)) = rest.split_first() {
            if is_reserved(name) {
                return Err(ConfigError::ReservedParameter { name: name.clone() });
            }
            if others.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(ConfigError::DuplicateParameter { name: name.clone() });
            }
            rest = others;
        }
        self.extra_query = parameters;
        Ok(self)
    }

    /// Returns the correlation id of the call.
    #[must_use]
    pub fn correlation_id(&self) -> CorrelationId {
        self.correlation_id
    }

    /// Returns the client id.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.application.client_id
    }

    /// The `claims` parameter of a request that must satisfy `claims`, including the client's capabilities.
    pub(crate) fn claims_parameter<'a>(&self, claims: Option<&'a Claims>) -> Option<Cow<'a, str>> {
        claims::parameter(&self.application.capabilities, claims)
    }
}

/// Omits the extra parameters, which may name people.
impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("application", &self.application)
            .field("correlation_id", &self.correlation_id)
            .finish_non_exhaustive()
    }
}

fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether the protocol itself sets the parameter, in this or another request.
fn is_reserved(name: &str) -> bool {
    [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "code",
        "scope",
        "grant_type",
        "refresh_token",
        "client_assertion",
        "client_assertion_type",
        "client_info",
        "client_secret",
        "client-request-id",
        "device_code",
        "claims",
        "prompt",
        "login_hint",
        "domain_hint",
        "max_age",
        "acr_values",
        "ui_locales",
        "instance_aware",
        "request",
        "request_uri",
    ]
    .iter()
    .any(|reserved| reserved.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_must_be_sendable_in_a_header() {
        let with = |name: &str, version: &str| {
            let application = Application::new(ClientId::new("c").unwrap()).with_name(name, version);
            application.err().map(|error| error.to_string())
        };
        assert_eq!(with("my inventory", "2.1"), None);
        assert_eq!(with(&"x".repeat(256), ""), None);
        for illegal in ["a\nb", "caf\u{e9}", &"x".repeat(257)] {
            let message = |what| Some(format!("the application {what} must be at most 256 printable ASCII characters"));
            assert_eq!((with(illegal, "1"), with("a", illegal)), (message("name"), message("version")));
        }
    }

    #[test]
    fn capabilities_are_visible_ascii_without_duplicates() {
        let with = |names: &[&str]| {
            let application = Application::new(ClientId::new("c").unwrap());
            application.with_capabilities(names.iter().copied()).map(|application| application.capabilities.to_vec())
        };
        assert_eq!(with(&["cp1", "llt", "cp1"]).unwrap(), ["cp1", "llt"]);
        assert_eq!(with(&[]).unwrap(), [""; 0]);
        assert!(with(&[&"x".repeat(256)]).is_ok());
        for illegal in ["", " ", "c p", "cp1\n", "\u{7f}", "cpé", &"x".repeat(257)] {
            assert_eq!(with(&["cp1", illegal]), Err(ConfigError::Capability), "{illegal:?}");
        }
    }
}
