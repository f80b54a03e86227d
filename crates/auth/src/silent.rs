//! `acquire_token_silent`: the cache first, then a refresh token; never the user.

use std::sync::Arc;
use std::time::Instant;

use auth_cache::{CachedToken, Lookup, Query, RefreshReason};
use auth_core::{Account, Claims, RequestContext, Scopes, UiReason, UiRequired};

use crate::error::AuthError;
use crate::options::{Options, option_setters};
use crate::refresh::{Running, redeem, redeem_beside};
use crate::result::{AuthResult, Call};
use crate::shared::Shared;

/// A silent request; see [`PublicClient::acquire_token_silent`](crate::PublicClient::acquire_token_silent).
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `send`"]
pub struct SilentRequest {
    shared: Arc<Shared>,
    scopes: Scopes,
    account: Option<Account>,
    login_hint: Option<String>,
    force_refresh: bool,
    options: Options,
}

impl SilentRequest {
    pub(crate) fn new(shared: Arc<Shared>, scopes: Scopes, account: Option<Account>) -> Self {
        Self {
            shared,
            scopes,
            account,
            login_hint: None,
            force_refresh: false,
            options: Options::default(),
        }
    }

    pub(crate) fn account(mut self, account: Option<Account>) -> Self {
        self.account = account;
        self
    }

    /// Means the account with this username or home account id, where no account was given.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Passes the access tokens in the cache over and redeems a refresh token.
    pub fn force_refresh(mut self, force: bool) -> Self {
        self.force_refresh = force;
        self
    }

    option_setters!();

    /// Answers from the cache, or with a refreshed token that is cached by then.
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] when only the user can help: nothing is cached, several accounts are there and none was
    /// named, or the identity provider demands it. Otherwise as [`AuthError`] says. A token that still works is handed
    /// out even if its refresh fails.
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        let mut running = Running::begin();
        let context = self.options.context(&self.shared)?;
        let account = match self.account {
            Some(account) => account,
            None => find_account(&self.shared, &context, self.login_hint.as_deref()).await?,
        };
        let bypass = self.force_refresh || self.options.claims.is_some();
        let wanted =
            Wanted { context, account, scopes: self.scopes, claims: self.options.claims, bypass };
        let shared = self.shared;

        match wanted.look_up(&shared, &mut running).await? {
            Lookup::Usable(token) => return Ok(wanted.cached(&shared, *token, &running)),
            Lookup::UsableButRefresh(token, _) => {
                redeem_beside(&shared, wanted.clone());
                return Ok(wanted.cached(&shared, *token, &running));
            }
            _ => {}
        }
        let _flight = shared.flights.enter(&wanted.account.home_account_id).await;
        // Whoever held the flight, or another process, may have brought what is wanted.
        let (refresh, fallback) = match wanted.look_up(&shared, &mut running).await? {
            Lookup::Usable(token) | Lookup::UsableButRefresh(token, _) => {
                return Ok(wanted.cached(&shared, *token, &running));
            }
            Lookup::MustRefresh(refresh, fallback) => (refresh, fallback),
            _ => return Err(wanted.ui_required(UiReason::NoTokensFound)),
        };
        match (redeem(&shared, &wanted, refresh, &mut running).await, fallback) {
            (Ok(result), _) => Ok(result),
            (Err(error), Some(token)) => {
                tracing::warn!(target: "auth", %error, "the refresh failed; the token in the cache still serves");
                Ok(wanted.cached(&shared, *token, &running))
            }
            (Err(error), None) => Err(error),
        }
    }
}

/// What a silent call wants, once it is known for whom.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) context: RequestContext,
    pub(crate) account: Account,
    pub(crate) scopes: Scopes,
    pub(crate) claims: Option<Claims>,
    pub(crate) bypass: bool,
}

impl Wanted {
    /// Asks the cache. A domain name as tenant is resolved once the cache does not know it by that name.
    pub(crate) async fn look_up(
        &self,
        shared: &Shared,
        running: &mut Running,
    ) -> Result<Lookup, AuthError> {
        let found = self.ask_cache(shared, running).await;
        let answered = matches!(found, Lookup::Usable(_) | Lookup::UsableButRefresh(..));
        if answered || self.bypass || !shared.directory.lacks_tenant_id() {
            return Ok(found);
        }
        shared.directory.ask_tenant_id(shared, &self.context, &mut running.in_http).await;
        Ok(self.ask_cache(shared, running).await)
    }

    async fn ask_cache(&self, shared: &Shared, running: &mut Running) -> Lookup {
        let (authority, tenant_id) = (shared.directory.authority(), shared.directory.tenant_id());
        let account = &self.account.home_account_id;
        let mut query = Query::new(&authority, shared.client_id(), account, &self.scopes);
        query.tenant_id = tenant_id.as_deref();
        query.bypass = self.bypass;
        let begun = Instant::now();
        let found = shared.cache.lookup(&query, shared.clock.now()).await;
        running.in_cache = running.in_cache.saturating_add(begun.elapsed());
        found.unwrap_or_else(|error| {
            // A store that cannot be read stops no sign-in.
            tracing::warn!(target: "auth", %error, "the token cache is not used");
            Lookup::Nothing
        })
    }

    fn cached(&self, shared: &Shared, token: CachedToken, running: &Running) -> AuthResult {
        let call = Call {
            refresh_reason: RefreshReason::NotApplicable,
            durations: running.durations(),
            correlation_id: self.context.correlation_id(),
            persisted: shared.persistent,
            persistence_error: None,
        };
        AuthResult::from_cache(token, &shared.directory.authority(), &self.scopes, call)
    }

    fn ui_required(&self, reason: UiReason) -> AuthError {
        let hint = self.account.login_hint().map(str::to_owned);
        UiRequired::local(reason, self.context.correlation_id()).with_login_hint(hint).into()
    }
}

/// The one account that is there, or the one of that name; nobody is picked from several.
async fn find_account(
    shared: &Shared,
    context: &RequestContext,
    hint: Option<&str>,
) -> Result<Account, AuthError> {
    let accounts = shared.accounts().await.unwrap_or_else(|error| {
        tracing::warn!(target: "auth", %error, "the token cache is not used");
        Vec::new()
    });
    let mut meant =
        accounts.into_iter().filter(|account| hint.is_none_or(|hint| account.is_named(hint)));
    let reason = match (meant.next(), meant.next()) {
        (Some(only), None) => return Ok(only),
        (Some(_), Some(_)) => UiReason::MultipleAccounts,
        (None, _) if hint.is_some() => UiReason::NoAccountForLoginHint,
        (None, _) => UiReason::NoTokensFound,
    };
    let ui = UiRequired::local(reason, context.correlation_id());
    Err(ui.with_login_hint(hint.map(str::to_owned)).into())
}
