//! What a silent call asks the cache.

use auth_cache::{CachedToken, Lookup, Query, RefreshReason};
use auth_core::{Account, Claims, RequestContext, Scopes, UiReason, UiRequired};

use crate::error::AuthError;
use crate::result::{AuthResult, Call};
use crate::shared::Shared;
use crate::timing::Timing;

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
    pub(crate) async fn look_up(&self, shared: &Shared, timing: &mut Timing) -> Result<Lookup, AuthError> {
        let found = self.ask_cache(shared, timing).await;
        let answered = matches!(found, Lookup::Usable(_) | Lookup::UsableButRefresh(..));
        if answered || self.bypass || !shared.directory.lacks_tenant_id() {
            return Ok(found);
        }
        shared.directory.ask_tenant_id(&shared.driver, &self.context, timing).await;
        Ok(self.ask_cache(shared, timing).await)
    }

    /// Whether a refresh that failed a moment ago may be tried again while the token still serves.
    pub(crate) fn may_refresh(&self, shared: &Shared) -> bool {
        shared.backoff.is_over(&self.account.home_account_id, &self.scopes, shared.driver.now())
    }

    async fn ask_cache(&self, shared: &Shared, timing: &mut Timing) -> Lookup {
        let (authority, tenant_id) = (shared.directory.authority(), shared.directory.tenant_id());
        let account = &self.account.home_account_id;
        let mut query = Query::new(&authority, shared.client_id(), account, &self.scopes);
        query.tenant_id = tenant_id.as_deref();
        query.bypass = self.bypass;
        let found = timing.cache(shared.cache.lookup(&query, shared.driver.now())).await;
        found.unwrap_or_else(|error| {
            // A store that cannot be read stops no sign-in.
            tracing::warn!(target: "auth", %error, "the token cache is not used");
            Lookup::Nothing
        })
    }

    pub(crate) fn cached(&self, shared: &Shared, token: CachedToken, timing: &Timing) -> AuthResult {
        let call = Call {
            refresh_reason: RefreshReason::NotApplicable,
            durations: timing.durations(),
            correlation_id: self.context.correlation_id(),
            persisted: shared.persistent,
            persistence_error: None,
        };
        AuthResult::from_cache(token, &shared.directory.authority(), &self.scopes, call)
    }

    pub(crate) fn ui_required(&self, reason: UiReason) -> AuthError {
        let hint = self.account.login_hint().map(str::to_owned);
        UiRequired::local(reason, self.context.correlation_id()).with_login_hint(hint).into()
    }
}
