//! The additional options of a sign-in with a browser.

use std::time::Duration;

use auth_core::{Authority, AuthorizationRequest, Claims, Error, PendingAuthorization, Prompt, ResponseMode, Scopes};

use crate::authorities::KnownAuthority;
use crate::shared::Shared;
use crate::timing::Timing;

/// The options of the sign-in page.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignInOptions {
    pub(crate) response_mode: Option<ResponseMode>,
    pub(crate) login_hint: Option<String>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) domain_hint: Option<String>,
    pub(crate) extra_scopes_to_consent: Option<Scopes>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) acr_values: Option<String>,
    pub(crate) ui_locales: Option<String>,
}

impl SignInOptions {
    /// Whether a cached token may answer: the cache does not record when or how its user signed in.
    pub(crate) fn cache_may_answer(&self) -> bool {
        self.max_age.is_none() && self.acr_values.is_none()
    }

    /// Whether the sign-in of another call may answer.
    pub(crate) fn any_sign_in_does(&self) -> bool {
        self.cache_may_answer() && self.prompt.is_none() && self.extra_scopes_to_consent.is_none()
    }

    /// Whether a broker can be told these options; languages and domain are only hints.
    pub(crate) fn broker_may_show_it(&self) -> bool {
        self.cache_may_answer() && self.extra_scopes_to_consent.is_none()
    }

    /// Begins the sign-in of `request` at the authority `known`, with these options.
    pub(crate) async fn begin(
        self,
        mut request: AuthorizationRequest,
        claims: Option<Claims>,
        shared: &Shared,
        known: &KnownAuthority,
        timing: &mut Timing,
    ) -> Result<PendingAuthorization, Error> {
        request.claims = claims;
        request.multi_cloud = shared.multi_cloud.then(|| Authority::clone(&known.authority()));
        request.response_mode = self.response_mode;
        request.login_hint = self.login_hint;
        request.prompt = self.prompt;
        request.domain_hint = self.domain_hint;
        request.extra_scopes_to_consent = self.extra_scopes_to_consent;
        request.max_age = self.max_age;
        request.acr_values = self.acr_values;
        request.ui_locales = self.ui_locales;
        shared.driver.begin(request, timing).await
    }
}

/// The setters of these options, for a builder that keeps them in `page`.
macro_rules! sign_in_setters {
    () => {
        /// Sets how the sign-in page treats the user. By default the provider decides.
        pub fn prompt(mut self, prompt: auth_core::Prompt) -> Self {
            self.page.prompt = Some(prompt);
            self
        }

        /// Names the user's domain, so that a federated user is sent to their own sign-in page at once.
        pub fn domain_hint(mut self, domain: impl Into<String>) -> Self {
            self.page.domain_hint = Some(domain.into());
            self
        }

        /// Asks the user to consent to these scopes as well, for use by later calls. This call gets no token for them.
        /// If they include the client ID, it is an error when the request is sent.
        pub fn extra_scopes_to_consent(mut self, scopes: auth_core::Scopes) -> Self {
            self.page.extra_scopes_to_consent = Some(scopes);
            self
        }

        /// Limits how long ago the user may have signed in, in whole seconds. The ID token must then contain
        /// `auth_time`, or the call fails; Entra includes it only if the application requests that claim.
        pub fn max_age(mut self, max_age: std::time::Duration) -> Self {
            self.page.max_age = Some(max_age);
            self
        }

        /// Sets the requested authentication context classes, separated by spaces, most preferred first (OpenID Connect
        /// Core §3.1.2.1).
        pub fn acr_values(mut self, values: impl Into<String>) -> Self {
            self.page.acr_values = Some(values.into());
            self
        }

        /// Sets the languages of the sign-in page (RFC 5646), separated by spaces, most preferred first.
        pub fn ui_locales(mut self, locales: impl Into<String>) -> Self {
            self.page.ui_locales = Some(locales.into());
            self
        }
    };
}

pub(crate) use sign_in_setters;
