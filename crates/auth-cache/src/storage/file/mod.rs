//! The cache in one file, which MSAL libraries of other languages may share.

mod access;
#[cfg(feature = "encrypted")]
mod conversion;
mod disk;
mod folder;
mod form;
mod history;
mod holder;
mod leftovers;
#[cfg(unix)]
mod links;
mod lock;
mod network;
mod refusal;
mod replace;
#[cfg(all(feature = "secret-service", unix, not(target_os = "macos")))]
mod signal;
mod state;
mod version;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use auth_core::Timestamp;
use zeroize::Zeroizing;

use super::{BoxedLock, LockBudget, LockName, Replaced, Storage, StorageError, Stored, Version};
use crate::event::{Event, Observer};
use history::History;
use lock::FileLock;
use refusal::{Refusal, storage_error};

pub use form::FileForm;
pub use holder::LockHolder;
pub use state::FileState;

/// Keeps the cache document in a file, in the JSON format that the MSAL libraries share.
///
/// Each write replaces the whole file (temporary file in the same folder, `fsync`, `rename`), so readers need no lock.
/// Only the owner can read it. Writers hold `<file>.lockfile`, the lock of the MSAL extension libraries.
///
/// On a network file system these guarantees are only as good as the server's. Locks may have no effect there; what
/// remains is that the file is replaced as a whole and changes are merged (S-103).
///
/// An encrypted file is refused with [`StorageErrorKind::Encrypted`](crate::StorageErrorKind), and left unchanged.
///
/// ```
/// use auth_cache::{FileStorage, Observer, Storage};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let folder = tempfile::tempdir()?;
/// let storage = FileStorage::at(folder.path().join("cache.json"))?;
/// assert!(storage.read(&Observer::default()).await?.content.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct FileStorage {
    path: Arc<Path>,
    largest: u64,
    /// Whether the folder must be private to the user.
    private: bool,
    /// Whether the reader can decrypt an encrypted file.
    accepts_encrypted: bool,
    history: Arc<History>,
    /// Whether this process had to wait for the document's lock when it last took it.
    contended: Arc<AtomicBool>,
    /// The document's lock, while it is held here.
    held: Arc<Mutex<Weak<FileLock>>>,
}

/// Larger than any user's cache (S-90).
const LARGEST: u64 = 256 * 1024 * 1024;
/// Reading a file of this size takes less time than handing it to another thread.
const SMALL: u64 = 64 * 1024;
/// How often to read a file again that is being written in place, and the pause before each time: half a second in all.
const RETRIES: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

