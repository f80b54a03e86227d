#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Mutex;
use std::time::{Duration, Instant, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;
use crate::storage::StorageErrorKind;

fn store() -> (TempDir, FileStorage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("cache.json")).unwrap();
    (folder, storage)
}

async fn read(storage: &FileStorage) -> Result<Stored, StorageError> {
    Storage::read(storage, &Observer::default()).await
}

/// An observer, and the events it has received.
pub(in crate::storage) fn listening() -> (Arc<Mutex<Vec<Event>>>, Observer) {
    let heard = Arc::<Mutex<Vec<Event>>>::default();
    let listener = Arc::clone(&heard);
    (heard, Observer::new(move |event| listener.lock().unwrap().push(event.clone())))
}

/// Makes a file look as if it had last been written that long ago.
fn age(path: &Path, by: Duration) {
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
}

async fn put(storage: &FileStorage, text: &str) -> Result<Replaced, StorageError> {
    let version = Storage::version(storage)?;
    Storage::replace(storage, text.as_bytes().to_vec().into(), version, None, &Observer::default()).await
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

// S-93, S-94
#[tokio::test]
async fn the_file_its_folders_and_its_lock_are_for_the_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("a/b/cache.json")).unwrap();
    put(&storage, "one").await.unwrap();
    put(&storage, "two").await.unwrap();
    assert_eq!(mode(storage.path()), 0o600);
    assert_eq!((mode(folder.path().join("a")), mode(folder.path().join("a/b"))), (0o700, 0o700));
    assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
    let observer = Observer::default();
    let lock = Storage::lock(&storage, LockName::Document, &mut LockBudget::default(), &observer).await.unwrap();
    assert_eq!(mode(folder.path().join("a/b/cache.json.lockfile")), 0o600);
    drop(lock);
}

// S-94: a replacement is a new file, so a reader that has the old one open can finish.
#[tokio::test]
async fn readers_see_either_the_old_document_or_the_new_one() {
    let (_folder, storage) = store();
    put(&storage, "old").await.unwrap();
    let reader = File::open(storage.path()).unwrap();
    put(&storage, "new and longer").await.unwrap();
    assert_eq!(std::io::read_to_string(reader).unwrap(), "old");
    assert_eq!(fs::read_to_string(storage.path()).unwrap(), "new and longer");
}

// S-95
#[tokio::test]
async fn reading_a_file_that_is_open_to_others_restricts_it_to_its_owner() {
    for wide in [0o644, 0o660, 0o604, 0o666] {
        let (_folder, storage) = store();
        fs::write(storage.path(), "{}").unwrap();
        fs::set_permissions(storage.path(), fs::Permissions::from_mode(wide)).unwrap();
        age(storage.path(), Duration::from_secs(5));
        let (heard, observer) = listening();
        let stored = Storage::read(&storage, &observer).await.unwrap();
        assert_eq!(stored.content.as_slice(), b"{}");
        assert_eq!(mode(storage.path()), 0o600, "{wide:o}");
        let place = storage.path().display().to_string();
        assert_eq!(*heard.lock().unwrap(), [Event::PermissionsRepaired { place }], "{wide:o}");
        assert_eq!(Storage::version(&storage).unwrap(), stored.version, "the document has not changed");
    }
}

// S-95, S-96, R-10
#[tokio::test]
async fn anything_but_a_regular_file_is_refused_at_once_and_not_touched() {
    let victim = "another user's";
    for (kind, reason) in [
        ("symlink", "it is a symbolic link"),
        ("dangling", "it is a symbolic link"),
        ("fifo", "it is not a regular file"),
        ("folder", "it is not a regular file"),
        ("socket", "it is not a regular file"),
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
            "socket" => drop(std::os::unix::net::UnixListener::bind(storage.path()).unwrap()),
            _ => fs::hard_link(&other, storage.path()).unwrap(),
        }
        let begun = Instant::now();
        let error = read(&storage).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_millis(100), "{kind} took {:?}", begun.elapsed());
        let place = storage.path().display();
        assert_eq!(error.to_string(), format!("the token cache {place} could not be read: {reason}"), "{kind}");
        if kind != "hard link" {
            assert!(Storage::version(&storage).is_err(), "{kind}");
            assert!(put(&storage, "{}").await.is_err(), "{kind}");
        }
        assert_eq!(fs::read_to_string(&other).unwrap(), victim, "{kind}");
    }
}

