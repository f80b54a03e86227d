//! Locks that outlive nobody for long, and writers that were overtaken.

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

/// The only lock of a kind.
fn lock_key(server: &RedisServer, kind: &str) -> String {
    let keys: Vec<String> = server.ask(&["KEYS", &format!("auth:1:lock:{kind}:*")]);
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    key.clone()
}

// One redemption, as long as its maker answers within the budget for locks: who is stopped for that long has the lock still.
#[tokio::test]
async fn a_refresh_outlives_whoever_waits_for_it() {
    let server = RedisServer::start(&[]);
    let one = partition(&server);
    for (kind, name) in [("refresh", LockName::Refresh("ada")), ("sign-in", LockName::SignIn("ada"))] {
        let held = one.lock(name, &mut LockBudget::default(), &Observer::default()).await.unwrap();
        let key = lock_key(&server, kind);
        // What is left immediately before a renewal is all that a holder who stops then has.
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
    assert_eq!(server.ask::<u64>(&["EXISTS", "auth:1:fence"]), 0, "nobody writes by such a lock");
}

async fn put(partition: &Arc<dyn DynStorage>, text: &str) -> Replaced {
    let observer = Observer::default();
    let version = partition.read(&observer).await.unwrap().version;
    partition.replace(text.as_bytes().to_vec().into(), version, None, &observer).await.unwrap()
}

#[tokio::test]
async fn who_lost_the_lock_writes_nothing_over_the_next_holder() {
    let server = RedisServer::start(&[]);
    let (one, other) = (partition(&server), partition(&server));
    let lapsed = locked(&one, Duration::ZERO).await.unwrap();
    // The holder was stopped for so long that the lock lapsed.
    server.ask::<u64>(&["DEL", LOCK]);
    let held = locked(&other, Duration::ZERO).await.unwrap();
    assert!(matches!(put(&other, "new").await, Replaced::Done(_)));
    assert_eq!(put(&one, "old").await, Replaced::Conflict, "even of the newest version");
    // It does not take the lock from who has it.
    drop(lapsed);
    while partition(&server).version().unwrap() != Version::UNKNOWN || server.scripts() < 6 {
        tokio::task::yield_now().await;
    }
    assert_eq!(locked(&one, Duration::ZERO).await.err(), Some(StorageErrorKind::LockTimedOut));
    drop(held);
    let _again = locked(&one, Duration::from_secs(5)).await.unwrap();
    assert!(matches!(put(&one, "newest").await, Replaced::Done(_)));
}

#[tokio::test]
async fn a_server_that_forgot_how_far_it_counted_locks_nobody_out() {
    let server = RedisServer::start(&[]);
    let one = partition(&server);
    for text in ["one", "two", "three"] {
        let _lock = locked(&one, Duration::from_secs(5)).await.unwrap();
        assert!(matches!(put(&one, text).await, Replaced::Done(_)), "{text}");
        server.ask::<u64>(&["DEL", "auth:1:fence"]);
    }
}

#[tokio::test]
async fn a_lock_is_renewed_while_it_is_held_and_lapses_with_its_holder() {
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
        assert!(begun.elapsed() < Duration::from_secs(4), "it is not renewed");
        last = left;
        tokio::task::yield_now().await;
    }
    drop(held);
    // Of somebody who died.
    drop(locked(&one, Duration::from_secs(5)).await.unwrap());
    let dead = server.storage().partition(&PartitionKey::User("v.t".into()));
    let set = ["SET", "auth:1:lock:document:auth:1:user:v.t", "somebody", "PX", "300"];
    server.ask::<String>(&set);
    let begun = Instant::now();
    locked(&dead, Duration::from_secs(10)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
