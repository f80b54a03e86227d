//! A store in memory.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auth_core::Timestamp;
use zeroize::Zeroizing;

use super::named_locks::NamedLocks;
use super::{BoxedLock, LockBudget, LockName, Replaced, Storage, StorageError, Stored, Version};
use crate::event::Observer;

/// Keeps the document in memory. Clones share it.
///
/// Needs no async runtime and so has no timer: unless the budget is empty, it waits for a lock until that is released.
///
/// ```
/// use auth_cache::{MemoryStorage, TokenCache};
///
/// // Two caches that share one document, as two processes share a file.
/// let storage = MemoryStorage::new();
/// let (one, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage));
/// # drop((one, other));
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    state: Arc<Mutex<State>>,
    locks: NamedLocks,
}

#[derive(Default)]
struct State {
    content: Zeroizing<Vec<u8>>,
    writes: u64,
}

impl MemoryStorage {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Writers only assign whole values, so a poisoned state is still valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn version(&self) -> Version {
        Version::new([self.writes, 0, 0, 0])
    }
}

/// Omits the content, which is secret.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("bytes", &self.content.len())
            .field("writes", &self.writes)
            .finish_non_exhaustive()
    }
}

impl Storage for MemoryStorage {
    fn version(&self) -> Result<Version, StorageError> {
        Ok(self.state().version())
    }

    async fn read(&self, _observer: &Observer) -> Result<Stored, StorageError> {
        let state = self.state();
        Ok(Stored { content: state.content.clone(), version: state.version() })
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        _keep_until: Option<Timestamp>,
        _observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        let mut state = self.state();
        if state.version() != expected {
            return Ok(Replaced::Conflict);
        }
        state.content = content;
        state.writes = state.writes.saturating_add(1);
        Ok(Replaced::Done(state.version()))
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        let mut state = self.state();
        state.content = Zeroizing::default();
        state.writes = state.writes.saturating_add(1);
        Ok("memory".to_owned())
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        _observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        self.locks.lock(name, budget).await
    }
}
