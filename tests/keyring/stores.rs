//! The stores themselves, each call in a separate process.

use auth_tests::keyring::Session;

use crate::scene::{files, vault};

const DOCUMENT: &str = r#"{"AccessToken": {"k": {"secret": "canary-in-the-encrypted-file"}}}"#;

#[tokio::test]
async fn the_encrypted_file_passes_the_contract() {
    let session = Session::start().await;
    assert_eq!(vault(&session, "contract-encrypted", "").await, "kept");
}

#[tokio::test]
async fn the_keyring_item_passes_the_contract() {
    let session = Session::start().await;
    assert_eq!(vault(&session, "contract-item", "").await, "kept");
}

// R-19
#[tokio::test]
async fn a_missing_locked_or_killed_keyring_is_an_error_that_leaves_the_file_alone() {
    let mut session = Session::without_keyring().await;
    let output = vault(&session, "store", DOCUMENT).await;
    assert!(output.starts_with("KeyUnavailable") && output.contains("no keyring is available"), "{output}");
    assert!(!session.folder().join("cache").exists(), "nothing is written without a key");
    session.start_keyring(true).await;
    assert_eq!(vault(&session, "store", DOCUMENT).await, "stored");
    let stored = std::fs::read(session.folder().join("cache")).unwrap();
    assert_eq!(vault(&session, "look", "").await, DOCUMENT);

    session.lock_keyring().await;
    for word in ["look", "store"] {
        let output = vault(&session, word, "{}").await;
        assert!(output.starts_with("KeyUnavailable") && output.contains("keyring"), "{output}");
    }
    session.kill_keyring().await;
    let output = vault(&session, "look", "").await;
    assert!(output.starts_with("KeyUnavailable") && output.contains("no keyring is available"), "{output}");
    assert_eq!(std::fs::read(session.folder().join("cache")).unwrap(), stored, "untouched");
    session.start_keyring(true).await;
    assert_eq!(vault(&session, "look", "").await, DOCUMENT);
    for (name, bytes) in files(session.home.path()) {
        assert!(!bytes.windows(6).any(|part| part == b"canary"), "{name}");
    }
}

// R-19: the keyring was reset, and its key is lost.
#[tokio::test]
async fn a_lost_key_is_damage_and_not_an_unavailable_keyring() {
    let mut session = Session::start().await;
    assert_eq!(vault(&session, "store", DOCUMENT).await, "stored");
    session.kill_keyring().await;
    std::fs::remove_dir_all(session.home.file(".local/share/keyrings")).unwrap();
    session.start_keyring(true).await;
    let output = vault(&session, "look", "").await;
    assert!(output.starts_with("Damaged"), "a cache moves it aside: {output}");
}

// S-104: KeePassXC finds nothing in a locked database. Here the keyring is locked and empty.
#[tokio::test]
async fn a_key_that_a_locked_keyring_does_not_find_is_not_taken_for_lost() {
    let mut session = Session::start().await;
    assert_eq!(vault(&session, "store", DOCUMENT).await, "stored");
    session.kill_keyring().await;
    std::fs::remove_dir_all(session.home.file(".local/share/keyrings")).unwrap();
    session.start_keyring(true).await;
    session.lock_keyring().await;
    let output = vault(&session, "look", "").await;
    assert!(output.starts_with("KeyUnavailable"), "{output}");
}

// S-104, S-105
#[tokio::test]
async fn the_keyring_contains_nothing_but_one_key_of_32_bytes() {
    let session = Session::start().await;
    vault(&session, "store", DOCUMENT).await;
    assert_eq!(session.items().await, [("auth.TokenCacheKey".to_owned(), 32)]);
    let before = files(&session.home.file(".local/share/keyrings"));
    vault(&session, "store", DOCUMENT).await;
    vault(&session, "look", "").await;
    assert_eq!(files(&session.home.file(".local/share/keyrings")), before, "a second write and a read change nothing");
}
