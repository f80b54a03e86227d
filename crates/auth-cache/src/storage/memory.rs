//! A store that lives as long as the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::{BoxedLock, Replaced, Storage, StorageError, StorageLock, Stored, Version};

/// Keeps the document in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    content: Zeroizing<Vec<u8>>,
    writes: u64,
}

impl MemoryStorage {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A writer only assigns whole values, so that a poisoned state is a good one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn version(&self) -> Version {
        Version::new([self.writes, 0, 0, 0])
    }
}

/// Replacing checks the version, and nobody else sees the store: there is nothing to lock.
struct NoLock;

impl StorageLock for NoLock {}

impl Storage for MemoryStorage {
    fn version(&self) -> Result<Version, StorageError> {
        Ok(self.state().version())
    }

    async fn read(&self) -> Result<Stored, StorageError> {
        let state = self.state();
        Ok(Stored { content: state.content.clone(), version: state.version() })
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
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

    async fn lock(&self) -> Result<BoxedLock, StorageError> {
        Ok(Box::new(NoLock))
    }
}
