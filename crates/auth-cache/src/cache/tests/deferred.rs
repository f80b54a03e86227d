//! Changes that could not be stored at once (S-98) are stored later, once, and without undoing what others did (S-102).

use core::sync::atomic::Ordering;

use super::failures::Flaky;
use super::*;
use crate::assertion::Assertion;

/// A cache over a store that refuses writes, and another program's cache over the same store.
fn apart() -> (Flaky, TokenCache, TokenCache) {
    let storage = Flaky::default();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.inner.clone()));
    storage.fail(&["lock"]);
    (storage, cache, other)
}

/// Members that tell one sign-in from another.
fn numbered(number: u8) -> Vec<(&'static str, Value)> {
    vec![("access_token", json!(format!("at{number}"))), ("refresh_token", json!(format!("rt{number}")))]
}

async fn secret(storage: &Flaky, section: &str) -> Vec<String> {
    let document = stored(&storage.inner).await;
    let entries = document[section].as_object().unwrap().values();
    entries.map(|entry| entry["secret"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pending_changes_are_stored_with_the_next_change_and_only_once() {
    let (storage, cache, other) = apart();
    store(&cache, "ada", false).await.unwrap_err();
    store(&cache, "bob", false).await.unwrap_err();
    remove(&cache, "bob").await.unwrap_err();
    cache.merge_json(json!({"Foreign": {"a": 1}, "Account": {}}).to_string().as_bytes()).unwrap();
    assert_eq!(storage.replacing.load(Ordering::SeqCst), 0);
    storage.fail(&[]);
    assert_eq!(names(&cache).await, ["ada"]);
    assert_eq!(storage.replacing.load(Ordering::SeqCst), 0, "reading writes nothing");
    store(&cache, "cy", false).await.unwrap();
    assert_eq!(storage.replacing.load(Ordering::SeqCst), 1, "all of it at once");
    assert_eq!(names(&other).await, ["ada", "cy"]);
    assert_eq!(stored(&storage.inner).await["Foreign"], json!({"a": 1}));

    // Later changes by others are kept.
    remove(&other, "ada").await.unwrap();
    store(&other, "bob", false).await.unwrap();
    let mut document = stored(&storage.inner).await;
    document.as_object_mut().unwrap().remove("Foreign");
    overwrite(&storage.inner, &document.to_string()).await;
    assert_eq!(names(&cache).await, ["bob", "cy"]);
    store(&cache, "dee", false).await.unwrap();
    assert_eq!(names(&cache).await, ["bob", "cy", "dee"]);
    assert_eq!(names(&other).await, ["bob", "cy", "dee"]);
    assert_eq!(stored(&storage.inner).await.get("Foreign"), None);
    assert_eq!(remove(&cache, "nobody").await, Ok(false));
    assert_eq!(storage.replacing.load(Ordering::SeqCst), 2, "a change without effect is not written");
}

// S-98: the next lookup stores pending changes without waiting for a lock, and leaves a store that still fails alone
// for a while.
#[tokio::test]
async fn the_next_lookup_stores_pending_changes() {
    let (storage, cache, other) = apart();
    let look = async |seconds| {
        let (authority, client, wanted, account) =
            (entra(T), client(), scopes("User.Read"), AccountId::new(format!("ada.{T}")));
        let query = Query::new(&authority, &client, &account, &wanted);
        let at_once = cache.try_lookup(&query, at(seconds)).is_some();
        assert!(matches!(cache.lookup(&query, at(seconds)).await, Ok(Lookup::Usable(_))));
        at_once
    };
    store(&cache, "ada", false).await.unwrap_err();
    let attempts = || storage.locking.load(Ordering::SeqCst);
    assert_eq!(attempts(), 1);
    for (seconds, retries) in [(0, true), (0, false), (29, false), (30, true), (59, false), (-1, true), (20, false)] {
        let before = attempts();
        assert_eq!((look(seconds).await, attempts() > before), (!retries, retries), "{seconds}");
    }
    storage.fail(&[]);
    assert!(names(&other).await.is_empty());
    assert!(!look(60).await, "a change is pending");
    assert_eq!(names(&other).await, ["ada"]);
    assert!(look(3000).await, "no change is pending");

    // It does not wait while another holds the lock.
    storage.fail(&["lock"]);
    store(&cache, "bob", false).await.unwrap_err();
    storage.fail(&[]);
    let (mut budget, observer) = (LockBudget::default(), Observer::default());
    let held = Storage::lock(&storage.inner, LockName::Document, &mut budget, &observer).await.unwrap();
    assert!(!look(500).await);
    drop(held);
    assert_eq!(names(&other).await, ["ada"]);
    look(600).await;
    assert_eq!(names(&other).await, ["ada", "bob"]);
}

// S-98
#[tokio::test]
async fn flush_stores_pending_changes() {
    let (storage, cache, other) = apart();
    assert_eq!(cache.flush().await, Ok(()), "nothing is pending, so the store is not asked");
    store(&cache, "ada", false).await.unwrap_err();
    assert_eq!(cache.flush().await.unwrap_err().operation, "lock");
    assert_eq!(cache.flush().await.unwrap_err().operation, "lock", "it is still pending");
    storage.fail(&[]);
    assert_eq!(cache.flush().await, Ok(()));
    assert_eq!(names(&other).await, ["ada"]);
    let writes = storage.replacing.load(Ordering::SeqCst);
    assert_eq!(cache.flush().await, Ok(()));
    assert_eq!(storage.replacing.load(Ordering::SeqCst), writes, "once");
    // A merged document is pending, too.
    cache.merge_json(br#"{"Foreign": 1}"#).unwrap();
    assert_eq!(cache.flush().await, Ok(()));
    assert_eq!(stored(&storage.inner).await["Foreign"], json!(1));
    assert_eq!(TokenCache::in_memory().flush().await, Ok(()));
}

// A change without effect still stores what is pending.
#[tokio::test]
async fn a_change_without_effect_stores_pending_ones() {
    let (storage, cache, other) = apart();
    store(&cache, "ada", false).await.unwrap_err();
    storage.fail(&[]);
    assert_eq!(remove(&cache, "nobody").await, Ok(false));
    assert_eq!(names(&other).await, ["ada"]);
    assert_eq!(store(&cache, "nobody", true).await, Ok(false), "and a refresh for an unknown user adds nothing");
    assert_eq!(names(&other).await, ["ada"]);
}

// R-24: our delayed tokens never replace tokens that another program got later. They do replace older ones, except that
// a refresh keeps a refresh token that it did not know.
#[tokio::test]
async fn later_tokens_of_another_program_stay() {
    for (seconds, theirs_stay) in [(-60, false), (0, false), (1, true), (3000, true)] {
        for (refreshed, family) in [(false, false), (true, false), (false, true)] {
            let (storage, cache, other) = apart();
            let foci: &[(&str, Value)] = if family { &[("foci", json!("1"))] } else { &[] };
            let update = |cache, number, now| {
                update_by(cache, refreshed, update_of("ada", &[&numbered(number)[..], foci].concat(), now))
            };
            other.store(update_of("ada", &numbered(0), at(-200))).await.unwrap();
            assert!(look(&cache, "ada").await.is_ok());
            cache.store(update(&cache, 1, NOW)).await.unwrap_err();
            other.store(update(&other, 2, at(seconds))).await.unwrap();
            storage.fail(&[]);
            let what = format!("{seconds} s later, refreshed: {refreshed}, family: {family}");
            // The change is applied once more, then stored.
            store(&cache, "bob", false).await.unwrap();
            for (section, name, theirs_stay) in
                [("AccessToken", "at", theirs_stay), ("RefreshToken", "rt", theirs_stay || refreshed)]
            {
                let secrets = secret(&storage, section).await;
                let [ours, theirs] = [1, 2].map(|number| secrets.contains(&format!("{name}{number}")));
                assert_eq!((ours, theirs), (!theirs_stay, theirs_stay), "{what}: {secrets:?}");
            }
            assert_eq!(names(&cache).await, names(&other).await, "{what}");
        }
    }
}

// Delayed tokens that nobody else has are stored next to later ones.
#[tokio::test]
async fn a_token_for_other_scopes_is_stored_next_to_later_ones() {
    let (storage, cache, other) = apart();
    let scope = |scope: &str| ("scope", json!(scope));
    cache.store(update_of("ada", &[&numbered(1)[..], &[scope("a")]].concat(), NOW)).await.unwrap_err();
    other.store(update_of("ada", &[&numbered(2)[..], &[scope("b")]].concat(), at(5))).await.unwrap();
    storage.fail(&[]);
    remove(&cache, "nobody").await.unwrap();
    let mut access_tokens = secret(&storage, "AccessToken").await;
    access_tokens.sort();
    assert_eq!(access_tokens, ["at1", "at2"]);
    assert_eq!(secret(&storage, "RefreshToken").await, ["rt2"]);
}

#[tokio::test]
async fn later_tokens_of_an_application_stay() {
    let assertion = Assertion::from_token("token");
    let app = |secret: &str, now| {
        let answer = [("access_token", json!(secret))];
        let tokens = tokens(&entra(T), "User.Read", &answer, now);
        AppTokenUpdate::new(Arc::new(entra(T)), client(), Arc::new(tokens))
    };
    for (seconds, left) in [(-60, "ours"), (0, "ours"), (1, "theirs"), (3000, "theirs")] {
        let (storage, cache, other) = apart();
        let behalf = |secret: &str, now| AssertionTokenUpdate::new(assertion.clone(), None, app(secret, now));
        cache.store_app(app("ours", NOW)).await.unwrap_err();
        cache.store_assertion(behalf("ours", NOW)).await.unwrap_err();
        other.store_app(app("theirs", at(seconds))).await.unwrap();
        other.store_assertion(behalf("theirs", at(seconds))).await.unwrap();
        storage.fail(&[]);
        remove(&cache, "nobody").await.unwrap();
        assert_eq!(secret(&storage, "AccessToken").await, [left, left], "{seconds}");
    }
}

// A sign-out that could not be stored is still meant.
#[tokio::test]
async fn a_sign_out_can_be_delayed_as_well() {
    let (storage, cache, other) = apart();
    store(&other, "ada", false).await.unwrap();
    store(&other, "bob", false).await.unwrap();
    assert!(is_served(&cache, "ada").await);
    assert!(remove(&cache, "ada").await.is_err());
    assert!(!is_served(&cache, "ada").await);
    store(&other, "cy", false).await.unwrap();
    storage.fail(&[]);
    assert_eq!(names(&cache).await, ["bob", "cy"], "even after the store was read again");
    assert_eq!(store(&cache, "ada", true).await, Ok(false), "a refresh does not undo it");
    assert_eq!(names(&other).await, ["bob", "cy"]);
}

// Another program keeps writing: we give up after five attempts, its changes stay, and ours is stored next time.
#[tokio::test]
async fn a_storm_of_other_writers_loses_nothing() {
    let storage = Flaky::default();
    let cache = TokenCache::new(storage.clone());
    let mut storm = Vec::new();
    for number in 0..8 {
        storm.push(json!({"Foreign": {"writes": number}}).to_string());
    }
    *storage.intruder.lock().unwrap() = storm;
    assert!(store(&cache, "ada", false).await.is_err());
    assert_eq!(storage.replacing.load(Ordering::SeqCst), 5);
    assert_eq!(names(&cache).await, ["ada"]);
    assert_eq!(stored(&storage.inner).await["Foreign"], json!({"writes": 3}));
    assert!(store(&cache, "bob", false).await.is_ok(), "three more conflicts do not matter");
    assert_eq!(storage.replacing.load(Ordering::SeqCst), 9);
    let document = stored(&storage.inner).await;
    assert_eq!(document["Foreign"], json!({"writes": 0}));
    assert_eq!(document["RefreshToken"].as_object().unwrap().len(), 2);
    assert_eq!(names(&TokenCache::new(storage.inner)).await, ["ada", "bob"]);
}

// P-06: for one account, in one cache and in two.
#[tokio::test]
async fn tasks_that_store_for_one_account_lose_nothing() {
    let storage = MemoryStorage::new();
    let caches = [TokenCache::new(storage.clone()), TokenCache::new(storage.clone())].map(Arc::new);
    store(&caches[0], "ada", false).await.unwrap();
    assert!(is_served(&caches[1], "ada").await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20_u8 {
        let cache = Arc::clone(&caches[usize::from(number % 2)]);
        tasks.spawn(async move {
            let answer = [&numbered(number)[..], &[("scope", json!(format!("scope{number}")))]].concat();
            cache.store(update_by(&cache, true, update_of("ada", &answer, NOW))).await
        });
    }
    while let Some(stored) = tasks.join_next().await {
        assert_eq!(stored.unwrap(), Ok(true));
    }
    let document = stored(&storage).await;
    assert_eq!(document["AccessToken"].as_object().unwrap().len(), 21);
    assert_eq!(document["RefreshToken"].as_object().unwrap().len(), 1);
}

#[test]
fn threads_that_store_for_one_account_lose_nothing() {
    for cache in [TokenCache::in_memory(), TokenCache::new(MemoryStorage::new())].map(Arc::new) {
        let threads: Vec<_> = (0..8_u8)
            .map(|number| {
                let cache = Arc::clone(&cache);
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    for more in 0..8 {
                        let scope = json!(format!("scope{number}-{more}"));
                        let answer = [&numbered(number)[..], &[("scope", scope)]].concat();
                        assert_eq!(runtime.block_on(cache.store(update_of("ada", &answer, NOW))), Ok(true));
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let document: Value = serde_json::from_slice(&cache.to_json()).unwrap();
        assert_eq!(document["AccessToken"].as_object().unwrap().len(), 64);
    }
}
