use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;

fn opened_to(folder: &Path, mode: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
}

fn is_refused(folder: &Path) -> bool {
    match check(folder) {
        Ok(()) => false,
        Err(error) => {
            let refusal = error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>());
            assert_eq!(refusal, Some(&Refusal::LinkedFolder), "{error}");
            true
        }
    }
}

/// `home` is safe, `open` is writable by everyone; each contains a folder `real`.
fn scene() -> TempDir {
    let scene = tempfile::tempdir().unwrap();
    for name in ["home", "open"] {
        fs::create_dir_all(scene.path().join(name).join("real/deep")).unwrap();
    }
    opened_to(&scene.path().join("open"), 0o777);
    scene
}

// S-96
#[test]
fn links_are_followed_only_if_no_one_else_can_redirect_them() {
    for (link, target, folder, refused) in [
        ("home/link", "real", "home/link", false),
        ("home/link", "real", "home/link/deep", false),
        ("home/link", "real", "home/link/deep/not/yet", false),
        ("home/link", "./real/../real", "home/link", false),
        ("home/link", "ABSOLUTE/home/real", "home/link", false),
        // The link is safe, but its target is not.
        ("home/link", "../open/real", "home/link", true),
        ("home/link", "ABSOLUTE/open/real", "home/link", true),
        ("home/link", "../open/../home/real", "home/link", true),
        ("open/link", "real", "open/link", true),
        ("open/link", "ABSOLUTE/home/real", "open/link", true),
        ("open/real/deep/link", "ABSOLUTE/home/real", "open/real/deep/link", true),
        // Without a link nothing is refused here; a shared folder is reported elsewhere.
        ("home/link", "real", "open/real", false),
        ("home/link", "real", "home/real/../../open", false),
        // A dangling link, and loops.
        ("home/link", "nowhere", "home/link", false),
        ("home/link", "link", "home/link", true),
        ("home/link", "../home/link/deep", "home/link", true),
    ] {
        let scene = scene();
        let target = target.replace("ABSOLUTE", &scene.path().canonicalize().unwrap().display().to_string());
        symlink(&target, scene.path().join(link)).unwrap();
        assert_eq!(is_refused(&scene.path().join(folder)), refused, "{link} -> {target}: {folder}");
    }
}

#[test]
fn a_chain_of_links_is_only_as_safe_as_its_weakest() {
    let scene = scene();
    let at = |name: &str| scene.path().join(name);
    symlink("real", at("home/a")).unwrap();
    symlink("a", at("home/b")).unwrap();
    symlink("../home/b", at("open/c")).unwrap();
    symlink("../open/c", at("home/d")).unwrap();
    assert!(!is_refused(&at("home/b")));
    assert!(is_refused(&at("home/d")), "the chain passes through a folder that everyone can write to");
}
