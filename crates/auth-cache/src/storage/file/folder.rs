//! The folder of the file: who can write there, and who leads there (S-93, S-96).

use std::fs;
use std::io::Result;
use std::path::Path;

#[cfg(unix)]
use super::access::Access;
#[cfg(unix)]
use super::links;

/// Makes the folder, and those above it, for the owner only.
pub(super) fn create(folder: &Path) -> Result<()> {
    check_links(folder)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Refuses a folder behind a link that others can turn.
pub(super) fn check_links(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    links::check(folder)?;
    #[cfg(not(unix))]
    let _: &Path = folder;
    Ok(())
}

/// Whether others than the user can put something in the place of what is in the folder. There may be no folder yet.
#[cfg(unix)]
pub(super) fn is_shared(folder: &Path) -> Result<bool> {
    Ok(access(folder)?.is_some_and(|access| access.is_shared_folder()))
}

/// Whether the folder is the user's own, and nobody else can write there. There may be none yet.
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

/// Here a folder of the user's is protected by the system.
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
