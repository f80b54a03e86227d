//! The rules that every [`Storage`] must follow, as tests (feature `test-util`).
//!
//! To test a store of your own, call [`check`]:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use auth_cache::{MemoryStorage, contract};
//!
//! contract::check(|| {
//!     let storage = MemoryStorage::new();
//!     (storage.clone(), storage)
//! })
//! .await;
//! # });
//! ```
//!
//! or use [`each_rule!`](crate::each_rule) to get a separate test for each rule.
#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc, reason = "in tests a panic is the message")]

use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use zeroize::Zeroizing;

use crate::event::Observer;
use crate::storage::{
    BoxedLock, LockBudget, LockName, Replaced, Storage, StorageError, StorageErrorKind, Stored, Version,
};

/// Checks all rules. Each call of `make` returns two handles to one new and empty store, like those of two programs.
///
/// # Panics
/// If the store breaks a rule.
pub async fn check<S: Storage + fmt::Debug>(make: impl Fn() -> (S, S)) {
    macro_rules! check_each {
        ($($rule:ident)+) => {$({
            let (storage, other) = make();
            $rule(storage, other).await;
        })+};
    }
    crate::each_rule!(check_each);
}

/// Calls a macro with the names of all rules: functions in [`contract`](crate::contract) that take two handles to one
/// new and empty store.
///
/// ```
/// macro_rules! test_each {
///     ($($rule:ident)+) => {$(
///         #[tokio::test]
///         async fn $rule() {
///             let storage = auth_cache::MemoryStorage::new();
///             auth_cache::contract::$rule(storage.clone(), storage).await;
///         }
///     )+};
/// }
///
/// auth_cache::each_rule!(test_each);
/// ```
#[macro_export]
macro_rules! each_rule {
    ($callback:ident) => {
        $callback! {
            an_empty_store_reads_as_empty
            a_read_returns_what_was_put_and_its_version
            only_the_expected_version_is_replaced
            a_reader_sees_a_whole_document
            a_document_set_aside_is_gone_from_the_store
            a_lock_has_one_holder
            an_empty_budget_tries_once
            a_waiter_gets_a_lock_that_is_released
            locks_with_different_names_are_independent
            debug_output_contains_no_secret
        }
    };
}

fn content(text: &str) -> Zeroizing<Vec<u8>> {
    text.as_bytes().to_vec().into()
}

async fn replace<S: Storage>(storage: &S, text: &str, expected: Version) -> Replaced {
    storage.replace(content(text), expected, None, &Observer::default()).await.unwrap()
}

async fn put<S: Storage>(storage: &S, text: &str) -> Version {
    match replace(storage, text, read(storage).await.version).await {
        Replaced::Done(version) => version,
        Replaced::Conflict => panic!("no one else writes"),
    }
}

/// Asserts that the store reports this version without a read, or that it must be read.
fn assert_version<S: Storage>(storage: &S, version: Version) {
    let reported = storage.version().unwrap();
    assert!(reported == version || reported == Version::UNKNOWN, "{reported:?}, not {version:?}");
}

async fn read<S: Storage>(storage: &S) -> Stored {
    storage.read(&Observer::default()).await.unwrap()
}

async fn text<S: Storage>(storage: &S) -> String {
    String::from_utf8(read(storage).await.content.to_vec()).unwrap()
}

async fn lock<S: Storage>(storage: &S, name: LockName<'_>, budget: &mut LockBudget) -> Result<BoxedLock, StorageError> {
    storage.lock(name, budget, &Observer::default()).await
}

/// Takes a lock, which must be free.
async fn locked<S: Storage>(storage: &S, name: LockName<'_>) -> BoxedLock {
    lock(storage, name, &mut LockBudget::default()).await.unwrap()
}

/// Whether the lock is held.
async fn is_held<S: Storage>(storage: &S, name: LockName<'_>) -> bool {
    match lock(storage, name, &mut LockBudget::new(Duration::ZERO)).await {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind, StorageErrorKind::LockTimedOut, "{error}");
            true
        }
    }
}

fn is_pending(future: Pin<&mut impl Future>) -> bool {
    matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
}

/// A new store reads as empty, without an error.
pub async fn an_empty_store_reads_as_empty<S: Storage>(storage: S, _other: S) {
    assert_version(&storage, Version::NONE);
    let stored = read(&storage).await;
    assert!(stored.content.is_empty());
    assert_eq!(stored.version, Version::NONE);
}

/// One handle reads what the other puts. Each state has a version of its own, even if the bytes are the same.
pub async fn a_read_returns_what_was_put_and_its_version<S: Storage>(storage: S, other: S) {
    let mut versions = vec![Version::NONE];
    for words in ["one", "two", "two", ""] {
        let version = put(&storage, words).await;
        assert!(!versions.contains(&version), "{words}: {version:?} is not new");
        assert_version(&other, version);
        assert_eq!(read(&other).await.content.as_slice(), words.as_bytes());
        versions.push(version);
    }
}

