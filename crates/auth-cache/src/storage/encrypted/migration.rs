//! Converting a plain file to an encrypted one and back (S-106). The new file is written next to the old one, read back
//! and compared, and only then takes its place: whenever the process dies, either the old or the new file is there.

use std::time::Duration;

use super::{EncryptedFileStorage, seal};
use crate::event::Observer;
use crate::storage::file::{FileForm, FileStorage};
use crate::storage::{LockBudget, LockName, Replaced, Storage as _, StorageError, StorageErrorKind, Stored};

impl EncryptedFileStorage {
    /// Encrypts an existing plain file, and returns whether there was one. A document that was moved aside (S-99) is
    /// encrypted, too. Programs that use the file as a plain one then work in memory.
    ///
    /// ```
    /// use auth_cache::{EncryptedFileStorage, EncryptionKey, FileForm, FileStorage, LockBudget, Observer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("cache.json");
    /// std::fs::write(&path, "{}")?;
    /// let key = EncryptionKey::generate()?;
    /// let storage = EncryptedFileStorage::new(FileStorage::at(&path)?, "my-client-id", key);
    /// assert!(storage.encrypt(&mut LockBudget::default(), &Observer::default()).await?);
    /// assert_eq!(storage.file().state()?.form, FileForm::Encrypted);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Returns [`StorageError`] if the file cannot be encrypted; it is then unchanged.
    pub async fn encrypt(&self, budget: &mut LockBudget, observer: &Observer) -> Result<bool, StorageError> {
        // Before the lock is taken, so that it is not held while the user is asked (S-101).
        if self.file.form()? == FileForm::Plain {
            self.key.current().await.map_err(|error| self.key_error("migrated", &error))?;
        }
        let _lock = self.lock(LockName::Document, budget, observer).await?;
        if self.file.form()? == FileForm::Unknown {
            return Err(self.error("migrated", "it is not JSON").with_kind(StorageErrorKind::Damaged));
        }
        self.encrypt_one(&self.file.aside(), observer).await?;
        self.encrypt_one(&self.file, observer).await
    }

    async fn encrypt_one(&self, file: &FileStorage, observer: &Observer) -> Result<bool, StorageError> {
        let stored = file.read(observer).await?;
        match FileForm::of(&stored.content) {
            FileForm::Plain | FileForm::Unknown => {}
            FileForm::Empty | FileForm::Encrypted => return Ok(false),
        }
        let unavailable = |error| self.key_error("migrated", &error);
        let key = self.key.current_or_new().await.map_err(unavailable)?;
        let sealed = seal::seal(&key, self.key.name(), &stored.content).map_err(unavailable)?;
        // Read back, as the next start will read it: without its key the new file would be lost.
        let kept = self.key.current().await.map_err(unavailable)?;
        let name = self.key.name().to_owned();
        let Stored { content, version } = stored;
        let is_right = move |written: &[u8]| {
            let opened = kept.and_then(|kept| seal::open(&kept, &name, written).ok());
            opened.is_some_and(|opened| opened == content)
        };
        self.done(file.convert(sealed, version, is_right, observer).await?)
    }

    /// Decrypts an existing encrypted file, and returns whether there was one. Programs that use the file as an
    /// encrypted one then work in memory. The key stays where it is kept.
    ///
    /// # Errors
    /// Returns [`StorageError`] if the file cannot be decrypted; it is then unchanged.
    pub async fn decrypt(&self, budget: &mut LockBudget, observer: &Observer) -> Result<bool, StorageError> {
        let _lock = self.lock(LockName::Document, budget, observer).await?;
        let sealed = self.file.read(observer).await?;
        match FileForm::of(&sealed.content) {
            FileForm::Encrypted => {}
            FileForm::Empty | FileForm::Plain => return Ok(false),
            FileForm::Unknown => {
                let error = self.error("migrated", "it is not an encrypted cache");
                return Err(error.with_kind(StorageErrorKind::Damaged));
            }
        }
        let Stored { content, version } = self.open(sealed).await?;
        let expected = content.clone();
        let is_right = move |written: &[u8]| *written == **expected;
        self.done(self.file.convert(content, version, is_right, observer).await?)
    }

    fn done(&self, replaced: Replaced) -> Result<bool, StorageError> {
        match replaced {
            Replaced::Done(_) => Ok(true),
            Replaced::Conflict => Err(self.error("migrated", "another program changed it in the meantime; try again")),
        }
    }

    /// Removes what an interrupted migration left next to the file, which is intact. A migration in progress has the
    /// lock.
    pub(super) async fn finish_migration(&self, observer: &Observer) {
        if !self.file.is_converting() {
            return;
        }
        let lock = self.file.lock(LockName::Document, &mut LockBudget::new(Duration::ZERO), observer).await;
        if lock.is_ok() && self.file.remove_conversion().is_err() {
            tracing::warn!(target: "auth_cache", "the temporary file of an interrupted migration of the token cache cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests;
