//! What a refresh brought to all who waited for it.

use std::sync::Arc;

use auth_core::{CorrelationId, Timestamp};

use crate::result::{AuthResult, TokenSource};
use crate::timing::Timing;

/// The token of a refresh that is over; clones share it.
#[derive(Clone)]
pub(crate) struct Outcome {
    pub(crate) result: Arc<AuthResult>,
    /// When the token was cached.
    pub(crate) cached_at: Timestamp,
}

impl Outcome {
    /// Whether somebody was asked for it: else it had been cached meanwhile.
    pub(crate) fn is_fresh(&self) -> bool {
        self.result.source() != TokenSource::Cache
    }

    /// The answer to the call whose refresh this was.
    pub(crate) fn for_first(&self, timing: &Timing) -> AuthResult {
        let (own, mut durations) = (timing.durations(), self.result.durations());
        durations.total = own.total;
        durations.in_cache = durations.in_cache.saturating_add(own.in_cache);
        AuthResult::clone(&self.result).that_took(durations)
    }

    /// The answer to a call that made no request: it waited until the token was in the cache.
    pub(crate) fn for_follower(&self, id: CorrelationId, timing: &Timing) -> AuthResult {
        AuthResult::clone(&self.result).for_follower(id, timing.durations())
    }
}
