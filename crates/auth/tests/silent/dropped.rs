//! every public future can be dropped after any number of polls. Nothing stays locked or is lost, no task
//! remains, and the next call succeeds.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use auth::{AuthError, MemoryStorage, Observer, Storage, StorageError, Timestamp};
use auth_cache::{BoxedLock, LockBudget, LockName, Replaced, Stored, Version};
use tokio::runtime::Handle;
use tokio::task::yield_now;
use zeroize::Zeroizing;

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, account, scopes};

/// A store that yields in each operation.
#[derive(Clone)]
pub(crate) struct Yielding(pub(crate) MemoryStorage);

impl Storage for Yielding {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(&self.0)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        yield_now().await;
        Storage::read(&self.0, observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        yield_now().await;
        let replaced = Storage::replace(&self.0, content, expected, keep_until, observer).await;
        yield_now().await;
        replaced
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        Storage::set_aside(&self.0).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        yield_now().await;
        let lock = Storage::lock(&self.0, name, budget, observer).await;
        yield_now().await;
        lock
    }
}

/// Drops the call after zero, one, two and more polls, each time in a new scene, until it completes. Returns how many
/// polls that took.
async fn at_every_poll(
    times: Times,
    requests: usize,
    call: impl AsyncFn(&Scene),
    after: impl AsyncFn(&Scene, bool),
) -> usize {
    for polls in 0..100 {
        let scene = Scene::new(2, times, Provider::new(Reply::tokens)).await.yielding();
        let ended = {
            let mut call = pin!(call(&scene));
            let mut poll = async || {
                yield_now().await;
                call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            };
            let mut ended = false;
            for _ in 0..polls {
                ended = poll().await == Poll::Ready(());
                if ended {
                    break;
                }
            }
            ended
        };
        assert!(
            tokio::time::timeout(Duration::from_secs(1), scene.app.close()).await.is_ok(),
            "{polls}: the refresh ends by itself"
        );
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "{polls}: a task is left");
        for name in [LockName::Document, LockName::Refresh("any")] {
            let lock = scene.storage.lock(name, &mut LockBudget::new(Duration::ZERO), &Observer::default()).await;
            assert!(lock.is_ok(), "{polls}: the lock is not free");
        }
        assert!(scene.provider.count() <= requests, "{polls}: a request was repeated");
        after(&scene, ended).await;
        scene.app.close().await;
        if ended {
            return polls;
        }
    }
    panic!("the call never completes")
}

/// The last refresh token issued is stored, and the next calls succeed with it.
async fn next_calls_succeed(scene: &Scene, _: bool) {
    let number = scene.provider.count();
    let stored = scene.refresh_token(0).await;
    assert_eq!(stored, if number == 0 { "rt0".to_owned() } else { format!("rt0.{}", number - 1) });
    scene.silent(0).await.unwrap();
    scene.silent(1).await.unwrap();
    scene.forced().await.unwrap();
    assert_eq!(scene.provider.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn silent_calls_can_be_dropped_at_any_point() {
    let silent = async |scene: &Scene| drop(scene.silent(0).await.unwrap());
    assert!(at_every_poll(Times::GOOD, 0, silent, next_calls_succeed).await > 1, "the store is read");
    assert!(at_every_poll(Times::EXPIRED, 1, silent, next_calls_succeed).await > 3, "the call waits for the refresh");
    at_every_poll(Times::DUE, 1, silent, next_calls_succeed).await;
    at_every_poll(Times::GOOD, 1, async |scene| drop(scene.forced().await.unwrap()), next_calls_succeed).await;
    let nobody = async |scene: &Scene| {
        let outcome = scene.app.acquire_token_silent(&scopes(), Some(&account(7))).send().await;
        assert!(matches!(outcome, Err(AuthError::UiRequired(_))));
    };
    at_every_poll(Times::GOOD, 0, nobody, next_calls_succeed).await;
    let combined = async |scene: &Scene| {
        drop(scene.app.acquire_token(&scopes()).account(&account(0)).send().await.unwrap());
    };
    at_every_poll(Times::EXPIRED, 1, combined, next_calls_succeed).await;
}

#[tokio::test(start_paused = true)]
async fn listing_and_removing_accounts_can_be_dropped_at_any_point() {
    let list = async |scene: &Scene| assert_eq!(scene.app.accounts().await.unwrap().len(), 2);
    at_every_poll(Times::GOOD, 0, list, next_calls_succeed).await;
    let find = async |scene: &Scene| assert!(scene.app.account("u1").await.unwrap().is_some());
    at_every_poll(Times::GOOD, 0, find, next_calls_succeed).await;
    let remove = async |scene: &Scene| assert!(scene.app.remove_account(&account(0)).await.unwrap());
    let removed = async |scene: &Scene, ended: bool| {
        let left = scene.app.accounts().await.unwrap();
        assert!(left.len() == 1 || !ended, "a completed removal removes the account");
        // Removed entirely, or not at all.
        assert_eq!(scene.silent(0).await.is_ok(), left.len() == 2);
        assert_eq!(scene.app.remove_account(&account(0)).await.unwrap(), left.len() == 2);
        assert!(scene.silent(0).await.is_err() && scene.silent(1).await.is_ok());
    };
    assert!(at_every_poll(Times::GOOD, 0, remove, removed).await > 4);
}

#[tokio::test(start_paused = true)]
async fn close_can_be_dropped_at_any_point() {
    let close = async |scene: &Scene| {
        let begun = scene.silent(0);
        let mut begun = pin!(begun);
        // Poll until the refresh has begun.
        while scene.provider.count() == 0 {
            assert!(begun.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            yield_now().await;
        }
        scene.app.close().await;
        assert_eq!(scene.refresh_token(0).await, "rt0.0");
    };
    at_every_poll(Times::EXPIRED, 1, close, next_calls_succeed).await;
}
