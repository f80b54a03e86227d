//! The clock that drivers hand to the core.

use std::time::{SystemTime, UNIX_EPOCH};

use auth_core::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the system.
///
/// ```
/// use auth_http::{Clock, SystemClock};
///
/// assert!(SystemClock.now().as_unix_seconds() > 1_700_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it and never will be")]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as the epoch: every token then looks good for long, and servers decide.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_seconds(since.as_secs())
    }
}
