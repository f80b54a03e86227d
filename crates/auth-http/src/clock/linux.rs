//! The clocks of Linux that are read without asking the processor for its cycles.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time since 1970, or none where the clock is set before it.
pub(super) fn wall() -> Duration {
    read(ClockId::RealtimeCoarse)
}

/// The time since the system started, without that in which it slept.
pub(super) fn monotonic() -> Duration {
    read(ClockId::MonotonicCoarse)
}

fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}
