//! Replacing a file such that either the old or the new one is there, whatever happens (S-94).

use std::fs::{self, File, OpenOptions};
use std::io::{Result, Write as _};
use std::path::Path;
use std::time::SystemTime;

use super::version;

/// The system calls of a replacement. Tests implement it with a simulator that loses power after each call.
pub(super) trait Fs {
    /// An open file or folder.
    type File;

    /// Opens a folder in order to sync it.
    fn open_folder(&self, folder: &Path) -> Result<Self::File>;
    /// Creates a file that does not exist yet, for its owner only.
    fn create(&self, path: &Path) -> Result<Self::File>;
    /// Writes all of the content.
    fn write(&self, file: &mut Self::File, content: &[u8]) -> Result<()>;
    /// Makes the content of a file or the names in a folder durable.
    fn sync(&self, file: &Self::File) -> Result<()>;
    /// Renames a file. Returns whether any later change is certain to show in its modification time.
    fn rename(&self, file: &Self::File, from: &Path, to: &Path) -> Result<bool>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> Result<()>;
}

/// Replaces the file at `path` through the file `temp` in the same folder, if `check` returns true immediately before
/// the rename. Returns the new file and the result of [`Fs::rename`]; `None` if `check` returned false.
///
/// Unless it succeeds, the old file is unchanged, with one exception: if only the folder cannot be synced, the new file
/// is in place but may not survive a power failure.
pub(super) fn replace<F: Fs>(
    fs: &F,
    path: &Path,
    temp: &Path,
    content: &[u8],
    check: impl FnOnce() -> Result<bool>,
) -> Result<Option<(F::File, bool)>> {
    // First, so that a folder that cannot be opened fails before anything has changed.
    let folder = fs.open_folder(temp.parent().unwrap_or(path))?;
    let mut file = fs.create(temp)?;
    let renamed = fs
        .write(&mut file, content)
        .and_then(|()| fs.sync(&file))
        .and_then(|()| check())
        .and_then(|is_right| if is_right { fs.rename(&file, temp, path).map(Some) } else { Ok(None) });
    let Ok(Some(is_distinct)) = renamed else {
        // The file holds secrets. If it cannot be removed either, a later sweep will do so (S-97).
        drop(fs.remove(temp));
        return renamed.map(|_| None);
    };
    fs.sync(&folder)?;
    Ok(Some((file, is_distinct)))
}

/// The operating system's calls.
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
