//! `acquire_token`: silent, then interactive, in one call.

use std::sync::Arc;
use std::time::Duration;

use auth_core::{Account, Claims, CorrelationId, RedirectUri};

use crate::error::AuthError;
use crate::interactive::InteractiveRequest;
use crate::result::AuthResult;
use crate::sign_in_options::{SignInOptions, sign_in_setters};
use crate::silent::SilentRequest;

/// A silent request that goes on to the user; see [`PublicClient::acquire_token`](crate::PublicClient::acquire_token).
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

    /// For this account only.
    pub fn account(mut self, account: &'a Account) -> Self {
        self.silent.account = Some(account);
        self
    }

    /// Asks for tokens of another tenant of the client's cloud; see [`SilentRequest::tenant_id`].
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.silent = self.silent.tenant_id(tenant);
        self
    }

    /// Asks another user flow of the client's B2C tenant; see [`SilentRequest::user_flow`].
    pub fn user_flow(mut self, name: impl Into<String>) -> Self {
        self.silent = self.silent.user_flow(name);
        self
    }

    /// Passes the access tokens in the cache over.
    pub fn force_refresh(mut self, force: bool) -> Self {
        self.silent = self.silent.force_refresh(force);
        self
    }

    /// Asks for tokens that satisfy these claims, past the cache.
    pub fn claims(mut self, claims: Claims) -> Self {
        self.silent = self.silent.claims(claims);
        self
    }

    /// Gives the call an id of the application's own; otherwise one is drawn.
    pub fn correlation_id(mut self, id: CorrelationId) -> Self {
        self.silent = self.silent.correlation_id(id);
        self
    }

    /// Adds a query parameter to the requests of this call.
    pub fn extra_query_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.silent = self.silent.extra_query_parameter(name, value);
        self
    }

    /// Means the account of this name in the cache, and tells it to the sign-in page; whoever signs in is accepted.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.silent = self.silent.login_hint(hint);
        self
    }

    sign_in_setters!();

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

    /// Asks the cache; when the user is needed, opens the browser.
    ///
    /// # Errors
    /// Those of [`SilentRequest::send`] but [`AuthError::UiRequired`], and those of [`InteractiveRequest::send`].
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        if let Some(result) = self.silent.hit() {
            return Ok(result);
        }
        // Behind a box, so that the future of a hit stays small.
        Box::pin(self.miss()).await
    }

    async fn miss(self) -> Result<AuthResult, AuthError> {
        match self.silent.clone().miss().await {
            Err(AuthError::UiRequired(ui)) => self.interactive().satisfying(&ui).send().await,
            answer => answer,
        }
    }

    /// The same wishes for the sign-in.
    fn interactive(self) -> InteractiveRequest {
        let silent = self.silent;
        let mut request = InteractiveRequest::new(Arc::clone(silent.shared), silent.scopes.clone());
        request.options = silent.options;
        request.login_hint = silent.login_hint;
        request.page = self.page;
        request.redirect_uri = self.redirect_uri;
        request.timeout = self.timeout;
        match silent.account {
            Some(account) => request.account(account),
            None => request,
        }
    }
}
