//! Locks that expire soon after their holder died, and writers that were overtaken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth::{Observer, PartitionedStorage as _, StorageErrorKind};
use auth_cache::{BoxedLock, DynStorage, LockBudget, LockName, PartitionKey, Replaced, Version};
use auth_tests::redis::RedisServer;

const LOCK: &str = "auth:1:lock:document:auth:1:user:u.t";

fn partition(server: &RedisServer) -> Arc<dyn DynStorage> {
    server.storage().staleness(Duration::ZERO).partition(&PartitionKey::User("u.t".into()))
}

async fn locked(partition: &Arc<dyn DynStorage>, longest: Duration) -> Result<BoxedLock, StorageErrorKind> {
    let mut budget = LockBudget::new(longest);
    let locked = partition.lock(LockName::Document, &mut budget, &Observer::default()).await;
    locked.map_err(|error| error.kind)
}

/// Returns the key of the only lock of a kind.
fn lock_key(server: &RedisServer, kind: &str) -> String {
    let keys: Vec<String> = server.ask(&["KEYS", &format!("auth:1:lock:{kind}:*")]);
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    key.clone()
}

// A holder that is stopped for as long as others wait still has the lock, so that only one redeems.
#[tokio::test]
async fn the_lock_of_a_refresh_or_sign_in_always_outlasts_the_budget_of_those_who_wait() {
    let server = RedisServer::start(&[]);
    let one = partition(&server);
    for (kind, name) in [("refresh", LockName::Refresh("ada")), ("sign-in", LockName::SignIn("ada"))] {
        let held = one.lock(name, &mut LockBudget::default(), &Observer::default()).await.unwrap();
        let key = lock_key(&server, kind);
        // The time left immediately before a renewal is the least that a holder has when it stops.
        let (mut least, mut last) = (i64::MAX, i64::MAX);
        loop {
            let left: i64 = server.ask(&["PTTL", &key]);
            if left > last {
                break;
            }
            (least, last) = (least.min(left), left);
            tokio::task::yield_now().await;
        }
        let longest = i64::try_from(LockBudget::default().left().as_millis()).unwrap();
        assert!(least > longest, "{kind}: {least} ms");
        drop(held);
    }
    assert_eq!(server.ask::<u64>(&["EXISTS", "auth:1:fence"]), 0, "nothing is written under such a lock");
}

async fn put(partition: &Arc<dyn DynStorage>, text: &str) -> Replaced {
    let observer = Observer::default();
    let version = partition.read(&observer).await.unwrap().version;
    partition.replace(text.as_bytes().to_vec().into(), version, None, &observer).await.unwrap()
}

#[tokio::test]
async fn a_writer_that_lost_the_lock_cannot_overwrite_the_next_holder() {
    let server = RedisServer::start(&[]);
    let (one, other) = (partition(&server), partition(&server));
    let expired = locked(&one, Duration::ZERO).await.unwrap();
    // The holder was stopped for so long that the lock expired.
    server.ask::<u64>(&["DEL", LOCK]);
    let held = locked(&other, Duration::ZERO).await.unwrap();
    assert!(matches!(put(&other, "new").await, Replaced::Done(_)));
    assert_eq!(put(&one, "old").await, Replaced::Conflict, "even with the newest version");
    // Releasing the expired lock does not release the new one.
    drop(expired);
    while partition(&server).version().unwrap() != Version::UNKNOWN || server.scripts() < 6 {
        tokio::task::yield_now().await;
    }
    assert_eq!(locked(&one, Duration::ZERO).await.err(), Some(StorageErrorKind::LockTimedOut));
    drop(held);
    let _again = locked(&one, Duration::from_secs(5)).await.unwrap();
    assert!(matches!(put(&one, "newest").await, Replaced::Done(_)));
}

#[tokio::test]
async fn a_server_that_lost_its_counter_locks_no_writer_out() {
    let server = RedisServer::start(&[]);
    let one = partition(&server);
    for text in ["one", "two", "three"] {
        let _lock = locked(&one, Duration::from_secs(5)).await.unwrap();
        assert!(matches!(put(&one, text).await, Replaced::Done(_)), "{text}");
        server.ask::<u64>(&["DEL", "auth:1:fence"]);
    }
}

#[tokio::test]
async fn a_lock_is_renewed_while_it_is_held_and_expires_without_its_holder() {
    let server = RedisServer::start(&[]);
    let one = partition(&server);
    let held = locked(&one, Duration::ZERO).await.unwrap();
    let (begun, mut last) = (Instant::now(), i64::MAX);
    loop {
        let left: i64 = server.ask(&["PTTL", LOCK]);
        assert!((1..=5_000).contains(&left), "{left}");
        if left > last {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(4), "not renewed");
        last = left;
        tokio::task::yield_now().await;
    }
    drop(held);
    // The lock of a dead holder.
    drop(locked(&one, Duration::from_secs(5)).await.unwrap());
    let dead = server.storage().partition(&PartitionKey::User("v.t".into()));
    let set = ["SET", "auth:1:lock:document:auth:1:user:v.t", "somebody", "PX", "300"];
    server.ask::<String>(&set);
    let begun = Instant::now();
    locked(&dead, Duration::from_secs(10)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
