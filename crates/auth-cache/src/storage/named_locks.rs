//! Locks within this process.

use core::fmt;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{BoxedLock, LockBudget, LockName, StorageError, StorageErrorKind, StorageLock};

/// The locks of a store in memory. Clones share them.
///
/// Without a runtime there is no timer: unless the budget is empty, a caller waits until the lock is released.
#[derive(Clone, Default)]
pub(crate) struct NamedLocks {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The names of the locks that are held.
    held: BTreeSet<Name>,
    waiting: Vec<Waker>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Document,
    Refresh(Arc<str>),
    SignIn(Arc<str>),
}

impl NamedLocks {
    pub(crate) async fn lock(&self, name: LockName<'_>, budget: &LockBudget) -> Result<BoxedLock, StorageError> {
        let name = match name {
            LockName::Document => Name::Document,
            LockName::Refresh(name) => Name::Refresh(name.into()),
            LockName::SignIn(name) => Name::SignIn(name.into()),
        };
        let held = poll_fn(|context| {
            let mut state = self.state();
            if state.held.insert(name.clone()) {
                return Poll::Ready(Ok(Held { locks: self.clone(), name: name.clone() }));
            }
            if budget.left().is_zero() {
                let error = StorageError::new("locked", "memory", "its lock is held elsewhere");
                return Poll::Ready(Err(error.with_kind(StorageErrorKind::LockTimedOut)));
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        });
        Ok(Box::new(held.await?))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one insertion or removal, so a poisoned state is still valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock that is held until it is dropped.
struct Held {
    locks: NamedLocks,
    name: Name,
}

impl StorageLock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.locks.state();
            state.held.remove(&self.name);
            core::mem::take(&mut state.waiting)
        };
        // Wake all of them: if a single one were woken and then dropped, the others would sleep forever.
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for NamedLocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedLocks").field("held", &self.state().held.len()).finish_non_exhaustive()
    }
}
