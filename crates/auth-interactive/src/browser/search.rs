//! Finds a program in folders where no one else can have planted it (S-32).

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The mode bit that lets everyone write.
const WORLD_WRITABLE: u32 = 0o002;
const EXECUTABLE: u32 = 0o111;

/// Finds `program` in the first folder of `path` that is absolute and not world-writable. An absolute `program` needs
/// no `path`.
pub(super) fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    if Path::new(program).is_absolute() {
        return Some(PathBuf::from(program)).filter(|program| program.is_file());
    }
    env::split_paths(path)
        .filter(|folder| folder.is_absolute() && mode(folder).is_some_and(|mode| mode & WORLD_WRITABLE == 0))
        .map(|folder| folder.join(program))
        .find(|file| {
            file.is_file() && mode(file).is_some_and(|mode| mode & EXECUTABLE != 0 && mode & WORLD_WRITABLE == 0)
        })
}

fn mode(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s32_only_absolute_folders_that_are_not_world_writable_are_searched() {
        let home = tempfile::tempdir().unwrap();
        let put = |folder: &str, folder_mode: u32, file_mode: u32| {
            let folder = home.path().join(folder);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("xdg-open"), "").unwrap();
            fs::set_permissions(folder.join("xdg-open"), fs::Permissions::from_mode(file_mode)).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).unwrap();
            folder
        };
        let shared = put("shared", 0o1777, 0o755);
        let (plain, writable) = (put("plain", 0o755, 0o644), put("writable", 0o755, 0o777));
        let good = put("good", 0o775, 0o755);
        let search = |folders: &[&Path]| find("xdg-open", &env::join_paths(folders).unwrap());
        let relative = Path::new("good");
        assert_eq!(search(&[Path::new(""), relative, &shared, &plain, &writable]), None);
        assert_eq!(search(&[relative, &shared, &plain, &writable, &good]), Some(good.join("xdg-open")));
        assert_eq!(find("xdg-open", OsStr::new("")), None);
        let absolute = good.join("xdg-open");
        assert_eq!(find(absolute.to_str().unwrap(), OsStr::new("")), Some(absolute));
        assert_eq!(find("/nowhere/open", good.as_os_str()), None);
    }
}
