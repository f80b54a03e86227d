//! A token in memory costs one lookup and nothing else.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use auth::{AuthResult, Authority, Clock, Durations, PublicClient, Storage as _, Timestamp, TokenCache, TokenSource};

use crate::provider::{Provider, Reply};
use crate::scene::{CLIENT, NOW, Scene, TENANT, Times, account, scopes};

/// A clock that counts how often it is read.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Clock for Counting {
    fn now(&self) -> Timestamp {
        self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_unix_seconds(NOW)
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(NOW)
    }
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

#[tokio::test]
async fn a_hit_does_not_wait_and_reads_the_clock_once() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let clock = Counting::default();
    let app = PublicClient::builder(CLIENT)
        .authority(Authority::tenant(TENANT).unwrap())
        .storage(scene.storage.clone())
        .transport(scene.provider.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let (wanted, ada) = (scopes(), account(0));
    let check = |result: AuthResult| {
        assert_eq!((result.access_token().expose(), result.source()), ("old-0", TokenSource::Cache));
        assert!(result.persisted());
        assert_eq!(result.account().unwrap().username, "u0");
        assert_eq!((result.tenant_id().as_deref(), result.unique_id()), (Some(TENANT), None));
        assert!(result.id_token().is_none() && result.declined_scopes().is_empty());
        (result.correlation_id(), result.durations())
    };
    // The first call reads the store.
    check(app.acquire_token_silent(&wanted, Some(&ada)).send().await.unwrap());
    let before = clock.0.load(Ordering::SeqCst);
    let ids = [
        check(at_once(app.acquire_token_silent(&wanted, Some(&ada)).send()).unwrap()),
        check(at_once(app.acquire_token(&wanted).account(&ada).send()).unwrap()),
    ];
    assert_eq!(clock.0.load(Ordering::SeqCst) - before, ids.len());
    assert_ne!(ids[0].0, ids[1].0, "each call has its own correlation ID");
    assert!(ids.iter().all(|(_, durations)| *durations == Durations::default()), "no call waited");
    assert_eq!(scene.provider.count(), 0);
}

#[tokio::test]
async fn a_cache_supplied_by_the_application_is_used() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let cache = Arc::new(TokenCache::in_memory());
    cache.merge_json(&scene.storage.read(&auth::Observer::default()).await.unwrap().content).unwrap();
    let app = PublicClient::builder(CLIENT)
        .authority(Authority::tenant(TENANT).unwrap())
        .cache(Arc::clone(&cache))
        .transport(scene.provider.clone())
        .clock(scene.clock.clone())
        .build()
        .unwrap();
    let (wanted, ada) = (scopes(), account(0));
    let result = app.acquire_token_silent(&wanted, Some(&ada)).send().await.unwrap();
    assert_eq!(
        (result.access_token().expose(), result.source(), result.persisted()),
        ("old-0", TokenSource::Cache, false)
    );
    assert!(app.remove_account(&ada).await.unwrap());
    assert!(!String::from_utf8_lossy(&cache.to_json()).contains("old-0"), "the application sees the removal");
}

#[tokio::test]
async fn the_future_of_a_call_is_small() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let (wanted, ada) = (scopes(), account(0));
    let call = scene.app.acquire_token_silent(&wanted, Some(&ada)).send();
    // Ten thousand calls may wait at once.
    assert!(size_of_val(&call) <= 384, "{}", size_of_val(&call));
}
