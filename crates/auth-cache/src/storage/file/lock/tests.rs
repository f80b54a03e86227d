#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};

use tempfile::TempDir;

use super::*;
use crate::event::Observer;
use crate::storage::{BoxedLock, FileStorage, Storage, StorageError, StorageErrorKind};

const SECOND: Duration = Duration::from_secs(1);

fn store() -> (TempDir, FileStorage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("cache.json")).unwrap();
    (folder, storage)
}

async fn lock_within(storage: &FileStorage, budget: &mut LockBudget) -> std::result::Result<BoxedLock, StorageError> {
    Storage::lock(storage, LockName::Document, budget, &Observer::default()).await
}

async fn lock(storage: &FileStorage) -> std::result::Result<BoxedLock, StorageError> {
    lock_within(storage, &mut LockBudget::default()).await
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What another program does that uses the same protocol.
fn foreign_lock(folder: &TempDir) -> File {
    let path = folder.path().join("cache.json.lockfile");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).unwrap();
    file.try_lock().unwrap();
    file
}

// S-100: the lock has its name while it is held and not after.
#[tokio::test]
async fn the_lockfile_goes_with_the_lock() {
    let (folder, storage) = store();
    let held = lock(&storage).await.unwrap();
    let content = fs::read_to_string(folder.path().join("cache.json.lockfile")).unwrap();
    assert_eq!(content, format!("{} auth\n", std::process::id()));
    drop(held);
    assert!(names(&folder).is_empty());
}

// S-101: ten seconds, then a writer gives up.
#[tokio::test(start_paused = true)]
async fn a_writer_waits_ten_seconds_for_another_program() {
    let (folder, storage) = store();
    let held = foreign_lock(&folder);
    let begun = Instant::now();
    let error = lock(&storage).await.err().unwrap();
    assert_eq!(error.reason, "another program holds its lock, for 10 s by now");
    assert_eq!(error.kind, StorageErrorKind::LockTimedOut);
    let waited = begun.elapsed();
    assert!((SECOND * 10..SECOND * 11).contains(&waited), "{waited:?}");
    assert!(Storage::read(&storage, &Observer::default()).await.is_ok(), "readers need no lock");
    drop(held);
}

// S-101: all locks of one call together.
#[tokio::test(start_paused = true)]
async fn the_locks_of_one_call_share_a_budget() {
    let (folder, storage) = store();
    let refresh = async |budget: &mut LockBudget| {
        Storage::lock(&storage, LockName::Refresh("ada"), budget, &Observer::default()).await
    };
    let held = refresh(&mut LockBudget::default()).await.unwrap();
    let document = foreign_lock(&folder);
    let mut budget = LockBudget::new(SECOND * 6);
    let begun = Instant::now();
    let (first, ()) = tokio::join!(refresh(&mut budget), async {
        tokio::time::advance(SECOND * 4).await;
        drop(held);
    });
    let first = first.unwrap();
    assert!((SECOND..=SECOND * 2).contains(&budget.left()), "{budget:?}");
    // The request takes its time, which is not taken off.
    tokio::time::advance(SECOND * 30).await;
    let left = budget.left();
    let asked = Instant::now();
    let error = lock_within(&storage, &mut budget).await.err().unwrap();
    assert_eq!(error.kind, StorageErrorKind::LockTimedOut);
    assert!((left..left + SECOND / 10).contains(&asked.elapsed()), "{:?}", asked.elapsed());
    assert_eq!(budget.left(), Duration::ZERO);
    let asked = Instant::now();
    assert!(lock_within(&storage, &mut budget).await.is_err());
    assert_eq!(asked.elapsed(), Duration::ZERO, "nothing is left");
    assert!(begun.elapsed() < SECOND * 37);
    drop((first, document));
}

#[tokio::test(start_paused = true)]
async fn a_writer_goes_on_as_soon_as_the_other_program_is_done() {
    let (folder, storage) = store();
    let held = foreign_lock(&folder);
    let begun = Instant::now();
    let other = async {
        tokio::time::advance(SECOND * 3).await;
        // It unlinks the name first, as the protocol has it: the file that was waited for is nobody's then.
        fs::remove_file(folder.path().join("cache.json.lockfile")).unwrap();
        drop(held);
    };
    let (lock, ()) = tokio::join!(lock(&storage), other);
    lock.unwrap();
    let waited = begun.elapsed();
    assert!((SECOND * 3..Duration::from_millis(3500)).contains(&waited), "{waited:?}");
}

