#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::pin;
use std::task::{Context, Waker};

use super::*;
use crate::event::Event;
use crate::storage::FileStorage;
use crate::storage::encrypted::tests::{Scene, put, read};
use crate::storage::file::tests::listening;
use crate::storage::keys::KeyErrorKind;

const PLAIN: &str = r#"{"AccessToken": {"k": {"secret": "the access token"}}}"#;
const TEMP: &str = ".cache.json.migration.tmp";

async fn encrypt(storage: &EncryptedFileStorage) -> Result<bool, StorageError> {
    storage.encrypt(&mut LockBudget::default(), &Observer::default()).await
}

async fn decrypt(storage: &EncryptedFileStorage) -> Result<bool, StorageError> {
    storage.decrypt(&mut LockBudget::default(), &Observer::default()).await
}

/// A scene with a plain file.
fn plain() -> Scene {
    let scene = Scene::new();
    scene.write(PLAIN.as_bytes());
    scene
}

async fn encrypted() -> Scene {
    let scene = Scene::new();
    put(&scene.start(), PLAIN).await.unwrap();
    scene
}

#[tokio::test]
async fn a_file_can_be_encrypted_and_decrypted() {
    let scene = plain();
    assert!(encrypt(&scene.start()).await.unwrap());
    assert!(scene.bytes().starts_with(b"auth encrypted cache 1\n"));
    assert_eq!(read(&scene.start()).await.unwrap(), PLAIN);
    assert!(!encrypt(&scene.start()).await.unwrap(), "already encrypted");
    assert!(decrypt(&scene.start()).await.unwrap());
    assert_eq!(scene.bytes(), PLAIN.as_bytes());
    assert!(!decrypt(&scene.start()).await.unwrap());
    assert_eq!(scene.names(), ["cache.json"]);
    let mode = fs::metadata(scene.plain().path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let scene = Scene::new();
    assert!(!encrypt(&scene.start()).await.unwrap() && !decrypt(&scene.start()).await.unwrap(), "there is no file");
    assert_eq!(scene.names().len(), 0);
}

// A document that was moved aside while the file was plain contains the same secrets.
#[tokio::test(start_paused = true)]
async fn a_document_that_was_moved_aside_is_encrypted_too() {
    let scene = plain();
    let aside = scene.folder.path().join("cache.json.corrupt");
    for _ in 0..2 {
        fs::write(&aside, r#"{"AccessToken": {"k": {"secret": "the ac"#).unwrap();
        encrypt(&scene.start()).await.unwrap();
        for name in scene.names() {
            let bytes = fs::read(scene.folder.path().join(&name)).unwrap();
            assert!(bytes.starts_with(b"auth encrypted cache 1\n"), "{name}");
        }
        assert_eq!(scene.names(), ["cache.json", "cache.json.corrupt"]);
        assert!(!encrypt(&scene.start()).await.unwrap(), "only once");
    }
}

// S-106
#[tokio::test(start_paused = true)]
async fn a_failed_migration_leaves_the_old_file_and_no_temporary_one() {
    let scene = plain();
    scene.drawer.fail(Some(KeyErrorKind::Locked));
    assert_eq!(encrypt(&scene.start()).await.unwrap_err().kind, StorageErrorKind::KeyUnavailable);
    scene.drawer.fail(None);
    // A keyring that accepts keys but does not keep them.
    scene.drawer.forget();
    let error = encrypt(&scene.start()).await.unwrap_err();
    assert!(error.reason.contains("read back"), "{error}");
    assert_eq!((scene.bytes(), scene.names().len()), (PLAIN.into(), 1));

    let scene = encrypted().await;
    let before = scene.bytes();
    scene.drawer.fail(Some(KeyErrorKind::Locked));
    assert_eq!(decrypt(&scene.start()).await.unwrap_err().kind, StorageErrorKind::KeyUnavailable);
    scene.drawer.fail(None);
    scene.drawer.forget();
    assert_eq!(decrypt(&scene.start()).await.unwrap_err().kind, StorageErrorKind::Damaged);
    assert_eq!((scene.bytes(), scene.names().len()), (before, 1));

    let scene = plain();
    let lock = scene.plain().lock(LockName::Document, &mut LockBudget::default(), &Observer::default()).await.unwrap();
    assert_eq!(encrypt(&scene.start()).await.unwrap_err().kind, StorageErrorKind::LockTimedOut);
    drop(lock);
    assert_eq!(scene.bytes(), PLAIN.as_bytes());
    scene.write(b"nonsense");
    for result in [encrypt(&scene.start()).await, decrypt(&scene.start()).await] {
        assert_eq!(result.unwrap_err().kind, StorageErrorKind::Damaged);
    }
    assert_eq!(scene.bytes(), b"nonsense");
}

// S-106: the process may have died with any part of the new file written.
#[tokio::test]
async fn the_next_start_removes_what_an_interrupted_migration_left() {
    let sealed = encrypted().await;
    for written in [&sealed.bytes()[..], &sealed.bytes()[..40], b""] {
        let scene = plain();
        let temp = scene.folder.path().join(TEMP);
        fs::write(&temp, written).unwrap();
        assert_eq!(read(&scene.start().allow_plaintext_fallback()).await.unwrap(), PLAIN);
        assert!(!temp.exists(), "removed by the next start");
        fs::write(&temp, written).unwrap();
        assert!(encrypt(&scene.start()).await.unwrap(), "not in the way of a new migration");
        assert_eq!((scene.names(), read(&scene.start()).await.unwrap()), (vec!["cache.json".to_owned()], PLAIN.into()));
    }
    for written in [PLAIN, PLAIN.split_once(":").unwrap().0, ""] {
        let scene = encrypted().await;
        let temp = scene.folder.path().join(TEMP);
        fs::write(&temp, written).unwrap();
        assert_eq!(read(&scene.start()).await.unwrap(), PLAIN);
        assert!(!temp.exists());
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_in_progress_is_left_alone() {
    let scene = plain();
    let temp = scene.folder.path().join(TEMP);
    fs::write(&temp, "half").unwrap();
    let lock = scene.plain().lock(LockName::Document, &mut LockBudget::default(), &Observer::default()).await.unwrap();
    let (heard, observer) = listening();
    assert!(scene.start().allow_plaintext_fallback().read(&observer).await.is_ok());
    assert!(temp.exists());
    assert!(!heard.lock().unwrap().iter().any(|event| matches!(event, Event::LockTimedOut { .. })));
    drop(lock);
}

// S-94
#[tokio::test]
async fn a_link_in_place_of_the_temporary_file_is_removed_and_not_followed() {
    let scene = plain();
    let victim = scene.folder.path().join("victim");
    fs::write(&victim, "another user's").unwrap();
    std::os::unix::fs::symlink(&victim, scene.folder.path().join(TEMP)).unwrap();
    assert!(encrypt(&scene.start()).await.unwrap());
    assert_eq!(fs::read(&victim).unwrap(), b"another user's");
}

// S-102: by a program that does not take the lock.
#[tokio::test]
async fn a_file_that_was_changed_in_the_meantime_is_not_replaced() {
    let scene = plain();
    let (file, before) = (scene.plain(), scene.plain().version().unwrap());
    put(&file, "{}").await.unwrap();
    let replaced = FileStorage::convert(&file, b"x".to_vec().into(), before, |_| true, &Observer::default()).await;
    assert_eq!((replaced, scene.bytes()), (Ok(Replaced::Conflict), b"{}".to_vec()));
}

#[tokio::test]
async fn the_lock_outlasts_a_caller_that_gives_up_until_the_change_is_complete() {
    let (scene, observer) = (plain(), Observer::default());
    let (writing, other) = (scene.plain(), scene.plain());
    let lock = writing.lock(LockName::Document, &mut LockBudget::default(), &observer).await.unwrap();
    let before = writing.version().unwrap();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (resume, may_resume) = std::sync::mpsc::channel::<()>();
    let blocked = move |_: &[u8]| {
        begun.send(()).unwrap();
        may_resume.recv().is_ok()
    };
    {
        let mut change = pin!(FileStorage::convert(&writing, b"{}".to_vec().into(), before, blocked, &observer));
        assert!(change.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
    }
    drop(lock);
    let refused = other.lock(LockName::Document, &mut LockBudget::new(Duration::ZERO), &observer).await;
    assert_eq!(refused.err().map(|error| error.kind), Some(StorageErrorKind::LockTimedOut));
    resume.send(()).unwrap();
    let _lock = other.lock(LockName::Document, &mut LockBudget::default(), &observer).await.unwrap();
    assert_eq!(scene.bytes(), b"{}", "the next holder sees the complete change");
}

// S-102: by a program that does not take the lock.
#[tokio::test]
async fn a_file_that_changes_while_the_new_one_is_checked_is_not_replaced() {
    let scene = plain();
    let (file, before) = (scene.plain(), scene.plain().version().unwrap());
    let path = file.path().to_owned();
    let meddle = move |_: &[u8]| fs::write(&path, "in the meantime").is_ok();
    let replaced = FileStorage::convert(&file, b"x".to_vec().into(), before, meddle, &Observer::default()).await;
    assert_eq!(
        (replaced, scene.bytes(), scene.names().len()),
        (Ok(Replaced::Conflict), b"in the meantime".to_vec(), 1)
    );
}
