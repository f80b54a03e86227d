//! `acquire_token_by_device_code`: the user signs in on another device (RFC 8628).

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::{
    Account, DeviceAuthorization, DeviceCode, DeviceSignIn, ProviderMetadata, RequestContext, Scopes, Timestamp,
    UiRequired,
};

use tokio::time::timeout;

use crate::error::{AuthError, Cancelled};
use crate::options::{Options, option_setters};
use crate::provider::KnownAuthority;
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::sign_in_turn::Turn;
use crate::signed_in::SignedIn;
use crate::silent::SilentRequest;
use crate::timing::Timing;

/// How long a user who is signing in already is waited for: as long as Entra's codes live.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// A sign-in on another device; see [`PublicClient::acquire_token_by_device_code`](crate::PublicClient::acquire_token_by_device_code).
#[derive(Clone)]
#[must_use = "nothing happens before `send` or `start`"]
pub struct DeviceCodeRequest {
    shared: Arc<Shared>,
    scopes: Scopes,
    account: Option<Account>,
    login_hint: Option<String>,
    timeout: Option<Duration>,
    /// Whether a token in the cache would do, were there one.
    after_silent: bool,
    options: Options,
}

impl DeviceCodeRequest {
    pub(crate) fn new(shared: Arc<Shared>, scopes: Scopes) -> Self {
        let options = Options::default();
        Self { shared, scopes, account: None, login_hint: None, timeout: None, after_silent: false, options }
    }

    option_setters!(options);

    /// Accepts this account only: when somebody else signs in, nothing is cached and the call fails.
    pub fn account(mut self, account: &Account) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// How long the user has; by default until the code expires.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Answers a silent request that found the user is needed: takes over its claims and its correlation id. What was set
    /// before stays; claims merge, and stay where both ask for the same thing.
    ///
    /// With [`send`](Self::send) it takes its turn among all such requests, here and in other programs that share the
    /// store, those with a browser included: see [`InteractiveRequest::satisfying`](crate::InteractiveRequest::satisfying).
    pub fn satisfying(mut self, ui: &UiRequired) -> Self {
        self.options.satisfy(ui);
        self.after_silent = true;
        self.login_hint.clone_from(&ui.login_hint);
        self
    }

    /// Asks for a code, hands it to `show` once, waits for the user and caches the tokens. Drop the future to give up.
    ///
    /// ```no_run
    /// # use auth::{AuthError, AuthResult, PublicClient, Scopes};
    /// # async fn example(app: &PublicClient, scopes: &Scopes) -> Result<AuthResult, AuthError> {
    /// app.acquire_token_by_device_code(scopes)
    ///     .send(|code| println!("Open {} and enter {}", code.verification_uri, code.user_code))
    ///     .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`start`](Self::start) and of [`PendingDeviceCode::wait`].
    pub async fn send(self, show: impl FnOnce(&DeviceCode)) -> Result<AuthResult, AuthError> {
        let (mut timing, shared) = (Timing::begin(), Arc::clone(&self.shared));
        let _turn = match self.after_silent {
            true => match self.turn(&shared, &mut timing).await? {
                Turn::Answered(result) => return Ok(*result),
                turn @ Turn::Own(_) => Some(turn),
            },
            false => None,
        };
        let pending = self.begin(timing).await?;
        show(pending.code());
        pending.wait().await
    }

    /// Waits for the turn of this request among all that need the user.
    async fn turn<'a>(&self, shared: &'a Shared, timing: &mut Timing) -> Result<Turn<'a>, AuthError> {
        let context = self.options.context(shared)?;
        let place = self.options.place(shared)?;
        let is_news = place.confirm(&shared.driver, &context, timing).await?;
        let (account, hint) = (self.account.as_ref(), self.login_hint.as_deref());
        let silent = SilentRequest::after_sign_in(&self.shared, &self.scopes, account, hint, &self.options);
        Ok(Turn::take(shared, silent, is_news, &place.authority(), self.timeout.unwrap_or(LONGEST), timing).await)
    }

    /// Asks for a code, and leaves it to the caller when to wait for the user. It is asked for at once, whoever else has the
    /// user sign in.
    ///
    /// # Errors
    /// [`AuthError::Config`] when the provider has no such sign-in, [`AuthError::Server`] when it refuses; otherwise as
    /// [`AuthError`] says.
    pub async fn start(self) -> Result<PendingDeviceCode, AuthError> {
        self.begin(Timing::begin()).await
    }

    async fn begin(self, mut timing: Timing) -> Result<PendingDeviceCode, AuthError> {
        let shared = self.shared;
        let context = self.options.context(&shared)?;
        let place = self.options.place(&shared)?;
        let metadata = place.endpoints(&shared.driver, &context, &mut timing).await?;
        let request = || {
            let request = DeviceAuthorization::new(context.clone(), metadata.clone(), self.scopes.clone())?;
            Ok::<_, AuthError>(request.with_claims(self.options.claims.clone()))
        };
        let code = shared.driver.perform(request()?, &mut timing).await?;
        let (request, begun) = (request()?, shared.driver.now());
        let (account, timeout, bypass) = (self.account, self.timeout, self.options.claims.is_some());
        Ok(PendingDeviceCode {
            shared,
            place,
            metadata,
            context,
            account,
            timeout,
            bypass,
            request,
            code,
            begun,
            timing,
        })
    }
}

impl fmt::Debug for DeviceCodeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCodeRequest").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// A code that somebody is to enter on another device.
#[must_use = "nobody waits for the user before `wait`"]
pub struct PendingDeviceCode {
    shared: Arc<Shared>,
    place: Arc<KnownAuthority>,
    metadata: ProviderMetadata,
    context: RequestContext,
    account: Option<Account>,
    timeout: Option<Duration>,
    bypass: bool,
    request: DeviceAuthorization,
    code: DeviceCode,
    begun: Timestamp,
    timing: Timing,
}

impl PendingDeviceCode {
    /// What to show to the user.
    #[must_use]
    pub fn code(&self) -> &DeviceCode {
        &self.code
    }

    /// Waits for the user, asking the provider as often as it wants, and caches the tokens. Drop the future to give up.
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] with [`UiReason::CodeExpired`](auth_core::UiReason::CodeExpired) when nobody entered the code
    /// in time, [`AuthError::Cancelled`] when the time is up before that, [`AuthError::UserMismatch`] when somebody else than
    /// the account signs in, [`AuthError::Server`] when the user or the provider refuses; otherwise as [`AuthError`] says.
    pub async fn wait(mut self) -> Result<AuthResult, AuthError> {
        let mut flow = DeviceSignIn::new(self.request, &self.code, self.begun);
        let tokens = self.shared.driver.drive(&mut flow, &mut self.timing);
        let tokens = match self.timeout {
            Some(limit) => {
                timeout(limit, tokens).await.map_err(|_| AuthError::Cancelled(Cancelled::TimedOut(limit)))?
            }
            None => tokens.await,
        }?;
        let signed_in = SignedIn {
            place: &self.place,
            metadata: &self.metadata,
            correlation_id: self.context.correlation_id(),
            pinned: self.account.as_ref(),
            bypass: self.bypass,
            by_device_code: true,
        };
        signed_in.with(tokens, &self.shared, &mut self.timing).await
    }
}

impl fmt::Debug for PendingDeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingDeviceCode").field("code", &self.code).finish_non_exhaustive()
    }
}
