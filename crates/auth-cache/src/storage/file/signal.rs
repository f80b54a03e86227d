//! The file as a signal: its time tells when something was changed that is kept elsewhere.

use std::fs::{self, Metadata};
use std::time::SystemTime;

use super::{FileStorage, disk, folder, version};
use crate::storage::{StorageError, Version};

/// How the file was before what is kept elsewhere was read.
pub(in crate::storage) struct Signal {
    metadata: Metadata,
    at: SystemTime,
}

impl Signal {
    /// The version of what was read, as far as the file's time tells it from a later one.
    pub(in crate::storage) fn version(&self, content: &[u8]) -> Version {
        version::of_read(&self.metadata, content, self.at)
    }
}

impl FileStorage {
    /// How the file is; `None` where there is none.
    pub(in crate::storage) fn signal(&self) -> Result<Option<Signal>, StorageError> {
        let at = SystemTime::now();
        let signal = || {
            // A link that others can turn is no signal to follow (S-96).
            folder::check_links(self.folder())?;
            if disk::version(&self.path)? == Version::NONE {
                return Ok(None);
            }
            Ok(Some(Signal { metadata: fs::symlink_metadata(&self.path)?, at }))
        };
        signal().map_err(|error| self.error("read", &error))
    }

    /// Whether the file still is of this version.
    pub(in crate::storage) fn is_still(&self, expected: Version) -> Result<bool, StorageError> {
        let now = disk::version(&self.path).map_err(|error| self.error("read", &error))?;
        Ok(now == version::settled(expected))
    }
}
