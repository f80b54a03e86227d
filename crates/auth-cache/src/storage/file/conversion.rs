//! Replacing a plain file with an encrypted one, and the reverse (S-106).

use std::io::ErrorKind;

use zeroize::Zeroizing;

use super::refusal::Refusal;
use super::{FileForm, FileStorage, disk, leftovers};
use crate::event::Observer;
use crate::storage::{Replaced, StorageError, Version};

impl FileStorage {
    /// Accepts an encrypted file, for a reader that can decrypt it.
    pub(in crate::storage) fn accept_encrypted(self) -> Self {
        Self { accepts_encrypted: true, ..self }
    }

    /// Returns the file to which an unreadable document is moved.
    pub(in crate::storage) fn aside(&self) -> Self {
        Self { path: disk::aside(&self.path).into(), ..self.clone() }
    }

    /// Returns what the file appears to contain now.
    pub(in crate::storage) fn form(&self) -> Result<FileForm, StorageError> {
        self.head().map(|head| FileForm::of(&head))
    }

    /// Returns the first bytes of the file; empty if there is none.
    pub(in crate::storage) fn head(&self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        disk::head(&self.path).map_err(|error| self.error("inspected", &error))
    }

    /// Replaces the file if its version is still `expected` and `is_right` accepts the new content as read back from
    /// disk. The caller holds the document's lock.
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

    /// Whether a conversion is in progress, or was when its process died.
    pub(in crate::storage) fn is_converting(&self) -> bool {
        leftovers::conversion_path(&self.path).symlink_metadata().is_ok()
    }

    /// Removes what an interrupted conversion left behind. The caller holds the document's lock.
    pub(in crate::storage) fn remove_conversion(&self) -> std::io::Result<()> {
        match std::fs::remove_file(leftovers::conversion_path(&self.path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
