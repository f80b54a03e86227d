//! When a token is too old.

use core::time::Duration;

use auth_core::Timestamp;

use crate::entries::Life;

/// A token cached further in the future than this was written with a wrong clock (R-34).
const FUTURE: Duration = Duration::from_secs(300);
/// No honest token lives longer.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// The minimum time between two refreshes of a token, however short its life (R-33).
const SPACING: Duration = Duration::from_secs(30);
/// The maximum random delay of a proactive refresh, in seconds.
const JITTER: u64 = 300;

/// How much time a token must have left, regardless of its lifetime (S-83).
///
/// ```
/// use std::time::Duration;
/// use auth_cache::Margins;
///
/// let margins = Margins::new(Duration::from_secs(10), Duration::from_secs(3600));
/// assert_eq!(margins.refreshing(), Duration::from_secs(600), "capped at ten minutes");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    serving: Duration,
    refreshing: Duration,
}

impl Margins {
    /// 30 s for serving, 5 min for refreshing.
    pub const DEFAULT: Self = Self { serving: Duration::from_secs(30), refreshing: Duration::from_secs(300) };

    /// Creates margins from `serving`, capped at 60 s, and `refreshing`, capped at 10 min.
    ///
    /// A token with no more than `serving` left is never handed out. One with no more than `refreshing` left is
    /// refreshed first, if that is possible and the token is at least 30 s old.
    #[must_use]
    pub fn new(serving: Duration, refreshing: Duration) -> Self {
        Self { serving: serving.min(Duration::from_secs(60)), refreshing: refreshing.min(Duration::from_secs(600)) }
    }

    /// Returns the time left at which a token is no longer handed out.
    #[must_use]
    pub const fn serving(self) -> Duration {
        self.serving
    }

    /// Returns the time left at which a token is refreshed, if possible, before it is handed out.
    #[must_use]
    pub const fn refreshing(self) -> Duration {
        self.refreshing
    }

    /// Classifies a token with this life.
    pub(super) fn age(self, life: &Life, now: Timestamp) -> Age {
        let left = now.duration_until(life.expires_on);
        let possible = life.expires_on <= now.saturating_add(LONGEST) && life.cached_at <= now.saturating_add(FUTURE);
        if left <= self.serving || !possible {
            Age::Expired
        } else if is_new(life, now) {
            Age::Fresh
        } else if left <= self.refreshing {
            Age::Ending
        } else if life.refresh_on.is_some_and(|refresh_on| is_due(life, refresh_on, now)) {
            Age::Due
        } else {
            Age::Fresh
        }
    }
}

impl Default for Margins {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How far a token is through its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Can be handed out.
    Fresh,
    /// Can be handed out, and should be refreshed in the background.
    Due,
    /// Should be refreshed first; can be handed out if that fails.
    Ending,
    /// Cannot be handed out.
    Expired,
}

impl Age {
    pub(super) fn serves(self) -> bool {
        self != Self::Expired
    }
}

/// Whether the token is too new to be refreshed.
fn is_new(life: &Life, now: Timestamp) -> bool {
    life.cached_at <= now && life.cached_at.duration_until(now) < SPACING
}

/// Whether a proactive refresh is due.
///
/// A random delay per token keeps processes from refreshing all their tokens at once. It is fixed, because with a new
/// draw for each lookup the shortest delay would win.
fn is_due(life: &Life, refresh_on: Timestamp, now: Timestamp) -> bool {
    let span = refresh_on.duration_until(life.expires_on).as_secs() / 4;
    let late = life.draw.checked_rem(span.min(JITTER).saturating_add(1)).unwrap_or_default();
    refresh_on.saturating_add(Duration::from_secs(late)) <= now
}
