//! S-98, S-99, S-101: a store that fails costs its own service and nothing else.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::event::Observer;
use crate::storage::{Stored, Version};

/// A store in memory of which some operations fail, and into which somebody writes behind our back.
#[derive(Clone, Default)]
pub(super) struct Moody {
    pub(super) inner: MemoryStorage,
    failing: Arc<Mutex<Vec<&'static str>>>,
    pub(super) intruder: Arc<Mutex<Vec<String>>>,
    /// How often somebody tried to replace the document.
    pub(super) replacing: Arc<AtomicUsize>,
    /// How often somebody asked for a lock.
    pub(super) locking: Arc<AtomicUsize>,
}

impl Moody {
    pub(super) fn fail(&self, operations: &[&'static str]) {
        *self.failing.lock().unwrap() = operations.to_vec();
    }

    fn check(&self, operation: &'static str) -> Result<(), StorageError> {
        let failing = self.failing.lock().unwrap().contains(&operation);
        if failing { Err(StorageError::new(operation, "moody", "it is in no mood")) } else { Ok(()) }
    }
}

impl Storage for Moody {
    fn version(&self) -> Result<Version, StorageError> {
        self.check("version")?;
        Storage::version(&self.inner)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        self.check("read")?;
        Storage::read(&self.inner, observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        self.check("replace")?;
        self.replacing.fetch_add(1, Ordering::SeqCst);
        let intruder = self.intruder.lock().unwrap().pop();
        if let Some(text) = intruder {
            overwrite(&self.inner, &text).await;
        }
        Storage::replace(&self.inner, content, expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        self.check("set_aside")?;
        Storage::set_aside(&self.inner).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        self.locking.fetch_add(1, Ordering::SeqCst);
        self.check("lock")?;
        Storage::lock(&self.inner, name, budget, observer).await
    }
}

// S-98, S-101: the caller is told, this process goes on, and the next change brings everything into the store.
#[tokio::test]
async fn what_cannot_be_stored_serves_this_process_and_is_stored_later() {
    for failing in [
        &["lock"][..],
        &["replace"],
        &["read"],
        &["version", "read"],
        &["version", "read", "replace", "lock", "set_aside"],
        &["lock", "read"],
    ] {
        let storage = Moody::default();
        overwrite(&storage.inner, "{}").await;
        let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.clone()));
        storage.fail(failing);
        assert!(store(&cache, "ada", false).await.is_err(), "{failing:?}");
        assert!(store(&cache, "bob", false).await.is_err(), "{failing:?}");
        assert!(is_served(&cache, "ada").await && is_served(&cache, "bob").await, "{failing:?}");
        assert_eq!(names(&cache).await, ["ada", "bob"], "{failing:?}");
        assert!(remove(&cache, "bob").await.is_err(), "{failing:?}");
        assert!(!is_served(&cache, "bob").await, "{failing:?}");
        storage.fail(&[]);
        assert!(is_served(&cache, "ada").await, "{failing:?}");
        assert_eq!(store(&cache, "cy", false).await, Ok(true), "{failing:?}");
        assert_eq!(names(&other).await, ["ada", "cy"], "{failing:?}");
    }
}

// S-102: what waits to be stored never undoes what somebody else has stored meanwhile.
#[tokio::test]
async fn a_deferred_write_undoes_nothing() {
    let storage = Moody::default();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.clone()));
    storage.fail(&["lock"]);
    assert!(store(&cache, "ada", false).await.is_err());
    storage.fail(&[]);
    store(&other, "bob", false).await.unwrap();
    store(&cache, "cy", false).await.unwrap();
    assert!(is_served(&cache, "bob").await && is_served(&other, "cy").await);
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_an_error_where_nothing_is_known() {
    let storage = Moody::default();
    overwrite(&storage.inner, "{}").await;
    let cache = TokenCache::new(storage.clone());
    for failing in ["version", "read"] {
        storage.fail(&[failing]);
        assert_eq!(look(&cache, "ada").await.unwrap_err().operation, failing);
        assert_eq!(cache.accounts(&entra(T), &client()).await.unwrap_err().operation, failing);
    }
}

// A valid token is served without the store, as long as the store does not say that it changed.
#[tokio::test]
async fn lookups_need_no_lock_and_no_read() {
    let storage = Moody::default();
    let cache = TokenCache::new(storage.clone());
    store(&cache, "ada", false).await.unwrap();
    storage.fail(&["lock", "read", "replace"]);
    assert!(is_served(&cache, "ada").await);
}

