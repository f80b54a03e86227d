//! The locks of a store, and how long a call may wait for them.

use core::time::Duration;

/// A lock, released when it is dropped.
pub trait StorageLock: Send + Sync {}

/// A boxed lock.
pub type BoxedLock = Box<dyn StorageLock>;

/// What a lock protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a storage must handle each")]
pub enum LockName<'a> {
    /// The document. Held while it is reloaded, changed and replaced, never during a request.
    Document,
    /// Redeeming the refresh tokens of this name. Held during the request, so that only one process sends it.
    Refresh(&'a str),
    /// Signing in to the client of this name. Held while the sign-in page is open, so that only one program shows it.
    SignIn(&'a str),
}

/// How long a call may still wait for locks, all together; ten seconds by default (S-101).
///
/// A call passes its budget to each lock, which deducts the time it waited. Time spent holding a lock, such as during a
/// request, is not deducted: a caller that has received a token should be able to store it.
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
// Not `Clone`: each copy would grant the full time.
#[derive(Debug, PartialEq, Eq)]
pub struct LockBudget {
    left: Duration,
}

impl LockBudget {
    /// Creates a budget of `longest`. If it is zero, each lock is tried once.
    #[must_use]
    pub const fn new(longest: Duration) -> Self {
        Self { left: longest }
    }

    /// Returns the time that is left.
    #[must_use]
    pub const fn left(&self) -> Duration {
        self.left
    }

    /// Deducts the time that was waited, down to zero.
    pub const fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }
}

impl Default for LockBudget {
    fn default() -> Self {
        Self::new(Duration::from_secs(10))
    }
}
