//! What happens once per file, or once an hour.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::leftovers::OLD;

/// What this process has reported about a file, and when it last swept leftovers. Clones of a storage share it.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) shared_folder: Once,
    pub(super) network: Once,
    /// The time of the last sweep, in Unix seconds.
    swept: AtomicU64,
}

impl History {
    /// Whether to sweep at the time `now`, which is then noted: the first time, and again after an hour.
    pub(super) fn is_sweep_due(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let due = |swept: u64| (now.abs_diff(swept) > OLD.as_secs()).then_some(now);
        self.swept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_ok()
    }
}

/// Something that happens once.
#[derive(Debug, Default)]
pub(super) struct Once(AtomicBool);

impl Once {
    /// Marks it as done, and returns whether this call was the first to do so.
    pub(super) fn first(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
