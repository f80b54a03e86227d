//! Connections to a server.

use std::time::{Duration, Instant};

use auth::{RedisStorage, StorageErrorKind, TokenCache};
use auth_tests::numbered::Writer;
use auth_tests::redis::RedisServer;

use crate::{finds, update};

#[tokio::test]
async fn a_password_grants_access_and_is_never_shown() {
    let server = RedisServer::start(&["--requirepass", "canary-password"]);
    let writer = Writer::new("w");
    let at = |password: &str| RedisStorage::at(&server.url_with(password)).unwrap();
    TokenCache::partitioned(at("canary-password")).store(update(&writer, 0)).await.unwrap();
    assert!(finds(&TokenCache::partitioned(at("canary-password")), &writer, 0).await);
    for (storage, kind) in
        [(at("canary-wrong"), StorageErrorKind::Unreachable), (server.storage(), StorageErrorKind::Other)]
    {
        let error = TokenCache::partitioned(storage.clone()).store(update(&writer, 1)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        let shown = format!("{error} {error:?} {storage:?}");
        assert!(!shown.contains("canary") && !shown.contains("127.0.0.1"), "{shown}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_works() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    let storage = RedisStorage::at(&format!("unix://{}", server.socket())).unwrap();
    TokenCache::partitioned(storage).store(update(&writer, 0)).await.unwrap();
    assert!(finds(&TokenCache::partitioned(server.storage()), &writer, 0).await);
}

// S-107: refused before anything is sent.
#[tokio::test]
async fn a_server_on_another_machine_needs_tls_and_a_password() {
    let begun = Instant::now();
    for url in ["redis://:canary@192.0.2.1", "rediss://192.0.2.1"] {
        assert_eq!(RedisStorage::at(url).unwrap_err().kind, StorageErrorKind::Insecure, "{url}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    // Unless the caller vouches for the network.
    for url in ["redis://:canary@192.0.2.1", "rediss://192.0.2.1"] {
        assert!(RedisStorage::danger_at(url).is_ok(), "{url}");
    }
    let open = RedisServer::start(&[]);
    let cache = TokenCache::partitioned(RedisStorage::danger_at(&open.url()).unwrap());
    cache.store(update(&Writer::new("w"), 0)).await.unwrap();
    assert!(finds(&TokenCache::partitioned(open.storage()), &Writer::new("w"), 0).await);
    // A server without TLS receives nothing.
    let server = RedisServer::start(&[]);
    let storage = RedisStorage::at(&server.url().replace("redis:", "rediss:")).unwrap();
    let error = TokenCache::partitioned(storage).store(update(&Writer::new("w"), 0)).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Unreachable, "{error}");
    assert_eq!(server.ask::<u64>(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn prefixes_keep_applications_apart() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    TokenCache::partitioned(server.storage().prefix("one")).store(update(&writer, 0)).await.unwrap();
    assert!(finds(&TokenCache::partitioned(server.storage().prefix("one")), &writer, 0).await);
    assert!(!finds(&TokenCache::partitioned(server.storage().prefix("two")), &writer, 0).await);
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    assert!(keys.iter().all(|key| key.starts_with("one:1:")), "{keys:?}");
}