// W6: of many that store back to back nobody is kept from it by the one that had the lock last.
#[tokio::test(start_paused = true)]
async fn who_had_to_wait_lets_others_go_first_the_next_time() {
    let (folder, storage) = store();
    let taken = async |budget: &mut LockBudget| {
        let begun = Instant::now();
        lock_within(&storage, budget).await.unwrap();
        begun.elapsed()
    };
    assert_eq!(taken(&mut LockBudget::default()).await, Duration::ZERO, "nobody else wants it");
    let held = foreign_lock(&folder);
    let other = async {
        tokio::time::advance(SECOND).await;
        fs::remove_file(folder.path().join("cache.json.lockfile")).unwrap();
        drop(held);
    };
    let mut budget = LockBudget::default();
    tokio::join!(taken(&mut budget), other);
    let mut budget = LockBudget::new(SECOND);
    assert_eq!(taken(&mut budget).await, COURTESY);
    assert_eq!(budget.left(), SECOND - COURTESY, "it is taken off the budget, too");
    assert_eq!(taken(&mut LockBudget::default()).await, Duration::ZERO, "once");
}

// S-100, R-16: a lock on a file whose name is gone, or is another file's, excludes nobody.
#[tokio::test(start_paused = true)]
async fn a_lock_on_an_unlinked_file_does_not_count() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let stale = foreign_lock(&folder);
    assert!(is_still_named(&stale, &name).unwrap());
    fs::remove_file(&name).unwrap();
    assert!(!is_still_named(&stale, &name).unwrap(), "it has no name");
    let held = lock(&storage).await.unwrap();
    assert!(!is_still_named(&stale, &name).unwrap(), "the name is another's");
    drop(stale);
    assert_eq!(names(&folder), ["cache.json.lockfile"], "the name is still the holder's");
    drop(held);
    assert!(names(&folder).is_empty());
}

// a dead holder costs nothing, whatever it left.
#[tokio::test(start_paused = true)]
async fn a_leftover_lockfile_holds_nobody_up() {
    let (folder, storage) = store();
    let ours = format!("{} somebody", std::process::id());
    for content in ["2147483647 a program that died", "2147483647", "garbage", "\u{feff}", &ours, "1 auth\n", "0"] {
        fs::write(folder.path().join("cache.json.lockfile"), content).unwrap();
        let begun = Instant::now();
        drop(lock(&storage).await.unwrap());
        assert_eq!(begun.elapsed(), Duration::ZERO, "{content:?}");
        assert!(names(&folder).is_empty(), "{content:?}");
    }
}

