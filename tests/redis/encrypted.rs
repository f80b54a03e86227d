//! S-92, S-107: values that nobody reads without the key, and that open nowhere else.

use auth::{EncryptionKey, TokenCache};
use auth_tests::numbered::Writer;
use auth_tests::redis::RedisServer;

use crate::{finds, update};

fn key(byte: u8) -> EncryptionKey {
    EncryptionKey::from_slice(&[byte; 32]).unwrap()
}

/// The keys of users' values whose names end so; locks are let go beside.
fn users(server: &RedisServer, end: &str) -> Vec<String> {
    let mut keys: Vec<String> = server.ask(&["KEYS", &format!("auth:1:e*:user:*{end}")]);
    keys.retain(|key| !key.contains(":lock:"));
    keys
}

fn cache(server: &RedisServer) -> TokenCache {
    TokenCache::partitioned(server.storage().encrypted(key(7)))
}

#[tokio::test]
async fn who_has_the_key_reads_and_nobody_else() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    cache(&server).store(update(&writer, 0)).await.unwrap();
    assert!(finds(&cache(&server), &writer, 0).await);
    for storage in [server.storage(), server.storage().encrypted(key(8))] {
        let other = TokenCache::partitioned(storage);
        assert!(!finds(&other, &writer, 0).await);
        other.store(update(&writer, 8)).await.unwrap();
    }
    assert!(finds(&cache(&server), &writer, 0).await, "caches with other keys are others");
    for name in users(&server, "") {
        let value: Vec<u8> = server.ask(&["HGET", &name, "d"]);
        assert!(value.starts_with(b"auth encrypted cache 1\n"), "{name}");
        assert!(!String::from_utf8_lossy(&value).contains("xxxx"), "{name}: a token is in plain");
    }
}

#[tokio::test]
async fn what_was_swapped_or_changed_is_moved_aside() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    for number in 0..3 {
        cache(&server).store(update(&writer, number)).await.unwrap();
    }
    let name = |number| users(&server, writer.account(number).home_account_id.folded()).remove(0);
    // One user's value under another's key, and one of which a bit is other.
    let mut admin = server.admin();
    let value: Vec<u8> = server.ask(&["HGET", &name(0), "d"]);
    let mut changed: Vec<u8> = server.ask(&["HGET", &name(2), "d"]);
    *changed.last_mut().unwrap() ^= 1;
    for (number, value) in [(1, &value), (2, &changed)] {
        redis::cmd("HSET").arg(name(number)).arg("d").arg(value).exec(&mut admin).unwrap();
    }
    let other = cache(&server);
    assert!(finds(&other, &writer, 0).await);
    for number in [1, 2] {
        let name = name(number);
        assert!(!finds(&other, &writer, number).await, "{number}");
        assert_eq!(server.ask::<u64>(&["EXISTS", &name]), 0, "{number}");
        assert_eq!(server.ask::<u64>(&["EXISTS", &format!("{name}:corrupt")]), 1, "{number}");
        other.store(update(&writer, number + 8)).await.unwrap();
        assert!(finds(&cache(&server), &writer, number + 8).await, "{number}");
    }
}

// S-92: the limit that is documented. An older value of the same user is believed, but by nobody who wants to replace a newer one.
#[tokio::test]
async fn an_older_value_of_the_same_user_is_believed() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    cache(&server).store(update(&writer, 0)).await.unwrap();
    let name = users(&server, "").remove(0);
    let old: Vec<u8> = server.ask(&["DUMP", &name]);
    let running = cache(&server);
    running.store(update(&writer, 8)).await.unwrap();
    redis::cmd("RESTORE").arg(&name).arg(0).arg(&old).arg("REPLACE").exec(&mut server.admin()).unwrap();
    assert!(finds(&cache(&server), &writer, 0).await);
    // Who knows the newer one writes nothing over what it has not read.
    let mut update = update(&writer, 8);
    update.client_id = auth_core::ClientId::new("another-client").unwrap();
    running.store(update).await.unwrap();
    assert!(finds(&cache(&server), &writer, 0).await, "what is stored counts, and is merged with");
}