// S-95
#[tokio::test]
async fn a_device_is_refused() {
    for device in ["/dev/null", "/dev/zero"] {
        let storage = FileStorage::at(device).unwrap();
        assert_eq!(read(&storage).await.unwrap_err().reason, "it is not a regular file");
        assert!(put(&storage, "{}").await.is_err());
    }
}

// S-102: MSAL Python, .NET and Node write in place, and several writes of the same size may have the same time.
#[tokio::test]
async fn a_write_in_place_is_noticed_even_within_one_tick() {
    let (_folder, storage) = store();
    // As on a file system that stores whole seconds.
    let tick = UNIX_EPOCH + Duration::from_secs(UNIX_EPOCH.elapsed().unwrap().as_secs() + 2);
    let write = |text: &str| {
        fs::write(storage.path(), text).unwrap();
        File::options().write(true).open(storage.path()).unwrap().set_modified(tick).unwrap();
    };
    write("one");
    let first = read(&storage).await.unwrap();
    write("two");
    assert_ne!(Storage::version(&storage).unwrap(), first.version, "it must be read again");
    let second = read(&storage).await.unwrap();
    assert_eq!(second.content.as_slice(), b"two");
    assert_ne!(second.version, first.version);
    // What was read may be replaced.
    assert!(matches!(
        Storage::replace(&storage, b"six".to_vec().into(), second.version, None, &Observer::default()).await,
        Ok(Replaced::Done(_))
    ));
    // Once the file is old enough, its version is settled.
    fs::write(storage.path(), "old").unwrap();
    age(storage.path(), Duration::from_secs(3));
    assert_eq!(read(&storage).await.unwrap().version, Storage::version(&storage).unwrap());
}

#[tokio::test]
async fn our_own_write_has_a_version_that_is_settled_at_once() {
    let (_folder, storage) = store();
    let Ok(Replaced::Done(version)) = put(&storage, "one").await else { panic!() };
    assert_eq!(Storage::version(&storage).unwrap(), version);
    fs::write(storage.path(), "two").unwrap();
    assert_ne!(Storage::version(&storage).unwrap(), version, "although its size is the same");
}

// S-97
#[tokio::test]
async fn leftovers_are_removed_with_the_first_write_and_then_once_an_hour() {
    let (folder, storage) = store();
    let (heard, observer) = listening();
    let write = async |text: &str| {
        let version = Storage::version(&storage).unwrap();
        Storage::replace(&storage, text.as_bytes().to_vec().into(), version, None, &observer).await.unwrap();
    };
    let leave = || {
        let left = folder.path().join(".cache.json.0123456789abcdef.tmp");
        fs::write(&left, "half of a").unwrap();
        age(&left, Duration::from_secs(2 * 3600));
        left
    };
    let left = leave();
    write("one").await;
    assert!(!left.exists());
    assert_eq!(heard.lock().unwrap().as_slice(), [Event::LeftoversRemoved { count: 1 }]);
    let left = leave();
    write("two").await;
    assert!(left.exists(), "not with every write");
    assert!(!storage.history.is_sweep_due(SystemTime::now() + Duration::from_secs(3590)));
    assert!(storage.history.is_sweep_due(SystemTime::now() + Duration::from_secs(3700)));
}

// S-93: reported if the user chose the file, refused if the program did.
#[tokio::test]
async fn a_folder_that_others_can_write_to_is_reported_or_refused() {
    let (folder, named) = store();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).unwrap();
    let (heard, observer) = listening();
    for _ in 0..2 {
        Storage::read(&named, &observer).await.unwrap();
        let lock = Storage::lock(&named.clone(), LockName::Document, &mut LockBudget::default(), &observer).await;
        drop(lock.unwrap());
    }
    let place = folder.path().display().to_string();
    assert_eq!(*heard.lock().unwrap(), [Event::SharedFolder { place }], "once");

    let chosen = FileStorage::private_at(folder.path().join("cache.json")).unwrap();
    let lock = Storage::lock(&chosen, LockName::Document, &mut LockBudget::default(), &observer).await;
    for error in [read(&chosen).await.err(), put(&chosen, "{}").await.err(), lock.err()] {
        assert_eq!(error.unwrap().kind, StorageErrorKind::SharedFolder);
    }
    assert_eq!(names(&folder), [""; 0], "nothing was created");
    assert!(put(&chosen.clone().danger_accept_shared_folder(), "{}").await.is_ok());
    assert!(read(&chosen).await.is_err());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(read(&chosen).await.is_ok());
}