// S-100, R-17: MSAL Node and Python make the file first, and write their process id or lock it then.
#[test]
fn an_empty_lockfile_is_left_to_whoever_has_just_made_it() {
    let (folder, _storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let made = File::create(&name).unwrap().metadata().unwrap().modified().unwrap();
    for (age, free) in [(0, false), (499, false), (500, true)] {
        let lock = try_acquire(&name, made + Duration::from_millis(age)).unwrap();
        assert_eq!(lock.is_some(), free, "{age} ms");
    }
    assert!(names(&folder).is_empty(), "it was taken over, and let go");
}

// S-100: MSAL Node locks by the existence of the file alone.
#[tokio::test(start_paused = true)]
async fn a_lockfile_of_a_living_process_is_waited_for() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    // The first process of all lives.
    fs::write(&name, "1").unwrap();
    let begun = Instant::now();
    let other = async {
        tokio::time::advance(SECOND * 3).await;
        assert_eq!(fs::read_to_string(&name).unwrap(), "1", "it was left alone");
        fs::remove_file(&name).unwrap();
    };
    let (held, ()) = tokio::join!(lock(&storage), other);
    let waited = begun.elapsed();
    assert!((SECOND * 3..Duration::from_millis(3200)).contains(&waited), "{waited:?}");
    drop(held.unwrap());

    fs::write(&name, "1").unwrap();
    assert_eq!(lock(&storage).await.err().unwrap().kind, StorageErrorKind::LockTimedOut);
    // It is not believed for longer than a minute.
    let now = SystemTime::now();
    assert!(try_acquire(&name, now + SECOND * 55).unwrap().is_none());
    assert!(try_acquire(&name, now + SECOND * 61).unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lockfile_that_is_no_plain_file_is_refused_at_once() {
    for (kind, reason) in [
        ("link", "it is a symbolic link"),
        ("fifo", "it is not a regular file"),
        ("folder", "it is not a regular file"),
        ("socket", "it is not a regular file"),
    ] {
        let (folder, storage) = store();
        let (name, victim) = (folder.path().join("cache.json.lockfile"), folder.path().join("victim"));
        fs::write(&victim, "somebody's own").unwrap();
        match kind {
            "link" => symlink(&victim, &name).unwrap(),
            "fifo" => rustix::fs::mkfifoat(rustix::fs::CWD, &name, 0o600.into()).unwrap(),
            "folder" => fs::create_dir(&name).unwrap(),
            _ => drop(std::os::unix::net::UnixListener::bind(&name).unwrap()),
        }
        let begun = Instant::now();
        let error = lock(&storage).await.err().unwrap();
        assert_eq!((error.reason.as_str(), begun.elapsed()), (reason, Duration::ZERO), "{kind}");
        assert_eq!(error.kind, StorageErrorKind::Other, "{kind}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody's own", "{kind}");
    }
}

// MSAL Python removes the file after it has released the lock, when it may be somebody else's by now.
#[tokio::test]
async fn a_name_that_is_anothers_by_now_is_left() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let held = lock(&storage).await.unwrap();
    fs::remove_file(&name).unwrap();
    let other = lock(&storage).await.unwrap();
    drop(held);
    assert_eq!(names(&folder), ["cache.json.lockfile"]);
    drop(other);
    assert!(names(&folder).is_empty());
}

// S-108: what a child inherits of a lock is not its own, and does not outlive the lock.
#[tokio::test]
async fn the_lock_of_a_parent_is_not_its_childs() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let mut inherited = try_acquire(&name, SystemTime::now()).unwrap().unwrap();
    inherited.process = 1;
    drop(inherited);
    assert_eq!(names(&folder), ["cache.json.lockfile"], "the name is the parent's");

    // Here the parent lets go while a child still has the file open.
    let held = try_acquire(&name, SystemTime::now()).unwrap().unwrap();
    let childs = held.file.try_clone().unwrap();
    drop(held);
    assert!(childs.try_lock().is_ok(), "nobody has it any more");
    drop(lock(&storage).await.unwrap());
}

#[tokio::test]
async fn who_holds_the_lock_is_told_without_disturbing_anybody() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let now = SystemTime::now();
    let holder = || holder(&name, now).unwrap();
    assert_eq!(holder(), None);
    let held = lock(&storage).await.unwrap();
    assert_eq!(holder(), Some(LockHolder::own()));
    drop(held);
    for (content, holds) in [("1", true), ("2147483647", false), ("garbage", false)] {
        fs::write(&name, content).unwrap();
        assert_eq!(holder().is_some(), holds, "{content}");
        assert_eq!(fs::read_to_string(&name).unwrap(), content);
    }
}

// each unlinks the name while the others open it, and yet there is one holder at any time.
#[test]
fn many_who_lock_and_unlink_never_hold_it_together() {
    let folder = tempfile::tempdir().unwrap();
    let (name, counter) = (folder.path().join("cache.json.lockfile"), folder.path().join("counter"));
    fs::write(&counter, "0").unwrap();
    let count = || fs::read_to_string(&counter).unwrap().parse::<u32>().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let held = loop {
                        match try_acquire(&name, SystemTime::now()).unwrap() {
                            Some(held) => break held,
                            None => std::thread::yield_now(),
                        }
                    };
                    let before = count();
                    std::thread::yield_now();
                    fs::write(&counter, (before + 1).to_string()).unwrap();
                    drop(held);
                }
            });
        }
    });
    assert_eq!(count(), 400, "nobody's turn was lost");
    assert_eq!(names(&folder), ["counter"]);
}
