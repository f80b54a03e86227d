//! `authorization_url`: begins a sign-in whose page the application itself opens, such as a web application.

use core::fmt;
use std::sync::Arc;

use auth_core::{
    AuthorizationRequest, ConfigError, PendingAuthorization, RedirectUri, ResponseMode, Scopes, UiRequired,
};

use crate::error::AuthError;
use crate::options::{Options, option_setters};
use crate::shared::Shared;
use crate::sign_in_options::{SignInOptions, sign_in_setters};
use crate::timing::Timing;

const NO_REDIRECT_URI: ConfigError =
    ConfigError::Missing { part: "redirect URI", remedy: "set one with `.redirect_uri(..)`" };

/// A request that begins a sign-in; see [`PublicClient::authorization_url`](crate::PublicClient::authorization_url).
#[derive(Clone)]
#[must_use = "nothing happens before `send`"]
pub struct AuthorizationUrlRequest {
    shared: Arc<Shared>,
    scopes: Scopes,
    redirect_uri: Option<RedirectUri>,
    page: SignInOptions,
    options: Options,
}

impl AuthorizationUrlRequest {
    pub(crate) fn new(shared: Arc<Shared>, scopes: Scopes) -> Self {
        let (page, options) = (SignInOptions::default(), Options::default());
        Self { shared, scopes, redirect_uri: None, page, options }
    }

    /// Sets where the provider sends the user back to, as registered. Required.
    pub fn redirect_uri(mut self, uri: RedirectUri) -> Self {
        self.redirect_uri = Some(uri);
        self
    }

    /// Sets how the response arrives; by default as a form post if the provider supports it (S-08).
    ///
    /// Browsers send no cookies with a form posted by another site, except those with `SameSite=None; Secure`. An
    /// application whose session cookie is `SameSite=Lax` should request [`ResponseMode::Query`] and answer the
    /// response with a redirect, so that the code does not stay in the address bar.
    pub fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.page.response_mode = Some(mode);
        self
    }

    /// Suggests a username on the sign-in page.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.page.login_hint = Some(hint.into());
        self
    }

    /// Follows up a silent request that requires the user: adopts its claims, login hint and correlation ID. Options
    /// set before take precedence; claims are merged, and on conflict those set before win.
    pub fn satisfying(mut self, ui: &UiRequired) -> Self {
        self.options.satisfy(ui);
        self.page.login_hint = self.page.login_hint.or_else(|| ui.login_hint.clone());
        self
    }

    sign_in_setters!();

    option_setters!(options);

    /// Begins the sign-in. Send the user to its [`url`](PendingAuthorization::url), and keep the rest for the response.
    /// Fetches the provider's metadata if it is not known yet, and pushes the authorization request if the provider
    /// supports that (RFC 9126).
    ///
    /// # Errors
    /// [`AuthError::Config`] if no redirect URI is set; others as described at [`AuthError`].
    pub async fn send(self) -> Result<PendingAuthorization, AuthError> {
        let (mut timing, shared) = (Timing::begin(), &*self.shared);
        let redirect_uri = self.redirect_uri.ok_or(NO_REDIRECT_URI)?;
        let context = self.options.context(shared)?;
        let known = self.options.known_authority(shared)?;
        let metadata = known.endpoints(&shared.driver, &context, &mut timing).await?;
        let request = AuthorizationRequest::new(context, metadata, redirect_uri, self.scopes);
        Ok(self.page.begin(request, self.options.claims, shared, &known, &mut timing).await?)
    }
}

impl fmt::Debug for AuthorizationUrlRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationUrlRequest").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
