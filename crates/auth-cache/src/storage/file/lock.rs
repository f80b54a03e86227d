//! Locks: files next to the cache, locked by the operating system and unlinked before they are released (S-100, S-101).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Result, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::disk::with_suffix;
use super::holder::{LockHolder, distance};
use super::refusal::Refusal;
use crate::storage::{LockBudget, LockName, StorageLock};

/// How long a writer that had to wait yields to others the next time.
pub(super) const COURTESY: Duration = Duration::from_millis(3);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// Longer than a library takes from creating a lock file to writing its process id or locking the file.
const BEGINNING: Duration = Duration::from_millis(500);

/// A lock, held until it is dropped or its process dies.
#[derive(Debug)]
pub(in crate::storage) struct FileLock {
    path: PathBuf,
    file: File,
    /// The process that took it.
    process: u32,
}

/// Shared with the threads that change the file under it.
impl StorageLock for Arc<FileLock> {}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A forked child has the file open, too, but the lock stays with the parent (S-108).
        if self.process != std::process::id() {
            return;
        }
        // Unlinked before the release, so that whoever locks the old file next sees that its name is gone. MSAL Python
        // unlinks after the release, and may have removed our name: the name may now belong to another holder.
        if is_still_named(&self.file, &self.path).unwrap_or_default() {
            drop(std::fs::remove_file(&self.path));
        }
        // Closing the file would not release the lock while a forked child has it open.
        drop(self.file.unlock());
    }
}

/// Returns the path of a lock. `.lockfile` is shared with the MSAL extension libraries; the others are our own.
pub(super) fn path(cache: &Path, name: LockName<'_>) -> PathBuf {
    // Names may contain characters that file names may not, so their digests are used.
    let named = |name: &str, kind: &str| {
        let digest = Sha256::digest(name.as_bytes());
        let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        with_suffix(cache, &format!(".{digits}.{kind}"))
    };
    match name {
        LockName::Document => with_suffix(cache, ".lockfile"),
        LockName::Refresh(name) => named(name, "refreshlock"),
        LockName::SignIn(name) => named(name, "signinlock"),
    }
}

/// Acquires the lock, and returns whether it had to wait.
pub(super) async fn acquire(path: &Path, budget: &mut LockBudget) -> Result<(FileLock, bool)> {
    let (begun, mut waited_for) = (Instant::now(), false);
    loop {
        if let Some(lock) = try_acquire(path, SystemTime::now()).map_err(|error| naming(path, &error))? {
            budget.spend(begun.elapsed());
            return Ok((lock, waited_for));
        }
        waited_for = true;
        let left = budget.left().saturating_sub(begun.elapsed());
        if left.is_zero() {
            let waited = begun.elapsed();
            budget.spend(waited);
            return Err(Refusal::Locked { waited }.into());
        }
        // Often at first, because a writer holds the lock for milliseconds, and those that have waited longest must not
        // become the slowest; rarely later, while a user signs in.
        let pause = begun.elapsed().div_f32(500.0).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        tokio::time::sleep(pause.min(left)).await;
    }
}

/// Acquires the lock, unless it is held at the time `now`.
pub(super) fn try_acquire(path: &Path, now: SystemTime) -> Result<Option<FileLock>> {
    let Some((file, is_new)) = open(path)? else { return Ok(None) };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Refusal::NotRegular.into());
    }
    // The file is about to be written to.
    super::disk::check_names(&metadata)?;
    // A program that has just created the file has the lock and is about to say so. Even trying to lock it would
    // interfere.
    if !is_new && metadata.len() == 0 && metadata.modified().is_ok_and(|made| distance(made, now) < BEGINNING) {
        return Ok(None);
    }
    if !try_lock(&file)? || !is_still_named(&file, path)? {
        return Ok(None);
    }
    let holder = LockHolder::read(&file)?;
    if holder.is_some_and(|holder| metadata.modified().is_ok_and(|written| holder.holds_by_existence(written, now))) {
        return Ok(None);
    }
    let mut lock = FileLock { path: path.to_owned(), file, process: std::process::id() };
    // For people, and for libraries that read the process id.
    lock.file.set_len(0)?;
    lock.file.rewind()?;
    lock.file.write_all(LockHolder::own().line().as_bytes())?;
    Ok(Some(lock))
}

/// Returns the holder of the lock at the time `now`, without interfering.
pub(super) fn holder(path: &Path, now: SystemTime) -> Result<Option<LockHolder>> {
    read_holder(path, now).map_err(|error| naming(path, &error))
}

fn read_holder(path: &Path, now: SystemTime) -> Result<Option<LockHolder>> {
    let file = match open_to_look(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Refusal::NotRegular.into());
    }
    let is_locked = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    let holder = LockHolder::read(&file)?;
    let held = |holder: &LockHolder| {
        is_locked || metadata.modified().is_ok_and(|written| holder.holds_by_existence(written, now))
    };
    Ok(holder.filter(held))
}

/// Names the lock file in an error, which would otherwise seem to be about the cache file.
fn naming(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn try_lock(file: &File) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some network file systems have no locks: only replacing as a whole and merging remain (S-103).
        Err(TryLockError::Error(error)) if is_unsupported(&error) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(unix)]
fn is_unsupported(error: &Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|errno| [Errno::NOTSUP, Errno::NOLCK, Errno::NOSYS].contains(&errno))
}

#[cfg(not(unix))]
fn is_unsupported(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported
}

/// Opens the lock file, and returns whether it is new; `None` if another program created it at the same time.
fn open(path: &Path) -> Result<Option<(File, bool)>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match super::disk::open(&mut options, path) {
        Ok(file) => return Ok(Some((file, false))),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    options.create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match super::disk::open(&mut options, path) {
        Ok(file) => Ok(Some((file, true))),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_to_look(path: &Path) -> Result<File> {
    super::disk::open(OpenOptions::new().read(true), path)
}

/// Whether `path` still names the file that was locked: the last holder may have unlinked it meanwhile.
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

#[cfg(test)]
mod tests;
