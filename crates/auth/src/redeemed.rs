//! Which sign-ins were redeemed, so that one that is taken out of a session twice sends its code once (S-04).

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use auth_core::PendingAuthorization;

/// How many sign-ins are remembered; of more than that the first are forgotten, and the provider alone refuses their codes.
const CAPACITY: usize = 4096;
/// So long after a sign-in was redeemed it has certainly expired, whatever the clocks of several servers say.
const EXPIRED: Duration = PendingAuthorization::LIFETIME.saturating_mul(2);

/// The sign-ins that this client redeemed lately. Nobody else's are known: other processes take part by taking the sign-in
/// out of the session that they share.
#[derive(Default)]
pub(crate) struct Redeemed {
    /// Digests of their states, and when.
    states: Mutex<VecDeque<(u64, Duration)>>,
    hasher: RandomState,
}

impl Redeemed {
    /// Whether this sign-in was not redeemed yet; from now on it was.
    pub(crate) fn is_first(&self, pending: &PendingAuthorization, uptime: Duration) -> bool {
        self.mark(self.hasher.hash_one(pending.state().secret().expose()), uptime)
    }

    fn mark(&self, digest: u64, uptime: Duration) -> bool {
        // Each change is whole: a poisoned list is a good one.
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        while states.front().is_some_and(|(_, at)| uptime.saturating_sub(*at) > EXPIRED) || states.len() >= CAPACITY {
            states.pop_front();
        }
        if states.iter().any(|(known, _)| *known == digest) {
            return false;
        }
        states.push_back((digest, uptime));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_and_never_too_many() {
        let (redeemed, minutes) = (Redeemed::default(), |minutes: u64| Duration::from_secs(60 * minutes));
        assert!(redeemed.mark(1, minutes(0)) && redeemed.mark(2, minutes(0)));
        assert!(!redeemed.mark(1, minutes(0)) && !redeemed.mark(2, minutes(20)));
        assert!(redeemed.mark(3, minutes(21)));
        assert_eq!(redeemed.states.lock().unwrap().len(), 1, "what has expired is forgotten");
        for digest in 0..2 * CAPACITY as u64 {
            redeemed.mark(digest, minutes(22));
        }
        assert_eq!(redeemed.states.lock().unwrap().len(), CAPACITY);
        assert!(!redeemed.mark(2 * CAPACITY as u64 - 1, minutes(22)));
    }
}
