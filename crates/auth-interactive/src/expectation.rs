//! What a sign-in waits for.

use std::time::Duration;

use auth_core::{PendingAuthorization, RedirectUri, State};

use crate::conversation::Rules;
use crate::error::LoopbackError;
use crate::pages::Pages;

/// What [`LoopbackReceiver::receive`](crate::LoopbackReceiver::receive) waits for: the `state`, the response mode, the
/// redirect URI, and the web origins that may post the response.
///
/// ```
/// use std::time::Duration;
/// use auth_core::PendingAuthorization;
/// use auth_interactive::{Expectation, LoopbackError};
///
/// # fn example(pending: &PendingAuthorization) -> Result<(), LoopbackError> {
/// let expectation = Expectation::new(pending)?.with_timeout(Duration::from_secs(120));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Expectation {
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) state: State,
    pub(crate) rules: Rules,
    pub(crate) timeout: Duration,
}

impl Expectation {
    /// The default time limit for the user: five minutes (S-23).
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

    /// Returns what `pending` waits for, with the default time limit. The response may be posted from
    /// [`PendingAuthorization::response_origins`]: the origin of the authorization endpoint and, at Entra, those of
    /// every name of the cloud and of the sign-in host of personal accounts (S-18). A browser that hides the origin
    /// (`null`) may post it too.
    ///
    /// # Errors
    /// [`LoopbackError::NotLoopback`] if its redirect URI is not a loopback address with a port.
    pub fn new(pending: &PendingAuthorization) -> Result<Self, LoopbackError> {
        let redirect_uri = pending.redirect_uri().clone();
        let mut rules = Rules::new(&redirect_uri, pending.response_mode()).ok_or(LoopbackError::NotLoopback)?;
        rules.origins = pending.response_origins();
        Ok(Self { redirect_uri, state: pending.state().clone(), rules, timeout: Self::DEFAULT_TIMEOUT })
    }

    /// Sets the time limit for the user.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Allows one more origin to post the response, for providers whose sign-in pages have a host of their own. Written
    /// as browsers send it: `https://host`, with the port if it is not 443.
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.rules.origins.push(origin.into());
        self
    }

    /// Sets the pages that the browser shows at the end, instead of the built-in ones.
    pub fn with_pages(mut self, pages: Pages) -> Self {
        self.rules.pages = pages;
        self
    }
}

#[cfg(test)]
mod tests {
    use auth_core::ResponseMode;

    use super::*;
    use crate::testing::{pending, pending_at_entra};

    fn redirect_uri() -> RedirectUri {
        RedirectUri::parse("http://localhost:8400").unwrap()
    }

    #[test]
    fn s18_the_provider_and_the_origins_that_the_application_adds_may_post() {
        let pending = pending(&redirect_uri(), ResponseMode::FormPost);
        let expectation = Expectation::new(&pending).unwrap();
        assert_eq!(expectation.rules.origins, ["https://idp.example"]);
        let expectation = expectation.with_origin("https://pages.example");
        assert_eq!(expectation.rules.origins, ["https://idp.example", "https://pages.example"]);
    }

    #[test]
    fn s18_at_entra_every_sign_in_host_of_the_cloud_may_post() {
        let pending = pending_at_entra(&redirect_uri());
        let expectation = Expectation::new(&pending).unwrap();
        assert_eq!(expectation.rules.origins, pending.response_origins());
        let may_post = |origin: &str| expectation.rules.origins.iter().any(|known| known == origin);
        assert!(may_post("https://login.microsoftonline.com") && may_post("https://login.live.com"));
        assert!(!may_post("https://login.microsoftonline.us"), "another cloud");
    }

    #[test]
    fn s23_the_user_has_five_minutes_unless_the_application_says_otherwise() {
        let pending = pending(&redirect_uri(), ResponseMode::Query);
        let expectation = Expectation::new(&pending).unwrap();
        assert_eq!(expectation.timeout, Duration::from_secs(300));
        assert_eq!(expectation.with_timeout(Duration::from_secs(7)).timeout, Duration::from_secs(7));
    }

    #[test]
    fn a_redirect_uri_without_a_loopback_port_is_an_error() {
        for text in ["https://app.example/done", "http://localhost"] {
            let pending = pending(&RedirectUri::parse(text).unwrap(), ResponseMode::FormPost);
            assert!(matches!(Expectation::new(&pending), Err(LoopbackError::NotLoopback)), "{text}");
        }
    }
}
