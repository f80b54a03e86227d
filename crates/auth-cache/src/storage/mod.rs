//! Where the document is kept between processes.

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

/// What a reader remembers of a stored document in order to notice a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version([u64; 4]);

impl Version {
    /// A version out of whatever numbers tell one state of the store from another.
    #[must_use]
    pub const fn new(numbers: [u64; 4]) -> Self {
        Self(numbers)
    }

    /// Nothing is stored.
    pub const NONE: Self = Self([0; 4]);

    /// The store must be read to know. No document has it.
    pub const UNKNOWN: Self = Self([u64::MAX; 4]);
}

/// A stored document with its version. It holds secrets.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "a storage makes it")]
pub struct Stored {
    /// The bytes, empty when nothing is stored.
    pub content: Zeroizing<Vec<u8>>,
    /// Which state of the store they are.
    pub version: Version,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} bytes, {:?})", self.content.len(), self.version)
    }
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a writer must handle each")]
pub enum Replaced {
    /// The new content is stored, as this version.
    Done(Version),
    /// Somebody else wrote meanwhile; nothing was changed.
    Conflict,
}

/// A place for one cache document.
///
/// Contents are secrets: an implementation must not log them. Writers hold the [lock](Self::lock) of the
/// document around read, change and [replace](Self::replace); readers need no lock, so `replace` must be atomic for them.
/// What is worth knowing and no failure is told to the `observer` that an operation is given: it is the cache's own.
///
/// A store of one's own passes the contract: `auth_cache::contract`, with feature `test-util`, lists what is promised and
/// checks it.
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
    /// The version that a read would give now. Cheap, as it is asked before every lookup.
    ///
    /// A store on another machine gives the version that it learned last, as long as it says that a change may be seen so
    /// late, and then [`Version::UNKNOWN`]; whoever takes a lock asks anew.
    ///
    /// Equal versions promise equal content. A read that cannot promise that its content stays the same as long as this
    /// does may give a version that this never gives: then the document is read again with the next use.
    ///
    /// # Errors
    /// [`StorageError`] when the store cannot tell.
    fn version(&self) -> Result<Version, StorageError>;

    /// Reads the document.
    ///
    /// # Errors
    /// [`StorageError`] when there is something that cannot be read.
    fn read(&self, observer: &Observer) -> impl Future<Output = Result<Stored, StorageError>> + Send;

    /// Replaces the document if it still is of the version `expected`. Readers see the old or the new one, never a part.
    ///
    /// Nothing in it is of use beyond `keep_until`, where that is known: a store whose contents go by themselves may let it go
    /// then.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be written; the old document is intact then.
    fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> impl Future<Output = Result<Replaced, StorageError>> + Send;

    /// Moves a document that cannot be understood out of the way without destroying it, and tells where to (S-99).
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be moved.
    fn set_aside(&self) -> impl Future<Output = Result<String, StorageError>> + Send;

    /// Waits for a lock, as long as `budget` lasts, and takes what was waited off it (S-101): with nothing left it tries
    /// once. A process that dies loses its locks.
    ///
    /// # Errors
    /// [`StorageError`] when the lock cannot be had: of the kind [`StorageErrorKind::LockTimedOut`] when somebody holds it.
    fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> impl Future<Output = Result<BoxedLock, StorageError>> + Send;
}

/// A future behind a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Storage`] behind a pointer; every storage is one.
pub trait DynStorage: Send + Sync {
    /// See [`Storage::version`].
    ///
    /// # Errors
    /// As there.
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
