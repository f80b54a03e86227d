//! a server that is down, slow, restarted, read-only, full, or contains foreign values costs a bounded time, and the
//! cache works in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth::{CacheEvent, RedisStorage, StorageError, StorageErrorKind, TokenCache};
use auth_tests::numbered::Writer;
use auth_tests::redis::RedisServer;

use crate::{finds, update};

const DEADLINE: Duration = Duration::from_millis(300);
/// How much longer a call may take on a busy machine.
const GRACE: Duration = Duration::from_millis(700);
/// Longer than a server is left alone after one or two failures.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cache and its events.
struct Observed {
    cache: TokenCache,
    events: Arc<Mutex<BTreeSet<String>>>,
}

impl Observed {
    fn over(storage: RedisStorage) -> Self {
        let events = Arc::<Mutex<BTreeSet<String>>>::default();
        let heard = Arc::clone(&events);
        let cache = TokenCache::partitioned(storage.deadline(DEADLINE)).on_event(move |event: &CacheEvent| {
            heard.lock().unwrap().insert(format!("{event:?}").split([' ', '(']).next().unwrap().to_owned());
        });
        Self { cache, events }
    }

    fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap()).into_iter().filter(|name| name != "Changed").collect()
    }

    /// Stores something that the server refuses. Asserts that it is usable all the same, and returns the error.
    async fn refused(&self, writer: &Writer, number: u64) -> StorageError {
        let begun = Instant::now();
        let error = self.cache.store(update(writer, number)).await.unwrap_err();
        assert!(begun.elapsed() < DEADLINE + GRACE, "{:?}", begun.elapsed());
        assert!(finds(&self.cache, writer, number).await, "usable in this process");
        error
    }

    /// Stores deferred changes, as soon as the server is asked again.
    async fn flushed(&self) {
        let begun = Instant::now();
        while let Err(error) = self.cache.flush().await {
            assert!(begun.elapsed() < PATIENCE, "{error}");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_server_that_is_down_costs_one_deadline_and_then_nothing() {
    let mut server = RedisServer::start(&[]);
    let (writer, observed) = (Writer::new("w"), Observed::over(server.storage()));
    observed.cache.store(update(&writer, 0)).await.unwrap();
    server.stop();
    let error = observed.refused(&writer, 1).await;
    assert_eq!(error.kind, StorageErrorKind::Unreachable, "{error}");
    let begun = Instant::now();
    for number in 2..8 {
        observed.cache.store(update(&writer, number)).await.unwrap_err();
    }
    assert!(begun.elapsed() < DEADLINE, "left alone: {:?}", begun.elapsed());
    assert!(finds(&observed.cache, &writer, 0).await, "cached tokens remain usable");
    assert_eq!(observed.events(), ["Deferred", "Unreadable"]);
    server.restart();
    observed.flushed().await;
    let other = TokenCache::partitioned(server.storage());
    for number in 1..8 {
        assert!(finds(&other, &writer, number).await, "{number} was stored in the end");
    }
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again_with_all_scripts() {
    let mut server = RedisServer::start(&[]);
    let (writer, observed) = (Writer::new("w"), Observed::over(server.storage()));
    observed.cache.store(update(&writer, 0)).await.unwrap();
    server.stop();
    server.restart();
    // The first use may notice that the old connection is gone.
    if observed.cache.store(update(&writer, 1)).await.is_err() {
        observed.flushed().await;
    }
    assert!(finds(&TokenCache::partitioned(server.storage()), &writer, 1).await);
}

#[tokio::test]
async fn a_server_that_is_slow_costs_a_deadline() {
    let server = RedisServer::start(&[]);
    for (pause, words) in [(2_000, ["CLIENT", "PAUSE", "2000"]), (2_000, ["DEBUG", "SLEEP", "2"])] {
        let (writer, observed) = (Writer::new("w"), Observed::over(server.storage()));
        observed.cache.store(update(&writer, 0)).await.unwrap();
        let mut admin = server.admin();
        let (begun, until) = (Instant::now(), Duration::from_millis(pause));
        let slow = std::thread::spawn(move || {
            redis::cmd(words[0]).arg(&words[1..]).exec(&mut admin).unwrap();
        });
        // The pause begins at the latest with the next command.
        let mut refused = None;
        while refused.is_none() && begun.elapsed() < until {
            let asked = Instant::now();
            refused = observed.cache.store(update(&writer, 1)).await.err();
            assert!(asked.elapsed() < DEADLINE + GRACE, "{words:?}: {:?}", asked.elapsed());
        }
        assert_eq!(refused.unwrap().kind, StorageErrorKind::Unreachable, "{words:?}");
        assert!(finds(&observed.cache, &writer, 0).await && finds(&observed.cache, &writer, 1).await, "{words:?}");
        slow.join().unwrap();
        observed.flushed().await;
        assert!(finds(&TokenCache::partitioned(server.storage()), &writer, 1).await, "{words:?}");
    }
}

#[tokio::test]
async fn a_read_only_replica_is_read_and_changes_are_deferred() {
    let server = RedisServer::start(&[]);
    let (writer, observed) = (Writer::new("w"), Observed::over(server.storage()));
    observed.cache.store(update(&writer, 0)).await.unwrap();
    server.ask::<String>(&["REPLICAOF", "127.0.0.1", "1"]);
    assert!(finds(&TokenCache::partitioned(server.storage()), &writer, 0).await, "readable");
    let error = observed.refused(&writer, 1).await;
    assert!(error.to_string().contains("READONLY"), "{error}");
    assert_eq!(observed.events(), ["Deferred"]);
    server.ask::<String>(&["REPLICAOF", "NO", "ONE"]);
    observed.flushed().await;
    assert!(finds(&TokenCache::partitioned(server.storage()), &writer, 1).await);
}

#[tokio::test]
async fn a_server_that_is_full_keeps_what_it_has() {
    let server = RedisServer::start(&["--maxmemory-policy", "noeviction"]);
    let (writer, observed) = (Writer::new("w"), Observed::over(server.storage()));
    observed.cache.store(update(&writer, 0)).await.unwrap();
    server.ask::<String>(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = observed.refused(&writer, 1).await;
    assert!(error.to_string().contains("OOM"), "{error}");
    assert_eq!(observed.events(), ["Deferred"]);
    server.ask::<String>(&["CONFIG", "SET", "maxmemory", "0"]);
    observed.flushed().await;
    let other = TokenCache::partitioned(server.storage());
    assert!(finds(&other, &writer, 0).await && finds(&other, &writer, 1).await);
}

#[tokio::test]
async fn an_evicted_value_is_a_miss() {
    let server = RedisServer::start(&["--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"]);
    let cache = TokenCache::partitioned(server.storage());
    let writers: Vec<_> = (0..150).map(|number| Writer::new(format!("w{number}"))).collect();
    for writer in &writers {
        for number in 0..8 {
            cache.store(update(writer, number)).await.unwrap();
        }
    }
    let evicted: String = server.ask(&["INFO", "stats"]);
    let evicted = evicted.lines().find_map(|line| line.strip_prefix("evicted_keys:")?.trim().parse::<u64>().ok());
    assert!(evicted.unwrap() > 0, "the server must evict for this to be a test");
    let other = Observed::over(server.storage());
    let (mut found, mut missed) = (0, 0);
    for writer in &writers {
        match finds(&other.cache, writer, 0).await {
            true => found += 1,
            false => missed += 1,
        }
    }
    assert!(missed > 0 && found > 0, "{found} found, {missed} missed");
    assert_eq!(other.events(), Vec::<String>::new(), "not a failure");
    // The user signs in again once there is room.
    server.ask::<String>(&["CONFIG", "SET", "maxmemory", "0"]);
    other.cache.store(update(&writers[0], 0)).await.unwrap();
    assert!(finds(&TokenCache::partitioned(server.storage()), &writers[0], 0).await);
}

#[tokio::test]
async fn a_value_of_another_kind_or_beyond_the_limit_is_left_alone() {
    for (words, reason) in [
        (["SET", "KEY", "something else", ""].as_slice(), "WRONGTYPE"),
        (&["HSET", "KEY", "d", "LONG", "v", "12345678123456781234567812345678"], "larger than 16 MiB"),
        (&["HSET", "KEY", "d", "{}", "v", "short"], "an unknown format"),
    ] {
        let server = RedisServer::start(&[]);
        let (writer, observed) = (Writer::new("w"), Observed::over(server.storage()));
        let key = format!("auth:1:user:{}", writer.account(0).home_account_id.folded());
        let long = "x".repeat(16 * 1024 * 1024 + 2048);
        let words: Vec<&str> = words
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| match *word {
                "KEY" => key.as_str(),
                "LONG" => long.as_str(),
                word => word,
            })
            .collect();
        server.ask::<redis::Value>(&words);
        let before: Vec<u8> = server.ask(&["DUMP", &key]);
        assert!(!finds(&observed.cache, &writer, 0).await, "{reason}");
        let error = observed.refused(&writer, 0).await;
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!observed.events().is_empty(), "{reason}");
        assert_eq!(server.ask::<Vec<u8>>(&["DUMP", &key]), before, "{reason}: unchanged");
        // Other users are not affected.
        observed.cache.store(update(&writer, 1)).await.unwrap();
        assert!(finds(&TokenCache::partitioned(server.storage()), &writer, 1).await);
    }
}
