//! What every [`Storage`] promises, and a check of each promise. (Feature `test-util`.)
//!
//! Whoever writes a store of their own calls [`check`] in a test:
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
//! or [`each_rule!`](crate::each_rule), for a test of each promise under its name.
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

/// Checks all promises. `make` gives two ways to one store that is new and empty, as two programs have them.
///
/// # Panics
/// With the promise that is broken.
pub async fn check<S: Storage + fmt::Debug>(make: impl Fn() -> (S, S)) {
    macro_rules! check_each {
        ($($rule:ident)+) => {$({
            let (storage, other) = make();
            $rule(storage, other).await;
        })+};
    }
    crate::each_rule!(check_each);
}

/// Calls a macro with the names of all rules: functions of [`contract`](crate::contract) that take two ways to one store that
/// is new and empty.
#[macro_export]
macro_rules! each_rule {
    ($callback:ident) => {
        $callback! {
            an_empty_store_is_read_as_nothing
            what_was_put_is_read_with_its_version
            only_the_expected_version_is_replaced
            a_reader_sees_one_document_whole
            what_is_set_aside_is_out_of_the_way
            one_writer_holds_the_lock
            an_empty_budget_tries_once
            waiting_takes_turns
            locks_of_different_names_are_held_side_by_side
            no_secret_is_shown
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
        Replaced::Conflict => panic!("nobody else writes"),
    }
}

/// What the store says without a read is this version, or that it must be read.
fn is_version<S: Storage>(storage: &S, version: Version) {
    let told = storage.version().unwrap();
    assert!(told == version || told == Version::UNKNOWN, "{told:?} instead of {version:?}");
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

/// The lock, which is free.
async fn locked<S: Storage>(storage: &S, name: LockName<'_>) -> BoxedLock {
    lock(storage, name, &mut LockBudget::default()).await.unwrap()
}

/// Whether the lock is held by somebody.
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

/// Nothing is stored at first, which is no failure.
pub async fn an_empty_store_is_read_as_nothing<S: Storage>(storage: S, _other: S) {
    is_version(&storage, Version::NONE);
    let stored = read(&storage).await;
    assert!(stored.content.is_empty());
    assert_eq!(stored.version, Version::NONE);
}

/// What one puts the other reads, and each state has a version that no other had: also when the bytes are the same.
pub async fn what_was_put_is_read_with_its_version<S: Storage>(storage: S, other: S) {
    let mut versions = vec![Version::NONE];
    for words in ["one", "two", "two", ""] {
        let version = put(&storage, words).await;
        assert!(!versions.contains(&version), "{words}: {version:?} was there before");
        is_version(&other, version);
        assert_eq!(read(&other).await.content.as_slice(), words.as_bytes());
        versions.push(version);
    }
}

/// Whoever has not read what is there replaces nothing.
pub async fn only_the_expected_version_is_replaced<S: Storage>(storage: S, other: S) {
    let first = put(&storage, "first").await;
    let second = put(&other, "second").await;
    for stale in [Version::NONE, first, Version::new([1, 2, 3, 4])] {
        assert_eq!(replace(&storage, "late", stale).await, Replaced::Conflict);
        assert_eq!(text(&storage).await, "second");
        is_version(&storage, second);
    }
    let seen = read(&storage).await.version;
    assert!(matches!(replace(&storage, "third", seen).await, Replaced::Done(_)), "what was read may be replaced");
}

/// A reader that began before a write has the old document to its end.
pub async fn a_reader_sees_one_document_whole<S: Storage>(storage: S, other: S) {
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
    assert!(before == old || before == new, "a part of a document was read");
}

/// What is set aside is gone from the store, and that can be done again.
pub async fn what_is_set_aside_is_out_of_the_way<S: Storage>(storage: S, other: S) {
    let before = put(&storage, "not json").await;
    let place = storage.set_aside().await.unwrap();
    assert!(!place.is_empty());
    assert_ne!(other.version().unwrap(), before);
    assert_eq!(text(&other).await, "");
    put(&storage, "anew").await;
    assert_eq!(text(&other).await, "anew");
    put(&storage, "bad again").await;
    storage.set_aside().await.unwrap();
    storage.set_aside().await.unwrap();
    assert_eq!(text(&other).await, "");
}

/// A lock excludes everybody who asks for it, in this program too, and nobody who does not.
pub async fn one_writer_holds_the_lock<S: Storage>(storage: S, other: S) {
    for _ in 0..2 {
        let held = locked(&storage, LockName::Document).await;
        assert!(is_held(&other, LockName::Document).await);
        assert!(is_held(&storage, LockName::Document).await, "whoever asks");
        put(&other, "the lock is a promise among writers").await;
        drop(held);
        drop(locked(&other, LockName::Document).await);
    }
}

/// With nothing left to wait a lock is tried once, and what is free is had.
pub async fn an_empty_budget_tries_once<S: Storage>(storage: S, other: S) {
    let mut budget = LockBudget::new(Duration::ZERO);
    let held = lock(&storage, LockName::Document, &mut budget).await.unwrap();
    let refused = lock(&other, LockName::Document, &mut budget).await;
    assert_eq!(refused.err().unwrap().kind, StorageErrorKind::LockTimedOut);
    drop(held);
    assert_eq!(budget.left(), Duration::ZERO);
}

/// Who waits gets the lock once it is free, also when somebody who waited before has given up.
pub async fn waiting_takes_turns<S: Storage>(storage: S, other: S) {
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
    assert!(budget.left() > Duration::ZERO, "it was free at once");
}

/// A redemption holds its lock over the request and stores what came of it meanwhile; other accounts go on.
pub async fn locks_of_different_names_are_held_side_by_side<S: Storage>(storage: S, other: S) {
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

/// Neither the store nor what it gives shows its content.
pub async fn no_secret_is_shown<S: Storage + fmt::Debug>(storage: S, other: S) {
    put(&storage, "a secret").await;
    let stored = read(&other).await;
    assert!(!format!("{storage:?} {stored:?}").contains("secret"));
}
