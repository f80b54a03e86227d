#![cfg(unix)]

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::time::Instant as Clock;

use super::*;

fn store() -> (TempDir, FileStorage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("cache.json")).unwrap();
    (folder, storage)
}

async fn put(storage: &FileStorage, text: &str) -> Result<Replaced, StorageError> {
    let version = Storage::version(storage)?;
    Storage::replace(storage, text.as_bytes().to_vec().into(), version).await
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

// S-93, S-94: for the owner only, from the first byte; nothing is left beside.
#[tokio::test]
async fn the_file_and_the_folders_above_it_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("a/b/cache.json")).unwrap();
    put(&storage, "one").await.unwrap();
    put(&storage, "two").await.unwrap();
    assert_eq!(mode(storage.path()), 0o600);
    assert_eq!((mode(folder.path().join("a")), mode(folder.path().join("a/b"))), (0o700, 0o700));
    assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
    let lock = Storage::lock(&storage, LockName::Document).await.unwrap();
    assert_eq!(mode(folder.path().join("a/b/cache.json.lockfile")), 0o600);
    drop(lock);
}

// S-94: what is replaced is a new file; whoever has the old one open reads it to its end.
#[tokio::test]
async fn readers_see_the_old_or_the_new_document_whole() {
    let (_folder, storage) = store();
    put(&storage, "old").await.unwrap();
    let reader = File::open(storage.path()).unwrap();
    put(&storage, "new and longer").await.unwrap();
    assert_eq!(std::io::read_to_string(reader).unwrap(), "old");
    assert_eq!(fs::read_to_string(storage.path()).unwrap(), "new and longer");
}

// S-95: an existing file that others may read is tightened.
#[tokio::test]
async fn a_file_open_to_others_is_tightened() {
    for wide in [0o644, 0o660, 0o604, 0o666] {
        let (_folder, storage) = store();
        fs::write(storage.path(), "{}").unwrap();
        fs::set_permissions(storage.path(), fs::Permissions::from_mode(wide)).unwrap();
        let stored = Storage::read(&storage).await.unwrap();
        assert_eq!(stored.content.as_slice(), b"{}");
        assert_eq!(mode(storage.path()), 0o600, "{wide:o}");
        assert_eq!(Storage::version(&storage).unwrap(), stored.version, "that was no change of the document");
    }
}

// S-95, S-96, R-10: what is no plain file of ours is refused at once, and its content is not touched.
#[tokio::test]
async fn what_is_no_plain_file_is_refused() {
    let victim = "somebody's own";
    for (kind, reason) in [
        ("symlink", "it is a symbolic link"),
        ("dangling", "it is a symbolic link"),
        ("fifo", "it is not a regular file"),
        ("folder", "it is not a regular file"),
        ("hard link", "it has a second name (a hard link)"),
    ] {
        let (folder, storage) = store();
        let other = folder.path().join("victim");
        fs::write(&other, victim).unwrap();
        match kind {
            "symlink" => symlink(&other, storage.path()).unwrap(),
            "dangling" => symlink(folder.path().join("nowhere"), storage.path()).unwrap(),
            "fifo" => rustix::fs::mkfifoat(rustix::fs::CWD, storage.path(), 0o600.into()).unwrap(),
            "folder" => fs::create_dir(storage.path()).unwrap(),
            _ => fs::hard_link(&other, storage.path()).unwrap(),
        }
        let begun = Instant::now();
        let error = Storage::read(&storage).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_millis(100), "{kind} took {:?}", begun.elapsed());
        let place = storage.path().display();
        assert_eq!(error.to_string(), format!("the token cache {place} could not be read: {reason}"), "{kind}");
        if reason == "it is a symbolic link" {
            assert!(Storage::version(&storage).is_err(), "{kind}");
            assert!(put(&storage, "{}").await.is_err(), "{kind}");
        }
        assert_eq!(fs::read_to_string(&other).unwrap(), victim, "{kind}");
    }
}

#[tokio::test]
async fn a_failing_write_leaves_the_old_document() {
    let (folder, storage) = store();
    put(&storage, "old").await.unwrap();
    // A folder cannot be replaced by a file.
    let blocked = FileStorage::at(folder.path().join("blocked")).unwrap();
    fs::create_dir(blocked.path()).unwrap();
    assert!(put(&blocked, "new").await.is_err());
    assert_eq!(names(&folder), ["blocked", "cache.json"], "no temporary file is left");
    assert_eq!(fs::read_to_string(storage.path()).unwrap(), "old");
}

