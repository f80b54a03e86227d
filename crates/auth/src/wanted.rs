//! What a silent call asks the cache.

use std::pin::pin;
use std::sync::Arc;

use auth_cache::{CachedToken, Lookup, Refresh};
use auth_core::{Account, Claims, RequestContext, Scopes, Timestamp, UiReason, UiRequired};

use crate::error::AuthError;
use crate::event::Event;
use crate::key::{FlightKey, Key};
use crate::provider::KnownAuthority;
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::throttle::{Attempt, Verdict};
use crate::timing::Timing;

/// What a silent call wants, once it is known for whom.
pub(crate) struct Wanted {
    pub(crate) context: RequestContext,
    pub(crate) place: Arc<KnownAuthority>,
    pub(crate) account: Account,
    pub(crate) scopes: Scopes,
    pub(crate) claims: Option<Claims>,
    pub(crate) forced: bool,
    pub(crate) extra_query: Vec<(String, String)>,
    /// When the call began.
    pub(crate) begun: Timestamp,
}

impl Wanted {
    /// Asks the cache; and once more where it may know the token under a name that had to be asked for first: another name
    /// of the host, or the id of a tenant that goes by a domain name.
    pub(crate) async fn look_up(&self, shared: &Shared, timing: &mut Timing) -> Lookup {
        let found = self.ask_cache(shared, self.bypass(), timing).await;
        match &found {
            Lookup::Usable(_) | Lookup::UsableButRefresh(..) => return found,
            // The redemption asks for the names of the host itself.
            Lookup::MustRefresh(..) if self.place.authority().needs_instance_discovery() => return found,
            Lookup::MustRefresh(..) | Lookup::Nothing => {}
        }
        // The tenant's id finds access tokens, and no refresh tokens.
        let with_tenant_id = !self.bypass();
        match self.place.look_around(&shared.driver, &self.context, timing, with_tenant_id).await {
            true => self.ask_cache(shared, self.bypass(), timing).await,
            false => found,
        }
    }

    /// A token that serves now, and when it was cached, whatever this call wants beyond it.
    pub(crate) async fn serving(&self, shared: &Shared, timing: &mut Timing) -> Option<CachedToken> {
        match self.ask_cache(shared, false, timing).await {
            Lookup::Usable(token) | Lookup::UsableButRefresh(token, _) | Lookup::MustRefresh(_, Some(token)) => {
                Some(token)
            }
            Lookup::MustRefresh(_, None) | Lookup::Nothing => None,
        }
    }

    /// Whether the access tokens in the cache are passed over.
    pub(crate) fn bypass(&self) -> bool {
        self.forced || self.claims.is_some()
    }

    pub(crate) fn key(&self) -> Key {
        Key::new(&self.account.home_account_id, self.place.other.as_ref(), &self.scopes, self.claims.as_ref())
    }

    pub(crate) fn flight_key(&self, token: Key) -> FlightKey {
        FlightKey { token, forced: self.forced, extra_query: self.extra_query.clone() }
    }

    /// Whether the refresh may be tried now.
    pub(crate) fn judge(&self, shared: &Shared, key: &Key, refresh: &Refresh, serves: bool) -> Verdict {
        let attempt = Attempt { key, candidates: &refresh.candidates, forced: self.forced, serves };
        shared.throttle.judge(&attempt, shared.driver.uptime())
    }

    async fn ask_cache(&self, shared: &Shared, bypass: bool, timing: &mut Timing) -> Lookup {
        let known = Arc::clone(&self.place.known());
        let mut query = shared.query(&known, &self.account.home_account_id, &self.scopes);
        query.bypass = bypass;
        let now = shared.driver.now();
        // What is in memory is found in no time.
        if let Some(found) = shared.cache.try_lookup(&query, now) {
            return found;
        }
        let found = timing.cache(pin!(shared.cache.lookup(&query, now))).await;
        found.unwrap_or_else(|error| {
            // A store that cannot be read stops no sign-in.
            tracing::warn!(target: "auth", %error, "the token cache is not used");
            Lookup::Nothing
        })
    }

    pub(crate) fn cached(&self, shared: &Shared, token: CachedToken, timing: &Timing) -> AuthResult {
        let (known, id) = (self.place.known(), self.context.correlation_id());
        let persisted = shared.cache.is_persisted(&self.account.home_account_id);
        AuthResult::hit(token, known.authority(), id, persisted).that_took(timing.durations())
    }

    /// Tells that the token was not refreshed, and still serves.
    pub(crate) fn tell_failure(&self, shared: &Shared, error: &AuthError) {
        let account = self.account.home_account_id.clone();
        shared.observer.tell(&Event::of_failure(account, error.clone(), self.context.correlation_id()));
    }

    pub(crate) fn ui_required(&self, reason: UiReason) -> AuthError {
        let mut ui = UiRequired::local(reason, self.context.correlation_id());
        ui.login_hint = self.account.login_hint().map(str::to_owned);
        ui.into()
    }
}
