//! S-92, S-107: encrypted values, which open only with their key and under their name.

use auth::{EncryptionKey, TokenCache};
use auth_tests::numbered::Writer;
use auth_tests::redis::RedisServer;

use crate::{finds, update};

fn key(byte: u8) -> EncryptionKey {
    EncryptionKey::from_slice(&[byte; 32]).unwrap()
}

/// Returns the keys of users' values that end like this. Excludes locks, which are released in the background.
fn users(server: &RedisServer, end: &str) -> Vec<String> {
    let mut keys: Vec<String> = server.ask(&["KEYS", &format!("auth:1:e*:user:*{end}")]);
    keys.retain(|key| !key.contains(":lock:"));
    keys
}

fn cache(server: &RedisServer) -> TokenCache {
    TokenCache::partitioned(server.storage().encrypted(key(7)))
}

#[tokio::test]
async fn values_are_readable_only_with_their_key() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    cache(&server).store(update(&writer, 0)).await.unwrap();
    assert!(finds(&cache(&server), &writer, 0).await);
    for storage in [server.storage(), server.storage().encrypted(key(8))] {
        let other = TokenCache::partitioned(storage);
        assert!(!finds(&other, &writer, 0).await);
        other.store(update(&writer, 8)).await.unwrap();
    }
    assert!(finds(&cache(&server), &writer, 0).await, "caches with other keys are separate");
    for name in users(&server, "") {
        let value: Vec<u8> = server.ask(&["HGET", &name, "d"]);
        assert!(value.starts_with(b"auth encrypted cache 1\n"), "{name}");
        assert!(!String::from_utf8_lossy(&value).contains("xxxx"), "{name}: a token is in plain");
    }
}

#[tokio::test]
async fn a_swapped_or_modified_value_is_moved_aside() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    for number in 0..3 {
        cache(&server).store(update(&writer, number)).await.unwrap();
    }
    let name = |number| users(&server, writer.account(number).home_account_id.folded()).remove(0);
    // One user's value under another's name, and a value with a flipped bit.
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

// S-92: the documented limitation.
#[tokio::test]
async fn an_older_value_of_the_same_user_is_accepted_but_merged_by_a_writer_that_saw_a_newer_one() {
    let server = RedisServer::start(&[]);
    let writer = Writer::new("w");
    cache(&server).store(update(&writer, 0)).await.unwrap();
    let name = users(&server, "").remove(0);
    let old: Vec<u8> = server.ask(&["DUMP", &name]);
    let running = cache(&server);
    running.store(update(&writer, 8)).await.unwrap();
    redis::cmd("RESTORE").arg(&name).arg(0).arg(&old).arg("REPLACE").exec(&mut server.admin()).unwrap();
    assert!(finds(&cache(&server), &writer, 0).await);
    // A writer that knows the newer value does not overwrite what it has not read.
    let mut update = update(&writer, 8);
    update.client_id = auth_core::ClientId::new("another-client").unwrap();
    running.store(update).await.unwrap();
    assert!(finds(&cache(&server), &writer, 0).await, "merged with what is stored");
}
