//! S-98, S-99, S-101: a failing store costs what it would have stored, and nothing else.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::event::Observer;
use crate::storage::{Stored, Version};

/// A store in memory whose operations fail on request, and into which another program writes unnoticed.
#[derive(Clone, Default)]
pub(super) struct Flaky {
    pub(super) inner: MemoryStorage,
    failing: Arc<Mutex<Vec<&'static str>>>,
    pub(super) intruder: Arc<Mutex<Vec<String>>>,
    /// How many times a document was to be replaced.
    pub(super) replacing: Arc<AtomicUsize>,
    /// How many times a lock was asked for.
    pub(super) locking: Arc<AtomicUsize>,
}

impl Flaky {
    pub(super) fn fail(&self, operations: &[&'static str]) {
        *self.failing.lock().unwrap() = operations.to_vec();
    }

    fn check(&self, operation: &'static str) -> Result<(), StorageError> {
        let failing = self.failing.lock().unwrap().contains(&operation);
        if failing { Err(StorageError::new(operation, "flaky", "it was told to fail")) } else { Ok(()) }
    }
}

impl Storage for Flaky {
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

// S-98, S-101: the caller gets an error, this process continues, and the next change stores everything.
#[tokio::test]
async fn a_change_that_cannot_be_stored_takes_effect_and_is_stored_later() {
    for failing in [
        &["lock"][..],
        &["replace"],
        &["read"],
        &["version", "read"],
        &["version", "read", "replace", "lock", "set_aside"],
        &["lock", "read"],
    ] {
        let storage = Flaky::default();
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

// S-102: a delayed change never undoes what others have stored in the meantime.
#[tokio::test]
async fn a_deferred_write_undoes_nothing() {
    let storage = Flaky::default();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.clone()));
    storage.fail(&["lock"]);
    assert!(store(&cache, "ada", false).await.is_err());
    storage.fail(&[]);
    store(&other, "bob", false).await.unwrap();
    store(&cache, "cy", false).await.unwrap();
    assert!(is_served(&cache, "bob").await && is_served(&other, "cy").await);
}

#[tokio::test]
async fn an_unreadable_store_is_an_error_if_nothing_is_known() {
    let storage = Flaky::default();
    overwrite(&storage.inner, "{}").await;
    let cache = TokenCache::new(storage.clone());
    for failing in ["version", "read"] {
        storage.fail(&[failing]);
        assert_eq!(look(&cache, "ada").await.unwrap_err().operation, failing);
        assert_eq!(cache.accounts(&entra(T), &client()).await.unwrap_err().operation, failing);
    }
}

// A valid token is served without the store, as long as the store does not report a change.
#[tokio::test]
async fn lookups_need_no_lock_and_no_read() {
    let storage = Flaky::default();
    let cache = TokenCache::new(storage.clone());
    store(&cache, "ada", false).await.unwrap();
    storage.fail(&["lock", "read", "replace"]);
    assert!(is_served(&cache, "ada").await);
}

// Replacing compares the version: on a conflict, the writer reads again and applies its change to what is there now.
#[tokio::test]
async fn an_overtaken_writer_starts_over() {
    let storage = Flaky::default();
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

// S-99: content that is not a document is moved aside, and a new sign-in succeeds.
#[tokio::test]
async fn content_that_is_not_a_document_does_not_prevent_a_sign_in() {
    for bad in ["[]", "{\"AccessToken\":", "nonsense", "\u{feff}null"] {
        let storage = Flaky::default();
        overwrite(&storage.inner, bad).await;
        let cache = TokenCache::new(storage.clone());
        assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)), "{bad}");
        overwrite(&storage.inner, bad).await;
        assert_eq!(store(&cache, "ada", false).await, Ok(true), "{bad}");
        assert!(is_served(&TokenCache::new(storage), "ada").await, "{bad}");
    }
}

// S-79: reported as not stored, but served by this process.
#[tokio::test]
async fn a_key_that_is_taken_is_an_error() {
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

// S-101, R-06: a process that has read the store continues with what it knows.
#[tokio::test]
async fn what_was_read_remains_usable_when_the_store_becomes_unreadable() {
    for failing in ["version", "read"] {
        let storage = Flaky::default();
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

// S-99: a writer in place may have emptied the document and not yet written it, so an empty one is trusted only under
// the lock.
#[tokio::test]
async fn an_empty_document_is_read_again_under_the_lock() {
    let storage = Flaky::default();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.inner.clone()));
    store(&other, "ada", false).await.unwrap();
    assert!(is_served(&cache, "ada").await);
    let whole = stored(&storage.inner).await.to_string();
    overwrite(&storage.inner, "").await;
    storage.fail(&["lock"]);
    assert!(is_served(&cache, "ada").await, "it is being written");
    overwrite(&storage.inner, &whole).await;
    assert!(is_served(&cache, "ada").await);
    overwrite(&storage.inner, "").await;
    storage.fail(&[]);
    assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)), "it is empty");
    let locks = storage.locking.load(Ordering::SeqCst);
    assert!(names(&cache).await.is_empty());
    assert_eq!(storage.locking.load(Ordering::SeqCst), locks, "and is not read again");
}
