//! every public future, dropped after every number of polls. Nothing stays locked, nothing is lost, no task is left,
//! and whoever calls next is served.

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

/// A store that lets others go first each time.
#[derive(Clone)]
pub(crate) struct Polite(pub(crate) MemoryStorage);

impl Storage for Polite {
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

/// Makes the call after zero, one, two and more polls, each time in a scene of its own, until it comes to its end. Returns
/// how many polls that took.
async fn at_every_poll(
    times: Times,
    requests: usize,
    call: impl AsyncFn(&Scene),
    after: impl AsyncFn(&Scene, bool),
) -> usize {
    for polls in 0..100 {
        let scene = Scene::new(2, times, Provider::new(Reply::tokens)).await.polite();
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
            "{polls}: it ends by itself"
        );
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "{polls}: no task is left");
        for name in [LockName::Document, LockName::Refresh("any")] {
            let lock = scene.storage.lock(name, &mut LockBudget::new(Duration::ZERO), &Observer::default()).await;
            assert!(lock.is_ok(), "{polls}: it is free");
        }
        assert!(scene.provider.count() <= requests, "{polls}: nothing is asked twice");
        after(&scene, ended).await;
        scene.app.close().await;
        if ended {
            return polls;
        }
    }
    panic!("it has no end")
}

/// What was redeemed is what is stored, and the next call gets a token with it.
async fn is_served(scene: &Scene, _: bool) {
    let number = scene.provider.count();
    let stored = scene.refresh_token(0).await;
    assert_eq!(stored, if number == 0 { "rt0".to_owned() } else { format!("rt0.{}", number - 1) });
    scene.silent(0).await.unwrap();
    scene.silent(1).await.unwrap();
    scene.forced().await.unwrap();
    assert_eq!(scene.provider.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn silent_calls() {
    let silent = async |scene: &Scene| drop(scene.silent(0).await.unwrap());
    assert!(at_every_poll(Times::GOOD, 0, silent, is_served).await > 1, "the store is read");
    assert!(at_every_poll(Times::EXPIRED, 1, silent, is_served).await > 3, "it waits for the refresh");
    at_every_poll(Times::DUE, 1, silent, is_served).await;
    at_every_poll(Times::GOOD, 1, async |scene| drop(scene.forced().await.unwrap()), is_served).await;
    let nobody = async |scene: &Scene| {
        let outcome = scene.app.acquire_token_silent(&scopes(), Some(&account(7))).send().await;
        assert!(matches!(outcome, Err(AuthError::UiRequired(_))));
    };
    at_every_poll(Times::GOOD, 0, nobody, is_served).await;
    let combined = async |scene: &Scene| {
        drop(scene.app.acquire_token(&scopes()).account(&account(0)).send().await.unwrap());
    };
    at_every_poll(Times::EXPIRED, 1, combined, is_served).await;
}

#[tokio::test(start_paused = true)]
async fn accounts_and_their_removal() {
    let list = async |scene: &Scene| assert_eq!(scene.app.accounts().await.unwrap().len(), 2);
    at_every_poll(Times::GOOD, 0, list, is_served).await;
    let find = async |scene: &Scene| assert!(scene.app.account("u1").await.unwrap().is_some());
    at_every_poll(Times::GOOD, 0, find, is_served).await;
    let remove = async |scene: &Scene| assert!(scene.app.remove_account(&account(0)).await.unwrap());
    let removed = async |scene: &Scene, ended: bool| {
        let left = scene.app.accounts().await.unwrap();
        assert!(left.len() == 1 || !ended, "it is gone when that was said");
        // All of it, or nothing.
        assert_eq!(scene.silent(0).await.is_ok(), left.len() == 2);
        assert_eq!(scene.app.remove_account(&account(0)).await.unwrap(), left.len() == 2);
        assert!(scene.silent(0).await.is_err() && scene.silent(1).await.is_ok());
    };
    assert!(at_every_poll(Times::GOOD, 0, remove, removed).await > 4);
}

#[tokio::test(start_paused = true)]
async fn close() {
    let close = async |scene: &Scene| {
        let begun = scene.silent(0);
        let mut begun = pin!(begun);
        // Until the refresh has begun.
        while scene.provider.count() == 0 {
            assert!(begun.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            yield_now().await;
        }
        scene.app.close().await;
        assert_eq!(scene.refresh_token(0).await, "rt0.0");
    };
    at_every_poll(Times::EXPIRED, 1, close, is_served).await;
}