/// A write with another version than the stored one changes nothing.
pub async fn only_the_expected_version_is_replaced<S: Storage>(storage: S, other: S) {
    let first = put(&storage, "first").await;
    let second = put(&other, "second").await;
    for stale in [Version::NONE, first, Version::new([1, 2, 3, 4])] {
        assert_eq!(replace(&storage, "late", stale).await, Replaced::Conflict);
        assert_eq!(text(&storage).await, "second");
        assert_version(&storage, second);
    }
    let seen = read(&storage).await.version;
    assert!(
        matches!(replace(&storage, "third", seen).await, Replaced::Done(_)),
        "the version just read can be replaced"
    );
}

/// A read that overlaps with a write returns the old or the new document, never a mixture.
pub async fn a_reader_sees_a_whole_document<S: Storage>(storage: S, other: S) {
    let (old, new) = ("old ".repeat(50_000), "new, and longer ".repeat(50_000));
    put(&storage, &old).await;
    let observer = Observer::default();
    let mut reader = pin!(other.read(&observer));
    let before = match reader.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(stored) => stored.unwrap(),
        Poll::Pending => {
            put(&storage, &new).await;
            reader.await.unwrap()
        }
    };
    let before = String::from_utf8(before.content.to_vec()).unwrap();
    assert!(before == old || before == new, "only part of a document was read");
}

/// A document set aside is gone from the store. Another can be set aside later, and an empty store too.
pub async fn a_document_set_aside_is_gone_from_the_store<S: Storage>(storage: S, other: S) {
    let before = put(&storage, "not json").await;
    let place = storage.set_aside().await.unwrap();
    assert!(!place.is_empty());
    assert_ne!(other.version().unwrap(), before);
    assert_eq!(text(&other).await, "");
    put(&storage, "a new one").await;
    assert_eq!(text(&other).await, "a new one");
    put(&storage, "bad again").await;
    storage.set_aside().await.unwrap();
    storage.set_aside().await.unwrap();
    assert_eq!(text(&other).await, "");
}

/// A lock excludes everyone else who asks for it, in this program too. It does not stop writers who do not.
pub async fn a_lock_has_one_holder<S: Storage>(storage: S, other: S) {
    for _ in 0..2 {
        let held = locked(&storage, LockName::Document).await;
        assert!(is_held(&other, LockName::Document).await);
        assert!(is_held(&storage, LockName::Document).await, "through its own handle");
        put(&other, "the lock is advisory").await;
        drop(held);
        drop(locked(&other, LockName::Document).await);
    }
}

/// With an empty budget, a lock is tried once: a free one is taken.
pub async fn an_empty_budget_tries_once<S: Storage>(storage: S, other: S) {
    let mut budget = LockBudget::new(Duration::ZERO);
    let held = lock(&storage, LockName::Document, &mut budget).await.unwrap();
    let refused = lock(&other, LockName::Document, &mut budget).await;
    assert_eq!(refused.err().unwrap().kind, StorageErrorKind::LockTimedOut);
    drop(held);
    assert_eq!(budget.left(), Duration::ZERO);
}

/// A waiter gets the lock once it is free, even if another waiter has given up.
pub async fn a_waiter_gets_a_lock_that_is_released<S: Storage>(storage: S, other: S) {
    let held = locked(&storage, LockName::Document).await;
    let mut budget = LockBudget::default();
    let second = {
        let mut waiting = pin!(lock(&other, LockName::Document, &mut budget));
        {
            let mut budget = LockBudget::default();
            let mut given_up = pin!(lock(&storage, LockName::Document, &mut budget));
            assert!(is_pending(given_up.as_mut()) && is_pending(waiting.as_mut()));
        }
        put(&storage, "first").await;
        drop(held);
        waiting.await.unwrap()
    };
    put(&other, "second").await;
    drop(second);
    assert_eq!(text(&storage).await, "second");
    assert!(budget.left() > Duration::ZERO, "the lock was free in time");
}

/// A redemption holds its lock while it stores the result, and does not hold up other accounts.
pub async fn locks_with_different_names_are_independent<S: Storage>(storage: S, other: S) {
    let refreshes = [LockName::Refresh("ada"), LockName::Refresh("bob"), LockName::Refresh("")];
    let names =
        [LockName::Document, refreshes[0], refreshes[1], refreshes[2], LockName::SignIn("ada"), LockName::SignIn("")];
    let mut held = Vec::new();
    for name in names {
        held.push(locked(&storage, name).await);
    }
    for name in names {
        assert!(is_held(&other, name).await, "{name:?}");
        drop(held.remove(0));
        drop(locked(&other, name).await);
    }
}

/// Neither the store nor a stored document shows its content.
pub async fn debug_output_contains_no_secret<S: Storage + fmt::Debug>(storage: S, other: S) {
    put(&storage, "a secret").await;
    let stored = read(&other).await;
    assert!(!format!("{storage:?} {stored:?}").contains("secret"));
}
