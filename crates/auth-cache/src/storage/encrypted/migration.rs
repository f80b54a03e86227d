//! From plain to encrypted and back (S-106): the new file is written beside the old one, read back and compared, and only
//! then takes its place. Whenever the process dies there is the old or the new one.

use std::time::Duration;

use super::{EncryptedFileStorage, seal};
use crate::event::Observer;
use crate::storage::file::{FileForm, FileStorage};
use crate::storage::{LockBudget, LockName, Replaced, Storage as _, StorageError, StorageErrorKind, Stored};

impl EncryptedFileStorage {
    /// Encrypts the plain file that is there, and tells whether there was one. What was moved aside beside it (S-99) is
    /// encrypted, too. Programs that use it as a plain one go on in memory then.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be done; the plain file is as it was then.
    pub async fn encrypt(&self, budget: &mut LockBudget, observer: &Observer) -> Result<bool, StorageError> {
        // Before the lock, which no user should hold up (S-101).
        if self.file.form()? == FileForm::Plain {
            self.key.current().await.map_err(|error| self.key_error("migrated", &error))?;
        }
        let _lock = self.lock(LockName::Document, budget, observer).await?;
        if self.file.form()? == FileForm::Unknown {
            return Err(self.error("migrated", "it is no JSON").with_kind(StorageErrorKind::Damaged));
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
        // As the next start will have it: a key that is not kept would make the new file worthless.
        let kept = self.key.current().await.map_err(unavailable)?;
        let name = self.key.name().to_owned();
        let Stored { content, version } = stored;
        let is_right = move |written: &[u8]| {
            let opened = kept.and_then(|kept| seal::open(&kept, &name, written).ok());
            opened.is_some_and(|opened| opened == content)
        };
        self.done(file.convert(sealed, version, is_right, observer).await?)
    }

    /// Decrypts the encrypted file that is there, and tells whether there was one. Programs that use it as an encrypted one
    /// go on in memory then. The key stays where it is kept.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be done; the encrypted file is as it was then.
    pub async fn decrypt(&self, budget: &mut LockBudget, observer: &Observer) -> Result<bool, StorageError> {
        let _lock = self.lock(LockName::Document, budget, observer).await?;
        let sealed = self.file.read(observer).await?;
        match FileForm::of(&sealed.content) {
            FileForm::Encrypted => {}
            FileForm::Empty | FileForm::Plain => return Ok(false),
            FileForm::Unknown => {
                return Err(self.error("migrated", "it is no encrypted cache").with_kind(StorageErrorKind::Damaged));
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
            Replaced::Conflict => Err(self.error("migrated", "another program changed it meanwhile; try again")),
        }
    }

    /// Removes what a migration that died has left beside the file, which is whole. One that is under way has the lock.
    pub(super) async fn finish_migration(&self, observer: &Observer) {
        if !self.file.is_converting() {
            return;
        }
        let lock = self.file.lock(LockName::Document, &mut LockBudget::new(Duration::ZERO), observer).await;
        if lock.is_ok() && self.file.remove_conversion().is_err() {
            tracing::warn!(target: "auth_cache", "what a migration of the token cache has left cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests;