// S-90
#[tokio::test]
async fn a_file_that_is_too_large_is_left_alone() {
    let (_folder, storage) = store();
    for (size, limit, is_read) in [
        (256 * 1024 * 1024 + 1, None, false),
        (256 * 1024 * 1024 + 1, Some(256 * 1024 * 1024 + 1), true),
        (100_000, Some(99_999), false),
        (8, Some(8), true),
        (8, Some(7), false),
    ] {
        File::create(storage.path()).unwrap().set_len(size).unwrap();
        let storage = limit.map_or_else(|| storage.clone(), |limit| storage.clone().with_size_limit(limit));
        match Storage::read(&storage).await {
            Ok(stored) => assert_eq!((stored.content.len() as u64, is_read), (size, true), "{limit:?}"),
            Err(error) => assert_eq!(
                (error.reason.as_str(), is_read),
                ("it is larger than the limit for its size", false),
                "{size}"
            ),
        }
    }
}

// S-99: kept, once, for the owner only.
#[tokio::test]
async fn what_is_set_aside_is_kept() {
    let (folder, storage) = store();
    for bad in ["first", "second"] {
        put(&storage, bad).await.unwrap();
        let place = Storage::set_aside(&storage).await.unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), bad);
        assert_eq!(mode(&place), 0o600);
        assert_eq!(names(&folder), ["cache.json.corrupt"]);
    }
}

// S-100: the lock has its name while it is held and not after.
#[tokio::test]
async fn the_lockfile_goes_with_the_lock() {
    let (folder, storage) = store();
    let lock = Storage::lock(&storage, LockName::Document).await.unwrap();
    let content = fs::read_to_string(folder.path().join("cache.json.lockfile")).unwrap();
    assert_eq!(content, format!("{} auth\n", std::process::id()));
    drop(lock);
    assert!(names(&folder).is_empty());
}

/// What another program does that uses the same protocol.
fn foreign_lock(storage: &FileStorage) -> File {
    let path = disk::beside(storage.path(), ".lockfile");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).unwrap();
    file.try_lock().unwrap();
    file
}

// S-101: ten seconds, then a writer gives up.
#[tokio::test(start_paused = true)]
async fn a_writer_waits_ten_seconds_for_another_program() {
    let (_folder, storage) = store();
    let held = foreign_lock(&storage);
    let begun = Clock::now();
    let error = Storage::lock(&storage, LockName::Document).await.err().unwrap();
    assert_eq!(error.reason, "another program has held its lock for 10 s");
    let waited = begun.elapsed();
    assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&waited), "{waited:?}");
    assert!(Storage::read(&storage).await.is_ok(), "readers need no lock");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_writer_goes_on_as_soon_as_the_other_program_is_done() {
    let (folder, storage) = store();
    let held = foreign_lock(&storage);
    let begun = Clock::now();
    let other = async {
        tokio::time::advance(Duration::from_secs(3)).await;
        // It unlinks the name first, as the protocol has it: the file that was waited for is nobody's then.
        fs::remove_file(folder.path().join("cache.json.lockfile")).unwrap();
        drop(held);
    };
    let (lock, ()) = tokio::join!(Storage::lock(&storage, LockName::Document), other);
    lock.unwrap();
    let waited = begun.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_millis(3500)).contains(&waited), "{waited:?}");
}

// S-100: a lock on a file whose name is gone, or is another file's, excludes nobody.
#[tokio::test(start_paused = true)]
async fn a_lock_on_an_unlinked_file_does_not_count() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let stale = foreign_lock(&storage);
    assert!(lock::is_still_named(&stale, &name).unwrap());
    fs::remove_file(&name).unwrap();
    assert!(!lock::is_still_named(&stale, &name).unwrap(), "it has no name");
    let lock = Storage::lock(&storage, LockName::Document).await.unwrap();
    assert!(!lock::is_still_named(&stale, &name).unwrap(), "the name is another's");
    drop(stale);
    assert_eq!(names(&folder), ["cache.json.lockfile"], "the name is still the holder's");
    drop(lock);
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn a_leftover_lockfile_holds_nobody_up() {
    let (folder, storage) = store();
    fs::write(folder.path().join("cache.json.lockfile"), "999999999 a program that died").unwrap();
    drop(Storage::lock(&storage, LockName::Document).await.unwrap());
    assert!(names(&folder).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lockfile_that_is_a_link_is_not_followed() {
    let (folder, storage) = store();
    let victim = folder.path().join("victim");
    fs::write(&victim, "somebody's own").unwrap();
    symlink(&victim, folder.path().join("cache.json.lockfile")).unwrap();
    let begun = Clock::now();
    assert!(Storage::lock(&storage, LockName::Document).await.is_err());
    assert_eq!(begun.elapsed(), Duration::ZERO, "that is no reason to wait");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody's own");
}

#[test]
fn a_path_must_name_a_file() {
    for wrong in ["", "/", "..", "a/.."] {
        assert!(FileStorage::at(wrong).is_err(), "{wrong}");
    }
    assert!(FileStorage::at("relative.json").unwrap().path().is_absolute());
}
