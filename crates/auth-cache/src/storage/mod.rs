//! Where the document is kept between processes.

#[cfg(feature = "file")]
mod file;
mod memory;

use core::fmt;
use core::future::Future;
use core::pin::Pin;

use zeroize::Zeroizing;

#[cfg(feature = "file")]
pub use file::FileStorage;
pub use memory::MemoryStorage;

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

/// Held until it is dropped.
pub trait StorageLock: Send + Sync {}

/// What a lock is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a storage must know each")]
pub enum LockName<'a> {
    /// Changing the document: held around reload, change and replace, never over a request.
    Document,
    /// Redeeming refresh tokens of this name: held over the request, so that one of several processes makes it.
    Refresh(&'a str),
}

/// A lock behind a box.
pub type BoxedLock = Box<dyn StorageLock>;

/// A place for one cache document.
///
/// Contents are secrets: an implementation must not log them. Writers hold the [lock](Self::lock) of the
/// document around read, change and [replace](Self::replace); readers need no lock, so `replace` must be atomic for them.
///
/// ```
/// use auth_cache::{MemoryStorage, Replaced, Storage, Version};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let storage = MemoryStorage::new();
/// let Replaced::Done(version) = storage.replace(b"{}".to_vec().into(), Version::NONE).await? else { panic!() };
/// assert_eq!(storage.version()?, version);
/// assert_eq!(storage.replace(b"{ }".to_vec().into(), Version::NONE).await?, Replaced::Conflict);
/// # Ok::<(), auth_cache::StorageError>(()) }).unwrap();
/// ```
pub trait Storage: Send + Sync + 'static {
    /// The version that a read would give now. Cheap, as it is asked before every lookup.
    ///
    /// # Errors
    /// [`StorageError`] when the store cannot tell.
    fn version(&self) -> Result<Version, StorageError>;

    /// Reads the document.
    ///
    /// # Errors
    /// [`StorageError`] when there is something that cannot be read.
    fn read(&self) -> impl Future<Output = Result<Stored, StorageError>> + Send;

    /// Replaces the document if it still is of the version `expected`. Readers see the old or the new one, never a part.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be written; the old document is intact then.
    fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
    ) -> impl Future<Output = Result<Replaced, StorageError>> + Send;

    /// Moves a document that cannot be understood out of the way without destroying it, and tells where to (S-99).
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be moved.
    fn set_aside(&self) -> impl Future<Output = Result<String, StorageError>> + Send;

    /// Waits for a lock, at most ten seconds (S-101). A process that dies loses its locks.
    ///
    /// # Errors
    /// [`StorageError`] when the lock cannot be had in time.
    fn lock(&self, name: LockName<'_>) -> impl Future<Output = Result<BoxedLock, StorageError>> + Send;
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
    fn read(&self) -> BoxFuture<'_, Result<Stored, StorageError>>;
    /// See [`Storage::replace`].
    fn replace(&self, content: Zeroizing<Vec<u8>>, expected: Version) -> BoxFuture<'_, Result<Replaced, StorageError>>;
    /// See [`Storage::set_aside`].
    fn set_aside(&self) -> BoxFuture<'_, Result<String, StorageError>>;
    /// See [`Storage::lock`].
    fn lock<'a>(&'a self, name: LockName<'a>) -> BoxFuture<'a, Result<BoxedLock, StorageError>>;
}

impl<S: Storage> DynStorage for S {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(self)
    }

    fn read(&self) -> BoxFuture<'_, Result<Stored, StorageError>> {
        Box::pin(Storage::read(self))
    }

    fn replace(&self, content: Zeroizing<Vec<u8>>, expected: Version) -> BoxFuture<'_, Result<Replaced, StorageError>> {
        Box::pin(Storage::replace(self, content, expected))
    }

    fn set_aside(&self) -> BoxFuture<'_, Result<String, StorageError>> {
        Box::pin(Storage::set_aside(self))
    }

    fn lock<'a>(&'a self, name: LockName<'a>) -> BoxFuture<'a, Result<BoxedLock, StorageError>> {
        Box::pin(Storage::lock(self, name))
    }
}

/// A failure of the store: what was tried, where, and what went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token cache{} could not be {operation}: {reason}", named(place))]
#[non_exhaustive]
pub struct StorageError {
    /// What was tried: `read`, `written`, `locked`, `set aside`.
    pub operation: &'static str,
    /// Which store, such as the path of the file.
    pub place: String,
    /// What went wrong, and where it helps what to do.
    pub reason: String,
}

impl StorageError {
    /// A failure of `operation` (a participle: `read`, `written`) at `place`.
    #[must_use]
    pub fn new(operation: &'static str, place: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { operation, place: place.into(), reason: reason.to_string() }
    }
}

/// The place as it stands in a message; the cache itself does not know where its store is.
fn named(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" {place}") }
}

#[cfg(test)]
mod tests;
