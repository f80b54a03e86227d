//! The source of time for the core.

#[cfg_attr(target_os = "linux", path = "clock/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "clock/other.rs")]
mod system;

use std::time::Duration;

use auth_core::Timestamp;

/// A source of time.
///
/// ```
/// use auth_core::Timestamp;
/// use auth_http::Clock;
///
/// /// A clock for tests.
/// struct Stopped(Timestamp);
///
/// impl Clock for Stopped {
///     fn now(&self) -> Timestamp {
///         self.0
///     }
/// }
/// ```
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Returns the time since some fixed moment, by a clock that is never set. It keeps token ages and pauses correct
    /// when the wall clock is set (R-33). The default is derived from [`now`](Self::now).
    fn uptime(&self) -> Duration {
        Duration::from_secs(self.now().as_unix_seconds())
    }
}

/// The wall clock and the monotonic clock of the system, with a resolution of a few milliseconds. Tokens need only
/// seconds, so reading either costs a silent hit no more than a few nanoseconds.
///
/// ```
/// use auth_http::{Clock, SystemClock};
///
/// assert!(SystemClock.now().as_unix_seconds() > 1_700_000_000);
/// assert!(SystemClock.uptime() <= SystemClock.uptime());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no fields and never will")]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as the epoch: every token then seems valid, and servers decide.
        Timestamp::from_unix_seconds(system::wall().as_secs())
    }

    fn uptime(&self) -> Duration {
        system::monotonic()
    }
}
