//! Locks: files beside the cache, locked by the system and unlinked while they are held (S-100, S-101).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::disk::{beside, make_folder};
use crate::storage::{LockName, StorageLock};

const LONGEST_WAIT: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The lock, held until it is dropped; a process that dies loses it.
pub(super) struct FileLock {
    path: PathBuf,
    _file: File,
}

impl StorageLock for FileLock {}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Unlinked before it is released: whoever locks the old file then sees that its name is gone.
        drop(std::fs::remove_file(&self.path));
    }
}

pub(super) async fn acquire(cache: &Path, name: LockName<'_>) -> Result<FileLock> {
    let path = beside(cache, &suffix(name));
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let waited = tokio::time::timeout(LONGEST_WAIT, wait(&path)).await;
    waited.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "another program has held its lock for 10 s")))
}

/// `.lockfile` is what the MSAL extension libraries use; the other is ours alone.
fn suffix(name: LockName<'_>) -> String {
    match name {
        LockName::Document => ".lockfile".to_owned(),
        LockName::Refresh(name) => {
            // Names hold what file names must not; their digest tells them apart as well.
            let digest = Sha256::digest(name.as_bytes());
            let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!(".{digits}.refreshlock")
        }
    }
}

async fn wait(path: &Path) -> Result<FileLock> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        if let Some(lock) = try_acquire(path)? {
            return Ok(lock);
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

fn try_acquire(path: &Path) -> Result<Option<FileLock>> {
    let mut file = open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    if !is_still_named(&file, path)? {
        return Ok(None);
    }
    // For people and for libraries that read it; the lock itself is the system's.
    file.set_len(0)?;
    writeln!(file, "{} auth", std::process::id())?;
    Ok(Some(FileLock { path: path.to_owned(), _file: file }))
}

#[cfg(unix)]
fn open(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Whether the file that was locked is still the one with the name: the last holder may have unlinked it meanwhile.
#[cfg(unix)]
pub(super) fn is_still_named(file: &File, path: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    match std::fs::symlink_metadata(path) {
        Ok(named) => {
            let locked = file.metadata()?;
            Ok((named.dev(), named.ino()) == (locked.dev(), locked.ino()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_still_named(_file: &File, path: &Path) -> Result<bool> {
    Ok(path.exists())
}
