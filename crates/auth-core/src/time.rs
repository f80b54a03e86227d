//! Time as data: the core never reads a clock.

use core::fmt;
use core::time::Duration;

/// A point in time in whole seconds since the Unix epoch (UTC, no leap seconds).
///
/// All arithmetic saturates: no input can make it panic or wrap.
///
/// ```
/// use auth_core::Timestamp;
/// use core::time::Duration;
///
/// let issued = Timestamp::from_unix_seconds(1_700_000_000);
/// let expires = issued.saturating_add(Duration::from_secs(3600));
/// assert_eq!(issued.duration_until(expires), Duration::from_secs(3600));
/// assert_eq!(expires.duration_until(issued), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The Unix epoch, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Creates a timestamp from the seconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds since the Unix epoch.
    #[must_use]
    pub const fn as_unix_seconds(self) -> u64 {
        self.0
    }

    /// Returns this time plus `duration` in whole seconds, at most the last representable second.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// Returns this time minus `duration` in whole seconds, at least the epoch.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// Returns the time from `self` to `later`; zero if `later` is not later.
    #[must_use]
    pub const fn duration_until(self, later: Self) -> Duration {
        Duration::from_secs(later.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