// Replacing asks for the version: who was overtaken reads again and applies the change to what is there now.
#[tokio::test]
async fn an_overtaken_writer_starts_over() {
    let storage = Moody::default();
    let cache = TokenCache::new(storage.clone());
    store(&cache, "ada", false).await.unwrap();
    let mut theirs = stored(&storage.inner).await;
    let mut intrusions = Vec::new();
    for number in 0..4 {
        theirs["Foreign"][number.to_string()] = json!(1);
        intrusions.push(theirs.to_string());
    }
    intrusions.reverse();
    *storage.intruder.lock().unwrap() = intrusions;
    assert_eq!(store(&cache, "bob", false).await, Ok(true));
    assert_eq!(names(&cache).await, ["ada", "bob"]);
    assert_eq!(stored(&storage.inner).await["Foreign"], theirs["Foreign"]);

    *storage.intruder.lock().unwrap() = vec![theirs.to_string(); 9];
    let refused = store(&cache, "cy", false).await.unwrap_err();
    assert_eq!(refused.to_string(), "the token cache could not be written: another program keeps changing it");
    assert!(is_served(&cache, "cy").await);
}

// S-99: a document that is none is moved aside, and a new sign-in goes on.
#[tokio::test]
async fn what_is_no_document_does_not_stop_a_sign_in() {
    for bad in ["[]", "{\"AccessToken\":", "nonsense", "\u{feff}null"] {
        let storage = Moody::default();
        overwrite(&storage.inner, bad).await;
        let cache = TokenCache::new(storage.clone());
        assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)), "{bad}");
        overwrite(&storage.inner, bad).await;
        assert_eq!(store(&cache, "ada", false).await, Ok(true), "{bad}");
        assert!(is_served(&TokenCache::new(storage), "ada").await, "{bad}");
    }
}

// S-79: told as not stored, and served here.
#[tokio::test]
async fn a_key_that_is_taken_is_told() {
    let storage = MemoryStorage::new();
    let key = format!("ada.{T}-login.windows.net-refreshtoken-{CLIENT}--");
    let stranger = refresh_token("strangers", &[("home_account_id", json!("another"))]);
    overwrite(&storage, &json!({"RefreshToken": {&key: stranger}}).to_string()).await;
    let cache = TokenCache::new(storage.clone());
    let refused = store(&cache, "ada", false).await.unwrap_err();
    assert_eq!(refused.reason, "another account's entry has the same key");
    assert!(is_served(&cache, "ada").await);
    assert_eq!(stored(&storage).await["RefreshToken"], json!({key: stranger}));
}

// S-101, R-06: who has read the store once goes on with what it knew.
#[tokio::test]
async fn a_store_that_cannot_be_read_any_more_does_not_take_back_what_was_read() {
    for failing in ["version", "read"] {
        let storage = Moody::default();
        let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.inner.clone()));
        store(&other, "ada", false).await.unwrap();
        assert!(is_served(&cache, "ada").await);
        store(&other, "bob", false).await.unwrap();
        storage.fail(&[failing]);
        assert!(is_served(&cache, "ada").await && !is_served(&cache, "bob").await, "{failing}");
        storage.fail(&[]);
        assert!(is_served(&cache, "bob").await, "{failing}");
    }
}

// S-99: a writer in place has emptied the document and not yet written it: only under the lock it is believed.
#[tokio::test]
async fn an_empty_document_is_looked_at_again_under_the_lock() {
    let storage = Moody::default();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.inner.clone()));
    store(&other, "ada", false).await.unwrap();
    assert!(is_served(&cache, "ada").await);
    let whole = stored(&storage.inner).await.to_string();
    overwrite(&storage.inner, "").await;
    storage.fail(&["lock"]);
    assert!(is_served(&cache, "ada").await, "somebody is at it");
    overwrite(&storage.inner, &whole).await;
    assert!(is_served(&cache, "ada").await);
    overwrite(&storage.inner, "").await;
    storage.fail(&[]);
    assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)), "now it is so");
    let locks = storage.locking.load(Ordering::SeqCst);
    assert!(names(&cache).await.is_empty());
    assert_eq!(storage.locking.load(Ordering::SeqCst), locks, "and is not doubted again");
}
