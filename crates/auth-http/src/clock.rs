//! The clocks that tell the core the time.

#[cfg_attr(target_os = "linux", path = "clock/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "clock/other.rs")]
mod system;

use std::time::Duration;

use auth_core::Timestamp;

/// Tells the time.
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
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The time since some fixed moment, by a clock that is never set. Thanks to it, tokens age and pauses end
    /// correctly even when the wall clock is set (R-33). By default it is derived from [`now`](Self::now).
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
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it and never will be")]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as the epoch: every token then seems valid for long, and servers decide.
        Timestamp::from_unix_seconds(system::wall().as_secs())
    }

    fn uptime(&self) -> Duration {
        system::monotonic()
    }
}
