//! A cache that stores each partition as a separate value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::assertion::Assertion;
use crate::storage::{BoxFuture, Stored, Version};

/// A store in memory that may fail. Once read, a partition is trusted forever.
#[derive(Clone, Default)]
struct Distant(Arc<State>);

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fails {
    Everything,
    Links,
    Assertions,
}

#[derive(Default)]
struct State {
    values: Mutex<BTreeMap<PartitionKey, MemoryStorage>>,
    links: Mutex<BTreeSet<(PartitionKey, PartitionKey)>>,
    reads: AtomicUsize,
    /// How many reads are under way, and the most there have been.
    reading: AtomicUsize,
    most_at_once: AtomicUsize,
    failing: Mutex<Option<Fails>>,
}

/// One partition, and the version that was last seen.
struct Partition {
    state: Arc<State>,
    /// The failure that affects it.
    part: Fails,
    inner: MemoryStorage,
    learned: Mutex<Option<Version>>,
}

impl Distant {
    fn set_down(&self, is_down: bool) {
        self.set_failing(is_down.then_some(Fails::Everything));
    }

    fn set_failing(&self, failing: Option<Fails>) {
        *self.0.failing.lock().unwrap() = failing;
    }

    /// How many reads there were since the last call.
    fn reads(&self) -> usize {
        self.0.reads.swap(0, Ordering::SeqCst)
    }

    /// The keys of the partitions that are stored.
    fn names(&self) -> Vec<String> {
        let values = self.0.values.lock().unwrap();
        let stored = values.iter().filter(|(_, value)| Storage::version(*value).unwrap() != Version::NONE);
        stored.map(|(key, _)| format!("{key:?}")).collect()
    }

    fn check(&self, part: Fails) -> Result<(), StorageError> {
        self.0.check(part)
    }
}

impl State {
    fn check(&self, part: Fails) -> Result<(), StorageError> {
        match *self.failing.lock().unwrap() {
            Some(failing) if failing == part || failing == Fails::Everything => {
                Err(StorageError::new("reached", "far away", "it is down"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl PartitionedStorage for Distant {
    fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage> {
        let inner = self.0.values.lock().unwrap().entry(key.clone()).or_default().clone();
        let part = if matches!(key, PartitionKey::Assertion(_)) { Fails::Assertions } else { Fails::Everything };
        Arc::new(Partition { state: Arc::clone(&self.0), part, inner, learned: Mutex::default() })
    }

    async fn users(&self) -> Result<Vec<PartitionKey>, StorageError> {
        self.check(Fails::Everything)?;
        let values = self.0.values.lock().unwrap();
        let users = values.iter().filter(|(key, _)| matches!(key, PartitionKey::User(_)));
        let stored = users.filter(|(_, value)| Storage::version(*value).unwrap() != Version::NONE);
        Ok(stored.map(|(key, _)| key.clone()).collect())
    }

    async fn link(&self, user: &PartitionKey, assertion: &PartitionKey, _until: Timestamp) -> Result<(), StorageError> {
        self.0.links.lock().unwrap().insert((user.clone(), assertion.clone()));
        self.check(Fails::Links)
    }

    async fn linked(&self, user: &PartitionKey) -> Result<Vec<PartitionKey>, StorageError> {
        self.check(Fails::Links)?;
        let links = self.0.links.lock().unwrap();
        Ok(links.iter().filter(|(own, _)| own == user).map(|(_, assertion)| assertion.clone()).collect())
    }
}

impl DynStorage for Partition {
    fn version(&self) -> Result<Version, StorageError> {
        Ok(self.learned.lock().unwrap().filter(|version| *version != Version::NONE).unwrap_or(Version::UNKNOWN))
    }

    fn read<'a>(&'a self, observer: &'a Observer) -> BoxFuture<'a, Result<Stored, StorageError>> {
        self.state.reads.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let reading = self.state.reading.fetch_add(1, Ordering::SeqCst) + 1;
            self.state.most_at_once.fetch_max(reading, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.state.reading.fetch_sub(1, Ordering::SeqCst);
            self.state.check(self.part)?;
            let stored = Storage::read(&self.inner, observer).await?;
            *self.learned.lock().unwrap() = Some(stored.version);
            Ok(stored)
        })
    }

    fn replace<'a>(
        &'a self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &'a Observer,
    ) -> BoxFuture<'a, Result<Replaced, StorageError>> {
        Box::pin(async move {
            self.state.check(self.part)?;
            let replaced = Storage::replace(&self.inner, content, expected, keep_until, observer).await?;
            *self.learned.lock().unwrap() = match replaced {
                Replaced::Done(version) => Some(version),
                Replaced::Conflict => None,
            };
            Ok(replaced)
        })
    }

    fn set_aside(&self) -> BoxFuture<'_, Result<String, StorageError>> {
        Box::pin(Storage::set_aside(&self.inner))
    }

    fn lock<'a>(
        &'a self,
        name: LockName<'a>,
        budget: &'a mut LockBudget,
        observer: &'a Observer,
    ) -> BoxFuture<'a, Result<BoxedLock, StorageError>> {
        *self.learned.lock().unwrap() = None;
        Box::pin(async move {
            self.state.check(self.part)?;
            Storage::lock(&self.inner, name, budget, observer).await
        })
    }
}

