//! Patience after a refresh that failed while the token still serves (S-83).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth_core::{AccountId, Scopes, Timestamp};

use crate::error::AuthError;

/// The pause after the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_secs(30);
/// The longest pause that we choose ourselves; a server may ask for more.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// When which refresh may be tried again. It only ever spares requests: a token that does not serve any more is refreshed
/// at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    pauses: Mutex<HashMap<Key, Pause>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    account: String,
    scopes: String,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    last: Duration,
    until: Timestamp,
}

impl Backoff {
    /// Whether the refresh of this token may be tried now.
    pub(crate) fn is_over(&self, account: &AccountId, scopes: &Scopes, now: Timestamp) -> bool {
        self.pauses().get(&Key::new(account, scopes)).is_none_or(|pause| {
            // A clock that was set back must not make the pause longer than it ever was.
            pause.until <= now || now.duration_until(pause.until) > pause.last
        })
    }

    /// Remembers a failure.
    pub(crate) fn failed(&self, account: &AccountId, scopes: &Scopes, error: &AuthError, now: Timestamp) {
        let mut pauses = self.pauses();
        pauses.retain(|_, pause| now.duration_until(pause.until) > Duration::ZERO || is_recent(pause, now));
        let key = Key::new(account, scopes);
        let own = pauses.get(&key).map_or(FIRST, |pause| pause.last.saturating_mul(2).min(LONGEST));
        let asked = match error {
            AuthError::Throttled(throttled) => throttled.retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let last = own.max(asked);
        pauses.insert(key, Pause { last, until: now.saturating_add(last) });
    }

    /// Forgets the failures of a token that was refreshed.
    pub(crate) fn succeeded(&self, account: &AccountId, scopes: &Scopes) {
        self.pauses().remove(&Key::new(account, scopes));
    }

    fn pauses(&self) -> MutexGuard<'_, HashMap<Key, Pause>> {
        // Each change is one insertion or removal: a poisoned map is a good one.
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn new(account: &AccountId, scopes: &Scopes) -> Self {
        Self {
            account: account.as_str().to_ascii_lowercase(),
            scopes: scopes.sorted().to_string().to_ascii_lowercase(),
        }
    }
}

/// A failure counts towards the next pause for as long again as its own pause was.
fn is_recent(pause: &Pause, now: Timestamp) -> bool {
    pause.until.duration_until(now) <= pause.last
}

#[cfg(test)]
mod tests {
    use auth_core::ConfigError;

    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let (backoff, account) = (Backoff::default(), AccountId::new("U.T"));
        let scopes = Scopes::parse("a b").unwrap();
        let same = (AccountId::new("u.t"), Scopes::parse("B A").unwrap());
        let error = AuthError::from(ConfigError::Randomness);
        let mut now = Timestamp::from_unix_seconds(1_700_000_000);
        for pause in [30, 60, 120, 240, 480, 600, 600] {
            assert!(backoff.is_over(&account, &scopes, now));
            backoff.failed(&account, &scopes, &error, now);
            let until = now.saturating_add(Duration::from_secs(pause));
            let almost = until.saturating_sub(Duration::from_secs(1));
            assert!(!backoff.is_over(&same.0, &same.1, almost), "{pause} s");
            assert!(backoff.is_over(&same.0, &same.1, until), "{pause} s");
            assert!(backoff.is_over(&account, &Scopes::parse("c").unwrap(), now), "another token is not concerned");
            now = until;
        }
        backoff.succeeded(&account, &scopes);
        backoff.failed(&account, &scopes, &error, now);
        assert!(backoff.is_over(&account, &scopes, now.saturating_add(FIRST)), "the count begins anew");
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_pause() {
        let (backoff, account, scopes) = (Backoff::default(), AccountId::new("u.t"), Scopes::default());
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        backoff.failed(&account, &scopes, &ConfigError::Randomness.into(), now);
        assert!(backoff.is_over(&account, &scopes, now.saturating_sub(Duration::from_secs(3600))));
    }
}
