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

/// Locks the cache as another program with the same protocol does.
fn foreign_lock(folder: &TempDir) -> File {
    let path = folder.path().join("cache.json.lockfile");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).unwrap();
    file.try_lock().unwrap();
    file
}

// S-100
#[tokio::test]
async fn the_lock_file_exists_only_while_the_lock_is_held() {
    let (folder, storage) = store();
    let held = lock(&storage).await.unwrap();
    let content = fs::read_to_string(folder.path().join("cache.json.lockfile")).unwrap();
    assert_eq!(content, format!("{} auth\n", std::process::id()));
    drop(held);
    assert!(names(&folder).is_empty());
}

// S-101
#[tokio::test(start_paused = true)]
async fn a_writer_gives_up_after_ten_seconds() {
    let (folder, storage) = store();
    let held = foreign_lock(&folder);
    let begun = Instant::now();
    let error = lock(&storage).await.err().unwrap();
    assert_eq!(error.reason, "another program holds its lock; gave up after 10 s");
    assert_eq!(error.kind, StorageErrorKind::LockTimedOut);
    let waited = begun.elapsed();
    assert!((SECOND * 10..SECOND * 11).contains(&waited), "{waited:?}");
    assert!(Storage::read(&storage, &Observer::default()).await.is_ok(), "readers need no lock");
    drop(held);
}

// S-101
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
    // Time spent on the request is not deducted.
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
async fn a_writer_continues_as_soon_as_the_other_program_is_done() {
    let (folder, storage) = store();
    let held = foreign_lock(&folder);
    let begun = Instant::now();
    let other = async {
        tokio::time::advance(SECOND * 3).await;
        // The protocol unlinks the name first: the lock on the old file is then worthless.
        fs::remove_file(folder.path().join("cache.json.lockfile")).unwrap();
        drop(held);
    };
    let (lock, ()) = tokio::join!(lock(&storage), other);
    lock.unwrap();
    let waited = begun.elapsed();
    assert!((SECOND * 3..Duration::from_millis(3500)).contains(&waited), "{waited:?}");
}

// W6: a writer that stores back to back must not starve the others.
#[tokio::test(start_paused = true)]
async fn a_writer_that_had_to_wait_yields_once_the_next_time() {
    let (folder, storage) = store();
    let taken = async |budget: &mut LockBudget| {
        let begun = Instant::now();
        lock_within(&storage, budget).await.unwrap();
        begun.elapsed()
    };
    assert_eq!(taken(&mut LockBudget::default()).await, Duration::ZERO, "no one else wants it");
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
    assert_eq!(budget.left(), SECOND - COURTESY, "deducted from the budget");
    assert_eq!(taken(&mut LockBudget::default()).await, Duration::ZERO, "only once");
}

// S-100, R-16: neither if the name is gone, nor if it belongs to another file.
#[tokio::test(start_paused = true)]
async fn a_lock_on_an_unlinked_file_does_not_count() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let stale = foreign_lock(&folder);
    assert!(is_still_named(&stale, &name).unwrap());
    fs::remove_file(&name).unwrap();
    assert!(!is_still_named(&stale, &name).unwrap(), "the name is gone");
    let held = lock(&storage).await.unwrap();
    assert!(!is_still_named(&stale, &name).unwrap(), "the name belongs to another file");
    drop(stale);
    assert_eq!(names(&folder), ["cache.json.lockfile"], "the name still belongs to the holder");
    drop(held);
    assert!(names(&folder).is_empty());
}

