//! One of several processes at one cache: `actor FILE WRITER [AUTHORITY]`, where `FILE` is a path, `encrypted:PATH` or
//! the address of a Redis.
//!
//! It prints `ready`, then runs each command on its standard input and answers with a line:
//!
//! | command | does | answers |
//! | --- | --- | --- |
//! | `store N` | stores the tokens of number `N` | `ack N`, or `deferred N: why` |
//! | `stores N COUNT` | the same for `COUNT` numbers from `N` on | each as above |
//! | `look N` | looks up the access token of number `N` | `found`, `other`, `nothing` or `error: why` |
//! | `flush` | stores deferred changes | `ok`, or `error: why` |
//! | `hold`, `release` | takes or releases the document's lock | `held`, `released`, or `error: why` |
//! | `add FILE TIMES` | adds one to the number in a file, under the lock | `added MS`, the longest wait; or `error: why` |
//! | `silent` | asks the facade for a token | one line of JSON |
//! | `events` | lists the events of the cache since the last time | their names |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this program is only for tests"
)]

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth::{
    Authority, FileStorage, Observer, PartitionedStorage as _, PublicClient, RedisStorage, Scopes, Timestamp,
    TokenCache,
};
use auth_cache::{BoxedLock, DynStorage, LockBudget, LockName, Lookup, PartitionKey};
use auth_tests::cache::{encrypted, now};
use auth_tests::canary::sha256;
use auth_tests::numbered::Writer;
use serde_json::json;

/// Longer than all others together hold a lock.
const PATIENCE: Duration = Duration::from_secs(60);

struct Actor {
    storage: Arc<dyn DynStorage>,
    cache: Arc<TokenCache>,
    events: Arc<Mutex<Vec<String>>>,
    writer: Writer,
    client: Option<PublicClient>,
    lock: Option<BoxedLock>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Two threads: one reads and looks up, the other writes.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    let (storage, cache) = match opened(&words[0]) {
        Ok(opened) => opened,
        Err(error) => return say(&format!("error: {error}")),
    };
    let mut actor = Actor::new(storage, cache, &words[1], words.get(2).map(String::as_str));
    say("ready");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let answer = runtime.block_on(actor.run(&words));
        say(&answer);
    }
}

/// Opens a store, and a cache over it.
fn opened(place: &str) -> Result<(Arc<dyn DynStorage>, TokenCache), auth::StorageError> {
    if place.starts_with("redis:") || place.starts_with("unix:") {
        let storage = RedisStorage::at(place)?;
        return Ok((storage.partition(&PartitionKey::User("w".into())), TokenCache::partitioned(storage)));
    }
    let storage: Arc<dyn DynStorage> = match place.strip_prefix("encrypted:") {
        Some(path) => Arc::new(encrypted(path.as_ref())),
        None => Arc::new(FileStorage::at(place)?),
    };
    Ok((Arc::clone(&storage), TokenCache::from_shared(storage)))
}

/// Prints a line. Exits if no one is listening.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    if output.write_all(format!("{line}\n").as_bytes()).and_then(|()| output.flush()).is_err() {
        std::process::exit(0);
    }
}

impl Actor {
    fn new(storage: Arc<dyn DynStorage>, cache: TokenCache, writer: &str, authority: Option<&str>) -> Self {
        let events = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&events);
        let cache = cache.on_event(move |event| {
            let name = format!("{event:?}").split([' ', '(']).next().unwrap().to_owned();
            heard.lock().unwrap().push(name);
        });
        let cache = Arc::new(cache);
        let client = authority.map(|authority| {
            let builder = PublicClient::builder("c0ffee00-0000-4000-8000-000000000001").cache(Arc::clone(&cache));
            builder.authority(Authority::parse(authority).unwrap()).build().unwrap()
        });
        Self { storage, cache, events, writer: Writer::new(writer), client, lock: None }
    }

    async fn run(&mut self, words: &[&str]) -> String {
        match *words {
            ["store", number] => self.store(number.parse().unwrap()).await,
            ["stores", first, count] => {
                let first: u64 = first.parse().unwrap();
                for number in first..first + count.parse::<u64>().unwrap() {
                    say(&self.store(number).await);
                }
                "done".to_owned()
            }
            ["look", number] => self.look(number.parse().unwrap()).await,
            ["flush"] => match self.cache.flush().await {
                Ok(_) => "ok".to_owned(),
                Err(error) => format!("error: {error}"),
            },
            ["hold"] => match self.locked().await {
                Ok(lock) => {
                    self.lock = Some(lock);
                    "held".to_owned()
                }
                Err(error) => format!("error: {error}"),
            },
            ["release"] => {
                self.lock = None;
                "released".to_owned()
            }
            ["add", file, times] => self.add(file, times.parse().unwrap()).await,
            ["silent"] => self.silent().await,
            ["events"] => std::mem::take(&mut *self.events.lock().unwrap()).join(" "),
            _ => panic!("no such command: {words:?}"),
        }
    }

    async fn store(&self, number: u64) -> String {
        match self.cache.store(self.writer.update(number)).await {
            Ok(_) => format!("ack {number}"),
            Err(error) => format!("deferred {number}: {error}"),
        }
    }

    async fn look(&self, number: u64) -> String {
        let account = self.writer.account(number);
        let query = self.writer.query(&account);
        let found = self.cache.lookup(&query, Timestamp::from_unix_seconds(now())).await;
        match found {
            Ok(Lookup::Usable(token)) if token.access_token().expose() == self.writer.secret(number) => "found".into(),
            Ok(Lookup::Nothing) => "nothing".to_owned(),
            Ok(_) => "other".to_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    async fn locked(&self) -> Result<BoxedLock, auth::StorageError> {
        self.storage.lock(LockName::Document, &mut LockBudget::new(PATIENCE), &Observer::default()).await
    }

    /// Atomic only because of the lock.
    async fn add(&self, file: &str, times: u64) -> String {
        let mut longest = Duration::ZERO;
        for _ in 0..times {
            let begun = Instant::now();
            let _lock = match self.locked().await {
                Ok(lock) => lock,
                Err(error) => return format!("error: {error}"),
            };
            longest = longest.max(begun.elapsed());
            let before = std::fs::read_to_string(file).unwrap();
            let Ok(number) = before.parse::<u64>() else { return format!("error: read {before:?}") };
            std::fs::write(file, (number + 1).to_string()).unwrap();
        }
        format!("added {}", longest.as_millis())
    }

    async fn silent(&self) -> String {
        let scopes = Scopes::parse("User.Read").unwrap();
        let client = self.client.as_ref().expect("an authority");
        let answer = match client.acquire_token_silent(&scopes, None).send().await {
            Ok(result) => json!({
                "token": sha256(result.access_token().expose()),
                "source": format!("{:?}", result.source()),
                "persisted": result.persisted(),
            }),
            Err(auth::AuthError::UiRequired(ui)) => {
                json!({"error": "ui_required", "reason": format!("{:?}", ui.reason)})
            }
            Err(error) => json!({"error": error.to_string()}),
        };
        answer.to_string()
    }
}
