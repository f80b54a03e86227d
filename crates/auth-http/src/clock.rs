//! The clocks that drivers hand to the core.

#[cfg_attr(target_os = "linux", path = "clock/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "clock/other.rs")]
mod system;

use std::time::Duration;

use auth_core::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The time since any fixed moment, by a clock that nobody sets. With it tokens age and pauses end as they should even
    /// when somebody sets the other (R-33). A clock that has no second one tells the same by both.
    fn uptime(&self) -> Duration {
        Duration::from_secs(self.now().as_unix_seconds())
    }
}

/// The clocks of the system: the wall clock and a monotonic one, to a few milliseconds. Seconds are all that tokens need,
/// and so neither costs a silent hit more than a few nanoseconds.
///
/// ```
/// use auth_http::{Clock, SystemClock};
///
/// assert!(SystemClock.now().as_unix_seconds() > 1_700_000_000);
/// assert!(SystemClock.uptime() <= SystemClock.uptime());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it and never will be")]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as the epoch: every token then looks good for long, and servers decide.
        Timestamp::from_unix_seconds(system::wall().as_secs())
    }

    fn uptime(&self) -> Duration {
        system::monotonic()
    }
}
