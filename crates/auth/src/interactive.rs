//! `acquire_token_interactive`: the user signs in with a browser.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::{
    Account, Authority, AuthorizationRequest, ConfigError, CorrelationId, RedirectUri, ResponseMode, Scopes, UiRequired,
};
use auth_interactive::{DynBrowser, Expectation, LoopbackReceiver, SignInError, sign_in};

use crate::broker::BrokerRequest;
use crate::brokered;
use crate::code::Returned;
use crate::error::AuthError;
use crate::options::{Options, option_setters};
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::sign_in_options::{SignInOptions, sign_in_setters};
use crate::sign_in_turn::Turn;
use crate::silent::SilentRequest;
use crate::timing::Timing;

/// The default redirect URI; the system picks a free port.
const LOOPBACK: &str = "http://localhost";

const NO_BROWSER: ConfigError = ConfigError::Missing {
    part: "browser",
    remedy: "enable the feature `system-browser`, or set one with `.browser(..)`",
};

/// An interactive request; see
/// [`PublicClient::acquire_token_interactive`](crate::PublicClient::acquire_token_interactive).
///
/// ```no_run
/// # use auth::{AuthError, AuthResult, PublicClient, Scopes};
/// # async fn example(app: &PublicClient, scopes: &Scopes) -> Result<AuthResult, AuthError> {
/// app.acquire_token_interactive(scopes).prompt(auth::Prompt::SelectAccount).send().await
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing happens before `send`"]
pub struct InteractiveRequest {
    shared: Arc<Shared>,
    scopes: Scopes,
    account: Option<Account>,
    pub(crate) redirect_uri: Option<RedirectUri>,
    pub(crate) timeout: Option<Duration>,
    /// Whether it follows a silent request, and so waits for other such requests.
    pub(crate) after_silent: bool,
    pub(crate) page: SignInOptions,
    pub(crate) options: Options,
}

impl InteractiveRequest {
    pub(crate) fn new(shared: Arc<Shared>, scopes: Scopes) -> Self {
        Self {
            shared,
            scopes,
            account: None,
            redirect_uri: None,
            timeout: None,
            after_silent: false,
            page: SignInOptions::default(),
            options: Options::default(),
        }
    }

    /// Follows up a silent request that requires the user: adopts its claims, login hint and correlation ID, so that
    /// the new tokens satisfy what was missing. Options set before take precedence; claims are merged, and on conflict
    /// those set before win.
    ///
    /// Of several such requests, in this program or in others that share the store, only one shows the sign-in page at
    /// a time. Each of the others waits, then checks the cache and shows the page only if it finds no token. A request
    /// with claims or a prompt also waits, but always shows the page.
    pub fn satisfying(mut self, ui: &UiRequired) -> Self {
        self.options.satisfy(ui);
        self.after_silent = true;
        self.page.login_hint = self.page.login_hint.or_else(|| ui.login_hint.clone());
        self
    }

    /// Accepts only this account: if someone else signs in, nothing is cached and the call fails (S-86).
    pub fn account(mut self, account: &Account) -> Self {
        self.page.login_hint = self.page.login_hint.or_else(|| account.login_hint().map(str::to_owned));
        self.account = Some(account.clone());
        self
    }

