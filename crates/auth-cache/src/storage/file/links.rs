//! Symbolic links on the way to the file (S-96).

use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Result};
use std::path::{Component, Path, PathBuf};

use super::access::Access;
use super::refusal::Refusal;

/// How many links the kernel follows.
const MOST: usize = 40;

/// Refuses a folder that is reached through symbolic links, unless only the user and root control every component on
/// the way, links and targets alike: whoever can redirect a link decides where tokens go.
pub(super) fn check(folder: &Path) -> Result<()> {
    let mut here = PathBuf::from("/");
    let mut ahead = components(folder);
    let (mut links, mut all_safe) = (0_usize, true);
    while let Some(name) = ahead.pop() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(name);
        let metadata = match fs::symlink_metadata(&next) {
            Ok(metadata) => metadata,
            // It will be created here.
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        all_safe &= Access::of(&metadata).is_safe_component();
        if metadata.is_symlink() {
            links = links.saturating_add(1);
            let target = fs::read_link(&next)?;
            if target.is_absolute() {
                here = PathBuf::from("/");
            }
            ahead.extend(components(&target));
        } else {
            here = next;
        }
        if links > MOST || (links > 0 && !all_safe) {
            return Err(Refusal::LinkedFolder.into());
        }
    }
    Ok(())
}

/// Returns the components to walk, last one first.
fn components(path: &Path) -> Vec<OsString> {
    let named = |component: &Component<'_>| matches!(component, Component::Normal(_) | Component::ParentDir);
    let names = path.components().filter(named).map(|component| component.as_os_str().to_owned());
    let mut names: Vec<_> = names.collect();
    names.reverse();
    names
}

#[cfg(test)]
mod tests;
