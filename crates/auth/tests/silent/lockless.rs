//! A store without refresh and sign-in locks: calls take turns only within this process.

use auth::{MemoryStorage, Storage, StorageError, Timestamp};
use auth_cache::{BoxedLock, LockBudget, LockName, Observer, Replaced, Stored, Version};
use zeroize::Zeroizing;

#[derive(Clone)]
pub(crate) struct Lockless(pub(crate) MemoryStorage);

impl Storage for Lockless {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(&self.0)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        Storage::read(&self.0, observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        Storage::replace(&self.0, content, expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        Storage::set_aside(&self.0).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        match name {
            LockName::Document => Storage::lock(&self.0, name, budget, observer).await,
            LockName::Refresh(_) | LockName::SignIn(_) => {
                Err(StorageError::new("locked", "", "this store has no such locks"))
            }
        }
    }
}
