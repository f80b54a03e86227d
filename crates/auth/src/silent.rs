//! `acquire_token_silent`: the cache first, then a refresh token; never the user.

use core::fmt;
use std::sync::Arc;

use auth_cache::{BoxFuture, Lookup};
use auth_core::{Account, RequestContext, Scopes, UiReason, UiRequired};

use crate::answer::answer;
use crate::error::AuthError;
use crate::options::{Options, option_setters};
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::wanted::Wanted;

/// A silent request; see [`PublicClient::acquire_token_silent`](crate::PublicClient::acquire_token_silent).
///
/// It borrows the client, scopes and account. To send it from a spawned task, clone them, which is cheap:
///
/// ```no_run
/// # use auth::{Account, AuthError, AuthResult, PublicClient, Scopes};
/// # fn example(app: &PublicClient, scopes: &Scopes, account: &Account) {
/// let (app, scopes, account) = (app.clone(), scopes.clone(), account.clone());
/// let task = tokio::spawn(async move { app.acquire_token_silent(&scopes, Some(&account)).send().await });
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing happens before `send`"]
pub struct SilentRequest<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) scopes: &'a Scopes,
    pub(crate) account: Option<&'a Account>,
    pub(crate) login_hint: Option<String>,
    force_refresh: bool,
    pub(crate) options: Options,
}

impl<'a> SilentRequest<'a> {
    pub(crate) fn new(shared: &'a Arc<Shared>, scopes: &'a Scopes, account: Option<&'a Account>) -> Self {
        Self { shared, scopes, account, login_hint: None, force_refresh: false, options: Options::default() }
    }

    /// The silent request for the same token as a sign-in, to repeat after another call's sign-in; `None` if there are
    /// claims, which always require a separate sign-in.
    pub(crate) fn after_sign_in(
        shared: &'a Arc<Shared>,
        scopes: &'a Scopes,
        account: Option<&'a Account>,
        login_hint: Option<&str>,
        options: &Options,
    ) -> Option<Self> {
        let silent = || Self {
            login_hint: login_hint.map(str::to_owned),
            options: options.clone(),
            ..Self::new(shared, scopes, account)
        };
        options.claims.is_none().then(silent)
    }

    /// Selects the account with this username or home account ID, if no account is given. Finding it takes time
    /// proportional to the number of accounts.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Ignores cached access tokens and redeems a refresh token. Simultaneous forced calls share one redemption.
    pub fn force_refresh(mut self, force: bool) -> Self {
        self.force_refresh = force;
        self
    }

    option_setters!(options);

    /// Returns a cached token, or a refreshed one after caching it.
    ///
    /// Simultaneous calls for the same token share one request and its error. The request runs on the runtime of the
    /// call that began it, and continues when this future is dropped, until the rotated refresh token is stored. Keep
    /// that runtime running, and see [`PublicClient::close`](crate::PublicClient::close).
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] if the user must act: no token is cached, there are several accounts and none was
    /// named, or the identity provider requires it. [`AuthError::Throttled`] if the provider is busy, also without a
    /// request until it may be asked again. [`AuthError::Config`] if a refresh is needed outside a tokio runtime.
    /// Others as described at [`AuthError`]. If a refresh fails while the cached token is still valid, that token is
    /// returned, unless the refresh was forced or claims must be satisfied.
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        if let Some(result) = self.hit() {
            return Ok(result);
        }
        // Boxed to keep the future of a cache hit small.
        self.miss().await
    }

    /// The answer if it is in memory. Takes no lock, and writes nothing that calls for other tokens also write.
    #[inline]
    pub(crate) fn hit(&self) -> Option<AuthResult> {
        let account = self.account.filter(|_| !self.force_refresh && self.options.cache_may_answer())?;
        let resolved = self.shared.authorities.own().resolved();
        if self.shared.multi_cloud && !resolved.authority().is_environment(&account.environment) {
            return None;
        }
        let query = self.shared.query(&resolved, &account.home_account_id, self.scopes);
        let Lookup::Usable(token) = self.shared.cache.try_lookup(&query, self.shared.driver.now())? else {
            return None;
        };
        let id = self.options.correlation_id().ok()?;
        let persisted = self.shared.cache.is_persisted(&account.home_account_id);
        Some(AuthResult::hit(token, resolved.authority(), id, persisted))
    }

    /// The answer if something must be waited for.
    pub(crate) fn miss(self) -> BoxFuture<'a, Result<AuthResult, AuthError>> {
        let (shared, wanted) = (self.shared, self.wanted());
        Box::pin(async move {
            let wanted = wanted.await?;
            match (answer(shared, &wanted).await, &wanted.claims) {
                // The sign-in that follows must satisfy the claims as well.
                (Err(AuthError::UiRequired(ui)), Some(claims)) => Err(ui.with_claims(claims).into()),
                (answer, _) => answer,
            }
        })
    }

    async fn wanted(self) -> Result<Arc<Wanted>, AuthError> {
        let shared = self.shared;
        let begun = shared.driver.now();
        let context = self.options.context(shared)?;
        let known = self.options.known_authority(shared)?;
        let account = match self.account {
            Some(account) => account.clone(),
            None => {
                let found = Box::pin(self.find_account(&context)).await;
                found.map_err(|ui| match &self.options.claims {
                    Some(claims) => ui.with_claims(claims),
                    None => ui,
                })?
            }
        };
        let known = match shared.multi_cloud {
            true => shared.authorities.in_cloud_of(known, &account.environment),
            false => known,
        };
        let Options { claims, extra_query, .. } = self.options;
        let (scopes, forced) = (self.scopes.clone(), self.force_refresh);
        Ok(Arc::new(Wanted { context, known, account, scopes, claims, forced, extra_query, begun }))
    }

    /// The only account, or the only one with the hinted name; several are an error. A user flow has its own accounts.
    async fn find_account(&self, context: &RequestContext) -> Result<Account, UiRequired> {
        let (shared, hint, user_flow) = (self.shared, self.login_hint.as_deref(), self.options.user_flow.as_deref());
        let accounts = shared.accounts(context).await.unwrap_or_else(|error| {
            tracing::warn!(target: "auth", %error, "continuing without the token cache");
            Vec::new()
        });
        let is_meant = |account: &Account| {
            hint.is_none_or(|hint| account.is_named(hint)) && user_flow.is_none_or(|name| account.is_of_user_flow(name))
        };
        let mut meant = accounts.into_iter().filter(is_meant);
        let reason = match (meant.next(), meant.next()) {
            (Some(only), None) => return Ok(only),
            (Some(_), Some(_)) if hint.is_some() => UiReason::MultipleAccountsForLoginHint,
            (Some(_), Some(_)) => UiReason::MultipleAccounts,
            (None, _) if hint.is_some() => UiReason::NoAccountForLoginHint,
            (None, _) => UiReason::NoTokensFound,
        };
        let mut ui = UiRequired::local(reason, context.correlation_id());
        ui.login_hint = hint.map(str::to_owned);
        Err(ui)
    }
}

impl fmt::Debug for SilentRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SilentRequest").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}
