//! Stores with one value per partition.

use core::future::Future;
use std::sync::Arc;

use auth_core::Timestamp;

use super::{BoxFuture, DynStorage, StorageError};
use crate::document::PartitionKey;

/// A store that keeps each partition of a cache as a separate value: one per user, per application in a tenant, and per
/// assertion, as MSAL for .NET recommends for distributed caches.
///
/// A partition is a [`Storage`](crate::Storage) whose document holds the entries of that partition and the application
/// metadata they need. Its view may be stale, as [`Storage::version`](crate::Storage::version) describes: the cache
/// answers from memory only with a usable token, and otherwise reads the store again.
///
/// ```
/// use auth_cache::{BoxFuture, DynStorage, MemoryStorage, PartitionKey, PartitionedStorage, StorageError, TokenCache};
/// use auth_core::Timestamp;
/// use std::collections::BTreeMap;
/// use std::sync::{Arc, Mutex};
///
/// /// Keeps partitions in memory and never removes one.
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
    /// Returns the store of a partition, without reading or writing anything.
    fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage>;

    /// Returns the partitions of users that are stored. A user appears with the first write and disappears with the
    /// value, whatever removed it.
    ///
    /// # Errors
    /// Returns [`StorageError`] if the store cannot list them.
    fn users(&self) -> impl Future<Output = Result<Vec<PartitionKey>, StorageError>> + Send;

    /// Records that the partition of an assertion holds something obtained on behalf of a user, useful until `until`.
    ///
    /// # Errors
    /// Returns [`StorageError`] if the link cannot be written.
    fn link(
        &self,
        user: &PartitionKey,
        assertion: &PartitionKey,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// Returns the assertions that were [linked](Self::link) to a user. A store may omit and forget those whose
    /// partitions are gone.
    ///
    /// # Errors
    /// Returns [`StorageError`] if the store cannot list them.
    fn linked(&self, user: &PartitionKey) -> impl Future<Output = Result<Vec<PartitionKey>, StorageError>> + Send;
}

/// The dyn-compatible form of [`PartitionedStorage`], implemented for every such storage.
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
