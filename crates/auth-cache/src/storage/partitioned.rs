//! A store of many partitions.

use core::future::Future;
use std::sync::Arc;

use auth_core::Timestamp;

use super::{BoxFuture, DynStorage, StorageError};
use crate::document::PartitionKey;

/// A place for the partitions of a cache, each a value of its own: one for each user, for each application in a tenant, and
/// for each assertion, as MSAL for .NET suggests for distributed caches.
///
/// A partition is a [`Storage`](crate::Storage) whose document has the entries of that partition alone, and of the
/// application what concerns them. It may lag behind what others write, as [`Storage::version`](crate::Storage::version) says:
/// the cache answers from memory only with tokens that can be used, and otherwise asks the store.
///
/// ```
/// use auth_cache::{BoxFuture, DynStorage, MemoryStorage, PartitionKey, PartitionedStorage, StorageError, TokenCache};
/// use auth_core::Timestamp;
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex};
///
/// /// Keeps them in memory, and removes nothing.
/// #[derive(Default)]
/// struct Kept(Mutex<BTreeMap<PartitionKey, MemoryStorage>>);
///
/// impl PartitionedStorage for Kept {
///     fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage> {
///         Arc::new(self.0.lock().unwrap().entry(key.clone()).or_default().clone())
///     }
///
///     async fn users(&self) -> Result<Vec<PartitionKey>, StorageError> {
///         Ok(self.0.lock().unwrap().keys().filter(|key| matches!(key, PartitionKey::User(_))).cloned().collect())
///     }
///
///     async fn link(&self, _user: &PartitionKey, _assertion: &PartitionKey, _until: Timestamp) -> Result<(), StorageError> {
///         Ok(())
///     }
///
///     async fn linked(&self, _user: &PartitionKey) -> Result<Vec<PartitionKey>, StorageError> {
///         Ok(self.0.lock().unwrap().keys().filter(|key| matches!(key, PartitionKey::Assertion(_))).cloned().collect())
///     }
/// }
///
/// assert!(TokenCache::partitioned(Kept::default()).is_stored());
/// ```
pub trait PartitionedStorage: Send + Sync + 'static {
    /// The store of a partition. Nothing is read or written.
    fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage>;

    /// The partitions of users that are stored: there with their first write, gone with their value, by whatever it went.
    ///
    /// # Errors
    /// [`StorageError`] when the store cannot tell.
    fn users(&self) -> impl Future<Output = Result<Vec<PartitionKey>, StorageError>> + Send;

    /// Remembers that something in the partition of an assertion was got on behalf of a user, and is of use until `until`.
    ///
    /// # Errors
    /// [`StorageError`] when that cannot be written.
    fn link(
        &self,
        user: &PartitionKey,
        assertion: &PartitionKey,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// The assertions that were [linked](Self::link) to a user. A store may leave out those whose partitions are gone, and
    /// forget them.
    ///
    /// # Errors
    /// [`StorageError`] when the store cannot tell.
    fn linked(&self, user: &PartitionKey) -> impl Future<Output = Result<Vec<PartitionKey>, StorageError>> + Send;
}

/// [`PartitionedStorage`] behind a pointer; every such storage is one.
pub trait DynPartitionedStorage: Send + Sync {
    /// See [`PartitionedStorage::partition`].
    fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage>;
    /// See [`PartitionedStorage::users`].
    fn users(&self) -> BoxFuture<'_, Result<Vec<PartitionKey>, StorageError>>;
    /// See [`PartitionedStorage::link`].
    fn link<'a>(
        &'a self,
        user: &'a PartitionKey,
        assertion: &'a PartitionKey,
        until: Timestamp,
    ) -> BoxFuture<'a, Result<(), StorageError>>;
    /// See [`PartitionedStorage::linked`].
    fn linked<'a>(&'a self, user: &'a PartitionKey) -> BoxFuture<'a, Result<Vec<PartitionKey>, StorageError>>;
}

impl<S: PartitionedStorage> DynPartitionedStorage for S {
    fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage> {
        PartitionedStorage::partition(self, key)
    }

    fn users(&self) -> BoxFuture<'_, Result<Vec<PartitionKey>, StorageError>> {
        Box::pin(PartitionedStorage::users(self))
    }

    fn link<'a>(
        &'a self,
        user: &'a PartitionKey,
        assertion: &'a PartitionKey,
        until: Timestamp,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(PartitionedStorage::link(self, user, assertion, until))
    }

    fn linked<'a>(&'a self, user: &'a PartitionKey) -> BoxFuture<'a, Result<Vec<PartitionKey>, StorageError>> {
        Box::pin(PartitionedStorage::linked(self, user))
    }
}