impl FileStorage {
    /// Creates a store in the file at `path`, which the user chose. Neither the file nor its folder needs to exist; a
    /// new folder is created for its owner only. A folder that others can write to is reported as
    /// [`Event::SharedFolder`].
    ///
    /// # Errors
    /// Returns [`StorageError`] if the path does not name a file, or is relative and cannot be made absolute.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let path = path.into();
        // Made absolute now: the current folder may change later.
        let absolute = std::path::absolute(&path).map_err(|error| storage_error("opened", &path, &error))?;
        if absolute.file_name().is_none() {
            return Err(storage_error("opened", &path, &Refusal::NoName.into()));
        }
        Ok(Self {
            path: absolute.into(),
            largest: LARGEST,
            private: false,
            accepts_encrypted: false,
            history: Arc::default(),
            contended: Arc::default(),
            held: Arc::default(),
        })
    }

    /// Creates a store in the file at `path`, which the program chose. Its folder must belong to the user, and no one
    /// else may be able to write to it; otherwise every operation fails with
    /// [`StorageErrorKind::SharedFolder`](crate::StorageErrorKind) (S-93).
    ///
    /// # Errors
    /// As for [`at`](Self::at).
    pub fn private_at(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        Ok(Self { private: true, ..Self::at(path)? })
    }

    /// Accepts a folder that others can write to, as if the user had chosen it. They can remove or replace the file,
    /// and so decide whose tokens are used (the opt-out of S-93).
    #[must_use]
    pub fn danger_accept_shared_folder(self) -> Self {
        Self { private: false, ..self }
    }

    /// Sets the maximum size of the file in bytes; 256 MiB by default. A larger file is neither read nor written. The
    /// cache has separate [`Limits`](crate::Limits) (S-90).
    #[must_use]
    pub fn with_size_limit(self, bytes: u64) -> Self {
        Self { largest: bytes, ..self }
    }

    /// Returns the absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Inspects the file and its surroundings. Changes nothing, and reads only the first bytes of the content.
    ///
    /// ```
    /// use auth_cache::{FileForm, FileStorage};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let state = FileStorage::at(folder.path().join("cache.json"))?.state()?;
    /// assert_eq!((state.size, state.form, state.lock), (None, FileForm::Empty, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`StorageError`] if the path names something other than a regular file, or cannot be inspected.
    pub fn state(&self) -> Result<FileState, StorageError> {
        state::of(&self.path, SystemTime::now()).map_err(|error| self.error("inspected", &error))
    }

    /// Runs `work` on a thread where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let storage = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&storage)).await;
        done.map_err(std::io::Error::other).and_then(|result| result).map_err(|error| self.error(operation, &error))
    }

    /// Like [`blocking`](Self::blocking), for a change of the file. Keeps the lock until the change is complete, even
    /// if the caller has given up: the change could otherwise overwrite what another program writes next.
    async fn changing<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let lock = self.held_lock();
        let work = move |storage: &Self| {
            let done = work(storage);
            drop(lock);
            done
        };
        self.blocking(operation, work).await
    }

    /// Returns the document's lock, if it is held here.
    pub(in crate::storage) fn held_lock(&self) -> Option<Arc<FileLock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    fn error(&self, operation: &'static str, error: &std::io::Error) -> StorageError {
        storage_error(operation, &self.path, error)
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Checks the folder before anything in it is used (S-93, S-96, S-103).
    fn check_folder(&self, observer: &Observer) -> std::io::Result<()> {
        let folder = self.folder();
        folder::check_links(folder)?;
        if self.private && !folder::is_private(folder)? {
            return Err(Refusal::SharedFolder.into());
        }
        let place = || folder.display().to_string();
        let History { shared_folder, network, .. } = &*self.history;
        if !shared_folder.is_done() && folder::is_shared(folder)? && shared_folder.first() {
            observer.tell(&Event::SharedFolder { place: place() });
        }
        if !network.is_done() && network::is_remote(folder) && network.first() {
            observer.tell(&Event::NetworkFileSystem { place: place() });
        }
        Ok(())
    }

    /// Creates the folder if it is missing.
    fn make_folder(&self, observer: &Observer) -> std::io::Result<()> {
        folder::create(self.folder())?;
        self.check_folder(observer)
    }

    fn read_now(&self, observer: &Observer) -> std::io::Result<Stored> {
        self.check_folder(observer)?;
        disk::read(&self.path, self.largest, observer)
    }

    async fn read_once(&self, observer: &Observer) -> Result<Stored, StorageError> {
        if disk::is_small(&self.path, SMALL) {
            return self.read_now(observer).map_err(|error| self.error("read", &error));
        }
        let observer = observer.clone();
        self.blocking("read", move |storage| storage.read_now(&observer)).await
    }

    /// Refuses an encrypted document, which would otherwise be taken for a damaged one and moved aside.
    fn accept(&self, stored: Stored) -> Result<Stored, StorageError> {
        if !self.accepts_encrypted && FileForm::of(&stored.content) == FileForm::Encrypted {
            return Err(self.error("read", &Refusal::Encrypted.into()));
        }
        Ok(stored)
    }

    fn replace_now(&self, content: &[u8], expected: Version, observer: &Observer) -> std::io::Result<Replaced> {
        if content.len() as u64 > self.largest {
            return Err(Refusal::TooLarge.into());
        }
        self.make_folder(observer)?;
        let replaced = disk::replace(&self.path, content, expected)?;
        self.sweep(observer);
        Ok(replaced)
    }

    /// Removes what dead writers left behind, at most once an hour (S-97).
    fn sweep(&self, observer: &Observer) {
        let now = SystemTime::now();
        if self.history.is_sweep_due(now) {
            let count = leftovers::sweep(&self.path, now);
            if count > 0 {
                observer.tell(&Event::LeftoversRemoved { count });
            }
        }
    }
}

impl Storage for FileStorage {
    fn version(&self) -> Result<Version, StorageError> {
        disk::version(&self.path).map_err(|error| self.error("read", &error))
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        // Not every library that writes in place holds the lock while it does. A half-written document must not be
        // taken for a damaged one, nor a truncated one for an empty cache: all entries would be lost.
        for _ in 0..RETRIES {
            let stored = self.read_once(observer).await?;
            if !disk::is_being_written(&stored, SystemTime::now()) {
                return self.accept(stored);
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.accept(self.read_once(observer).await?)
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        _keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        let observer = observer.clone();
        self.changing("written", move |storage| storage.replace_now(&content, expected, &observer)).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        self.changing("set aside", |storage| disk::set_aside(&storage.path)).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        self.make_folder(observer).map_err(|error| self.error("locked", &error))?;
        // A writer that had to wait last time yields to those waiting now; otherwise one that writes back to back could
        // starve them.
        if name == LockName::Document && self.contended.swap(false, Ordering::Relaxed) {
            let courtesy = lock::COURTESY.min(budget.left());
            tokio::time::sleep(courtesy).await;
            budget.spend(courtesy);
        }
        match lock::acquire(&lock::path(&self.path, name), budget).await {
            Ok((lock, waited_for)) => {
                let lock = Arc::new(lock);
                if name == LockName::Document {
                    self.contended.fetch_or(waited_for, Ordering::Relaxed);
                    *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&lock);
                }
                Ok(Box::new(lock))
            }
            Err(error) => Err(self.error("locked", &error)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
