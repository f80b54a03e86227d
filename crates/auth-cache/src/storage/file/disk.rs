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

/// `path` with `suffix` appended to the name of the file.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The file that a document is moved to that cannot be understood.
pub(super) fn aside(path: &Path) -> PathBuf {
    beside(path, ".corrupt")
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

/// Whether there is a regular file of so many bytes at most.
pub(super) fn is_small(path: &Path, bytes: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= bytes)
}

pub(super) fn read(path: &Path, largest: u64, observer: &Observer) -> Result<Stored> {
    // Before anything is read: what is changed later than this may be missed.
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
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let room = usize::try_from(metadata.len()).unwrap_or_default().saturating_add(1);
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    // It may grow while it is read.
    file.by_ref().take(largest.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > largest {
        return Err(Refusal::TooLarge.into());
    }
    let version = version::of_read(&metadata, &content, now);
    // Somebody wrote in place meanwhile: it may be half of what it will be.
    let changed = version::of(&file.metadata()?) != version::settled(version);
    let version = if changed { version::unsettled(version, &content) } else { version };
    Ok(Stored { content, version })
}

/// The first bytes of the file, by which its form is told; nothing where there is no file.
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

/// Whether it is not the end of a document, and was written just now. What is encrypted is never written in place.
pub(super) fn is_being_written(stored: &Stored, now: SystemTime) -> bool {
    let is_whole =
        stored.content.trim_ascii_end().ends_with(b"}") || FileForm::of(&stored.content) == FileForm::Encrypted;
    stored.version != Version::NONE && !is_whole && version::is_fresh(stored.version, now)
}

pub(super) fn replace(path: &Path, content: &[u8], expected: Version) -> Result<Replaced> {
    replace_checked(path, &leftovers::temp_path(path), content, expected, || Ok(()))
}

/// Replaces it by way of the file `temp`, which `check` looks at before it takes its place.
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
    // Once more at the end: writing takes a while, and not everybody holds the lock.
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

/// Opens the file without waiting for the other end of a pipe, and not through a link.
#[cfg(unix)]
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    use rustix::io::Errno;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    options.custom_flags(flags).open(path).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => Refusal::Link.into(),
        // A socket, or a folder that should be written to.
        Some(Errno::NXIO | Errno::ISDIR) => Refusal::NotRegular.into(),
        Some(_) | None => error,
    })
}

#[cfg(not(unix))]
pub(super) fn open(options: &mut OpenOptions, path: &Path) -> Result<File> {
    options.open(path)
}

/// Refuses a file that has a second name, which may be a victim's. None at all is well: a writer has put the next version in
/// its place meanwhile.
#[cfg(unix)]
pub(super) fn check_names(metadata: &Metadata) -> Result<()> {
    let is_linked = std::os::unix::fs::MetadataExt::nlink(metadata) > 1;
    if is_linked { Err(Refusal::HardLink.into()) } else { Ok(()) }
}

#[cfg(not(unix))]
pub(super) fn check_names(_metadata: &Metadata) -> Result<()> {
    Ok(())
}

/// A file that others may read is tightened where it is ours, which is told, and refused where it is somebody else's.
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
