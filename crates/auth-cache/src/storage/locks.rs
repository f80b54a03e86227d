//! The locks of a store, and how long a call waits for them.

use core::time::Duration;

/// Held until it is dropped.
pub trait StorageLock: Send + Sync {}

/// A lock behind a box.
pub type BoxedLock = Box<dyn StorageLock>;

/// What a lock is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a storage must know each")]
pub enum LockName<'a> {
    /// Changing the document: held around reload, change and replace, never over a request.
    Document,
    /// Redeeming refresh tokens of this name: held over the request, so that one of several processes makes it.
    Refresh(&'a str),
    /// Having a user sign in for a client of this name: held while the sign-in page is open, so that one of several programs
    /// shows it.
    SignIn(&'a str),
}

/// How long a call may still wait for locks, all of them together (S-101); ten seconds, unless it is said otherwise.
///
/// It is handed from one lock to the next, and each takes off what was waited for it. What is done while a lock is held, such
/// as a request, is not taken off: whoever got a token should be able to store it.
///
/// ```
/// use auth_cache::LockBudget;
/// use std::time::Duration;
///
/// let mut budget = LockBudget::default();
/// budget.spend(Duration::from_secs(4));
/// assert_eq!(budget.left(), Duration::from_secs(6));
/// budget.spend(Duration::from_secs(60));
/// assert_eq!(budget.left(), Duration::ZERO);
/// ```
// Not `Clone`: two copies would be waited for twice.
#[derive(Debug, PartialEq, Eq)]
pub struct LockBudget {
    left: Duration,
}

impl LockBudget {
    /// A budget of `longest`; with none each lock is tried once.
    #[must_use]
    pub const fn new(longest: Duration) -> Self {
        Self { left: longest }
    }

    /// What is left of it.
    #[must_use]
    pub const fn left(&self) -> Duration {
        self.left
    }

    /// Takes off what was waited.
    pub const fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }
}

impl Default for LockBudget {
    fn default() -> Self {
        Self::new(Duration::from_secs(10))
    }
}
