//! The folder of the file: who can write to it, and who controls the path to it (S-93, S-96).

use std::fs;
use std::io::Result;
use std::path::Path;

#[cfg(unix)]
use super::access::Access;
#[cfg(unix)]
use super::links;

/// Creates the folder and its missing parents, for the owner only.
pub(super) fn create(folder: &Path) -> Result<()> {
    check_links(folder)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Refuses a folder behind a symbolic link that others can redirect.
pub(super) fn check_links(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    links::check(folder)?;
    #[cfg(not(unix))]
    let _: &Path = folder;
    Ok(())
}

/// Whether others can replace what is in the folder; false if it does not exist yet.
#[cfg(unix)]
pub(super) fn is_shared(folder: &Path) -> Result<bool> {
    Ok(access(folder)?.is_some_and(|access| access.is_shared_folder()))
}

/// Whether the folder belongs to the user, and no one else can write to it; true if it does not exist yet.
#[cfg(unix)]
pub(super) fn is_private(folder: &Path) -> Result<bool> {
    Ok(access(folder)?.is_none_or(|access| access.is_private_folder()))
}

#[cfg(unix)]
fn access(folder: &Path) -> Result<Option<Access>> {
    match fs::metadata(folder) {
        Ok(metadata) => Ok(Some(Access::of(&metadata))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// This system protects the user's folders by default.
#[cfg(not(unix))]
pub(super) fn is_shared(_folder: &Path) -> Result<bool> {
    Ok(false)
}

#[cfg(not(unix))]
pub(super) fn is_private(_folder: &Path) -> Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests;
