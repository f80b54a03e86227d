//! Refreshing a token: one flight for all calls that want the same, one redemption at a time per account, and a second
//! look into the cache. A broker, if there is one, is asked before a refresh token is redeemed.

use std::pin::pin;
use std::sync::Arc;

use auth_cache::{BoxedLock, CachedToken, LockBudget, Lookup, Refresh};
use auth_core::UiReason;

use crate::brokered;
use crate::error::{AuthError, Cancelled};
use crate::key::Key;
use crate::outcome::Outcome;
use crate::redeem::redeem;
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::throttle::Verdict;
use crate::timing::Timing;
use crate::wanted::Wanted;

/// After how many flights without a result a waiting call gives up.
const LOST_FLIGHTS: usize = 2;

/// Joins the running refresh or starts one, and returns its token. The refresh continues without its callers until the
/// rotated refresh token is stored.
pub(crate) async fn refreshed(
    shared: &Arc<Shared>,
    wanted: &Arc<Wanted>,
    key: &Key,
    timing: &Timing,
) -> Result<AuthResult, AuthError> {
    let mut lost = 0;
    loop {
        let seat = shared.flights.join(wanted.flight_key(key.clone()), || refresh(shared, wanted, key, false))?;
        let first = seat.first;
        match seat.answer().await {
            Some(Ok(outcome)) if first => return Ok(outcome.for_first(timing)),
            // The flight was begun for an earlier call, for which this older token was new enough (S-83).
            Some(Ok(outcome)) if wanted.forced && !outcome.is_fresh() && outcome.cached_at <= wanted.begun => {}
            Some(Ok(outcome)) => return Ok(outcome.for_follower(wanted.context.correlation_id(), timing)),
            Some(Err(error)) => return Err(error),
            None => {
                lost += 1;
                if lost == LOST_FLIGHTS {
                    return Err(AuthError::Cancelled(Cancelled::CutOff));
                }
            }
        }
    }
}

/// Refreshes a token in the background while it is still valid, unless that is being done already. A failure is
/// reported only as an event.
pub(crate) fn refresh_ahead(shared: &Arc<Shared>, wanted: &Arc<Wanted>, refresh_with: &Refresh) {
    let key = wanted.key();
    if matches!(wanted.judge(shared, &key, refresh_with, true), Verdict::Try) {
        let flight = shared.flights.join(wanted.flight_key(key.clone()), || refresh(shared, wanted, &key, true));
        if let Err(error) = flight {
            wanted.report_failure(shared, &error.into());
        }
    }
}

/// The task of one flight.
fn refresh(
    shared: &Arc<Shared>,
    wanted: &Arc<Wanted>,
    key: &Key,
    ahead: bool,
) -> impl Future<Output = Result<Outcome, AuthError>> + Send + use<> {
    let (shared, wanted, key) = (Arc::clone(shared), Arc::clone(wanted), key.clone());
    async move { in_turn(&shared, &wanted, &key, ahead).await }
}

/// Waits for the account's turn, in this process and among processes, then refreshes if that is still necessary.
async fn in_turn(shared: &Shared, wanted: &Wanted, key: &Key, ahead: bool) -> Result<Outcome, AuthError> {
    let mut timing = Timing::begin();
    let _turn = shared.turns.take(&key.account).await;
    let mut budget = LockBudget::default();
    let _lock = refresh_lock(shared, wanted, &mut budget, &mut timing).await;
    if let Some(outcome) = forced_by_another(shared, wanted, &mut timing).await {
        return Ok(outcome);
    }
    let (refresh, valid) = match wanted.look_up(shared, &mut timing).await {
        Lookup::UsableButRefresh(token, refresh) if ahead => (Some(refresh), Some(token)),
        Lookup::Usable(token) | Lookup::UsableButRefresh(token, _) => {
            return Ok(found(shared, wanted, token, &timing));
        }
        Lookup::MustRefresh(refresh, valid) => (Some(refresh), valid),
        Lookup::Nothing => (None, None),
    };
    let has_valid_token = valid.is_some();
    if shared.broker.is_some()
        && let Some(outcome) = ask_broker(shared, wanted, key, refresh.as_deref(), has_valid_token).await?
    {
        return Ok(outcome);
    }
    let Some(refresh) = refresh else { return Err(wanted.ui_required(UiReason::NoTokensFound)) };
    // The previous holder of the turn may have been throttled.
    match (wanted.judge(shared, key, &refresh, has_valid_token), valid) {
        (Verdict::Serve, Some(token)) => return Ok(found(shared, wanted, token, &timing)),
        (Verdict::Refuse(error), _) => return Err(error),
        (Verdict::Try | Verdict::Serve, _) => {}
    }
    let answer = redeem_newest(shared, wanted, key, refresh, &mut budget, &mut timing).await;
    if let (Err(error), true) = (&answer, has_valid_token) {
        wanted.report_failure(shared, error);
    }
    answer
}

