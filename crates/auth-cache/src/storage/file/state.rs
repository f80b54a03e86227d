//! The state of a cache file.

use std::fs;
use std::io::Result;
use std::path::Path;
use std::time::SystemTime;

use super::form::FileForm;
use super::holder::LockHolder;
use super::{disk, folder, lock, network};
use crate::storage::LockName;

/// The state of a cache file and its surroundings, as returned by [`FileStorage::state`](crate::FileStorage::state).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileState {
    /// The size in bytes; `None` if there is no file.
    pub size: Option<u64>,
    /// What the file appears to contain.
    pub form: FileForm,
    /// The permission bits, such as `0o600`; `None` if there is no file, or on a system without them.
    pub mode: Option<u32>,
    /// The owner's user id; `None` if there is no file, or on a system without them.
    pub owner: Option<u32>,
    /// The process that holds the document's lock, if any.
    pub lock: Option<LockHolder>,
    /// Whether an unreadable document was moved aside and is still there (S-99).
    pub is_set_aside: bool,
    /// Whether others can write to the folder (S-93).
    pub is_folder_shared: bool,
    /// Whether the operating system reports that the folder is on another machine (S-103).
    pub is_remote: bool,
}

pub(super) fn of(path: &Path, now: SystemTime) -> Result<FileState> {
    // Refuses anything but a regular file, as a reader does.
    disk::version(path)?;
    let metadata = fs::symlink_metadata(path).ok();
    #[cfg(unix)]
    let [mode, owner] = {
        use std::os::unix::fs::MetadataExt as _;
        [metadata.as_ref().map(|metadata| metadata.mode() & 0o7777), metadata.as_ref().map(|metadata| metadata.uid())]
    };
    #[cfg(not(unix))]
    let [mode, owner] = [None, None];
    let folder = path.parent().unwrap_or(path);
    Ok(FileState {
        size: metadata.map(|metadata| metadata.len()),
        form: FileForm::of(&disk::head(path)?),
        mode,
        owner,
        lock: lock::holder(&lock::path(path, LockName::Document), now)?,
        is_set_aside: fs::symlink_metadata(disk::aside(path)).is_ok(),
        is_folder_shared: folder::is_shared(folder)?,
        is_remote: network::is_remote(folder),
    })
}
