use std::fs::File;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn make(path: &Path, age: Duration, now: SystemTime) {
    File::create(path).unwrap().set_modified(now - age).unwrap();
}

// S-94
#[test]
fn temporary_names_are_random_and_recognized() {
    let path = Path::new("/folder/cache.json");
    let names: std::collections::BTreeSet<_> = (0..100).map(|_| temp_path(path)).collect();
    assert_eq!(names.len(), 100);
    for temp in names {
        assert_eq!(temp.parent(), path.parent());
        let name = temp.file_name().unwrap();
        assert!(is_temp(name, path.file_name().unwrap()), "{name:?}");
        assert_eq!(name.len(), ".cache.json.".len() + 16 + ".tmp".len());
    }
}

// S-97
#[test]
fn only_old_temporary_files_of_this_file_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.json");
    let now = SystemTime::now();
    for (name, age, removed) in [
        (".cache.json.0123456789abcdef.tmp", HOUR * 2, true),
        (".cache.json.ffffffffffffffff.tmp", HOUR + Duration::from_secs(1), true),
        (".cache.json.0123456789abcdee.tmp", HOUR, false),
        (".cache.json.0123456789abcded.tmp", Duration::ZERO, false),
        ("cache.json", HOUR * 2, false),
        ("cache.json.lockfile", HOUR * 2, false),
        ("cache.json.corrupt", HOUR * 2, false),
        (".other.json.0123456789abcdef.tmp", HOUR * 2, false),
        (".cache.json.0123456789abcde.tmp", HOUR * 2, false),
        (".cache.json.0123456789abcdef0.tmp", HOUR * 2, false),
        (".cache.json.0123456789abcdeg.tmp", HOUR * 2, false),
        (".cache.json.0123456789ABCDEF.tmp", HOUR * 2, false),
        (".cache.json.0123456789abcdef.tmp2", HOUR * 2, false),
        (".cache.json..tmp", HOUR * 2, false),
        ("x.cache.json.0123456789abcdef.tmp", HOUR * 2, false),
        (".cache.json.bak.0123456789abcdef.tmp", HOUR * 2, false),
    ] {
        let other = folder.path().join(name);
        make(&other, age, now);
        assert_eq!((sweep(&path, now), !other.exists()), (usize::from(removed), removed), "{name}");
        drop(fs::remove_file(&other));
    }
}

#[test]
fn only_regular_files_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, now) = (folder.path().join("cache.json"), SystemTime::now());
    let temp = folder.path().join(".cache.json.0123456789abcdef.tmp");
    fs::create_dir(&temp).unwrap();
    File::open(&temp).unwrap().set_modified(now - HOUR * 2).unwrap();
    assert_eq!(sweep(&path, now), 0);
    assert!(temp.is_dir());
    assert_eq!(sweep(&folder.path().join("nowhere/cache.json"), now), 0, "the folder does not exist");
    assert_eq!(sweep(Path::new("/"), now), 0);
}
