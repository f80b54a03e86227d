//! Locks: files beside the cache, locked by the system and unlinked while they are held (S-100, S-101).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Result, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::disk::beside;
use super::holder::{LockHolder, distance};
use super::refusal::Refusal;
use crate::storage::{LockBudget, LockName, StorageLock};

/// How long others are let go first.
pub(super) const COURTESY: Duration = Duration::from_millis(3);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// Longer than a library takes from making a lock file to writing its process id, or locking it.
const BEGINNING: Duration = Duration::from_millis(500);

/// The lock, held until it is dropped; a process that dies loses it.
#[derive(Debug)]
pub(in crate::storage) struct FileLock {
    path: PathBuf,
    file: File,
    /// Whose it is.
    process: u32,
}

/// Shared with the threads that change the file under it.
impl StorageLock for Arc<FileLock> {}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A child that was forked has the file open, too, but not the lock: that stays its parent's (S-108).
        if self.process != std::process::id() {
            return;
        }
        // Unlinked before it is released: whoever locks the old file then sees that its name is gone. MSAL Python unlinks after
        // that, and may so have taken ours: the name is then another's.
        if is_still_named(&self.file, &self.path).unwrap_or_default() {
            drop(std::fs::remove_file(&self.path));
        }
        // Not left to the closing of the file, which such a child delays.
        drop(self.file.unlock());
    }
}

/// The file of a lock. `.lockfile` is what the MSAL extension libraries use; the others are ours alone.
pub(super) fn path(cache: &Path, name: LockName<'_>) -> PathBuf {
    // Names hold what file names must not; their digest tells them apart as well.
    let named = |name: &str, kind: &str| {
        let digest = Sha256::digest(name.as_bytes());
        let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        beside(cache, &format!(".{digits}.{kind}"))
    };
    match name {
        LockName::Document => beside(cache, ".lockfile"),
        LockName::Refresh(name) => named(name, "refreshlock"),
        LockName::SignIn(name) => named(name, "signinlock"),
    }
}

/// The lock, and whether somebody else had it first.
pub(super) async fn acquire(path: &Path, budget: &mut LockBudget) -> Result<(FileLock, bool)> {
    let (begun, mut waited_for) = (Instant::now(), false);
    loop {
        if let Some(lock) = try_acquire(path, SystemTime::now())? {
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
        // Often at first, as a writer has the lock for a few milliseconds; seldom where a user signs in.
        let pause = begun.elapsed().div_f32(100.0).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        tokio::time::sleep(pause.min(left)).await;
    }
}

/// The lock, unless somebody holds it at the time `now`.
pub(super) fn try_acquire(path: &Path, now: SystemTime) -> Result<Option<FileLock>> {
    let Some((file, is_new)) = open(path)? else { return Ok(None) };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Refusal::NotRegular.into());
    }
    // It will be written to.
    super::disk::check_names(&metadata)?;
    // Whoever has just made it has the lock, and is about to say so. It is not even tried, which would disturb them.
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
    // For people, and for libraries that read it.
    lock.file.set_len(0)?;
    lock.file.rewind()?;
    lock.file.write_all(LockHolder::own().line().as_bytes())?;
    Ok(Some(lock))
}

/// Who holds the lock at the time `now`, without disturbing anybody.
pub(super) fn holder(path: &Path, now: SystemTime) -> Result<Option<LockHolder>> {
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

fn try_lock(file: &File) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // There are no locks here, as on some network file systems: replacing and merging are what is left (S-103).
        Err(TryLockError::Error(error)) if is_unsupported(&error) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(unix)]
fn is_unsupported(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|errno| [Errno::NOTSUP, Errno::NOLCK, Errno::NOSYS].contains(&errno))
}

#[cfg(not(unix))]
fn is_unsupported(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::Unsupported
}

/// Opens the lock file, and tells whether it was made; `None` where it went away meanwhile.
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

#[cfg(test)]
mod tests;
