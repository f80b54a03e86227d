//! Readers do not wait for writers.

use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};

use async_lock::Semaphore;

use super::*;
use crate::event::Observer;
use crate::storage::{Stored, Version};

/// A store whose writes wait for permits.
#[derive(Clone)]
struct Gated {
    inner: MemoryStorage,
    gate: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    reads: Arc<AtomicUsize>,
}

impl Storage for Gated {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(&self.inner)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Storage::read(&self.inner, observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        Storage::replace(&self.inner, content, expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        Storage::set_aside(&self.inner).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        Storage::lock(&self.inner, name, budget, observer).await
    }
}

/// The output of a future that is ready when it is first polled.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

async fn blocked_writer() -> (Gated, Arc<TokenCache>, tokio::task::JoinHandle<Result<bool, StorageError>>) {
    let storage = Gated {
        inner: MemoryStorage::new(),
        gate: Arc::new(Semaphore::new(2)),
        waiting: Arc::default(),
        reads: Arc::default(),
    };
    let cache = Arc::new(TokenCache::new(storage.clone()));
    store(&cache, "ada", false).await.unwrap();
    store(&cache, "bob", false).await.unwrap();
    let writer = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { store(&cache, "cy", false).await }
    });
    while storage.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    (storage, cache, writer)
}

#[tokio::test]
async fn lookups_do_not_wait_for_a_writer() {
    let (storage, cache, writer) = blocked_writer().await;
    let reads = storage.reads.load(Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(at_once(is_served(&cache, "ada")), Some(true));
        assert!(at_once(look(&cache, "nobody")).is_some());
        assert!(at_once(names(&cache)).is_some());
        let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
        let account = AccountId::new(format!("bob.{T}"));
        let found = cache.try_lookup(&Query::new(&authority, &client, &account, &wanted), NOW);
        assert!(matches!(found, Some(Lookup::Usable(_))));
        assert!(!cache.to_json().is_empty());
    }
    assert_eq!(storage.reads.load(Ordering::SeqCst), reads, "nothing was read");
    assert!(!writer.is_finished());
    storage.gate.add_permits(1);
    assert_eq!(writer.await.unwrap(), Ok(true));
    assert!(is_served(&cache, "cy").await);
    assert_eq!(storage.reads.load(Ordering::SeqCst), reads, "what we wrote is not read again");
}

// Only a reader that has to read something new waits for it.
#[tokio::test]
async fn a_lookup_waits_for_a_changed_store() {
    let (storage, cache, writer) = blocked_writer().await;
    let mut document = stored(&storage.inner).await;
    document["Foreign"] = json!(1);
    overwrite(&storage.inner, &document.to_string()).await;
    let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
    let account = AccountId::new(format!("ada.{T}"));
    let query = Query::new(&authority, &client, &account, &wanted);
    assert!(cache.try_lookup(&query, NOW).is_none(), "it never waits");
    assert!(at_once(cache.lookup(&query, NOW)).is_none());
    let reader = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { is_served(&cache, "ada").await }
    });
    tokio::task::yield_now().await;
    assert!(!reader.is_finished());
    storage.gate.add_permits(2);
    assert!(reader.await.unwrap());
    assert_eq!(writer.await.unwrap(), Ok(true));
    assert_eq!(names(&cache).await, ["ada", "bob", "cy"]);
    assert_eq!(stored(&storage.inner).await["Foreign"], json!(1));
}

// A caller that gives up midway leaves no lock behind, and nothing half done.
#[tokio::test]
async fn a_writer_that_gives_up_blocks_nobody() {
    let (storage, cache, writer) = blocked_writer().await;
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    storage.gate.add_permits(9);
    assert!(is_served(&cache, "ada").await);
    assert_eq!(store(&cache, "dee", false).await, Ok(true));
    let found = names(&TokenCache::new(storage.inner)).await;
    assert!(["ada", "bob", "dee"].iter().all(|name| found.iter().any(|known| known == name)), "{found:?}");
    assert_eq!(names(&cache).await, found, "this process knows no more than what is stored");
}
