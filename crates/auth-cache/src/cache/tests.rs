mod deferred;
mod events;
mod failures;
mod flood;
mod model;
mod partitioned;
mod partly_granted;
mod readers;
mod refused;
#[cfg(feature = "file")]
mod shared_file;
mod sign_out;
mod uses;

use auth_core::{AccountId, Scopes};
use serde_json::{Value, json};

use super::*;
use crate::assertion::Assertion;
use crate::storage::{BoxedLock, LockName, MemoryStorage, Replaced};
use crate::testing::{
    CLIENT, NOW, T, account_of, app_metadata, at, client, content, entra, refresh_token, refreshing, scopes, sign_in,
    tokens, update_of,
};

/// Signs a user in, or refreshes; the access token is the name of the user.
async fn store(cache: &TokenCache, user: &str, refreshed: bool) -> Result<bool, StorageError> {
    cache.store(update_by(cache, refreshed, update_of(user, &[("access_token", json!(user))], NOW))).await
}

/// The tokens of a sign-in, or of a refresh that begins now.
fn update_by(cache: &TokenCache, refreshed: bool, update: TokenUpdate) -> TokenUpdate {
    if refreshed { refreshing(update, &cache.whole().known().document) } else { update }
}

async fn look(cache: &TokenCache, user: &str) -> Result<Lookup, StorageError> {
    let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
    let account = AccountId::new(format!("{user}.{T}"));
    cache.lookup(&Query::new(&authority, &client, &account, &wanted), NOW).await
}

async fn is_served(cache: &TokenCache, user: &str) -> bool {
    matches!(look(cache, user).await, Ok(Lookup::Usable(token)) if token.access_token().expose() == user)
}

fn is_persisted(cache: &TokenCache, user: &str) -> bool {
    cache.is_persisted(&AccountId::new(format!("{user}.{T}")))
}

async fn names(cache: &TokenCache) -> Vec<String> {
    let accounts = cache.accounts(&entra(T), &client()).await.unwrap();
    accounts.into_iter().map(|account| account.home_account_id.as_str().split('.').next().unwrap().to_owned()).collect()
}

async fn remove(cache: &TokenCache, user: &str) -> Result<bool, StorageError> {
    let account = Account::new(AccountId::new(format!("{user}.{T}")), "login.windows.net", "");
    cache.remove_account(&entra(T), &client(), &account, RemovalScope::default()).await
}

/// Writes like another program, without taking a lock.
async fn overwrite(storage: &impl Storage, text: &str) {
    let version = Storage::version(storage).unwrap();
    let replaced =
        Storage::replace(storage, text.as_bytes().to_vec().into(), version, None, &Observer::default()).await.unwrap();
    assert!(matches!(replaced, Replaced::Done(_)));
}

async fn stored(storage: &impl Storage) -> Value {
    serde_json::from_slice(&Storage::read(storage, &Observer::default()).await.unwrap().content).unwrap()
}

#[tokio::test]
async fn stored_tokens_are_found_listed_and_removed() {
    let cache = TokenCache::new(MemoryStorage::new());
    assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)));
    assert_eq!((store(&cache, "ada", false).await, store(&cache, "bob", false).await), (Ok(true), Ok(true)));
    assert!(is_served(&cache, "ada").await && is_served(&cache, "bob").await);
    assert_eq!(names(&cache).await, ["ada", "bob"]);
    assert_eq!((remove(&cache, "ada").await, remove(&cache, "ada").await), (Ok(true), Ok(false)));
    assert!(!is_served(&cache, "ada").await && is_served(&cache, "bob").await);
    assert_eq!(store(&cache, "ada", true).await, Ok(false), "a refresh does not undo a sign-out");
    assert_eq!(names(&cache).await, ["bob"]);
    assert!(!format!("{cache:?}").contains("ada"));
}

// S-102: a change by another program is picked up, and never undone by ours.
#[tokio::test]
async fn changes_by_other_programs_are_seen_and_kept() {
    let storage = MemoryStorage::new();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.clone()));
    store(&cache, "ada", false).await.unwrap();
    assert!(is_served(&other, "ada").await);
    store(&other, "bob", false).await.unwrap();
    assert!(is_served(&cache, "bob").await);
    store(&cache, "cy", false).await.unwrap();
    remove(&other, "ada").await.unwrap();
    assert_eq!(names(&cache).await, ["bob", "cy"]);

    let mut document = stored(&storage).await;
    document["Foreign"] = json!({"a": [1, null]});
    overwrite(&storage, &document.to_string()).await;
    store(&cache, "dee", false).await.unwrap();
    assert_eq!(stored(&storage).await["Foreign"], json!({"a": [1, null]}));
    assert_eq!(names(&other).await, ["bob", "cy", "dee"]);
}

