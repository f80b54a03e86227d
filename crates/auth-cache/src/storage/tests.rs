//! What every storage promises; the same tests run over each.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use super::*;

fn content(text: &str) -> Zeroizing<Vec<u8>> {
    text.as_bytes().to_vec().into()
}

async fn put<S: Storage>(storage: &S, text: &str) -> Version {
    let version = Storage::version(storage).unwrap();
    match Storage::replace(storage, content(text), version).await.unwrap() {
        Replaced::Done(version) => version,
        Replaced::Conflict => panic!("nobody else writes"),
    }
}

async fn text<S: Storage>(storage: &S) -> String {
    String::from_utf8(Storage::read(storage).await.unwrap().content.to_vec()).unwrap()
}

fn is_pending(future: &mut (impl Future + Unpin)) -> bool {
    matches!(Pin::new(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
}

async fn an_empty_store_is_read_as_nothing<S: Storage>(storage: S, _: S) {
    assert_eq!(Storage::version(&storage).unwrap(), Version::NONE);
    let stored = Storage::read(&storage).await.unwrap();
    assert!(stored.content.is_empty());
    assert_eq!(stored.version, Version::NONE);
}

async fn what_was_put_is_read_with_its_version<S: Storage>(storage: S, other: S) {
    let mut versions = vec![Version::NONE];
    // The same bytes again are a new version too.
    for words in ["one", "two", "two", ""] {
        let version = put(&storage, words).await;
        assert!(!versions.contains(&version), "{words}: {version:?} was there before");
        assert_eq!(Storage::version(&other).unwrap(), version);
        let stored = Storage::read(&other).await.unwrap();
        assert_eq!((stored.content.as_slice(), stored.version), (words.as_bytes(), version));
        versions.push(version);
    }
}

async fn only_the_expected_version_is_replaced<S: Storage>(storage: S, other: S) {
    let first = put(&storage, "first").await;
    let second = put(&other, "second").await;
    for stale in [Version::NONE, first, Version::new([1, 2, 3, 4])] {
        assert_eq!(Storage::replace(&storage, content("late"), stale).await.unwrap(), Replaced::Conflict);
        assert_eq!(text(&storage).await, "second");
        assert_eq!(Storage::version(&storage).unwrap(), second);
    }
}

async fn what_is_set_aside_is_out_of_the_way<S: Storage>(storage: S, other: S) {
    let before = put(&storage, "not json").await;
    let place = Storage::set_aside(&storage).await.unwrap();
    assert!(!place.is_empty());
    assert_ne!(Storage::version(&other).unwrap(), before);
    assert_eq!(text(&other).await, "");
    put(&storage, "anew").await;
    assert_eq!(text(&other).await, "anew");
    put(&storage, "bad again").await;
    Storage::set_aside(&storage).await.unwrap();
    Storage::set_aside(&storage).await.unwrap();
    assert_eq!(text(&other).await, "");
}

async fn one_writer_holds_the_lock<S: Storage>(storage: S, other: S) {
    for _ in 0..2 {
        let held = Storage::lock(&storage, LockName::Document).await.unwrap();
        assert!(is_pending(&mut pin!(Storage::lock(&other, LockName::Document))), "it is held");
        assert!(is_pending(&mut pin!(Storage::lock(&storage, LockName::Document))), "whoever asks");
        put(&other, "the lock is a promise among writers").await;
        drop(held);
        drop(Storage::lock(&other, LockName::Document).await.unwrap());
    }
}

async fn waiting_writers_get_their_turn<S: Storage>(storage: S, other: S) {
    let held = Storage::lock(&storage, LockName::Document).await.unwrap();
    let mut given_up = Box::pin(Storage::lock(&storage, LockName::Document));
    assert!(is_pending(&mut given_up));
    let waiter = tokio::spawn(async move {
        let second = Storage::lock(&other, LockName::Document).await.unwrap();
        put(&other, "second").await;
        drop(second);
    });
    tokio::task::yield_now().await;
    put(&storage, "first").await;
    drop(given_up);
    drop(held);
    tokio::time::timeout(core::time::Duration::from_secs(9), waiter).await.expect("it was woken").unwrap();
    assert_eq!(text(&storage).await, "second");
}

// A redemption holds its lock over the request and stores what came of it meanwhile; other accounts go on.
async fn locks_of_different_names_are_held_side_by_side<S: Storage>(storage: S, other: S) {
    let names = [LockName::Document, LockName::Refresh("ada"), LockName::Refresh("bob"), LockName::Refresh("")];
    let mut held = Vec::new();
    for name in names {
        held.push(Storage::lock(&storage, name).await.unwrap());
    }
    for name in names {
        assert!(is_pending(&mut pin!(Storage::lock(&other, name))), "{name:?}");
        drop(held.remove(0));
        drop(Storage::lock(&other, name).await.unwrap());
    }
}

fn secrets_are_not_shown<S: Storage + fmt::Debug>(storage: &S) {
    let stored = Stored { content: content("secret"), version: Version::NONE };
    assert!(!format!("{stored:?} {storage:?}").contains("secret"));
}

macro_rules! contract {
    ($store:ident, $pair:expr) => {
        mod $store {
            use super::*;

            contract!(@each $pair, an_empty_store_is_read_as_nothing, what_was_put_is_read_with_its_version,
                only_the_expected_version_is_replaced, what_is_set_aside_is_out_of_the_way, one_writer_holds_the_lock,
                waiting_writers_get_their_turn, locks_of_different_names_are_held_side_by_side);

            #[tokio::test(start_paused = true)]
            async fn no_secret_is_shown() {
                let (storage, _other, _guard) = $pair;
                put(&storage, "secret").await;
                secrets_are_not_shown(&storage);
            }
        }
    };
    (@each $pair:expr, $($rule:ident),+) => {
        $(#[tokio::test(start_paused = true)]
        async fn $rule() {
            let (storage, other, _guard) = $pair;
            super::$rule(storage, other).await;
        })+
    };
}

contract!(memory, {
    let storage = MemoryStorage::new();
    (storage.clone(), storage, ())
});

#[cfg(feature = "file")]
contract!(file, {
    let folder = tempfile::tempdir().unwrap();
    let at = || FileStorage::at(folder.path().join("cache.json")).unwrap();
    (at(), at(), folder)
});

#[test]
fn messages_name_the_store_where_it_is_known() {
    let error = StorageError::new("read", "/a/b", "it is a folder");
    assert_eq!(error.to_string(), "the token cache /a/b could not be read: it is a folder");
    let error = StorageError::new("written", "", "x");
    assert_eq!(error.to_string(), "the token cache could not be written: x");
}
