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

/// A file as [`FileStorage`] keeps it, encrypted: XChaCha20-Poly1305 with a random nonce for each write, under a key of a
/// [`KeySource`].
///
/// Locks, replacing, permissions and what becomes of leftovers are those of the file. What was changed by somebody else, was
/// encrypted with another key or belongs to a cache of another name is never believed: a cache moves it aside as it does with
/// what is no JSON, and begins anew (S-99). A plain file is refused and left as it is, until [`encrypt`](Self::encrypt) takes
/// it over. While the key is not to be had the store fails with
/// [`StorageErrorKind::KeyUnavailable`], and nothing is written: a cache then goes on in memory.
///
/// Whoever can write the file can put an **older one of the same name back**, which nothing in a file alone could tell:
/// refresh tokens that the identity provider has replaced since, and accounts that signed out. It shows when they are used.
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
    /// Whether it was told that nothing is encrypted.
    told: Arc<AtomicBool>,
}

/// Which files may be plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plaintext {
    Refused,
    Existing,
    New,
}

impl EncryptedFileStorage {
    /// The file, encrypted with the key that `keys` has for the cache `name`; the first write makes one where there is none.
    ///
    /// The name is a part of what is encrypted: caches that share a key need different ones, and it stays the same when the
    /// file is moved. A client id is a good one.
    #[must_use]
    pub fn new(file: FileStorage, name: impl Into<Arc<str>>, keys: impl KeySource) -> Self {
        Self {
            file: file.accept_encrypted(),
            key: CacheKey::new(name.into(), keys),
            plaintext: Plaintext::Refused,
            told: Arc::default(),
        }
    }

    /// The same, using a plain file that is there as it is. A new one is encrypted. Each store that uses a plain file tells it
    /// as [`Event::NotEncrypted`] (S-104).
    #[must_use]
    pub fn allow_existing_plaintext(self) -> Self {
        Self { plaintext: self.plaintext.max(Plaintext::Existing), ..self }
    }

    /// The same, and where no key is to be had a new file is plain, too: whoever reads it has the tokens. That is told in the
    /// same way.
    ///
    /// What is encrypted stays so: without its key it is neither read nor replaced.
    #[must_use]
    pub fn allow_plaintext_fallback(self) -> Self {
        Self { plaintext: Plaintext::New, ..self }
    }

    /// The file, for its path and state. Its content is read and written here.
    #[must_use]
    pub const fn file(&self) -> &FileStorage {
        &self.file
    }

    /// Opens what was read.
    async fn open(&self, stored: Stored) -> Result<Stored, StorageError> {
        let damaged = |reason| self.error("read", reason).with_kind(StorageErrorKind::Damaged);
        let Some(id) = seal::key_id(&stored.content) else {
            return Err(damaged("it is no encrypted cache that this version knows"));
        };
        let key = self.key.of_id(id).await.map_err(|error| self.key_error("read", &error))?;
        let key = key.ok_or_else(|| damaged("it was encrypted with a key that is not to be had any more"))?;
        match seal::open(&key, self.key.name(), &stored.content) {
            Ok(content) => Ok(Stored { content, version: stored.version }),
            Err(seal::NotOpened) => Err(damaged("it was changed by somebody else, or belongs to another cache")),
        }
    }

    /// Has the key at hand before the lock is taken: who waits for a user keeps nobody else waiting (S-101). A failure is told
    /// by what needs the key.
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

    /// The key for a write into a file of this form, a new one where there is none. Whoever writes holds the lock.
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
        self.error(operation, format_args!("its key is not to be had: {error}"))
            .with_kind(StorageErrorKind::KeyUnavailable)
    }

    fn not_encrypted(&self, operation: &'static str) -> StorageError {
        let reason = "it is not encrypted, and should be (`EncryptedFileStorage::encrypt`)";
        self.error(operation, reason).with_kind(StorageErrorKind::NotEncrypted)
    }

    /// Warns once that nothing is encrypted (S-104).
    fn tell_plain(&self, reason: &str, observer: &Observer) {
        if !self.told.swap(true, Ordering::Relaxed) {
            observer.tell(&Event::NotEncrypted { place: self.place(), reason: reason.to_owned() });
        }
    }
}

const PLAIN_BEFORE: &str = "it was plain before";

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
                self.tell_plain(PLAIN_BEFORE, observer);
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
                    self.tell_plain(&error.reason, observer);
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
