//! The cache in one encrypted file (S-92).

mod cache_key;
mod migration;
pub(super) mod seal;

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth_core::Timestamp;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::file::FileForm;
use super::keys::{EncryptionKey, KeyError, KeySource};
use super::{
    BoxedLock, FileStorage, LockBudget, LockName, Replaced, Storage, StorageError, StorageErrorKind, Stored, Version,
};
use crate::event::{Event, Observer};
use cache_key::CacheKey;

/// A [`FileStorage`] whose content is encrypted: XChaCha20-Poly1305 with a random nonce for each write, and a key from
/// a [`KeySource`].
///
/// Locks, replacement, permissions and leftovers are handled as for a plain file. Content that was modified, encrypted
/// with another key, or belongs to a cache of another name is never used: a cache moves it aside, as it does a document
/// that is not JSON, and starts empty (S-99). A plain file is refused and left unchanged until
/// [`encrypt`](Self::encrypt) converts it. While the key is unavailable, operations fail with
/// [`StorageErrorKind::KeyUnavailable`] and nothing is written; a cache then works in memory.
///
/// Anyone who can write the file can **put back an older version of it**, which no file can detect by itself: it would
/// contain refresh tokens that were replaced since, and accounts that have signed out. This shows when they are used.
///
/// ```
/// use auth_cache::{EncryptedFileStorage, EncryptionKey, FileStorage, Observer, Storage, Version};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("cache");
/// let key = EncryptionKey::generate()?;
/// let storage = EncryptedFileStorage::new(FileStorage::at(&path)?, "my-client-id", key);
/// let observer = Observer::default();
/// storage.replace(b"{}".to_vec().into(), Version::NONE, None, &observer).await?;
/// assert_eq!(storage.read(&observer).await?.content.as_slice(), b"{}");
/// assert!(!std::fs::read(path)?.ends_with(b"{}"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct EncryptedFileStorage {
    file: FileStorage,
    key: CacheKey,
    plaintext: Plaintext,
    /// Whether it was reported that nothing is encrypted.
    reported_plain: Arc<AtomicBool>,
}

/// Which files may be plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plaintext {
    Refused,
    Existing,
    New,
}

impl EncryptedFileStorage {
    /// Creates a store that encrypts the file with the key that `keys` holds for the cache `name`. The first write
    /// creates the key if there is none.
    ///
    /// The name is authenticated with the content: caches that share a key need different names, and the name must stay
    /// the same when the file is moved. A client id is a good choice.
    #[must_use]
    pub fn new(file: FileStorage, name: impl Into<Arc<str>>, keys: impl KeySource) -> Self {
        Self {
            file: file.accept_encrypted(),
            key: CacheKey::new(name.into(), keys),
            plaintext: Plaintext::Refused,
            reported_plain: Arc::default(),
        }
    }

    /// Uses an existing plain file as it is; a new file is still encrypted. Each store that uses a plain file reports
    /// [`Event::NotEncrypted`] (S-104).
    #[must_use]
    pub fn allow_existing_plaintext(self) -> Self {
        Self { plaintext: self.plaintext.max(Plaintext::Existing), ..self }
    }

    /// Like [`allow_existing_plaintext`](Self::allow_existing_plaintext), and also creates a new file in plain if no
    /// key is available: anyone who can read it has the tokens. This is reported in the same way.
    ///
    /// An encrypted file stays encrypted: without its key it is neither read nor replaced.
    #[must_use]
    pub fn allow_plaintext_fallback(self) -> Self {
        Self { plaintext: Plaintext::New, ..self }
    }

    /// Returns the file, for its path and state. Use this store, not the file, to read and write the content.
    #[must_use]
    pub const fn file(&self) -> &FileStorage {
        &self.file
    }

    /// Decrypts what was read.
    async fn open(&self, stored: Stored) -> Result<Stored, StorageError> {
        let damaged = |reason| self.error("read", reason).with_kind(StorageErrorKind::Damaged);
        let Some(id) = seal::key_id(&stored.content) else {
            return Err(damaged("it is not an encrypted cache that this version can read"));
        };
        let key = self.key.of_id(id).await.map_err(|error| self.key_error("read", &error))?;
        let key = key.ok_or_else(|| damaged("it was encrypted with a key that is no longer available"))?;
        match seal::open(&key, self.key.name(), &stored.content) {
            Ok(content) => Ok(Stored { content, version: stored.version }),
            Err(seal::NotOpened) => Err(damaged("it was modified, or belongs to another cache")),
        }
    }