    /// Suggests a username on the sign-in page. Any account that signs in is accepted.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.page.login_hint = Some(hint.into());
        self
    }

    /// Sets where the response is received: a loopback address, as registered. Without a port, a free one is chosen.
    /// The default is `http://localhost`.
    pub fn redirect_uri(mut self, uri: RedirectUri) -> Self {
        self.redirect_uri = Some(uri);
        self
    }

    /// Sets how the response arrives; by default as a form post if the provider is known to support it. A response in
    /// the query is part of the final address, which the user can paste if the browser cannot reach this machine
    /// ([`Browser::pasted`](crate::Browser::pasted)).
    pub fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.page.response_mode = Some(mode);
        self
    }

    /// Sets how long the user has to sign in. The default is five minutes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    sign_in_setters!();

    option_setters!(options);

    /// Opens the browser, waits for the user, redeems the code and caches the tokens.
    ///
    /// # Errors
    /// [`AuthError::Server`] if the user or the provider refuses, [`AuthError::Cancelled`] on a timeout,
    /// [`AuthError::UiRequired`] if [`Prompt::None`](auth_core::Prompt::None) did not suffice, or a B2C user has
    /// forgotten the password ([`UiReason::PasswordForgotten`](auth_core::UiReason::PasswordForgotten)),
    /// [`AuthError::UserMismatch`] if someone other than the required [account](Self::account) signs in,
    /// [`AuthError::Browser`] if the page cannot be shown; others as described at [`AuthError`].
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        let mut timing = Timing::begin();
        let shared = &*self.shared;
        let context = self.options.context(shared)?;
        let known = self.options.known_authority(shared)?;
        // Without a browser, fail before anything is sent; only a broker works without one.
        if shared.broker.is_none() {
            browser(shared)?;
        }
        let names_are_new = known.confirm(&shared.driver, &context, &mut timing).await?;
        let metadata = known.endpoints(&shared.driver, &context, &mut timing).await?;
        let patience = self.timeout.unwrap_or(Expectation::DEFAULT_TIMEOUT);
        let _turn = match self.after_silent {
            true => match Turn::take(shared, self.silent(), names_are_new, &known.authority(), patience, &mut timing)
                .await
            {
                Turn::Answered(result) => return Ok(*result),
                turn @ Turn::Own(_) => Some(turn),
            },
            false => None,
        };
        if let Some(result) = self.ask_broker(&known.authority(), context.correlation_id(), &timing).await? {
            return Ok(result);
        }

        let browser = browser(shared)?;
        let redirect_uri = match self.redirect_uri {
            Some(uri) => uri,
            None => RedirectUri::parse(LOOPBACK)?,
        };
        let receiver = LoopbackReceiver::bind(&redirect_uri).map_err(SignInError::from)?;
        let redirect_uri = receiver.redirect_uri().clone();
        let request = AuthorizationRequest::new(context, metadata, redirect_uri, self.scopes);
        let pending = self.page.begin(request, self.options.claims, shared, &known, &mut timing).await?;

        let expectation = Expectation::new(&pending).map_err(SignInError::from)?.with_timeout(patience);
        let expectation = shared.sign_in_origins.iter().fold(expectation, Expectation::with_origin);
        let expectation = expectation.with_pages(shared.pages.clone());
        let response = sign_in(browser, receiver, pending.url(), expectation).await?;
        let returned = Returned { pending, response, known, pinned: self.account.as_ref() };
        returned.redeem(shared, &mut timing).await
    }

    /// Asks the broker, if there is one and it can be told every option.
    async fn ask_broker(
        &self,
        authority: &Authority,
        correlation_id: CorrelationId,
        timing: &Timing,
    ) -> Result<Option<AuthResult>, AuthError> {
        if !self.page.broker_may_show_it() {
            return Ok(None);
        }
        let request = BrokerRequest {
            account: self.account.as_ref(),
            login_hint: self.page.login_hint.as_deref(),
            claims: self.options.claims.as_ref(),
            prompt: self.page.prompt,
            extra_query: &self.options.extra_query,
            ..brokered::request(&self.shared, authority, &self.scopes, correlation_id)
        };
        brokered::interactively(&self.shared, &request, timing).await
    }

    /// The silent request to repeat after another call's sign-in; `None` if the options require a separate sign-in.
    fn silent(&self) -> Option<SilentRequest<'_>> {
        let (account, hint) = (self.account.as_ref(), self.page.login_hint.as_deref());
        let silent = SilentRequest::after_sign_in(&self.shared, &self.scopes, account, hint, &self.options);
        silent.filter(|_| self.page.any_sign_in_does())
    }
}

/// The browser, if it can show a page.
fn browser(shared: &Shared) -> Result<&dyn DynBrowser, AuthError> {
    let browser = shared.browser.as_deref().ok_or(NO_BROWSER)?;
    browser.check().map_err(SignInError::from)?;
    Ok(browser)
}

impl fmt::Debug for InteractiveRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InteractiveRequest").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