// S-96
#[tokio::test]
async fn a_folder_behind_a_link_that_others_can_redirect_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["home", "open"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        symlink(folder.path().join("home"), folder.path().join(name).join("link")).unwrap();
    }
    fs::set_permissions(folder.path().join("open"), fs::Permissions::from_mode(0o777)).unwrap();
    for (name, refused) in [("home", false), ("open", true)] {
        let storage = FileStorage::at(folder.path().join(name).join("link/cache.json")).unwrap();
        assert_eq!((put(&storage, "{}").await.is_err(), read(&storage).await.is_err()), (refused, refused), "{name}");
    }
}

// S-90
#[tokio::test]
async fn a_file_above_the_size_limit_is_not_read() {
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
        match read(&storage).await {
            Ok(stored) => assert_eq!((stored.content.len() as u64, is_read), (size, true), "{limit:?}"),
            Err(error) => {
                assert_eq!((error.reason.as_str(), is_read), ("it is larger than the size limit", false), "{size}");
            }
        }
    }
}

// S-99
#[tokio::test]
async fn the_last_document_set_aside_is_kept_for_the_owner_only() {
    let (folder, storage) = store();
    for bad in ["first", "second"] {
        put(&storage, bad).await.unwrap();
        let place = Storage::set_aside(&storage).await.unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), bad);
        assert_eq!(mode(&place), 0o600);
        assert_eq!(names(&folder), ["cache.json.corrupt"]);
    }
}

#[test]
fn a_path_must_name_a_file() {
    for wrong in ["", "/", "..", "a/.."] {
        assert!(FileStorage::at(wrong).is_err(), "{wrong}");
    }
    assert!(FileStorage::at("relative.json").unwrap().path().is_absolute());
}

#[tokio::test]
async fn inspecting_a_file_changes_nothing() {
    let (folder, storage) = store();
    let state = storage.state().unwrap();
    assert_eq!((state.size, state.mode, state.owner, &state.lock), (None, None, None, &None));
    fs::write(storage.path(), "{}").unwrap();
    fs::set_permissions(storage.path(), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(folder.path().join("cache.json.corrupt"), "").unwrap();
    fs::write(folder.path().join("cache.json.lockfile"), "1 node").unwrap();
    let state = storage.state().unwrap();
    assert_eq!((state.size, state.mode), (Some(2), Some(0o644)));
    assert_eq!(state.owner, Some(rustix::process::geteuid().as_raw()));
    assert_eq!(state.lock.map(|holder| (holder.process, holder.name)), Some((1, "node".to_owned())));
    assert!(state.is_set_aside && !state.is_folder_shared && !state.is_remote);
    assert_eq!(mode(storage.path()), 0o644, "unchanged");
    fs::remove_file(storage.path()).unwrap();
    symlink("/dev/null", storage.path()).unwrap();
    assert_eq!(storage.state().unwrap_err().reason, "it is a symbolic link");
}

// S-99, R-17: MSAL Python and Node write in place, and not always under the lock.
#[tokio::test(start_paused = true)]
async fn a_reader_waits_for_a_write_in_place_to_finish() {
    for half in ["", "{\"AccessToken\": {\"k\": {\"secret\": \"s"] {
        let (_folder, storage) = store();
        fs::write(storage.path(), half).unwrap();
        let writes = async {
            tokio::time::advance(Duration::from_millis(100)).await;
            fs::write(storage.path(), "{\"Account\": {}}\n").unwrap();
        };
        let (stored, ()) = tokio::join!(read(&storage), writes);
        assert_eq!(stored.unwrap().content.as_slice(), b"{\"Account\": {}}\n", "{half:?}");

        // But not for long, and not at all if the file is too old to be still in the making.
        for (by, longest) in [(Duration::ZERO, Duration::from_millis(500)), (Duration::from_secs(2), Duration::ZERO)] {
            fs::write(storage.path(), half).unwrap();
            age(storage.path(), by);
            let begun = tokio::time::Instant::now();
            assert_eq!(read(&storage).await.unwrap().content.as_slice(), half.as_bytes());
            assert!(begun.elapsed() <= longest + Duration::from_millis(20), "{half:?}: {:?}", begun.elapsed());
        }
    }
}
