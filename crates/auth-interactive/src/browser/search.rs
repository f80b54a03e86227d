//! Where a program is, so that nobody else can have put it there (S-32).

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Others may write.
const WORLD_WRITABLE: u32 = 0o002;
const EXECUTABLE: u32 = 0o111;

/// The program of this name in the first folder of `path` that is absolute and in which not everybody can write; a name
/// that is absolute itself needs no `path`.
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
    fn s32_only_folders_that_are_absolute_and_not_everybodys_are_searched() {
        let home = tempfile::tempdir().unwrap();
        let put = |folder: &str, folder_mode: u32, file_mode: u32| {
            let folder = home.path().join(folder);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("xdg-open"), "").unwrap();
            fs::set_permissions(folder.join("xdg-open"), fs::Permissions::from_mode(file_mode)).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).unwrap();
            folder
        };
        let everybodys = put("everybodys", 0o1777, 0o755);
        let (plain, writable) = (put("plain", 0o755, 0o644), put("writable", 0o755, 0o777));
        let good = put("good", 0o775, 0o755);
        let search = |folders: &[&Path]| find("xdg-open", &env::join_paths(folders).unwrap());
        let relative = Path::new("good");
        assert_eq!(search(&[Path::new(""), relative, &everybodys, &plain, &writable]), None);
        assert_eq!(search(&[relative, &everybodys, &plain, &writable, &good]), Some(good.join("xdg-open")));
        assert_eq!(find("xdg-open", OsStr::new("")), None);
        let absolute = good.join("xdg-open");
        assert_eq!(find(absolute.to_str().unwrap(), OsStr::new("")), Some(absolute));
        assert_eq!(find("/nowhere/open", good.as_os_str()), None);
    }
}
