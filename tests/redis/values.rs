//! What is stored, for how long, and at the cost of how many round trips.

use std::sync::Arc;
use std::time::Duration;

use auth::{Account, Authority, RemovalScope, Timestamp, TokenCache};
use auth_cache::{AppTokenUpdate, Assertion, AssertionTokenUpdate};
use auth_core::{ClientId, ClientInfo, Tokens};
use auth_tests::cache::now;
use auth_tests::numbered::Writer;
use auth_tests::redis::RedisServer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{finds, update};

/// Returns the keys of a kind.
fn keys(server: &RedisServer, kind: &str) -> Vec<String> {
    server.ask(&["KEYS", &format!("auth:1:{kind}:*")])
}

fn ids(authority: &str) -> (Authority, ClientId) {
    (Authority::parse(authority).unwrap(), ClientId::new("c0ffee00-0000-4000-8000-000000000009").unwrap())
}

const AUTHORITY: &str = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee";

#[tokio::test]
async fn a_hit_costs_no_round_trip_and_a_miss_one() {
    let server = RedisServer::start(&[]);
    let (writer, cache) = (Writer::new("w"), TokenCache::partitioned(server.storage()));
    cache.store(update(&writer, 0)).await.unwrap();
    // The lock is released in the background.
    while !server.ask::<Vec<String>>(&["KEYS", "auth:1:lock:*"]).is_empty() {
        tokio::task::yield_now().await;
    }
    let before = server.scripts();
    for _ in 0..1_000 {
        assert!(finds(&cache, &writer, 0).await);
    }
    assert_eq!(server.scripts(), before, "hits");
    let other = TokenCache::partitioned(server.storage());
    assert!(finds(&other, &writer, 0).await);
    assert_eq!(server.scripts(), before + 1, "the first look of another process");
    assert!(!finds(&other, &writer, 1).await);
    assert_eq!(server.scripts(), before + 2, "an unknown user");
}

#[tokio::test]
async fn changes_by_another_process_are_seen() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    let caches = [(); 2].map(|()| TokenCache::partitioned(server.storage().staleness(Duration::ZERO)));
    assert!(!finds(&caches[1], &writer, 0).await);
    caches[0].store(update(&writer, 0)).await.unwrap();
    assert!(finds(&caches[1], &writer, 0).await);
    // The next store of the same user.
    caches[1].store(update(&writer, 8)).await.unwrap();
    assert!(finds(&caches[0], &writer, 8).await);
}

