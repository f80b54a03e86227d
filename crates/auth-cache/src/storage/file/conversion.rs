//! Replacing the file by one of another form: plain by encrypted, or the other way round (S-106).

use std::io::ErrorKind;

use zeroize::Zeroizing;

use super::refusal::Refusal;
use super::{FileForm, FileStorage, disk, leftovers};
use crate::event::Observer;
use crate::storage::{Replaced, StorageError, Version};

impl FileStorage {
    /// The same for a reader that can decrypt.
    pub(in crate::storage) fn decrypted(self) -> Self {
        Self { decrypted: true, ..self }
    }

    /// The file that what cannot be understood is moved to.
    pub(in crate::storage) fn aside(&self) -> Self {
        Self { path: disk::aside(&self.path).into(), ..self.clone() }
    }

    /// What the file seems to be now.
    pub(in crate::storage) fn form(&self) -> Result<FileForm, StorageError> {
        self.head().map(|head| FileForm::of(&head))
    }

    /// The first bytes of the file, nothing where there is none.
    pub(in crate::storage) fn head(&self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        disk::head(&self.path).map_err(|error| self.error("looked at", &error))
    }

    /// Replaces the file if it still is of the version `expected`, and if `is_right` finds the new one right as it is on the
    /// disk. Whoever calls it holds the lock of the document.
    pub(in crate::storage) async fn convert(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        is_right: impl FnOnce(&[u8]) -> bool + Send + 'static,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        let observer = observer.clone();
        let convert = move |storage: &Self| {
            storage.make_folder(&observer)?;
            storage.remove_conversion()?;
            let temp = leftovers::conversion_path(&storage.path);
            let check = || {
                let written = disk::read(&temp, storage.largest, &observer)?;
                if is_right(&written.content) { Ok(()) } else { Err(Refusal::NotReadBack.into()) }
            };
            disk::replace_checked(&storage.path, &temp, &content, expected, check)
        };
        self.changing("migrated", convert).await
    }

    /// Whether a conversion is under way, or was when its process died.
    pub(in crate::storage) fn is_converting(&self) -> bool {
        leftovers::conversion_path(&self.path).symlink_metadata().is_ok()
    }

    /// Removes what a conversion that died has left. Whoever calls it holds the lock of the document.
    pub(in crate::storage) fn remove_conversion(&self) -> std::io::Result<()> {
        match std::fs::remove_file(leftovers::conversion_path(&self.path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
