//! What is told or done once for a file, or once in an hour.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::leftovers::OLD;

/// What this process has said of a file, and when it tidied up. Clones of a storage share it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) shared_folder: Once,
    pub(super) network: Once,
    /// The Unix second of the last sweep.
    swept: AtomicU64,
}

impl Told {
    /// Whether leftovers should be looked for at the time `now`: the first time, and when new ones may be old enough.
    pub(super) fn is_sweep_due(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let due = |swept: u64| (now.abs_diff(swept) > OLD.as_secs()).then_some(now);
        self.swept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_ok()
    }
}

/// Something that is done once.
#[derive(Debug, Default)]
pub(super) struct Once(AtomicBool);

impl Once {
    /// Whether it is for the caller to do.
    pub(super) fn first(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
