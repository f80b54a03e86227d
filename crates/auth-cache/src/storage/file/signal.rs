//! The file as a signal: its modification time shows when content stored elsewhere has changed.

use std::fs::{self, Metadata};
use std::time::SystemTime;

use super::{FileStorage, disk, folder, version};
use crate::storage::{StorageError, Version};

/// The state of the file before the content was read.
pub(in crate::storage) struct Signal {
    metadata: Metadata,
    at: SystemTime,
}

impl Signal {
    /// Returns the version of content that was read after this signal.
    pub(in crate::storage) fn version(&self, content: &[u8]) -> Version {
        version::of_read(&self.metadata, content, self.at)
    }
}

impl FileStorage {
    /// Returns the state of the file; `None` if there is none.
    pub(in crate::storage) fn signal(&self) -> Result<Option<Signal>, StorageError> {
        let at = SystemTime::now();
        let signal = || {
            // A signal behind a link that others can redirect is not trusted (S-96).
            folder::check_links(self.folder())?;
            if disk::version(&self.path)? == Version::NONE {
                return Ok(None);
            }
            Ok(Some(Signal { metadata: fs::symlink_metadata(&self.path)?, at }))
        };
        signal().map_err(|error| self.error("read", &error))
    }

    /// Whether the file still has this version.
    pub(in crate::storage) fn is_still(&self, expected: Version) -> Result<bool, StorageError> {
        let now = disk::version(&self.path).map_err(|error| self.error("read", &error))?;
        Ok(now == version::settled(expected))
    }
}
