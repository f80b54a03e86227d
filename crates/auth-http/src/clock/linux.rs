//! The coarse clocks of Linux, which are read without asking the processor for its cycle count.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time since 1970; zero if the clock is set earlier.
pub(super) fn wall() -> Duration {
    read(ClockId::RealtimeCoarse)
}

/// The time since the system started, not counting suspension.
pub(super) fn monotonic() -> Duration {
    read(ClockId::MonotonicCoarse)
}

fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}
