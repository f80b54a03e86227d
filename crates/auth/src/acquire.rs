//! `acquire_token`: silent, then interactive, in one call.

use std::sync::Arc;
use std::time::Duration;

use auth_core::{Account, RedirectUri, ResponseMode};

use crate::error::AuthError;
use crate::interactive::InteractiveRequest;
use crate::options::option_setters;
use crate::result::AuthResult;
use crate::sign_in_options::{SignInOptions, sign_in_setters};
use crate::silent::SilentRequest;

/// A silent request that falls back to an interactive one; see
/// [`PublicClient::acquire_token`](crate::PublicClient::acquire_token).
///
/// ```no_run
/// # use auth::{AuthError, AuthResult, PublicClient, Scopes};
/// # async fn example(app: &PublicClient, scopes: &Scopes) -> Result<AuthResult, AuthError> {
/// app.acquire_token(scopes).login_hint("ada@contoso.example").send().await
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `send`"]
pub struct TokenRequest<'a> {
    silent: SilentRequest<'a>,
    page: SignInOptions,
    redirect_uri: Option<RedirectUri>,
    timeout: Option<Duration>,
}

impl<'a> TokenRequest<'a> {
    pub(crate) fn new(silent: SilentRequest<'a>) -> Self {
        Self { silent, page: SignInOptions::default(), redirect_uri: None, timeout: None }
    }

    /// Requires this account.
    pub fn account(mut self, account: &'a Account) -> Self {
        self.silent.account = Some(account);
        self
    }

    /// Ignores cached access tokens.
    pub fn force_refresh(mut self, force: bool) -> Self {
        self.silent = self.silent.force_refresh(force);
        self
    }

    /// Selects the cached account with this username or home account ID, and suggests it on the sign-in page. Any
    /// account that signs in is accepted.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.silent = self.silent.login_hint(hint);
        self
    }

    sign_in_setters!();

    option_setters!(silent.options);

    /// See [`InteractiveRequest::response_mode`].
    pub fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.page.response_mode = Some(mode);
        self
    }

    /// See [`InteractiveRequest::redirect_uri`].
    pub fn redirect_uri(mut self, uri: RedirectUri) -> Self {
        self.redirect_uri = Some(uri);
        self
    }

    /// See [`InteractiveRequest::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Returns a cached or refreshed token, or opens the browser if the user is needed. With [`max_age`](Self::max_age)
    /// or [`acr_values`](Self::acr_values) it always opens the browser, because the cache does not record when or how
    /// the user signed in.
    ///
    /// # Errors
    /// Those of [`SilentRequest::send`] except [`AuthError::UiRequired`], and those of [`InteractiveRequest::send`].
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        if self.page.cache_may_answer()
            && let Some(result) = self.silent.hit()
        {
            return Ok(result);
        }
        // Boxed to keep the future of a cache hit small.
        Box::pin(self.miss()).await
    }

    async fn miss(self) -> Result<AuthResult, AuthError> {
        if !self.page.cache_may_answer() {
            return self.interactive().send().await;
        }
        match self.silent.clone().miss().await {
            Err(AuthError::UiRequired(ui)) => self.interactive().satisfying(&ui).send().await,
            answer => answer,
        }
    }

    /// The interactive request with the same options.
    fn interactive(self) -> InteractiveRequest {
        let silent = self.silent;
        let mut request = InteractiveRequest::new(Arc::clone(silent.shared), silent.scopes.clone());
        request.options = silent.options;
        request.page = SignInOptions { login_hint: silent.login_hint, ..self.page };
        request.after_silent = true;
        request.redirect_uri = self.redirect_uri;
        request.timeout = self.timeout;
        match silent.account {
            Some(account) => request.account(account),
            None => request,
        }
    }
}
