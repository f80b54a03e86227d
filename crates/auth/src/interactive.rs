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

/// The default redirect URI; the port is free and chosen by the system.
const LOOPBACK: &str = "http://localhost";

const NO_BROWSER: ConfigError = ConfigError::Missing {
    part: "browser",
    remedy: "turn feature `system-browser` on, or give one with `.browser(..)`",
};

/// An interactive request; see [`PublicClient::acquire_token_interactive`](crate::PublicClient::acquire_token_interactive).
#[derive(Clone)]
#[must_use = "nothing happens before `send`"]
pub struct InteractiveRequest {
    shared: Arc<Shared>,
    scopes: Scopes,
    account: Option<Account>,
    pub(crate) redirect_uri: Option<RedirectUri>,
    pub(crate) timeout: Option<Duration>,
    /// Whether it takes its turn among those that silent requests sent to the user.
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

    /// Answers a silent request that found the user is needed: takes over its claims, its login hint and its correlation
    /// id, so that the new tokens satisfy what was missing. What was set before stays; claims merge, and stay where both ask
    /// for the same thing.
    ///
    /// Of several such requests, in this program or in others that share the store, one shows the sign-in page. The others
    /// wait for it and then look into the cache; who finds nothing there shows the page in turn. A request with claims or a
    /// prompt waits as well, and always shows it.
    pub fn satisfying(mut self, ui: &UiRequired) -> Self {
        self.options.satisfy(ui);
        self.after_silent = true;
        self.page.login_hint = self.page.login_hint.or_else(|| ui.login_hint.clone());
        self
    }

    /// Accepts this account only: when somebody else signs in, nothing is cached and the call fails.
    pub fn account(mut self, account: &Account) -> Self {
        self.page.login_hint = self.page.login_hint.or_else(|| account.login_hint().map(str::to_owned));
        self.account = Some(account.clone());
        self
    }

    /// Tells the sign-in page who will probably sign in. Whoever does is accepted.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.page.login_hint = Some(hint.into());
        self
    }

    /// Where the answer is received: a loopback address as it is registered. Without a port one is chosen. The default
    /// is `http://localhost`.
    pub fn redirect_uri(mut self, uri: RedirectUri) -> Self {
        self.redirect_uri = Some(uri);
        self
    }

    /// How the answer comes; by default as a form post where the provider is known to have it. In the query it stands in
    /// the address of the last page, which the user can paste where the browser does not reach this machine
    /// ([`Browser::pasted`](crate::Browser::pasted)).
    pub fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.page.response_mode = Some(mode);
        self
    }

    /// How long the user has; five minutes by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    sign_in_setters!();

    option_setters!(options);

    /// Opens the browser, waits for the user, redeems the code and caches the tokens.
    ///
    /// # Errors
    /// [`AuthError::Server`] when the user or the provider refuses, [`AuthError::Cancelled`] when the time is up,
    /// [`AuthError::UiRequired`] when [`Prompt::None`](auth_core::Prompt::None) was not enough, or the user of B2C forgot the
    /// password ([`UiReason::PasswordForgotten`](auth_core::UiReason::PasswordForgotten)),
    /// [`AuthError::UserMismatch`] when somebody else than the [account](Self::account) signs in,
    /// [`AuthError::Browser`] when no page can be shown; otherwise as [`AuthError`] says.
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        let mut timing = Timing::begin();
        let shared = &*self.shared;
        let context = self.options.context(shared)?;
        let place = self.options.place(shared)?;
        // Without a browser nobody is asked or waited for; only a broker could do without.
        if shared.broker.is_none() {
            browser(shared)?;
        }
        let is_news = place.confirm(&shared.driver, &context, &mut timing).await?;
        let metadata = place.endpoints(&shared.driver, &context, &mut timing).await?;
        let patience = self.timeout.unwrap_or(Expectation::DEFAULT_TIMEOUT);
        let _turn = match self.after_silent {
            true => match Turn::take(shared, self.silent(), is_news, &place.authority(), patience, &mut timing).await {
                Turn::Answered(result) => return Ok(*result),
                turn @ Turn::Own(_) => Some(turn),
            },
            false => None,
        };
        if let Some(result) = self.ask_broker(&place.authority(), context.correlation_id(), &timing).await? {
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
        let pending = self.page.begin(request, self.options.claims, shared, &place, &mut timing).await?;

        let expectation = Expectation::new(&pending).map_err(SignInError::from)?.with_timeout(patience);
        let expectation = shared.sign_in_origins.iter().fold(expectation, Expectation::with_origin);
        let expectation = expectation.with_pages(shared.pages.clone());
        let response = sign_in(browser, receiver, pending.url(), expectation).await?;
        let returned = Returned { pending, response, place, pinned: self.account.as_ref() };
        returned.redeem(shared, &mut timing).await
    }

    /// What the broker gives, where there is one that can be told all that is wished.
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

    /// The question that the cache may answer once somebody else had the user sign in. Who asks for a prompt, or how the user
    /// signs in, wants a sign-in of its own.
    fn silent(&self) -> Option<SilentRequest<'_>> {
        let (account, hint) = (self.account.as_ref(), self.page.login_hint.as_deref());
        let silent = SilentRequest::after_sign_in(&self.shared, &self.scopes, account, hint, &self.options);
        silent.filter(|_| self.page.any_sign_in_does())
    }
}

/// What shows the page, if it can.
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