fn app(now: Timestamp) -> AppTokenUpdate {
    let tokens = tokens(&entra(T), "User.Read", &[], now);
    AppTokenUpdate::new(Arc::new(entra(T)), client(), Arc::new(tokens))
}

async fn found(cache: &TokenCache, user: &str) -> bool {
    let (authority, client_id, scopes) = (entra(T), client(), scopes("User.Read"));
    let account = AccountId::new(format!("{user}.{T}"));
    let query = Query::new(&authority, &client_id, &account, &scopes);
    match cache.try_lookup(&query, NOW) {
        Some(found) => found.serves(),
        None => cache.lookup(&query, NOW).await.unwrap().serves(),
    }
}

#[tokio::test]
async fn each_partition_is_a_value_and_a_hit_reads_none() {
    let store = Distant::default();
    let (cache, other) = (TokenCache::partitioned(store.clone()), TokenCache::partitioned(store.clone()));
    assert!(!found(&other, "ada").await, "nothing is stored yet");
    for user in ["ada", "bob"] {
        super::store(&cache, user, false).await.unwrap();
    }
    cache.store_app(app(NOW)).await.unwrap();
    let expected = [format!("User(\"ada.{T}\")"), format!("User(\"bob.{T}\")"), format!("App(\"my-client-id\\n{T}\")")];
    assert_eq!(store.names(), expected);
    store.reads();
    assert!(found(&cache, "ada").await && found(&cache, "ada").await);
    assert_eq!(store.reads(), 0, "what is in memory costs nothing");
    assert!(found(&other, "ada").await, "an earlier miss is not trusted");
    assert_eq!(store.reads(), 1, "a miss is one read");
    assert!(found(&other, "ada").await);
    assert_eq!(store.reads(), 0);
    assert!(!found(&cache, "cy").await && !found(&cache, "cy").await);
    assert_eq!(store.reads(), 2, "an unknown user is read each time");
    assert_eq!(names(&other).await, ["ada", "bob"]);
    let account = other.account(&entra(T), &client(), &AccountId::new(format!("bob.{T}"))).await.unwrap();
    assert_eq!(account.unwrap().home_account_id.as_str(), format!("bob.{T}"));
    let (authority, client_id, wanted) = (entra(T), client(), scopes("User.Read"));
    let query = AppQuery::new(&authority, &client_id, &wanted);
    assert!(other.lookup_app(&query, NOW).await.unwrap().serves());
}

