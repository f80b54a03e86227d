//! The stores themselves, each call in a process of its own.

use auth_tests::keyring::Session;

use crate::scene::{files, vault};

const DOCUMENT: &str = r#"{"AccessToken": {"k": {"secret": "canary-in-the-encrypted-file"}}}"#;

#[tokio::test]
async fn the_encrypted_file_keeps_every_promise_of_a_store() {
    let session = Session::start().await;
    assert_eq!(vault(&session, "contract-encrypted", "").await, "kept");
}

#[tokio::test]
async fn the_item_keeps_every_promise_of_a_store() {
    let session = Session::start().await;
    assert_eq!(vault(&session, "contract-item", "").await, "kept");
}

// R-19: each state of the keyring is told, costs no file, and is over when the keyring is back.
#[tokio::test]
async fn a_keyring_that_is_missing_locked_or_killed_is_told() {
    let mut session = Session::without_keyring().await;
    let told = vault(&session, "store", DOCUMENT).await;
    assert!(told.starts_with("KeyUnavailable") && told.contains("no keyring is available"), "{told}");
    assert!(!session.folder().join("cache").exists(), "nothing is written without a key");
    session.start_keyring(true).await;
    assert_eq!(vault(&session, "store", DOCUMENT).await, "stored");
    let stored = std::fs::read(session.folder().join("cache")).unwrap();
    assert_eq!(vault(&session, "look", "").await, DOCUMENT);

    session.lock_keyring().await;
    for word in ["look", "store"] {
        let told = vault(&session, word, "{}").await;
        assert!(told.starts_with("KeyUnavailable") && told.contains("keyring"), "{told}");
    }
    session.kill_keyring().await;
    let told = vault(&session, "look", "").await;
    assert!(told.starts_with("KeyUnavailable") && told.contains("no keyring is available"), "{told}");
    assert_eq!(std::fs::read(session.folder().join("cache")).unwrap(), stored, "nobody touched it");
    session.start_keyring(true).await;
    assert_eq!(vault(&session, "look", "").await, DOCUMENT);
    for (name, bytes) in files(session.home.path()) {
        assert!(!bytes.windows(6).any(|part| part == b"canary"), "{name}");
    }
}

// R-19: a keyring that was made anew has no key for the file any more.
#[tokio::test]
async fn a_key_that_is_gone_is_told_apart_from_one_that_is_out_of_reach() {
    let mut session = Session::start().await;
    assert_eq!(vault(&session, "store", DOCUMENT).await, "stored");
    session.kill_keyring().await;
    std::fs::remove_dir_all(session.home.file(".local/share/keyrings")).unwrap();
    session.start_keyring(true).await;
    let told = vault(&session, "look", "").await;
    assert!(told.starts_with("Damaged"), "a cache moves it aside: {told}");
}

// S-104: KeePassXC finds nothing in a database that is locked, and this keyring has nothing to find.
#[tokio::test]
async fn that_a_locked_keyring_finds_nothing_is_not_believed() {
    let mut session = Session::start().await;
    assert_eq!(vault(&session, "store", DOCUMENT).await, "stored");
    session.kill_keyring().await;
    std::fs::remove_dir_all(session.home.file(".local/share/keyrings")).unwrap();
    session.start_keyring(true).await;
    session.lock_keyring().await;
    let told = vault(&session, "look", "").await;
    assert!(told.starts_with("KeyUnavailable"), "{told}");
}

// S-104, S-105: the only item is a key, of 32 bytes, and the dummy is gone.
#[tokio::test]
async fn only_a_key_lies_in_the_keyring() {
    let session = Session::start().await;
    vault(&session, "store", DOCUMENT).await;
    assert_eq!(session.items().await, [("auth.TokenCacheKey".to_owned(), 32)]);
    let before = files(&session.home.file(".local/share/keyrings"));
    vault(&session, "store", DOCUMENT).await;
    vault(&session, "look", "").await;
    assert_eq!(
        files(&session.home.file(".local/share/keyrings")),
        before,
        "a second write and a read change nothing there"
    );
}
