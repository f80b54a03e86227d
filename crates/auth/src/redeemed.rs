//! The sign-ins redeemed so far, so that one that is taken out of a session twice is redeemed only once (S-04).

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use auth_core::PendingAuthorization;

/// How many sign-ins are remembered. Beyond that the oldest are forgotten, and only the provider rejects their codes.
const CAPACITY: usize = 4096;
/// How long sign-ins are remembered: twice their lifetime, to tolerate clock differences between servers.
const EXPIRED: Duration = PendingAuthorization::LIFETIME.saturating_mul(2);

/// The sign-ins that this client has redeemed recently. Other processes are kept out because the sign-in is removed
/// from the shared session first.
#[derive(Default)]
pub(crate) struct Redeemed {
    /// Digests of their states, with the uptime of the redemption.
    states: Mutex<VecDeque<(u64, Duration)>>,
    hasher: RandomState,
}

impl Redeemed {
    /// Marks the sign-in as redeemed, and returns whether it was not before.
    pub(crate) fn is_first(&self, pending: &PendingAuthorization, uptime: Duration) -> bool {
        self.mark(self.hasher.hash_one(pending.state().secret().expose()), uptime)
    }

    fn mark(&self, digest: u64, uptime: Duration) -> bool {
        // A panic cannot leave the list half changed, so ignore poisoning.
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
    fn each_sign_in_is_redeemed_once_and_memory_is_bounded() {
        let (redeemed, minutes) = (Redeemed::default(), |minutes: u64| Duration::from_secs(60 * minutes));
        assert!(redeemed.mark(1, minutes(0)) && redeemed.mark(2, minutes(0)));
        assert!(!redeemed.mark(1, minutes(0)) && !redeemed.mark(2, minutes(20)));
        assert!(redeemed.mark(3, minutes(21)));
        assert_eq!(redeemed.states.lock().unwrap().len(), 1, "expired sign-ins are forgotten");
        for digest in 0..2 * CAPACITY as u64 {
            redeemed.mark(digest, minutes(22));
        }
        assert_eq!(redeemed.states.lock().unwrap().len(), CAPACITY);
        assert!(!redeemed.mark(2 * CAPACITY as u64 - 1, minutes(22)));
    }
}