// S-87, where partitions do not change together.
#[tokio::test]
async fn a_sign_out_removes_tokens_on_behalf_of_the_user() {
    let store = Distant::default();
    let cache = TokenCache::partitioned(store.clone());
    super::store(&cache, "ada", false).await.unwrap();
    let tokens = tokens(&entra(T), "User.Read", &sign_in(&entra(T), T, "ada"), NOW);
    let app = AppTokenUpdate::new(Arc::new(entra(T)), client(), Arc::new(tokens));
    let (assertion, authority, client_id, wanted) =
        (Assertion::from_token("a"), entra(T), client(), scopes("User.Read"));
    cache.store_assertion(AssertionTokenUpdate::new(assertion.clone(), None, app)).await.unwrap();
    let query = AssertionQuery::new(&assertion, AppQuery::new(&authority, &client_id, &wanted));
    assert!(cache.lookup_assertion(&query, NOW).await.unwrap().serves());

    let other = TokenCache::partitioned(store.clone());
    let ada = other.accounts(&authority, &client_id).await.unwrap().remove(0);
    assert!(other.remove_account(&authority, &client_id, &ada, RemovalScope::Family).await.unwrap());
    assert!(!other.remove_account(&authority, &client_id, &ada, RemovalScope::Family).await.unwrap());
    let another = TokenCache::partitioned(store);
    assert!(!another.lookup_assertion(&query, NOW).await.unwrap().serves());
    assert!(!found(&another, "ada").await);
}

// S-87, S-98: whatever part of the store fails, this process forgets everything at once, and the store will.
#[tokio::test]
async fn a_sign_out_that_the_store_refuses_takes_effect_in_memory() {
    for fails in [Fails::Everything, Fails::Links, Fails::Assertions] {
        let store = Distant::default();
        let cache = TokenCache::partitioned(store.clone());
        super::store(&cache, "ada", false).await.unwrap();
        super::store(&cache, "bob", false).await.unwrap();
        let (authority, client_id, wanted) = (entra(T), client(), scopes("User.Read"));
        let assertions = [("ada", Assertion::from_token("a")), ("bob", Assertion::from_token("b"))];
        for (user, assertion) in &assertions {
            let tokens = tokens(&authority, "User.Read", &sign_in(&authority, T, user), NOW);
            let app = AppTokenUpdate::new(Arc::new(entra(T)), client(), Arc::new(tokens));
            cache.store_assertion(AssertionTokenUpdate::new(assertion.clone(), None, app)).await.unwrap();
        }
        let ada = cache.accounts(&authority, &client_id).await.unwrap().into_iter();
        let ada = ada.into_iter().find(|account| account.home_account_id.as_str().starts_with("ada")).unwrap();

        store.set_failing(Some(fails));
        cache.remove_account(&authority, &client_id, &ada, RemovalScope::Family).await.unwrap_err();
        let serves = async |cache: &TokenCache, assertion: &Assertion| {
            let query = AssertionQuery::new(assertion, AppQuery::new(&authority, &client_id, &wanted));
            cache.lookup_assertion(&query, NOW).await.unwrap().serves()
        };
        assert!(!found(&cache, "ada").await && !serves(&cache, &assertions[0].1).await, "{fails:?}");
        assert!(found(&cache, "bob").await && serves(&cache, &assertions[1].1).await, "{fails:?}");

        store.set_failing(None);
        cache.flush().await.unwrap();
        let other = TokenCache::partitioned(store.clone());
        assert!(!found(&other, "ada").await && !serves(&other, &assertions[0].1).await, "{fails:?}");
        assert!(found(&other, "bob").await && serves(&other, &assertions[1].1).await, "{fails:?}");
    }
}

// S-98
#[tokio::test]
async fn while_the_store_fails_tokens_are_kept_in_memory() {
    let store = Distant::default();
    let cache = TokenCache::partitioned(store.clone());
    super::store(&cache, "ada", false).await.unwrap();
    store.set_down(true);
    super::store(&cache, "bob", false).await.unwrap_err();
    assert!(found(&cache, "ada").await && found(&cache, "bob").await, "what this process knows remains usable");
    assert_eq!(names(&cache).await, ["ada", "bob"]);
    assert!(cache.flush().await.is_err());
    store.set_down(false);
    cache.flush().await.unwrap();
    assert_eq!(names(&TokenCache::partitioned(store)).await, ["ada", "bob"]);
}

