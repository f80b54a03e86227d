//! What a sign-in with a browser can be given beyond what every request can.

use std::time::Duration;

use auth_core::{Authority, AuthorizationRequest, Claims, Error, PendingAuthorization, Prompt, ResponseMode, Scopes};

use crate::provider::KnownAuthority;
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
    /// Whether a token in the cache could do as well: nothing there tells when its user signed in, nor how.
    pub(crate) fn cache_may_answer(&self) -> bool {
        self.max_age.is_none() && self.acr_values.is_none()
    }

    /// Whether a sign-in of somebody else could do as well.
    pub(crate) fn any_sign_in_does(&self) -> bool {
        self.cache_may_answer() && self.prompt.is_none() && self.extra_scopes_to_consent.is_none()
    }

    /// Whether a broker can be told all of it: the languages and the domain are but hints.
    pub(crate) fn broker_may_show_it(&self) -> bool {
        self.cache_may_answer() && self.extra_scopes_to_consent.is_none()
    }

    /// Begins the sign-in of `request` at `place`, with these options.
    pub(crate) async fn begin(
        self,
        mut request: AuthorizationRequest,
        claims: Option<Claims>,
        shared: &Shared,
        place: &KnownAuthority,
        timing: &mut Timing,
    ) -> Result<PendingAuthorization, Error> {
        request.claims = claims;
        request.multi_cloud = shared.multi_cloud.then(|| Authority::clone(&place.authority()));
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

/// The setters of these options, for the builder that has them in `page`.
macro_rules! sign_in_setters {
    () => {
        /// How the sign-in page treats the user; by default as the provider likes.
        pub fn prompt(mut self, prompt: auth_core::Prompt) -> Self {
            self.page.prompt = Some(prompt);
            self
        }

        /// The domain of whoever signs in, so that a federated user is sent home at once.
        pub fn domain_hint(mut self, domain: impl Into<String>) -> Self {
            self.page.domain_hint = Some(domain.into());
            self
        }

        /// Asks the user to consent to these scopes as well, so that a later call finds the consent. This call gets no token
        /// for them. The client id among them is an error when the request is sent.
        pub fn extra_scopes_to_consent(mut self, scopes: auth_core::Scopes) -> Self {
            self.page.extra_scopes_to_consent = Some(scopes);
            self
        }

        /// How long ago the user may have signed in, in whole seconds. The id_token must then say when that was
        /// (`auth_time`), or the call fails; Entra does so only where the application asks for that claim.
        pub fn max_age(mut self, max_age: std::time::Duration) -> Self {
            self.page.max_age = Some(max_age);
            self
        }

        /// Which kinds of authentication are wanted: a list with spaces, the best first (OpenID Connect Core §3.1.2.1).
        pub fn acr_values(mut self, values: impl Into<String>) -> Self {
            self.page.acr_values = Some(values.into());
            self
        }

        /// The languages of the sign-in page (RFC 5646): a list with spaces, the best first.
        pub fn ui_locales(mut self, locales: impl Into<String>) -> Self {
            self.page.ui_locales = Some(locales.into());
            self
        }
    };
}

pub(crate) use sign_in_setters;
