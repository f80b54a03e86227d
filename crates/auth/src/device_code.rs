//! `acquire_token_by_device_code`: the user signs in on another device (RFC 8628).

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::{
    Account, DeviceAuthorization, DeviceCode, DeviceSignIn, ProviderMetadata, RequestContext, Scopes, Timestamp,
    UiRequired,
};

use tokio::time::timeout;

use crate::authorities::KnownAuthority;
use crate::error::{AuthError, Cancelled};
use crate::options::{Options, option_setters};
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::sign_in_turn::Turn;
use crate::signed_in::SignedIn;
use crate::silent::SilentRequest;
use crate::timing::Timing;

/// The longest wait for another sign-in in progress: the lifetime of Entra's codes.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// A request to sign the user in on another device; see
/// [`PublicClient::acquire_token_by_device_code`](crate::PublicClient::acquire_token_by_device_code).
#[derive(Clone)]
#[must_use = "nothing happens before `send` or `start`"]
pub struct DeviceCodeRequest {
    shared: Arc<Shared>,
    scopes: Scopes,
    account: Option<Account>,
    login_hint: Option<String>,
    timeout: Option<Duration>,
    /// Whether it follows a silent request, and so waits for other such requests.
    after_silent: bool,
    options: Options,
}

impl DeviceCodeRequest {
    pub(crate) fn new(shared: Arc<Shared>, scopes: Scopes) -> Self {
        let options = Options::default();
        Self { shared, scopes, account: None, login_hint: None, timeout: None, after_silent: false, options }
    }

    option_setters!(options);

    /// Accepts only this account: if someone else signs in, nothing is cached and the call fails (S-86).
    pub fn account(mut self, account: &Account) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// Sets how long the user has to sign in. By default it is until the code expires.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Follows up a silent request that requires the user: adopts its claims and correlation ID. Options set before
    /// take precedence; claims are merged, and on conflict those set before win.
    ///
    /// [`send`](Self::send) then waits for other such requests, with or without a browser, in this program and in
    /// others that share the store; see [`InteractiveRequest::satisfying`](crate::InteractiveRequest::satisfying).
    pub fn satisfying(mut self, ui: &UiRequired) -> Self {
        self.options.satisfy(ui);
        self.after_silent = true;
        self.login_hint.clone_from(&ui.login_hint);
        self
    }

    /// Requests a code, passes it to `show`, waits for the user and caches the tokens. Drop the future to cancel.
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

    /// Waits until no other request is signing the user in.
    async fn turn<'a>(&self, shared: &'a Shared, timing: &mut Timing) -> Result<Turn<'a>, AuthError> {
        let context = self.options.context(shared)?;
        let known = self.options.known_authority(shared)?;
        let names_are_new = known.confirm(&shared.driver, &context, timing).await?;
        let (account, hint) = (self.account.as_ref(), self.login_hint.as_deref());
        let silent = SilentRequest::after_sign_in(&self.shared, &self.scopes, account, hint, &self.options);
        Ok(Turn::take(shared, silent, names_are_new, &known.authority(), self.timeout.unwrap_or(LONGEST), timing).await)
    }

    /// Requests a code and returns without waiting for the user. It does not wait for other sign-ins either.
    ///
    /// # Errors
    /// [`AuthError::Config`] if the provider does not support this flow, [`AuthError::Server`] if it refuses; others as
    /// described at [`AuthError`].
    pub async fn start(self) -> Result<PendingDeviceCode, AuthError> {
        self.begin(Timing::begin()).await
    }

    async fn begin(self, mut timing: Timing) -> Result<PendingDeviceCode, AuthError> {
        let shared = self.shared;
        let context = self.options.context(&shared)?;
        let known = self.options.known_authority(&shared)?;
        let metadata = known.endpoints(&shared.driver, &context, &mut timing).await?;
        let request = || {
            let request = DeviceAuthorization::new(context.clone(), metadata.clone(), self.scopes.clone())?;
            Ok::<_, AuthError>(request.with_claims(self.options.claims.clone()))
        };
        let code = shared.driver.perform(request()?, &mut timing).await?;
        let (request, begun) = (request()?, shared.driver.now());
        let (account, timeout, bypass) = (self.account, self.timeout, self.options.claims.is_some());
        Ok(PendingDeviceCode {
            shared,
            known,
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

/// A device code that the user has yet to enter; see [`DeviceCodeRequest::start`].
///
/// ```no_run
/// # use auth::{AuthError, AuthResult, PublicClient, Scopes};
/// # async fn example(app: &PublicClient, scopes: &Scopes) -> Result<AuthResult, AuthError> {
/// let pending = app.acquire_token_by_device_code(scopes).start().await?;
/// println!("{}", pending.code().user_code);
/// pending.wait().await
/// # }
/// ```
#[must_use = "the sign-in is completed only by `wait`"]
pub struct PendingDeviceCode {
    shared: Arc<Shared>,
    known: Arc<KnownAuthority>,
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
    /// Returns what to show to the user.
    #[must_use]
    pub fn code(&self) -> &DeviceCode {
        &self.code
    }

    /// Waits for the user, polling at the interval that the provider sets, and caches the tokens. Drop the future to
    /// cancel.
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] with [`UiReason::CodeExpired`](auth_core::UiReason::CodeExpired) if the code expires
    /// first, [`AuthError::Cancelled`] if the [timeout](DeviceCodeRequest::timeout) passes first,
    /// [`AuthError::UserMismatch`] if someone other than the required account signs in, [`AuthError::Server`] if the
    /// user or the provider refuses; others as described at [`AuthError`].
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
            known: &self.known,
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