#[tokio::test]
async fn memory_is_bounded_and_unsaved_changes_are_dropped_last() {
    let store = Distant::default();
    let limits = Limits { partitions: 16, ..Limits::default() };
    let cache = TokenCache::partitioned(store.clone()).with_limits(limits);
    store.set_down(true);
    super::store(&cache, "waits", false).await.unwrap_err();
    store.set_down(false);
    for number in 0..100 {
        super::store(&cache, &format!("user{number}"), false).await.unwrap();
        assert!(cache.documents.known().len() <= 16);
    }
    cache.flush().await.unwrap();
    store.reads();
    assert!(found(&cache, "user99").await && found(&cache, "waits").await);
    assert_eq!(store.reads(), 0, "the most recently used are in memory");
    assert!(found(&cache, "user0").await);
    assert_eq!(store.reads(), 1, "the others are read");
    assert_eq!(names(&TokenCache::partitioned(store)).await.len(), 101);
}

// however large partitions are, their total is bounded, and changes that are given up are reported (S-98).
#[tokio::test]
async fn memory_is_bounded_in_bytes() {
    let large = async |cache: &TokenCache, user: &str| {
        cache.store(update_of(user, &[("access_token", json!("x".repeat(10_000)))], NOW)).await
    };
    let (store, heard) = (Distant::default(), Arc::<Mutex<Vec<Event>>>::default());
    let listener = Arc::clone(&heard);
    let limits = Limits { bytes: 200_000, ..Limits::default() };
    let cache = TokenCache::partitioned(store.clone()).with_limits(limits);
    let cache = cache.on_event(move |event| listener.lock().unwrap().push(event.clone()));
    let in_memory = || {
        let known = cache.documents.known();
        known.iter().map(|live| crate::limits::memory(live.known().document.size())).sum::<usize>()
    };
    let mut max = 0;
    for number in 0..100 {
        large(&cache, &format!("user{number}")).await.unwrap();
        max = max.max(in_memory());
    }
    assert!((100_000..=200_000).contains(&max), "{max} bytes");
    store.reads();
    assert!(found(&cache, "user99").await, "the most recently used are in memory");
    assert_eq!(store.reads(), 0);
    let abandoned = || {
        let heard = heard.lock().unwrap();
        heard
            .iter()
            .map(|event| if let Event::Abandoned { partitions } = event { *partitions } else { 0 })
            .sum::<usize>()
    };
    assert_eq!(abandoned(), 0, "everything is stored");
    store.set_down(true);
    for number in 0..50 {
        large(&cache, &format!("late{number}")).await.unwrap_err();
        assert!(in_memory() <= 200_000);
    }
    store.set_down(false);
    cache.flush().await.unwrap();
    let stored = store.names().iter().filter(|name| name.contains("late")).count();
    assert_eq!((stored + abandoned(), abandoned() > 0), (50, true));
}

// Listing all users reads many at a time, and keeps those in use in memory.
#[tokio::test]
async fn listing_all_users_displaces_none_in_use() {
    let store = Distant::default();
    let limits = Limits { partitions: 8, ..Limits::default() };
    let cache = TokenCache::partitioned(store.clone()).with_limits(limits);
    for number in 0..100 {
        super::store(&cache, &format!("user{number:02}"), false).await.unwrap();
    }
    assert!(found(&cache, "user99").await);
    let (held, _) = (cache.documents.known().len(), store.reads());
    assert_eq!(names(&cache).await.len(), 100);
    assert!(store.reads() >= 92, "the others are read");
    assert!(store.0.most_at_once.load(Ordering::SeqCst) >= 8);
    assert_eq!(cache.documents.known().len(), held);
    assert!(found(&cache, "user99").await);
    assert_eq!(store.reads(), 0, "and none of them was kept");
}

#[tokio::test]
async fn a_document_is_split_into_partitions_and_joined_again() {
    let whole = TokenCache::in_memory();
    for user in ["ada", "bob"] {
        store(&whole, user, false).await.unwrap();
    }
    let json = whole.to_json();
    let store = Distant::default();
    let cache = TokenCache::partitioned(store.clone());
    cache.merge_json(&json).unwrap();
    cache.flush().await.unwrap();
    assert_eq!(names(&TokenCache::partitioned(store)).await, ["ada", "bob"]);
    let values = [json, cache.to_json()].map(|json| serde_json::from_slice::<Value>(&json).unwrap());
    assert_eq!(values[0], values[1]);
}
