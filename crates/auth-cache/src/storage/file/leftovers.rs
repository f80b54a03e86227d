//! Temporary files, and the removal of those whose writer died (S-97).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longer than any write takes.
pub(super) const OLD: Duration = Duration::from_secs(60 * 60);
const DIGITS: usize = 16;

/// Returns a new temporary path in the folder of `path`: `.<name>.<16 hexadecimal digits>.tmp`.
pub(super) fn temp_path(path: &Path) -> PathBuf {
    // Includes the process id, because a forked child draws the same numbers as its parent (S-108).
    let random = RandomState::new().hash_one(std::process::id());
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{random:0DIGITS$x}.tmp"));
    path.with_file_name(name)
}

/// Returns the path of the temporary file through which the file at `path` is encrypted or decrypted. The name is
/// fixed: a conversion holds the lock, so a file found there was left by a dead one and can be removed at once (S-106).
#[cfg(feature = "encrypted")]
pub(super) fn conversion_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".migration.tmp");
    path.with_file_name(name)
}

/// Removes the temporary files of `path` that were last written more than an hour before `now`, and returns how many.
/// The caller holds the lock.
pub(super) fn sweep(path: &Path, now: SystemTime) -> usize {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return 0 };
    // A folder that cannot be listed must not fail the write.
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let old = entries.filter(|entry| is_temp(&entry.file_name(), name) && is_old(&entry.path(), now));
    old.filter(|entry| fs::remove_file(entry.path()).is_ok()).count()
}

fn is_temp(candidate: &OsStr, name: &OsStr) -> bool {
    let digits = || {
        let rest = candidate.as_encoded_bytes().strip_prefix(b".")?.strip_prefix(name.as_encoded_bytes())?;
        rest.strip_prefix(b".")?.strip_suffix(b".tmp")
    };
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits().is_some_and(|digits| digits.len() == DIGITS && digits.iter().all(is_digit))
}

fn is_old(path: &Path, now: SystemTime) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else { return false };
    let age = metadata.modified().ok().and_then(|modified| now.duration_since(modified).ok());
    metadata.is_file() && super::access::is_own(&metadata) && age.is_some_and(|age| age > OLD)
}

#[cfg(test)]
mod tests;
