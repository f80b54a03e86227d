#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

// S-93
#[test]
fn new_folders_are_for_their_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("a/b");
    assert!(is_private(&folder).unwrap() && !is_shared(&folder).unwrap(), "not created yet");
    create(&folder).unwrap();
    create(&folder).unwrap();
    for folder in [folder.as_path(), folder.parent().unwrap()] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o7777, 0o700);
    }
    for (mode, private) in [(0o700, true), (0o755, true), (0o770, false), (0o707, false)] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!((is_private(&folder).unwrap(), is_shared(&folder).unwrap()), (private, !private), "{mode:o}");
    }
}

// S-96
#[test]
fn no_folder_is_created_behind_a_link_that_others_can_redirect() {
    let scene = tempfile::tempdir().unwrap();
    let (open, home) = (scene.path().join("open"), scene.path().join("home"));
    fs::create_dir(&open).unwrap();
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    symlink(&home, open.join("link")).unwrap();
    assert!(create(&open.join("link/folder")).is_err());
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}
