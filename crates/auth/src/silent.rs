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
/// It borrows client, scopes and account; a task of its own takes clones of them, which are cheap:
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

    /// The same question as a sign-in's, for when somebody else signed in meanwhile. Who asks for claims wants a sign-in of
    /// its own.
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

    /// Means the account with this username or home account id, where no account was given. Finding it takes time in
    /// proportion to the number of accounts.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Passes the access tokens in the cache over and redeems a refresh token. Forced calls at the same time share one
    /// redemption.
    pub fn force_refresh(mut self, force: bool) -> Self {
        self.force_refresh = force;
        self
    }

    option_setters!(options);

    /// Answers from the cache, or with a refreshed token that is cached by then.
    ///
    /// Calls that want the same token at the same time share one request, and its error. It goes on when this future is
    /// dropped, on the runtime of the call that began it, until the rotated refresh token is stored; so keep that runtime
    /// running, and see [`PublicClient::close`](crate::PublicClient::close).
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] when only the user can help: nothing is cached, several accounts are there and none was
    /// named, or the identity provider demands it. [`AuthError::Throttled`] also without a request, while the provider
    /// wants to be left alone. [`AuthError::Config`] where a refresh is needed outside of a tokio runtime. Otherwise as
    /// [`AuthError`] says. A token that still works is handed out even if its refresh fails, unless the refresh was forced or
    /// claims must be satisfied.
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        if let Some(result) = self.hit() {
            return Ok(result);
        }
        // Behind a box, so that the future of a hit stays small.
        self.miss().await
    }

    /// The answer where there is nothing to wait for and nothing to do: it takes no lock and writes nothing that calls for
    /// other tokens write, too.
    #[inline]
    pub(crate) fn hit(&self) -> Option<AuthResult> {
        let account = self.account.filter(|_| !self.force_refresh && self.options.cache_may_answer())?;
        let known = self.shared.directory.own().known();
        if self.shared.multi_cloud && !known.authority().is_environment(&account.environment) {
            return None;
        }
        let query = self.shared.query(&known, &account.home_account_id, self.scopes);
        let Lookup::Usable(token) = self.shared.cache.try_lookup(&query, self.shared.driver.now())? else {
            return None;
        };
        let id = self.options.correlation_id().ok()?;
        let persisted = self.shared.cache.is_persisted(&account.home_account_id);
        Some(AuthResult::hit(token, known.authority(), id, persisted))
    }

    /// The answer where something must be waited for.
    pub(crate) fn miss(self) -> BoxFuture<'a, Result<AuthResult, AuthError>> {
        let (shared, wanted) = (self.shared, self.wanted());
        Box::pin(async move {
            let wanted = wanted.await?;
            match (answer(shared, &wanted).await, &wanted.claims) {
                // Whoever signs in instead must satisfy them too.
                (Err(AuthError::UiRequired(ui)), Some(claims)) => Err(ui.with_claims(claims).into()),
                (answer, _) => answer,
            }
        })
    }

    async fn wanted(self) -> Result<Arc<Wanted>, AuthError> {
        let shared = self.shared;
        let begun = shared.driver.now();
        let context = self.options.context(shared)?;
        let place = self.options.place(shared)?;
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
        let place = match shared.multi_cloud {
            true => shared.directory.in_cloud_of(place, &account.environment),
            false => place,
        };
        let Options { claims, extra_query, .. } = self.options;
        let (scopes, forced) = (self.scopes.clone(), self.force_refresh);
        Ok(Arc::new(Wanted { context, place, account, scopes, claims, forced, extra_query, begun }))
    }

    /// The one account that is there, or the one of that name; nobody is picked from several. A user flow has accounts of
    /// its own.
    async fn find_account(&self, context: &RequestContext) -> Result<Account, UiRequired> {
        let (shared, hint, user_flow) = (self.shared, self.login_hint.as_deref(), self.options.user_flow.as_deref());
        let accounts = shared.accounts(context).await.unwrap_or_else(|error| {
            tracing::warn!(target: "auth", %error, "the token cache is not used");
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
