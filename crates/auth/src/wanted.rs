//! A silent call, once its account is known.

use std::pin::pin;
use std::sync::Arc;

use auth_cache::{CachedToken, Lookup, Refresh};
use auth_core::{Account, Claims, RequestContext, Scopes, Timestamp, UiReason, UiRequired};

use crate::authorities::KnownAuthority;
use crate::error::AuthError;
use crate::event::Event;
use crate::key::{FlightKey, Key};
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::throttle::{Attempt, Verdict};
use crate::timing::Timing;

/// A silent call, once its account is known.
pub(crate) struct Wanted {
    pub(crate) context: RequestContext,
    pub(crate) known: Arc<KnownAuthority>,
    pub(crate) account: Account,
    pub(crate) scopes: Scopes,
    pub(crate) claims: Option<Claims>,
    pub(crate) forced: bool,
    pub(crate) extra_query: Vec<(String, String)>,
    /// When the call began.
    pub(crate) begun: Timestamp,
}

impl Wanted {
    /// Looks into the cache. If no usable token is found and the authority is not fully resolved, resolves it and looks
    /// again: the token may be cached under another name of the host, or under the ID of a tenant named by domain.
    pub(crate) async fn look_up(&self, shared: &Shared, timing: &mut Timing) -> Lookup {
        let found = self.ask_cache(shared, self.bypass(), timing).await;
        match &found {
            Lookup::Usable(_) | Lookup::UsableButRefresh(..) => return found,
            // The redemption learns the names of the host anyway.
            Lookup::MustRefresh(..) if self.known.authority().needs_instance_discovery() => return found,
            Lookup::MustRefresh(..) | Lookup::Nothing => {}
        }
        // The tenant ID is needed to find access tokens, but not refresh tokens.
        let with_tenant_id = !self.bypass();
        match self.known.try_resolve(&shared.driver, &self.context, timing, with_tenant_id).await {
            true => self.ask_cache(shared, self.bypass(), timing).await,
            false => found,
        }
    }

    /// Returns a cached token that is still valid, even if this call would bypass it.
    pub(crate) async fn valid_token(&self, shared: &Shared, timing: &mut Timing) -> Option<CachedToken> {
        match self.ask_cache(shared, false, timing).await {
            Lookup::Usable(token) | Lookup::UsableButRefresh(token, _) | Lookup::MustRefresh(_, Some(token)) => {
                Some(token)
            }
            Lookup::MustRefresh(_, None) | Lookup::Nothing => None,
        }
    }

    /// Whether cached access tokens are ignored.
    pub(crate) fn bypass(&self) -> bool {
        self.forced || self.claims.is_some()
    }

    pub(crate) fn key(&self) -> Key {
        Key::new(&self.account.home_account_id, self.known.other.as_ref(), &self.scopes, self.claims.as_ref())
    }

    pub(crate) fn flight_key(&self, token: Key) -> FlightKey {
        FlightKey { token, forced: self.forced, extra_query: self.extra_query.clone() }
    }

    /// Whether the refresh may be tried now.
    pub(crate) fn judge(&self, shared: &Shared, key: &Key, refresh: &Refresh, has_valid_token: bool) -> Verdict {
        let attempt = Attempt { key, candidates: &refresh.candidates, forced: self.forced, has_valid_token };
        shared.throttle.judge(&attempt, shared.driver.uptime())
    }

    async fn ask_cache(&self, shared: &Shared, bypass: bool, timing: &mut Timing) -> Lookup {
        let resolved = Arc::clone(&self.known.resolved());
        let mut query = shared.query(&resolved, &self.account.home_account_id, &self.scopes);
        query.bypass = bypass;
        let now = shared.driver.now();
        // Memory first, which needs no waiting.
        if let Some(found) = shared.cache.try_lookup(&query, now) {
            return found;
        }
        let found = timing.cache(pin!(shared.cache.lookup(&query, now))).await;
        found.unwrap_or_else(|error| {
            // A store that cannot be read must not prevent a sign-in.
            tracing::warn!(target: "auth", %error, "continuing without the token cache");
            Lookup::Nothing
        })
    }

    pub(crate) fn cached(&self, shared: &Shared, token: CachedToken, timing: &Timing) -> AuthResult {
        let (resolved, id) = (self.known.resolved(), self.context.correlation_id());
        let persisted = shared.cache.is_persisted(&self.account.home_account_id);
        AuthResult::hit(token, resolved.authority(), id, persisted).with_durations(timing.durations())
    }

    /// Reports that a refresh failed while the cached token is still valid.
    pub(crate) fn report_failure(&self, shared: &Shared, error: &AuthError) {
        let account = self.account.home_account_id.clone();
        shared.observer.notify(&Event::of_failure(account, error.clone(), self.context.correlation_id()));
    }

    pub(crate) fn ui_required(&self, reason: UiReason) -> AuthError {
        let mut ui = UiRequired::local(reason, self.context.correlation_id());
        ui.login_hint = self.account.login_hint().map(str::to_owned);
        ui.into()
    }
}
