//! `authorization_url`: the beginning of a sign-in whose page the application itself shows, such as a web application.

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
    ConfigError::Missing { part: "redirect URI", remedy: "give one with `.redirect_uri(..)`" };

/// The beginning of a sign-in; see [`PublicClient::authorization_url`](crate::PublicClient::authorization_url).
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

    /// Where the provider sends the user back to, as it is registered; it must be given.
    pub fn redirect_uri(mut self, uri: RedirectUri) -> Self {
        self.redirect_uri = Some(uri);
        self
    }

    /// How the response comes; by default as a form post where the provider has it (S-08).
    ///
    /// Browsers send no cookie with a form that another site posts, unless it is `SameSite=None; Secure`. An application
    /// whose session is a cookie with `SameSite=Lax` asks for [`ResponseMode::Query`], and answers the response with a
    /// redirect, so that the code does not stay in the address bar.
    pub fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.page.response_mode = Some(mode);
        self
    }

    /// Tells the sign-in page who will probably sign in.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.page.login_hint = Some(hint.into());
        self
    }

    /// Answers a silent request that found the user is needed: takes over its claims, its login hint and its correlation
    /// id. What was set before stays; claims merge, and stay where both ask for the same thing.
    pub fn satisfying(mut self, ui: &UiRequired) -> Self {
        self.options.satisfy(ui);
        self.page.login_hint = self.page.login_hint.or_else(|| ui.login_hint.clone());
        self
    }

    sign_in_setters!();

    option_setters!(options);

    /// Begins the sign-in: send the user to its [`url`](PendingAuthorization::url), and keep the rest for the response.
    /// The provider is asked where its endpoints are, if that is not known, and is told of the request where it wants that
    /// (RFC 9126).
    ///
    /// # Errors
    /// [`AuthError::Config`] when there is no redirect URI; otherwise as [`AuthError`] says.
    pub async fn send(self) -> Result<PendingAuthorization, AuthError> {
        let (mut timing, shared) = (Timing::begin(), &*self.shared);
        let redirect_uri = self.redirect_uri.ok_or(NO_REDIRECT_URI)?;
        let context = self.options.context(shared)?;
        let place = self.options.place(shared)?;
        let metadata = place.endpoints(&shared.driver, &context, &mut timing).await?;
        let request = AuthorizationRequest::new(context, metadata, redirect_uri, self.scopes);
        Ok(self.page.begin(request, self.options.claims, shared, &place, &mut timing).await?)
    }
}

impl fmt::Debug for AuthorizationUrlRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationUrlRequest").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
