//! Reading and replacing the file (S-94…S-96, S-99).

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::storage::{Replaced, Stored, Version};

/// `path` with `suffix` appended to the name of the file.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

pub(super) fn version(path: &Path) -> Result<Version> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(refused("it is a symbolic link")),
        Ok(metadata) => Ok(version_of(&metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Version::NONE),
        Err(error) => Err(error),
    }
}

/// Whether there is a regular file of so many bytes at most.
pub(super) fn is_small(path: &Path, bytes: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= bytes)
}

pub(super) fn read(path: &Path, largest: u64) -> Result<Stored> {
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Stored { content: Zeroizing::default(), version: Version::NONE });
        }
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    if metadata.len() > largest {
        return Err(refused("it is larger than the limit for its size"));
    }
    keep_private(&file, &metadata)?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let room = usize::try_from(metadata.len()).unwrap_or_default().saturating_add(1);
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.read_to_end(&mut content)?;
    Ok(Stored { content, version: version_of(&metadata) })
}

pub(super) fn replace(path: &Path, content: &[u8], expected: Version) -> Result<Replaced> {
    if version(path)? != expected {
        return Ok(Replaced::Conflict);
    }
    let folder = path.parent().ok_or_else(|| refused("it has no folder"))?;
    make_folder(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Made exclusively and for the owner only; unlinked when anything below fails.
    let mut temp = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".tmp").tempfile_in(folder)?;
    temp.write_all(content)?;
    temp.as_file().sync_all()?;
    let file = temp.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)?;
    Ok(Replaced::Done(version_of(&file.metadata()?)))
}

pub(super) fn set_aside(path: &Path) -> Result<String> {
    let place = beside(path, ".corrupt");
    match fs::rename(path, &place) {
        Ok(()) => Ok(place.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(place.display().to_string()),
        Err(error) => Err(error),
    }
}

/// Makes the folder, and those above it, for the owner only.
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn refused(reason: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, reason)
}

#[cfg(unix)]
fn open(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    // Without waiting for the other end of a pipe, and not through a link.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            refused("it is a symbolic link")
        } else {
            error
        }
    })
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// A file that others may read is tightened where it is ours and refused where it is somebody else's.
#[cfg(unix)]
fn keep_private(file: &File, metadata: &Metadata) -> Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let own = rustix::process::geteuid().as_raw();
    // None at all is well: a writer has put the next version in its place meanwhile.
    if metadata.nlink() > 1 {
        return Err(refused("it has a second name (a hard link)"));
    }
    if metadata.uid() != own && metadata.uid() != 0 {
        return Err(refused("it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        if metadata.uid() != own {
            return Err(refused("others may read it"));
        }
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        tracing::warn!(target: "auth_cache", "others could read the token cache; it is for its owner only now");
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_file: &File, _metadata: &Metadata) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn version_of(metadata: &Metadata) -> Version {
    use std::os::unix::fs::MetadataExt as _;
    let nanoseconds = metadata.mtime_nsec().cast_unsigned();
    Version::new([metadata.ino(), metadata.len(), metadata.mtime().cast_unsigned(), nanoseconds])
}

#[cfg(not(unix))]
fn version_of(metadata: &Metadata) -> Version {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let modified = modified.unwrap_or_default();
    Version::new([1, metadata.len(), modified.as_secs(), u64::from(modified.subsec_nanos())])
}

/// Makes the rename durable.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<()> {
    Ok(())
}
