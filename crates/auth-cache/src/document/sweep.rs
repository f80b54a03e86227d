//! When a write searches all partitions for expired tokens.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;

use auth_core::Timestamp;

/// The shortest time between two sweeps.
const PAUSE: Duration = Duration::from_secs(60);
/// How many partitions a sweep may search for each write since the last sweep.
const PARTITIONS_PER_WRITE: usize = 16;

/// The last sweep.
#[derive(Default)]
pub(super) struct Sweep {
    /// When it was, in Unix seconds; zero if there was none.
    at: AtomicU64,
    /// How many writes there have been since.
    writes: AtomicUsize,
}

impl Sweep {
    /// Whether a write should search this many partitions now. If so, it counts as a sweep.
    pub(super) fn is_due(&self, now: Timestamp, partitions: usize) -> bool {
        let writes = self.writes.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let last = self.at.load(Ordering::Relaxed);
        let is_worth_it = last == 0 || writes.saturating_mul(PARTITIONS_PER_WRITE) >= partitions;
        let is_due = is_worth_it && Timestamp::from_unix_seconds(last).saturating_add(PAUSE) <= now;
        let now = now.as_unix_seconds();
        let is_ours = is_due && self.at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_ours {
            self.writes.store(0, Ordering::Relaxed);
        }
        is_ours
    }

    /// Adopts the last sweep of an older reading.
    pub(super) fn keep(&self, older: &Self) {
        self.at.fetch_max(older.at.load(Ordering::Relaxed), Ordering::Relaxed);
        self.writes.fetch_max(older.writes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn sweeps_are_limited_by_time_and_by_writes() {
        let sweep = Sweep::default();
        for (seconds, partitions, is_due) in [
            (0, 1_000_000, true),
            (0, 1, false),
            (59, 1, false),
            (60, 16 * 4, false),
            (60, 16 * 4, true),
            (119, 1, false),
            (120, 1, true),
            (1, 1, false),
        ] {
            assert_eq!(sweep.is_due(at(seconds), partitions), is_due, "{seconds} s, {partitions}");
        }
        let newer = Sweep::default();
        newer.keep(&sweep);
        assert!(!newer.is_due(at(179), 1) && newer.is_due(at(180), 1));
    }
}
