//! Replacing a file so that it is the old or the new one, whatever happens (S-94).

use std::fs::{self, File, OpenOptions};
use std::io::{Result, Write as _};
use std::path::Path;
use std::time::SystemTime;

use super::version;

/// The system calls of a replacement. A test stands in for the system and loses power after each.
pub(super) trait Fs {
    /// An open file or folder.
    type File;

    /// Opens a folder, to make what is in it durable.
    fn open_folder(&self, folder: &Path) -> Result<Self::File>;
    /// Makes a file that was not there, for its owner only.
    fn create(&self, path: &Path) -> Result<Self::File>;
    /// Writes all of the content.
    fn write(&self, file: &mut Self::File, content: &[u8]) -> Result<()>;
    /// Makes the content of a file, or the names in a folder, durable.
    fn sync(&self, file: &Self::File) -> Result<()>;
    /// Gives a file the name of another. Tells whether a later change is sure to show in its time.
    fn rename(&self, file: &Self::File, from: &Path, to: &Path) -> Result<bool>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> Result<()>;
}

/// Replaces the file at `path`, by way of the file `temp` in the same folder, if `check` still finds that right immediately
/// before the new file takes the place of the old one. Gives the new file, and what [`Fs::rename`] told.
///
/// When it fails, or `check` says no, the old file is as it was; only when the folder cannot be made durable the new one is
/// there, which may not last.
pub(super) fn replace<F: Fs>(
    fs: &F,
    path: &Path,
    temp: &Path,
    content: &[u8],
    check: impl FnOnce() -> Result<bool>,
) -> Result<Option<(F::File, bool)>> {
    // First of all: a folder that cannot be opened is a failure before anything has changed.
    let folder = fs.open_folder(temp.parent().unwrap_or(path))?;
    let mut file = fs.create(temp)?;
    let renamed = fs
        .write(&mut file, content)
        .and_then(|()| fs.sync(&file))
        .and_then(|()| check())
        .and_then(|is_right| if is_right { fs.rename(&file, temp, path).map(Some) } else { Ok(None) });
    let Ok(Some(is_distinct)) = renamed else {
        // It holds secrets. That it cannot be removed either is found by those who sweep later (S-97).
        drop(fs.remove(temp));
        return renamed.map(|_| None);
    };
    fs.sync(&folder)?;
    Ok(Some((file, is_distinct)))
}

/// The system's own.
pub(super) struct Disk;

impl Fs for Disk {
    type File = File;

    fn open_folder(&self, folder: &Path) -> Result<File> {
        File::open(folder)
    }

    fn create(&self, path: &Path) -> Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        }
        options.open(path)
    }

    fn write(&self, file: &mut File, content: &[u8]) -> Result<()> {
        file.write_all(content)
    }

    fn sync(&self, file: &File) -> Result<()> {
        file.sync_all()
    }

    fn rename(&self, file: &File, from: &Path, to: &Path) -> Result<bool> {
        let is_distinct = version::stamp(file, SystemTime::now());
        fs::rename(from, to)?;
        Ok(is_distinct)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        fs::remove_file(path)
    }
}

#[cfg(test)]
mod tests;