    /// Obtains the key before the lock is taken, so that waiting for the user blocks no one else (S-101). A failure is
    /// ignored here; the operation that needs the key reports it.
    async fn ask_ahead(&self, budget: &mut LockBudget) -> Result<(), StorageError> {
        let (begun, head) = (Instant::now(), self.file.head()?);
        let asked = match (FileForm::of(&head), seal::named_key(&head)) {
            (FileForm::Plain, _) => Ok(None),
            (_, Some(id)) => self.key.of_id(id).await,
            (_, None) => self.key.current().await,
        };
        drop(asked);
        budget.spend(begun.elapsed());
        Ok(())
    }

    /// Returns the key for writing to a file of this form, creating it if there is none. The caller holds the lock.
    async fn key_to_write(&self, form: FileForm) -> Result<EncryptionKey, KeyError> {
        match form {
            FileForm::Empty => self.key.current_or_new().await,
            FileForm::Plain | FileForm::Encrypted | FileForm::Unknown => self.key.known_or_new().await,
        }
    }

    fn place(&self) -> String {
        self.file.path().display().to_string()
    }

    fn error(&self, operation: &'static str, reason: impl fmt::Display) -> StorageError {
        StorageError::new(operation, self.place(), reason)
    }

    fn key_error(&self, operation: &'static str, error: &KeyError) -> StorageError {
        self.error(operation, format_args!("its key is unavailable: {error}"))
            .with_kind(StorageErrorKind::KeyUnavailable)
    }

    fn not_encrypted(&self, operation: &'static str) -> StorageError {
        let reason = "it is not encrypted; encrypt it first (`EncryptedFileStorage::encrypt`)";
        self.error(operation, reason).with_kind(StorageErrorKind::NotEncrypted)
    }

    /// Reports once that nothing is encrypted (S-104).
    fn report_plain(&self, reason: &str, observer: &Observer) {
        if !self.reported_plain.swap(true, Ordering::Relaxed) {
            observer.tell(&Event::NotEncrypted { place: self.place(), reason: reason.to_owned() });
        }
    }
}

const ALREADY_PLAIN: &str = "the file was already plain";

impl Storage for EncryptedFileStorage {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(&self.file)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        self.finish_migration(observer).await;
        let stored = Storage::read(&self.file, observer).await?;
        match FileForm::of(&stored.content) {
            FileForm::Empty => Ok(stored),
            FileForm::Plain if self.plaintext >= Plaintext::Existing => {
                self.report_plain(ALREADY_PLAIN, observer);
                Ok(stored)
            }
            FileForm::Plain => Err(self.not_encrypted("read")),
            FileForm::Encrypted | FileForm::Unknown => self.open(stored).await,
        }
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        let key = match self.file.form()? {
            FileForm::Plain if self.plaintext >= Plaintext::Existing => None,
            FileForm::Plain => return Err(self.not_encrypted("written")),
            form @ (FileForm::Empty | FileForm::Encrypted | FileForm::Unknown) => match self.key_to_write(form).await {
                Ok(key) => Some(key),
                Err(error) if self.plaintext == Plaintext::New && form == FileForm::Empty => {
                    self.report_plain(&error.reason, observer);
                    None
                }
                Err(error) => return Err(self.key_error("written", &error)),
            },
        };
        let content = match key {
            Some(key) => seal::seal(&key, self.key.name(), &content).map_err(|error| self.error("written", error))?,
            None => content,
        };
        self.file.replace(content, expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        self.file.set_aside().await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        if name == LockName::Document {
            self.ask_ahead(budget).await?;
        }
        self.file.lock(name, budget, observer).await
    }
}

impl fmt::Debug for EncryptedFileStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedFileStorage")
            .field("file", &self.file)
            .field("name", &self.key.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
