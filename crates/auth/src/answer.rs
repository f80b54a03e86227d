//! Answers a silent call that memory alone could not answer.

use std::sync::Arc;

use auth_cache::Lookup;
use auth_core::UiReason;

use crate::error::AuthError;
use crate::key::Key;
use crate::refresh::{refresh_ahead, refreshed};
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::throttle::Verdict;
use crate::timing::Timing;
use crate::wanted::Wanted;

/// Looks into the cache, and refreshes if necessary. If that fails, a cached token that is still valid is returned.
///
/// Thousands of calls may wait for one refresh, so large futures are boxed and dropped before the wait.
pub(crate) async fn answer(shared: &Arc<Shared>, wanted: &Arc<Wanted>) -> Result<AuthResult, AuthError> {
    let (mut timing, key) = (Timing::begin(), wanted.key());
    // If no cached token will do, one look during the refresh is enough, unless the provider must not be asked now.
    let needs_look = !wanted.bypass() || shared.throttle.has_paused(&key);
    if needs_look && let Some(result) = Box::pin(first_look(shared, wanted, &key, &mut timing)).await? {
        return Ok(result);
    }
    match refreshed(shared, wanted, &key, &timing).await {
        Err(error) if !wanted.bypass() => match Box::pin(wanted.valid_token(shared, &mut timing)).await {
            Some(token) => {
                // The flight has reported its failure, unless it was interrupted.
                if let AuthError::Cancelled(_) = error {
                    wanted.report_failure(shared, &error);
                }
                Ok(wanted.cached(shared, token, &timing))
            }
            None => Err(error),
        },
        answer => answer,
    }
}

/// The answer of the cache and the throttle; `None` if the token must be refreshed or come from the broker.
async fn first_look(
    shared: &Arc<Shared>,
    wanted: &Arc<Wanted>,
    key: &Key,
    timing: &mut Timing,
) -> Result<Option<AuthResult>, AuthError> {
    let found = wanted.look_up(shared, timing).await;
    let (refresh, valid) = match found {
        Lookup::Usable(token) => return Ok(Some(wanted.cached(shared, token, timing))),
        Lookup::UsableButRefresh(token, refresh) => {
            refresh_ahead(shared, wanted, &refresh);
            let result = wanted.cached(shared, token, timing).with_refresh_reason(refresh.reason);
            return Ok(Some(result));
        }
        Lookup::MustRefresh(refresh, valid) => (refresh, valid),
        Lookup::Nothing if shared.broker.is_some() => return Ok(None),
        Lookup::Nothing => return Err(wanted.ui_required(UiReason::NoTokensFound)),
    };
    match (wanted.judge(shared, key, &refresh, valid.is_some()), valid) {
        (Verdict::Serve, Some(token)) => Ok(Some(wanted.cached(shared, token, timing))),
        (Verdict::Refuse(error), _) => Err(error),
        (Verdict::Try | Verdict::Serve, _) => Ok(None),
    }
}
