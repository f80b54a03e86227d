//! When a token is too old.

use core::time::Duration;

use auth_core::Timestamp;

use crate::entries::Life;

/// A token that claims to have been cached later than this from now was written by a wrong clock (R-34).
const FUTURE: Duration = Duration::from_secs(300);
/// No honest token lives longer.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// The time between two refreshes of a token, however short it lives (R-33).
const SPACING: Duration = Duration::from_secs(30);
/// How late a refresh ahead of time is begun at most.
const JITTER: u64 = 300;

/// How much time a token must have left, absolute whatever its lifetime (S-83).
///
/// ```
/// use std::time::Duration;
/// use auth_cache::Margins;
///
/// let margins = Margins::new(Duration::from_secs(10), Duration::from_secs(3600));
/// assert_eq!(margins.refreshing(), Duration::from_secs(600), "ten minutes at most");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    serving: Duration,
    refreshing: Duration,
}

impl Margins {
    /// Serving 30 s, refreshing 5 min.
    pub const DEFAULT: Self = Self { serving: Duration::from_secs(30), refreshing: Duration::from_secs(300) };

    /// With less time left than `serving` (at most 60 s) a token is never handed out; with less than `refreshing` (at
    /// most 10 min) it is refreshed before, if that can be done and the token is older than 30 s.
    #[must_use]
    pub fn new(serving: Duration, refreshing: Duration) -> Self {
        Self { serving: serving.min(Duration::from_secs(60)), refreshing: refreshing.min(Duration::from_secs(600)) }
    }

    /// With less time left a token is never handed out.
    #[must_use]
    pub const fn serving(self) -> Duration {
        self.serving
    }

    /// With less time left a token is refreshed before it is handed out, if that can be done.
    #[must_use]
    pub const fn refreshing(self) -> Duration {
        self.refreshing
    }

    /// How old a token of this life is.
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

/// How old a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// It serves.
    Fresh,
    /// It serves, and should be refreshed beside.
    Due,
    /// It should be refreshed first, and serves if that fails.
    Ending,
    /// It does not serve.
    Expired,
}

impl Age {
    pub(super) fn serves(self) -> bool {
        self != Self::Expired
    }
}

/// Whether the token came so lately that nobody should ask for another one.
fn is_new(life: &Life, now: Timestamp) -> bool {
    life.cached_at <= now && life.cached_at.duration_until(now) < SPACING
}

/// A draw of its own for each token keeps many processes from refreshing at the same moment; the draw does not change, as
/// otherwise the earliest of many would count.
fn is_due(life: &Life, refresh_on: Timestamp, now: Timestamp) -> bool {
    let span = refresh_on.duration_until(life.expires_on).as_secs() / 4;
    let late = life.draw.checked_rem(span.min(JITTER).saturating_add(1)).unwrap_or_default();
    refresh_on.saturating_add(Duration::from_secs(late)) <= now
}
