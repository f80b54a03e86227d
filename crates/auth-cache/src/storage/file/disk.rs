//! Reading, replacing and moving the file (S-94…S-96, S-99).

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read as _, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::form::{self, FileForm};
use super::refusal::Refusal;
use super::replace::{self, Disk};
use super::{leftovers, version};
use crate::event::{Event, Observer};
use crate::storage::{Replaced, Stored, Version};

/// Appends `suffix` to the file name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The path to which an unreadable document is moved.
pub(super) fn aside(path: &Path) -> PathBuf {
    with_suffix(path, ".corrupt")
}

pub(super) fn version(path: &Path) -> Result<Version> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(version::of(&metadata)),
        Ok(metadata) if metadata.is_symlink() => Err(Refusal::Link.into()),
        Ok(_) => Err(Refusal::NotRegular.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Version::NONE),
        Err(error) => Err(error),
    }
}

/// Whether `path` is a regular file of at most this many bytes.
pub(super) fn is_small(path: &Path, bytes: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= bytes)
}

pub(super) fn read(path: &Path, largest: u64, observer: &Observer) -> Result<Stored> {
    // Taken before the read, which may miss any later change.
    let now = SystemTime::now();
    let mut file = match open(OpenOptions::new().read(true), path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Stored { content: Zeroizing::default(), version: Version::NONE });
        }
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Refusal::NotRegular.into());
    }
    if metadata.len() > largest {
        return Err(Refusal::TooLarge.into());
    }
    if keep_private(&file, &metadata)? {
        observer.tell(&Event::PermissionsRepaired { place: path.display().to_string() });
    }
    // All at once: a growing buffer leaves copies of secrets behind.
    let room = usize::try_from(metadata.len()).unwrap_or_default().saturating_add(1);
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    // The file may grow while it is read.
    file.by_ref().take(largest.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > largest {
        return Err(Refusal::TooLarge.into());
    }
    let version = version::of_read(&metadata, &content, now);
    // Another program has been writing in place, and may not be done.
    let changed = version::of(&file.metadata()?) != version::settled(version);
    let version = if changed { version::unsettled(version, &content) } else { version };
    Ok(Stored { content, version })
}

/// Returns the first bytes of the file, which show its form; empty if there is no file.
pub(super) fn head(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let file = match open(OpenOptions::new().read(true), path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Zeroizing::default()),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(Refusal::NotRegular.into());
    }
    let mut head = Zeroizing::new(Vec::with_capacity(form::HEAD));
    file.take(form::HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether the document is incomplete and was written just now. Encrypted files are never written in place.
pub(super) fn is_being_written(stored: &Stored, now: SystemTime) -> bool {
    let is_whole =
        stored.content.trim_ascii_end().ends_with(b"}") || FileForm::of(&stored.content) == FileForm::Encrypted;
    stored.version != Version::NONE && !is_whole && version::is_fresh(stored.version, now)
}

pub(super) fn replace(path: &Path, content: &[u8], expected: Version) -> Result<Replaced> {
    replace_checked(path, &leftovers::temp_path(path), content, expected, || Ok(()))
}

/// Replaces the file through `temp`, which `check` inspects before it takes the file's place.
pub(super) fn replace_checked(
    path: &Path,
    temp: &Path,
    content: &[u8],
    expected: Version,
    check: impl FnOnce() -> Result<()>,
) -> Result<Replaced> {
    let is_expected = || Ok(version(path)? == version::settled(expected));
    if !is_expected()? {
        return Ok(Replaced::Conflict);
    }
    // Checked again at the end: writing takes a while, and not every program takes the lock.
    let Some((file, is_distinct)) =
        replace::replace(&Disk, path, temp, content, || check().and_then(|()| is_expected()))?
    else {
        return Ok(Replaced::Conflict);
    };
    let version = version::of(&file.metadata()?);
    Ok(Replaced::Done(if is_distinct { version } else { version::unsettled(version, content) }))
}

pub(super) fn set_aside(path: &Path) -> Result<String> {
    let place = aside(path);
    match fs::rename(path, &place) {
        Ok(()) => Ok(place.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(place.display().to_string()),
        Err(error) => Err(error),
    }
}

/// Opens the file, neither following a link nor waiting for the other end of a pipe.
#[cfg(unix)]
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    use rustix::io::Errno;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    options.custom_flags(flags).open(path).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => Refusal::Link.into(),
        // A socket, or a folder opened for writing.
        Some(Errno::NXIO | Errno::ISDIR) => Refusal::NotRegular.into(),
        Some(_) | None => error,
    })
}

#[cfg(not(unix))]
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> Result<File> {
    options.open(path)
}

/// Refuses a file with a hard link, which may be a victim's file. A file without any name is fine: a writer has just
/// replaced it.
#[cfg(unix)]
pub(super) fn check_names(metadata: &Metadata) -> Result<()> {
    let is_linked = std::os::unix::fs::MetadataExt::nlink(metadata) > 1;
    if is_linked { Err(Refusal::HardLink.into()) } else { Ok(()) }
}

#[cfg(not(unix))]
pub(super) fn check_names(_metadata: &Metadata) -> Result<()> {
    Ok(())
}

/// Restricts the user's own file to its owner, and returns whether it was open to others. Refuses another user's file,
/// and one of root's that is open.
#[cfg(unix)]
fn keep_private(file: &File, metadata: &Metadata) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;

    use super::access::Access;
    check_names(metadata)?;
    let access = Access::of(metadata);
    if !access.is_trusted() {
        return Err(Refusal::Stranger.into());
    }
    if access.is_open() {
        if !access.is_own() {
            return Err(Refusal::Readable.into());
        }
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(access.is_open())
}

#[cfg(not(unix))]
fn keep_private(_file: &File, _metadata: &Metadata) -> Result<bool> {
    Ok(false)
}
