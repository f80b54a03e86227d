//! The cache in one file, which other MSAL libraries may share.

mod access;
#[cfg(feature = "encrypted")]
mod conversion;
mod disk;
mod folder;
mod form;
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
mod told;
mod version;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use auth_core::Timestamp;
use zeroize::Zeroizing;

use super::{BoxedLock, LockBudget, LockName, Replaced, Storage, StorageError, Stored, Version};
use crate::event::{Event, Observer};
use lock::FileLock;
use refusal::{Refusal, storage_error};
use told::Told;

pub use form::FileForm;
pub use holder::LockHolder;
pub use state::FileState;

/// The unified MSAL JSON in a file of the user's.
///
/// The file is replaced whole (a temporary file beside it, `fsync`, `rename`), so that readers need no lock; it is
/// readable by its owner only. Writers hold `<file>.lockfile`, the lock that the MSAL extension libraries use.
///
/// On a network file system all of that is as good as the other machine's promises: locks may hold nobody back there, and what
/// is left is that a file is replaced whole and changes are merged (S-103).
///
/// A file that is encrypted is refused with [`StorageErrorKind::Encrypted`](crate::StorageErrorKind), and left as it is.
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
    /// Whether the folder must be the user's alone.
    private: bool,
    /// Whether whoever reads it can decrypt it.
    decrypted: bool,
    told: Arc<Told>,
    /// Whether others wanted the lock of the document, too, when this process had it last.
    contended: Arc<AtomicBool>,
    /// The lock of the document, while it is held here.
    held: Arc<Mutex<Weak<FileLock>>>,
}

/// No cache of a person is larger (S-90).
const LARGEST: u64 = 256 * 1024 * 1024;
/// A file of this size is read sooner than another thread would begin to.
const SMALL: u64 = 64 * 1024;
/// How often a file is looked at that somebody writes in place, and how long after each look: for half a second in all.
const LOOKS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

impl FileStorage {
    /// The file at `path`, which the user named. Neither it nor its folder needs to exist; a folder that is made is for its
    /// owner only. Where others can write into the folder, that is told as [`Event::SharedFolder`].
    ///
    /// # Errors
    /// [`StorageError`] when the path names no file, or a relative one cannot be completed.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let path = path.into();
        // The current folder may change, the cache may not.
        let absolute = std::path::absolute(&path).map_err(|error| storage_error("opened", &path, &error))?;
        if absolute.file_name().is_none() {
            return Err(storage_error("opened", &path, &Refusal::NoName.into()));
        }
        Ok(Self {
            path: absolute.into(),
            largest: LARGEST,
            private: false,
            decrypted: false,
            told: Arc::default(),
            contended: Arc::default(),
            held: Arc::default(),
        })
    }

    /// The file at `path`, which the program chose: its folder must be the user's own, and nobody else may write there
    /// (S-93). Otherwise every operation fails with [`StorageErrorKind::SharedFolder`](crate::StorageErrorKind).
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn private_at(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        Ok(Self { private: true, ..Self::at(path)? })
    }

    /// Accepts a folder where others can write, as if the user had named it. They can take the file away, put another in its
    /// place, and so decide whose tokens are used (the opt-out of S-93).
    #[must_use]
    pub fn danger_accept_shared_folder(self) -> Self {
        Self { private: false, ..self }
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

    /// How the file and its surroundings are now. Nothing is changed, and of the content only the first bytes are read.
    ///
    /// # Errors
    /// [`StorageError`] when there is something that is no regular file, or that cannot be looked at.
    pub fn state(&self) -> Result<FileState, StorageError> {
        state::of(&self.path, SystemTime::now()).map_err(|error| self.error("looked at", &error))
    }

    /// Runs `work` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let storage = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&storage)).await;
        done.map_err(std::io::Error::other).and_then(|result| result).map_err(|error| self.error(operation, &error))
    }

    /// The same for a change of the file. The lock lasts as long as the change does, even if nobody waits for it any more: what
    /// another program writes next would be overwritten.
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

    /// The lock of the document, if it is held here.
    pub(in crate::storage) fn held_lock(&self) -> Option<Arc<FileLock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    fn error(&self, operation: &'static str, error: &std::io::Error) -> StorageError {
        storage_error(operation, &self.path, error)
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Looks at the folder before anything in it is used (S-93, S-96, S-103).
    fn check_folder(&self, observer: &Observer) -> std::io::Result<()> {
        let folder = self.folder();
        folder::check_links(folder)?;
        if self.private && !folder::is_private(folder)? {
            return Err(Refusal::SharedFolder.into());
        }
        let place = || folder.display().to_string();
        if !self.told.shared_folder.is_done() && folder::is_shared(folder)? && self.told.shared_folder.first() {
            observer.tell(&Event::SharedFolder { place: place() });
        }
        if !self.told.network.is_done() && network::is_remote(folder) && self.told.network.first() {
            observer.tell(&Event::NetworkFileSystem { place: place() });
        }
        Ok(())
    }

    /// Makes the folder where there is none.
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

    /// What is encrypted is nothing to begin anew for.
    fn accept(&self, stored: Stored) -> Result<Stored, StorageError> {
        if !self.decrypted && FileForm::of(&stored.content) == FileForm::Encrypted {
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

    /// Removes what writers that died have left, now and then (S-97).
    fn sweep(&self, observer: &Observer) {
        let now = SystemTime::now();
        if self.told.is_sweep_due(now) {
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
        // Not every library that writes in place holds the lock meanwhile, and what is half written must not be taken for
        // damage, nor what is empty for nothing: the entries of all would be lost.
        for _ in 0..LOOKS {
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
        // Whoever had to wait lets those go first who wait now: otherwise one that stores back to back keeps them from it.
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
mod tests;
