//! When all partitions are looked at for what has expired.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;

use auth_core::Timestamp;

/// So often at most.
const PAUSE: Duration = Duration::from_secs(60);
/// So many partitions are looked at for each write at most, taking all writes together.
const SHARE: usize = 16;

/// The last look.
#[derive(Default)]
pub(super) struct Sweep {
    /// When it was; the epoch where there was none.
    at: AtomicU64,
    /// How many writes there were since.
    writes: AtomicUsize,
}

impl Sweep {
    /// Whether a write should look at so many partitions now; if so, it is taken to do so.
    pub(super) fn is_due(&self, now: Timestamp, partitions: usize) -> bool {
        let writes = self.writes.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let last = self.at.load(Ordering::Relaxed);
        let is_worth_it = last == 0 || writes.saturating_mul(SHARE) >= partitions;
        let is_due = is_worth_it && Timestamp::from_unix_seconds(last).saturating_add(PAUSE) <= now;
        let now = now.as_unix_seconds();
        let is_ours = is_due && self.at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_ours {
            self.writes.store(0, Ordering::Relaxed);
        }
        is_ours
    }

    /// Takes over the last look at an older reading.
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
    fn looks_lie_apart_in_time_and_in_writes() {
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
