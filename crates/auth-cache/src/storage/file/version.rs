//! Which states of a file are told apart (S-102).
//!
//! A version is inode, size and time of change, which one `stat` tells. We replace files, so that each of ours is another
//! inode; but MSAL Python, .NET and Node write in place, and a file system keeps times in ticks of some milliseconds, or of
//! seconds: two writes of one size in one tick look the same. So, as with git's index, what was changed so recently when it was
//! read that another change could still have the same time is not *settled*: its version has a digest of the content in
//! addition, which no `stat` gives. It is read again with the next use, and understood again only where the digest differs.
//!
//! What we write would always be as recent. Therefore it gets the time of the clock, to the nanosecond, which no tick of the
//! file system is likely to have: it is settled at once. It also lets MSAL Python and Node notice it, who compare a file's
//! time with the clock's of their last reading.

use std::fs::{File, Metadata};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::holder::distance;
use crate::storage::Version;

/// Longer than a tick of a file system that keeps fractions of seconds.
const TICK: Duration = Duration::from_millis(20);
/// Longer than one of those that keep seconds, or pairs of them.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// Longer than a document is written in place.
const WRITING: Duration = Duration::from_secs(1);

/// The version that a `stat` tells.
pub(super) fn of(metadata: &Metadata) -> Version {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_else(|before| before.duration());
    let nanoseconds = since.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(since.subsec_nanos()));
    Version::new([inode(metadata), metadata.len(), nanoseconds, 0])
}

/// The version of a file with this content, the reading of which began at the time `now`.
pub(super) fn of_read(metadata: &Metadata, content: &[u8], now: SystemTime) -> Version {
    let version = of(metadata);
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let age = now.duration_since(modified).unwrap_or_else(|ahead| ahead.duration());
    let is_coarse = modified.duration_since(UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
    let settled = age > if is_coarse { COARSE_TICK } else { TICK };
    if settled { version } else { unsettled(version, content) }
}

/// The version of a file while its content is not sure to be all there is to it.
pub(super) fn unsettled(version: Version, content: &[u8]) -> Version {
    let [inode, size, time, _] = version.0;
    let digest = Sha256::digest(content).iter().take(8).fold(0, |digest: u64, byte| digest << 8 | u64::from(*byte));
    Version::new([inode, size, time, digest | 1])
}

/// The version that a `stat` would tell of the same file.
pub(super) fn settled(version: Version) -> Version {
    let [inode, size, time, _] = version.0;
    Version::new([inode, size, time, 0])
}

/// Whether a file of this version was written so recently before `now` that whoever writes in place may not be done.
pub(super) fn is_fresh(version: Version, now: SystemTime) -> bool {
    let [_, _, nanoseconds, _] = version.0;
    let written = UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds));
    written.is_some_and(|written| distance(written, now) < WRITING)
}

/// Gives a file that we wrote the time of the clock, and tells whether a later change is sure to show in its time.
pub(super) fn stamp(file: &File, now: SystemTime) -> bool {
    // Where it cannot be had the file is read again later, as anybody's.
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
