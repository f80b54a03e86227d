//! What can be said of the file without reading it.

use std::fs;
use std::io::Result;
use std::path::Path;
use std::time::SystemTime;

use super::form::FileForm;
use super::holder::LockHolder;
use super::{disk, folder, lock, network};
use crate::storage::LockName;

/// How a cache file and its surroundings are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileState {
    /// The size in bytes; `None` when there is no file.
    pub size: Option<u64>,
    /// What the file seems to be.
    pub form: FileForm,
    /// The permissions, such as `0o600`, where the system has them.
    pub mode: Option<u32>,
    /// The user id of the owner, where the system has them.
    pub owner: Option<u32>,
    /// Who holds the lock of the document now.
    pub lock: Option<LockHolder>,
    /// Whether a document that could not be understood lies beside it (S-99).
    pub is_set_aside: bool,
    /// Whether others can write into the folder (S-93).
    pub is_folder_shared: bool,
    /// Whether the folder is on another machine, as far as the system tells (S-103).
    pub is_remote: bool,
}

pub(super) fn of(path: &Path, now: SystemTime) -> Result<FileState> {
    // Refuses what is not a file, as a reader does.
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
