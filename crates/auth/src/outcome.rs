//! The result of a refresh, shared by all calls that waited for it.

use std::sync::Arc;

use auth_core::{CorrelationId, Timestamp};

use crate::result::{AuthResult, TokenSource};
use crate::timing::Timing;

/// The token of a finished refresh; clones share it.
#[derive(Clone)]
pub(crate) struct Outcome {
    pub(crate) result: Arc<AuthResult>,
    /// When the token was cached.
    pub(crate) cached_at: Timestamp,
}

impl Outcome {
    /// Whether the token was newly issued, rather than found in the cache.
    pub(crate) fn is_fresh(&self) -> bool {
        self.result.source() != TokenSource::Cache
    }

    /// The result for the call that began the refresh.
    pub(crate) fn for_first(&self, timing: &Timing) -> AuthResult {
        let (own, mut durations) = (timing.durations(), self.result.durations());
        durations.total = own.total;
        durations.in_cache = durations.in_cache.saturating_add(own.in_cache);
        AuthResult::clone(&self.result).with_durations(durations)
    }

    /// The result for a call that joined the refresh and made no request.
    pub(crate) fn for_follower(&self, id: CorrelationId, timing: &Timing) -> AuthResult {
        AuthResult::clone(&self.result).for_follower(id, timing.durations())
    }
}