#[tokio::test]
async fn concurrent_writers_of_one_partition_lose_nothing() {
    let server = RedisServer::start(&[]);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let cache = TokenCache::partitioned(server.storage());
        tasks.spawn(async move {
            // A different application for each, but the same user.
            let mut update = update(&Writer::new("w"), 0);
            update.client_id = ClientId::new(format!("client-{number}")).unwrap();
            cache.store(update).await.unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let cache = TokenCache::partitioned(server.storage());
    assert!(!finds(&cache, &Writer::new("w"), 0).await, "not stored for this client");
    let document: serde_json::Value = serde_json::from_slice(&cache.to_json()).unwrap();
    assert_eq!(document["AccessToken"].as_object().unwrap().len(), 8);
}

#[tokio::test]
async fn values_live_as_long_as_their_content() {
    let server = RedisServer::start(&[]);
    let storage = server.storage().lifetime(Duration::from_secs(1_000));
    let (writer, cache) = (Writer::new("w"), TokenCache::partitioned(storage));
    cache.store(update(&writer, 0)).await.unwrap();
    let users = keys(&server, "user");
    let left: i64 = server.ask(&["TTL", &users[0]]);
    assert!((900..=1_000).contains(&left), "{left}");

    let (authority, client_id) = ids(AUTHORITY);
    let tokens = update(&writer, 0).tokens;
    cache.store_app(AppTokenUpdate::new(Arc::new(authority), client_id, tokens)).await.unwrap();
    let apps = keys(&server, "app");
    let goes: u64 = server.ask(&["EXPIRETIME", &apps[0]]);
    assert!(goes.abs_diff(now() + 3_600) < 60, "{goes}");
}

// S-87, S-107
#[tokio::test]
async fn listing_accounts_removes_those_whose_values_are_gone_from_the_index() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    let cache = TokenCache::partitioned(server.storage());
    for number in 0..5 {
        cache.store(update(&writer, number)).await.unwrap();
    }
    assert_eq!(server.ask::<u64>(&["SCARD", "auth:1:users"]), 5);
    let users = keys(&server, "user");
    server.ask::<u64>(&["DEL", &users[0]]);
    let (authority, client_id) = ids(AUTHORITY);
    let other = TokenCache::partitioned(server.storage());
    other.accounts(&authority, &client_id).await.unwrap();
    assert_eq!(server.ask::<u64>(&["SCARD", "auth:1:users"]), 4);

    // A user who signs out leaves nothing behind.
    let gone = (0..5).find(|number| {
        keys(&server, "user").iter().any(|key| key.ends_with(writer.account(*number).home_account_id.folded()))
    });
    let account = writer.account(gone.unwrap());
    assert!(other.remove_account(&authority, &client_id, &account, RemovalScope::Family).await.unwrap());
    assert_eq!(server.ask::<u64>(&["SCARD", "auth:1:users"]), 3);
    assert_eq!(keys(&server, "user").len(), 3);
    assert!(!finds(&TokenCache::partitioned(server.storage()), &writer, gone.unwrap()).await);
}

/// Stores a token on behalf of a user, with an assertion of this name that expires in this many seconds.
async fn store_on_behalf(cache: &TokenCache, account: &Account, name: &str, seconds: u64) {
    let (authority, client_id) = ids(AUTHORITY);
    let mut tokens = Tokens::clone(&update(&Writer::new("w"), 0).tokens);
    let (uid, utid) = account.home_account_id.as_str().split_once('.').unwrap();
    let client_info = URL_SAFE_NO_PAD.encode(serde_json::json!({"uid": uid, "utid": utid}).to_string());
    tokens.client_info = ClientInfo::parse(&client_info).unwrap();
    let app = AppTokenUpdate::new(Arc::new(authority), client_id, tokens.into());
    let end = Timestamp::from_unix_seconds(now() + seconds);
    cache.store_assertion(AssertionTokenUpdate::new(Assertion::from_token(name), Some(end), app)).await.unwrap();
}

// S-87, S-107: tokens on behalf of a user are linked for as long as they are useful, and removed by a sign-out.
#[tokio::test]
async fn links_expire_with_their_assertions_and_end_with_a_sign_out() {
    let server = RedisServer::start(&[]);
    let (writer, cache) = (Writer::new("w"), TokenCache::partitioned(server.storage()));
    cache.store(update(&writer, 0)).await.unwrap();
    let account = writer.account(0);
    let links = format!("auth:1:behalf:{}", account.home_account_id.folded());
    let count = || server.ask::<u64>(&["ZCARD", &links]);
    for number in 0..4 {
        store_on_behalf(&cache, &account, &format!("a{number}"), 900).await;
    }
    assert_eq!(count(), 4);
    let goes: u64 = server.ask(&["EXPIRETIME", &links]);
    assert!(goes.abs_diff(now() + 900) < 60, "{goes}");
    // Make one of them expire.
    let first: Vec<String> = server.ask(&["ZRANGE", &links, "0", "0"]);
    server.ask::<u64>(&["ZADD", &links, "1", &first[0]]);
    store_on_behalf(&cache, &account, "a9", 600).await;
    assert_eq!(count(), 4, "the expired one is dropped with the next store");
    let goes: u64 = server.ask(&["EXPIRETIME", &links]);
    assert!(goes.abs_diff(now() + 900) < 60, "the longest counts: {goes}");

    let (authority, client_id) = ids(AUTHORITY);
    let other = TokenCache::partitioned(server.storage());
    assert!(other.remove_account(&authority, &client_id, &account, RemovalScope::Family).await.unwrap());
    assert_eq!(keys(&server, "behalf"), Vec::<String>::new());
    assert_eq!(keys(&server, "assertion").len(), 1, "all linked ones are gone; one was no longer linked");
}

#[tokio::test]
async fn an_unreadable_value_is_moved_aside() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    TokenCache::partitioned(server.storage()).store(update(&writer, 0)).await.unwrap();
    let key = keys(&server, "user").remove(0);
    server.ask::<u64>(&["HSET", &key, "d", "no json"]);
    let cache = TokenCache::partitioned(server.storage());
    assert!(!finds(&cache, &writer, 0).await);
    assert_eq!(server.ask::<String>(&["HGET", &format!("{key}:corrupt"), "d"]), "no json");
    cache.store(update(&writer, 8)).await.unwrap();
    assert!(finds(&TokenCache::partitioned(server.storage()), &writer, 8).await);
}
