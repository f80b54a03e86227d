//! Changes that the store refused are stored later, and waiting for its locks is limited (S-98, S-101).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth::{MemoryStorage, Observer, Storage, StorageError, Timestamp};
use auth_cache::{BoxedLock, LockBudget, LockName, Replaced, Stored, Version};
use zeroize::Zeroizing;

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times};

/// A store that can be full.
#[derive(Clone)]
struct Full {
    inner: MemoryStorage,
    is_full: Arc<AtomicBool>,
}

impl Storage for Full {
    fn version(&self) -> Result<Version, StorageError> {
        self.inner.version()
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        self.inner.read(observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StorageError::new("written", "memory", "it is full"));
        }
        self.inner.replace(content, expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        self.inner.set_aside().await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        self.inner.lock(name, budget, observer).await
    }
}

/// A client that refreshed its token while its store was full.
async fn unsaved() -> (Scene, Arc<AtomicBool>) {
    let is_full = Arc::new(AtomicBool::new(true));
    let scene = Scene::new(1, Times::EXPIRED, Provider::new(Reply::tokens)).await;
    let storage = Full { inner: scene.storage.clone(), is_full: Arc::clone(&is_full) };
    let scene = scene.over(storage);
    let result = scene.silent(0).await.unwrap();
    assert!(!result.persisted() && result.persistence_error().is_some());
    assert_eq!(scene.refresh_token(0).await, "rt0");
    (scene, is_full)
}

// S-98, R-39: a program that exits loses no rotated refresh token that could be stored.
#[tokio::test]
async fn close_stores_what_the_store_refused() {
    let (scene, is_full) = unsaved().await;
    scene.app.close().await;
    assert_eq!(scene.refresh_token(0).await, "rt0", "the store is still full");
    is_full.store(false, Ordering::SeqCst);
    scene.app.close().await;
    assert_eq!(scene.refresh_token(0).await, "rt0.0");
}

// S-98: a program that keeps running stores it at the next use of the cache.
#[tokio::test]
async fn the_next_hit_stores_what_the_store_refused() {
    let (scene, is_full) = unsaved().await;
    let is_persisted = async || scene.silent(0).await.unwrap().persisted();
    for _ in 0..3 {
        assert!(!is_persisted().await, "the token is only in memory");
    }
    is_full.store(false, Ordering::SeqCst);
    assert!(!is_persisted().await);
    assert_eq!(scene.refresh_token(0).await, "rt0", "the write is not retried at once");
    scene.wait(30);
    for _ in 0..2 {
        assert!(is_persisted().await);
    }
    assert_eq!(scene.refresh_token(0).await, "rt0.0");
    assert_eq!(scene.provider.asked().len(), 1);
}

// S-101: the waits for the refresh lock and the document's lock share ten seconds, not counting the request.
#[cfg(feature = "file")]
#[tokio::test(start_paused = true)]
async fn a_call_waits_ten_seconds_for_all_its_locks() {
    use std::time::Duration;

    use auth::{FileStorage, TokenCache};
    use auth_core::{AccountId, Authority, ClientId};

    use crate::scene::{CLIENT, TENANT, document};

    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("cache.json")).unwrap();
    let content = document(1, Times::EXPIRED).to_string().into_bytes();
    storage.replace(content.into(), Version::NONE, None, &Observer::default()).await.unwrap();
    let scene = Scene::new(0, Times::EXPIRED, Provider::new(Reply::tokens)).await.over(storage.clone());

    let elsewhere = TokenCache::new(storage.clone());
    let (authority, client) = (Authority::tenant(TENANT).unwrap(), ClientId::new(CLIENT).unwrap());
    let account = AccountId::new(format!("u0.{TENANT}"));
    let mut budget = LockBudget::default();
    let refresh = elsewhere.refresh_lock(&authority, &client, &account, &mut budget).await.unwrap();
    let begun = tokio::time::Instant::now();
    let held = storage.lock(LockName::Document, &mut budget, &Observer::default()).await.unwrap();
    let (result, ()) = tokio::join!(scene.silent(0), async {
        // In steps, so that the wait begins in one of the first.
        for _ in 0..70 {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        drop(refresh);
    });
    let (result, waited) = (result.unwrap(), begun.elapsed());
    assert!(!result.persisted(), "the document's lock was never free");
    assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&waited), "{waited:?}");
    drop(held);
}