//
#[tokio::test(start_paused = true)]
async fn the_lock_file_of_a_dead_holder_delays_no_one() {
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

// S-100, R-17: MSAL Node and Python create the file before they write their process id or lock it.
#[test]
fn an_empty_lock_file_is_left_to_its_creator_for_half_a_second() {
    let (folder, _storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let made = File::create(&name).unwrap().metadata().unwrap().modified().unwrap();
    for (age, free) in [(0, false), (499, false), (500, true)] {
        let lock = try_acquire(&name, made + Duration::from_millis(age)).unwrap();
        assert_eq!(lock.is_some(), free, "{age} ms");
    }
    assert!(names(&folder).is_empty(), "taken over and released");
}

// S-100: MSAL Node locks by the mere existence of the file.
#[tokio::test(start_paused = true)]
async fn an_unlocked_lock_file_of_a_living_process_is_respected_for_a_minute() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    // Process 1 is always alive.
    fs::write(&name, "1").unwrap();
    let begun = Instant::now();
    let other = async {
        tokio::time::advance(SECOND * 3).await;
        assert_eq!(fs::read_to_string(&name).unwrap(), "1", "left alone");
        fs::remove_file(&name).unwrap();
    };
    let (held, ()) = tokio::join!(lock(&storage), other);
    let waited = begun.elapsed();
    assert!((SECOND * 3..Duration::from_millis(3200)).contains(&waited), "{waited:?}");
    drop(held.unwrap());

    fs::write(&name, "1").unwrap();
    assert_eq!(lock(&storage).await.err().unwrap().kind, StorageErrorKind::LockTimedOut);
    // But not for longer than a minute.
    let now = SystemTime::now();
    assert!(try_acquire(&name, now + SECOND * 55).unwrap().is_none());
    assert!(try_acquire(&name, now + SECOND * 61).unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lock_file_that_is_not_a_regular_file_is_refused_at_once() {
    for (kind, reason) in [
        ("link", "it is a symbolic link"),
        ("fifo", "it is not a regular file"),
        ("folder", "it is not a regular file"),
        ("socket", "it is not a regular file"),
    ] {
        let (folder, storage) = store();
        let (name, victim) = (folder.path().join("cache.json.lockfile"), folder.path().join("victim"));
        fs::write(&victim, "another user's").unwrap();
        match kind {
            "link" => symlink(&victim, &name).unwrap(),
            "fifo" => rustix::fs::mkfifoat(rustix::fs::CWD, &name, 0o600.into()).unwrap(),
            "folder" => fs::create_dir(&name).unwrap(),
            _ => drop(std::os::unix::net::UnixListener::bind(&name).unwrap()),
        }
        let begun = Instant::now();
        let error = lock(&storage).await.err().unwrap();
        let reason = format!("{}: {reason}", name.display());
        assert_eq!((error.reason, begun.elapsed()), (reason.clone(), Duration::ZERO), "{kind}");
        assert_eq!(error.kind, StorageErrorKind::Other, "{kind}");
        assert_eq!(storage.state().unwrap_err().reason, reason, "{kind}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "another user's", "{kind}");
    }
}

// MSAL Python removes the file after releasing the lock, when it may belong to another holder.
#[tokio::test]
async fn a_lock_file_that_now_belongs_to_another_holder_is_not_removed() {
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

// S-108
#[tokio::test]
async fn a_forked_child_neither_owns_nor_prolongs_the_lock_of_its_parent() {
    let (folder, storage) = store();
    let name = folder.path().join("cache.json.lockfile");
    let mut inherited = try_acquire(&name, SystemTime::now()).unwrap().unwrap();
    inherited.process = 1;
    drop(inherited);
    assert_eq!(names(&folder), ["cache.json.lockfile"], "the name belongs to the parent");

    // The parent releases the lock while a child still has the file open.
    let held = try_acquire(&name, SystemTime::now()).unwrap().unwrap();
    let childs = held.file.try_clone().unwrap();
    drop(held);
    assert!(childs.try_lock().is_ok(), "no one holds it");
    drop(lock(&storage).await.unwrap());
}

#[tokio::test]
async fn asking_for_the_holder_changes_nothing() {
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

// although each unlinks the name while the others open it.
#[test]
fn there_is_never_more_than_one_holder() {
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
    assert_eq!(count(), 400, "no increment was lost");
    assert_eq!(names(&folder), ["counter"]);
}
