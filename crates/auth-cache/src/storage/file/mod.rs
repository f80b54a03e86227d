//! The cache in one file, which other MSAL libraries may share.

mod disk;
mod lock;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{BoxedLock, LockName, Replaced, Storage, StorageError, Stored, Version};

/// The unified MSAL JSON in a file of the user's.
///
/// The file is replaced whole (a temporary file beside it, `fsync`, `rename`), so that readers need no lock; it is
/// readable by its owner only. Writers hold `<file>.lockfile`, the lock that the MSAL extension libraries use.
///
/// ```
/// use auth_cache::{FileStorage, Storage};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let folder = tempfile::tempdir()?;
/// let storage = FileStorage::at(folder.path().join("cache.json"))?;
/// assert!(storage.read().await?.content.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct FileStorage {
    path: Arc<Path>,
    largest: u64,
}

/// No cache of a person is larger (S-90).
const LARGEST: u64 = 256 * 1024 * 1024;
/// A file of this size is read sooner than another thread would begin to.
const SMALL: u64 = 64 * 1024;

impl FileStorage {
    /// The file at `path`. Neither it nor its folder needs to exist; a folder that is made is for its owner only.
    ///
    /// # Errors
    /// [`StorageError`] when the path names no file, or a relative one cannot be completed.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let path = path.into();
        let wrong = |reason: &dyn core::fmt::Display| StorageError::new("opened", path.display().to_string(), reason);
        // The current folder may change, the cache may not.
        let absolute = std::path::absolute(&path).map_err(|error| wrong(&error))?;
        if absolute.file_name().is_none() {
            return Err(wrong(&"the path names no file"));
        }
        Ok(Self { path: absolute.into(), largest: LARGEST })
    }

    /// The same for a file of another size than 256 MiB at most; a larger one is neither read nor written (S-90). The cache
    /// above it has [`Limits`](crate::Limits) of its own.
    #[must_use]
    pub fn with_size_limit(self, bytes: u64) -> Self {
        Self { largest: bytes, ..self }
    }

    /// The path of the file, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let path = Arc::clone(&self.path);
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        done.map_err(std::io::Error::other).and_then(|result| result).map_err(|error| self.error(operation, &error))
    }

    fn error(&self, operation: &'static str, reason: &dyn core::fmt::Display) -> StorageError {
        StorageError::new(operation, self.path.display().to_string(), reason)
    }
}

impl Storage for FileStorage {
    fn version(&self) -> Result<Version, StorageError> {
        disk::version(&self.path).map_err(|error| self.error("read", &error))
    }

    async fn read(&self) -> Result<Stored, StorageError> {
        let largest = self.largest;
        if disk::is_small(&self.path, SMALL) {
            return disk::read(&self.path, largest).map_err(|error| self.error("read", &error));
        }
        self.blocking("read", move |path| disk::read(path, largest)).await
    }

    async fn replace(&self, content: Zeroizing<Vec<u8>>, expected: Version) -> Result<Replaced, StorageError> {
        self.blocking("written", move |path| disk::replace(path, &content, expected)).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        self.blocking("set aside", disk::set_aside).await
    }

    async fn lock(&self, name: LockName<'_>) -> Result<BoxedLock, StorageError> {
        match lock::acquire(&self.path, name).await {
            Ok(lock) => Ok(Box::new(lock)),
            Err(error) => Err(self.error("locked", &error)),
        }
    }
}

#[cfg(test)]
mod tests;
