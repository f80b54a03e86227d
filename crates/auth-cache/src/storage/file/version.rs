//! Versions of a file (S-102).
//!
//! A version is the inode, size and modification time that one `stat` returns. We replace files, so each of our writes
//! has a new inode. But MSAL Python, .NET and Node write in place, and file systems keep times in ticks of milliseconds
//! or even seconds: two writes of the same size within one tick look the same. So, as in git's index, a file that
//! changed so recently before it was read that another change could have the same time is not *settled*: its version
//! also contains a digest of the content, which no `stat` returns. It is read again on next use, and parsed again only
//! if the digest differs.
//!
//! Our own writes would always be that recent. We therefore set their modification time to the clock, to the
//! nanosecond, which no tick of the file system is likely to match, so they are settled at once. This also lets MSAL
//! Python and Node notice them, as those compare a file's time with the clock at their last read.

use std::fs::{File, Metadata};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::holder::distance;
use crate::storage::Version;

/// Longer than a tick of a file system that stores fractions of seconds.
const TICK: Duration = Duration::from_millis(20);
/// The longest tick of file systems that store whole seconds, some of them only even ones.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// Longer than writing a document in place takes.
const WRITING: Duration = Duration::from_secs(1);

/// Returns the version that a `stat` shows.
pub(super) fn of(metadata: &Metadata) -> Version {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_else(|before| before.duration());
    let nanoseconds = since.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(since.subsec_nanos()));
    Version::new([inode(metadata), metadata.len(), nanoseconds, 0])
}

/// Returns the version of a file with this content that was read from the time `now` on.
pub(super) fn of_read(metadata: &Metadata, content: &[u8], now: SystemTime) -> Version {
    let version = of(metadata);
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let age = now.duration_since(modified).unwrap_or_else(|ahead| ahead.duration());
    let is_coarse = modified.duration_since(UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
    let settled = age > if is_coarse { COARSE_TICK } else { TICK };
    if settled { version } else { unsettled(version, content) }
}

/// Returns the version of a file whose content may still change without showing in a `stat`.
pub(super) fn unsettled(version: Version, content: &[u8]) -> Version {
    let [inode, size, time, _] = version.0;
    let digest = Sha256::digest(content).iter().take(8).fold(0, |digest: u64, byte| digest << 8 | u64::from(*byte));
    Version::new([inode, size, time, digest | 1])
}

/// Returns the version that a `stat` of the same file would show.
pub(super) fn settled(version: Version) -> Version {
    let [inode, size, time, _] = version.0;
    Version::new([inode, size, time, 0])
}

/// Whether a file of this version was written so close to `now` that a program writing in place may not be done.
pub(super) fn is_fresh(version: Version, now: SystemTime) -> bool {
    let [_, _, nanoseconds, _] = version.0;
    let written = UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds));
    written.is_some_and(|written| distance(written, now) < WRITING)
}

/// Sets the modification time of a file of ours to the clock. Returns whether any later change is certain to show in
/// it.
pub(super) fn stamp(file: &File, now: SystemTime) -> bool {
    // If that fails, the file is read again later, like one that another program wrote.
    file.set_modified(now).is_ok()
        && file.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified == now)
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    1
}

#[cfg(test)]
mod tests;