// S-84: an assertion is not used again, so the next write drops what expired with it.
#[tokio::test]
async fn a_token_on_behalf_of_a_user_goes_with_its_assertion() {
    let app = |now| {
        let tokens = tokens(&entra(T), "User.Read", &[], now);
        AppTokenUpdate::new(Arc::new(entra(T)), client(), Arc::new(tokens))
    };
    for cache in [TokenCache::in_memory(), TokenCache::new(MemoryStorage::new())] {
        for (number, end) in [(0, Some(at(100))), (1, Some(at(1000))), (2, None)] {
            let assertion = Assertion::from_token(&number.to_string());
            cache.store_assertion(AssertionTokenUpdate::new(assertion, end, app(NOW))).await.unwrap();
        }
        for (seconds, left) in [(99, 3), (159, 2), (940, 2), (1000, 1), (3600, 0)] {
            cache.store_app(app(at(seconds))).await.unwrap();
            let document: Value = serde_json::from_slice(&cache.to_json()).unwrap();
            let tokens = document["AccessToken"].as_object().unwrap();
            let on_behalf = tokens.values().filter(|entry| entry.get("user_assertion_hash").is_some()).count();
            assert_eq!(on_behalf, left, "after {seconds} s");
        }
    }
}

// P-06: many writers at once, and no change is lost.
#[tokio::test]
async fn no_update_is_lost_among_many_writers() {
    let storage = MemoryStorage::new();
    let users: Vec<_> = (0..20).map(|number| format!("user{number:02}")).collect();
    let mut writers = tokio::task::JoinSet::new();
    for user in users.clone() {
        let cache = TokenCache::new(storage.clone());
        writers.spawn(async move { store(&cache, &user, false).await });
    }
    while let Some(stored) = writers.join_next().await {
        assert_eq!(stored.unwrap(), Ok(true));
    }
    assert_eq!(names(&TokenCache::new(storage)).await, users);
}

#[test]
fn no_update_is_lost_among_threads() {
    let cache = Arc::new(TokenCache::new(MemoryStorage::new()));
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let cache = Arc::clone(&cache);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(store(&cache, &format!("user{number}"), false))
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Ok(true));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(names(&cache)).len(), 16);
}

// Only one process redeems the tokens of an account at a time; storing the result needs no such lock.
#[tokio::test]
async fn a_refresh_lock_is_for_one_account_client_and_cloud() {
    let storage = MemoryStorage::new();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage));
    let lock = |cache: &TokenCache, authority: &str, client: &str, account: &str| {
        let (authority, client) = (Authority::parse(authority).unwrap(), ClientId::new(client).unwrap());
        let account = AccountId::new(account);
        let mut budget = LockBudget::default();
        let waiting = cache.refresh_lock(&authority, &client, &account, &mut budget);
        let mut waiting = core::pin::pin!(waiting);
        let context = &mut core::task::Context::from_waker(core::task::Waker::noop());
        match waiting.as_mut().poll(context) {
            core::task::Poll::Ready(lock) => Some(lock.unwrap()),
            core::task::Poll::Pending => None,
        }
    };
    let public = "https://login.microsoftonline.com/common";
    let held = lock(&cache, public, "c", "Ada.t").unwrap();
    for (authority, client, account, free) in [
        (public, "c", "ada.T", false),
        ("https://login.windows.net/contoso.example", "c", "ada.t", false),
        (public, "c", "bob.t", true),
        (public, "d", "ada.t", true),
        ("https://login.microsoftonline.us/common", "c", "ada.t", true),
    ] {
        assert_eq!(lock(&other, authority, client, account).is_some(), free, "{authority} {client} {account}");
    }
    assert_eq!(store(&other, "ada", false).await, Ok(true));
    drop(held);
    assert!(lock(&other, public, "c", "ada.t").is_some());
}

// S-85: remembered in the store, so that no family token is tried again.
#[tokio::test]
async fn leaving_a_family_is_remembered() {
    let storage = MemoryStorage::new();
    let family = [("family_id", json!("1")), ("home_account_id", json!(format!("ada.{T}")))];
    let entries = [("AppMetadata", app_metadata("1", &[])), ("RefreshToken", refresh_token("rt", &family))];
    overwrite(&storage, &content(&entries).to_string()).await;
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.clone()));
    assert!(matches!(look(&cache, "ada").await, Ok(Lookup::MustRefresh(..))));
    cache.leave_family(&entra(T), &client(), &AccountId::new("u.t"), &mut LockBudget::default()).await.unwrap();
    for cache in [&cache, &other] {
        assert!(matches!(look(cache, "ada").await, Ok(Lookup::Nothing)));
    }
    let written = stored(&storage).await;
    assert_eq!(written["RefreshToken"], content(&entries)["RefreshToken"], "the token itself stays");
    let key = format!("appmetadata-login.windows.net-{CLIENT}");
    assert_eq!(written["AppMetadata"], json!({key: {"client_id": CLIENT, "environment": "login.windows.net"}}));
}

#[tokio::test]
async fn lookups_use_the_given_time() {
    let cache = TokenCache::new(MemoryStorage::new());
    store(&cache, "ada", false).await.unwrap();
    let (authority, client, wanted) = (entra(T), client(), Scopes::default());
    let account = AccountId::new(format!("ADA.{T}"));
    let query = Query::new(&authority, &client, &account, &wanted);
    assert!(matches!(cache.lookup(&query, at(3000)).await, Ok(Lookup::Usable(_))));
    assert!(matches!(cache.lookup(&query, at(3400)).await, Ok(Lookup::MustRefresh(_, Some(_)))));
    assert!(matches!(cache.lookup(&query, at(3600)).await, Ok(Lookup::MustRefresh(_, None))));
}
