//! Stores for the cache document.

#[cfg(any(feature = "encrypted", feature = "redis"))]
mod backoff;
#[cfg(feature = "encrypted")]
mod encrypted;
mod error;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "encrypted")]
mod keys;
mod locks;
mod memory;
mod named_locks;
mod partitioned;
#[cfg(feature = "redis")]
mod redis;
#[cfg(all(feature = "secret-service", unix, not(target_os = "macos")))]
mod secret_item;
#[cfg(feature = "test-util")]
pub mod untrusted;

use core::fmt;
use core::future::Future;
use core::pin::Pin;

use auth_core::Timestamp;
use zeroize::Zeroizing;

use crate::event::Observer;

#[cfg(feature = "redis")]
pub use self::redis::RedisStorage;
#[cfg(feature = "encrypted")]
pub use encrypted::EncryptedFileStorage;
pub use error::{StorageError, StorageErrorKind};
#[cfg(feature = "file")]
pub use file::{FileForm, FileState, FileStorage, LockHolder};
#[cfg(feature = "keyring")]
pub use keys::Keyring;
#[cfg(feature = "encrypted")]
pub use keys::{DynKeySource, EncryptionKey, KeyError, KeyErrorKind, KeySource};
pub use locks::{BoxedLock, LockBudget, LockName, StorageLock};
pub use memory::MemoryStorage;
pub(crate) use named_locks::NamedLocks;
pub use partitioned::{DynPartitionedStorage, PartitionedStorage};
#[cfg(all(feature = "secret-service", unix, not(target_os = "macos")))]
pub use secret_item::SecretItemStorage;

/// Identifies one state of a stored document, so that a reader notices a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version([u64; 4]);

impl Version {
    /// Creates a version from any numbers that distinguish one state of the store from another.
    #[must_use]
    pub const fn new(numbers: [u64; 4]) -> Self {
        Self(numbers)
    }

    /// The version of an empty store.
    pub const NONE: Self = Self([0; 4]);

    /// Unknown until the store is read. No document has this version.
    pub const UNKNOWN: Self = Self([u64::MAX; 4]);
}

/// A stored document and its version. The content is secret.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "storages construct it")]
pub struct Stored {
    /// The bytes; empty if nothing is stored.
    pub content: Zeroizing<Vec<u8>>,
    /// The state of the store that they came from.
    pub version: Version,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} bytes, {:?})", self.content.len(), self.version)
    }
}

/// The outcome of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a writer must handle each")]
pub enum Replaced {
    /// The new content is stored and has this version.
    Done(Version),
    /// The stored version was not the expected one; nothing was changed.
    Conflict,
}

/// A store for one cache document.
///
/// Contents are secret: an implementation must not log them. A writer holds the document's [lock](Self::lock) while it
/// reads, changes and [replaces](Self::replace) the document. Readers take no lock, so `replace` must be atomic.
/// Each operation reports noteworthy events that are not failures to the `observer` it is given, which is the cache's.
///
/// To test your own implementation, use `auth_cache::contract` (feature `test-util`): it lists and checks what every
/// store promises.
///
/// ```
/// use auth_cache::{MemoryStorage, Observer, Replaced, Storage, Version};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (storage, observer) = (MemoryStorage::new(), Observer::default());
/// let replaced = storage.replace(b"{}".to_vec().into(), Version::NONE, None, &observer).await?;
/// assert_eq!(replaced, Replaced::Done(storage.version()?));
/// let replaced = storage.replace(b"{ }".to_vec().into(), Version::NONE, None, &observer).await?;
/// assert_eq!(replaced, Replaced::Conflict);
/// # Ok::<(), auth_cache::StorageError>(()) }).unwrap();
/// ```
pub trait Storage: Send + Sync + 'static {
    /// Returns the version that a read would return now. Must be cheap: every lookup calls it.
    ///
    /// A store on another machine may return the version it saw last for as long as it tolerates stale data, and
    /// [`Version::UNKNOWN`] after that. Taking a lock discards what it saw.
    ///
    /// Equal versions mean equal content. If a later change might leave the version as it is, `read` returns a version
    /// that this method never returns; the document is then read again on next use.
    ///
    /// # Errors
    /// Returns [`StorageError`] if the version cannot be determined.
    fn version(&self) -> Result<Version, StorageError>;

    /// Reads the document.
    ///
    /// # Errors
    /// Returns [`StorageError`] if something is stored that cannot be read.
    fn read(&self, observer: &Observer) -> impl Future<Output = Result<Stored, StorageError>> + Send;

    /// Replaces the document if its version is still `expected`. Readers see either the old document or the new one.
    ///
    /// If `keep_until` is given, nothing in the document is useful after it: a store whose values expire may drop it
    /// then.
    ///
    /// # Errors
    /// Returns [`StorageError`] if the document cannot be written; the old one is then intact.
    fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> impl Future<Output = Result<Replaced, StorageError>> + Send;

    /// Moves an unreadable document out of the way without destroying it, and returns its new location (S-99).
    ///
    /// # Errors
    /// Returns [`StorageError`] if it cannot be moved.
    fn set_aside(&self) -> impl Future<Output = Result<String, StorageError>> + Send;

    /// Acquires a lock, waiting for at most what is left of `budget`, and deducts the time waited. With nothing left it
    /// tries once. A process that dies loses its locks (S-101).
    ///
    /// # Errors
    /// Returns [`StorageError`] if the lock cannot be acquired; its kind is [`StorageErrorKind::LockTimedOut`] if the
    /// lock is held elsewhere.
    fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> impl Future<Output = Result<BoxedLock, StorageError>> + Send;
}

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The dyn-compatible form of [`Storage`], implemented for every storage.
pub trait DynStorage: Send + Sync {
    /// See [`Storage::version`].
    ///
    /// # Errors
    /// As for [`Storage::version`].
    fn version(&self) -> Result<Version, StorageError>;
    /// See [`Storage::read`].
    fn read<'a>(&'a self, observer: &'a Observer) -> BoxFuture<'a, Result<Stored, StorageError>>;
    /// See [`Storage::replace`].
    fn replace<'a>(
        &'a self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &'a Observer,
    ) -> BoxFuture<'a, Result<Replaced, StorageError>>;
    /// See [`Storage::set_aside`].
    fn set_aside(&self) -> BoxFuture<'_, Result<String, StorageError>>;
    /// See [`Storage::lock`].
    fn lock<'a>(
        &'a self,
        name: LockName<'a>,
        budget: &'a mut LockBudget,
        observer: &'a Observer,
    ) -> BoxFuture<'a, Result<BoxedLock, StorageError>>;
}

impl<S: Storage> DynStorage for S {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(self)
    }

    fn read<'a>(&'a self, observer: &'a Observer) -> BoxFuture<'a, Result<Stored, StorageError>> {
        Box::pin(Storage::read(self, observer))
    }

    fn replace<'a>(
        &'a self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &'a Observer,
    ) -> BoxFuture<'a, Result<Replaced, StorageError>> {
        Box::pin(Storage::replace(self, content, expected, keep_until, observer))
    }

    fn set_aside(&self) -> BoxFuture<'_, Result<String, StorageError>> {
        Box::pin(Storage::set_aside(self))
    }

    fn lock<'a>(
        &'a self,
        name: LockName<'a>,
        budget: &'a mut LockBudget,
        observer: &'a Observer,
    ) -> BoxFuture<'a, Result<BoxedLock, StorageError>> {
        Box::pin(Storage::lock(self, name, budget, observer))
    }
}

#[cfg(test)]
mod tests;