/// Asks the broker. If it fails while a cached token is valid, it is not asked again for a while, like an identity
/// provider.
async fn ask_broker(
    shared: &Shared,
    wanted: &Wanted,
    key: &Key,
    refresh: Option<&Refresh>,
    has_valid_token: bool,
) -> Result<Option<Outcome>, AuthError> {
    match Box::pin(brokered::silently(shared, wanted)).await {
        Ok(Some(result)) => {
            shared.throttle.succeeded(key);
            Ok(Some(Outcome { result: Arc::new(result), cached_at: shared.driver.now() }))
        }
        Ok(None) => Ok(None),
        Err(error) => {
            if let (Some(refresh), true) = (refresh, has_valid_token) {
                let tokens = shared.throttle.digest(&refresh.candidates);
                shared.throttle.failed(key, tokens, &error, shared.driver.uptime());
                wanted.report_failure(shared, &error);
            }
            Err(error)
        }
    }
}

/// Redeems a refresh token. If the answer is that the user must act, but the stored refresh tokens have changed
/// meanwhile, tries once more: a program that does not take our lock may have redeemed the old ones first.
async fn redeem_newest(
    shared: &Shared,
    wanted: &Wanted,
    key: &Key,
    mut refresh: Box<Refresh>,
    budget: &mut LockBudget,
    timing: &mut Timing,
) -> Result<Outcome, AuthError> {
    let mut is_second = false;
    loop {
        let candidates = refresh.candidates.clone();
        let error = match redeem(shared, wanted, *refresh, budget, timing).await {
            Ok(result) => {
                shared.throttle.succeeded(key);
                return Ok(Outcome { result: Arc::new(result), cached_at: shared.driver.now() });
            }
            Err(error) => error,
        };
        let tokens = shared.throttle.digest(&candidates);
        shared.throttle.failed(key, tokens, &error, shared.driver.uptime());
        if is_second || !matches!(error, AuthError::UiRequired(_)) {
            return Err(error);
        }
        is_second = true;
        refresh = match wanted.look_up(shared, timing).await {
            Lookup::Usable(token) => return Ok(found(shared, wanted, token, timing)),
            Lookup::UsableButRefresh(_, stored) | Lookup::MustRefresh(stored, _)
                if shared.throttle.digest(&stored.candidates) != tokens =>
            {
                stored
            }
            Lookup::UsableButRefresh(..) | Lookup::MustRefresh(..) | Lookup::Nothing => return Err(error),
        };
    }
}

/// The result of another forced refresh, if it was cached after this call began. Not for a call with claims, because a
/// cached token does not show which claims it satisfies (S-83).
async fn forced_by_another(shared: &Shared, wanted: &Wanted, timing: &mut Timing) -> Option<Outcome> {
    // Within the same second, which is usual, there cannot be any.
    let is_later = shared.driver.now() > wanted.begun;
    if !wanted.forced || wanted.claims.is_some() || !is_later {
        return None;
    }
    let token = wanted.valid_token(shared, timing).await?;
    let after = token.cached_at() > wanted.begun && token.cached_at() <= shared.driver.now();
    after.then(|| found(shared, wanted, token, timing))
}

fn found(shared: &Shared, wanted: &Wanted, token: CachedToken, timing: &Timing) -> Outcome {
    let cached_at = token.cached_at();
    Outcome { result: Arc::new(wanted.cached(shared, token, timing)), cached_at }
}

/// Keeps other clients of the cache and other processes from redeeming for the same account, if the store supports
/// locks. If the lock takes too long, continues without it: availability comes first.
async fn refresh_lock(
    shared: &Shared,
    wanted: &Wanted,
    budget: &mut LockBudget,
    timing: &mut Timing,
) -> Option<BoxedLock> {
    let (authority, account) = (wanted.known.authority(), &wanted.account.home_account_id);
    let lock = shared.cache.refresh_lock(&authority, shared.client_id(), account, budget);
    let locked = timing.cache(pin!(lock)).await;
    locked.inspect_err(|error| tracing::warn!(target: "auth", %error, "refreshing without the lock")).ok()
}
