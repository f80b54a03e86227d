//! W1 over Redis: a hit in memory makes no round trip, a miss makes one. Skipped without `redis-server` on `PATH`.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use auth::{PublicClient, RedisStorage, TokenCache};
use redis::Client;

use crate::generate::{Users, home_account_id};
use crate::limit::people::People;
use crate::measure::{Effort, compare};
use crate::order::Order;
use crate::ours::provider::Silence;
use crate::ours::{WANTED, accounts, check, client, runtime, silent, wanted};
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;

/// The number of calls for which round trips are counted.
const COUNTED: u64 = 1_000;

/// A server on the loopback interface; it ends when this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Returns `None` if there is no such program or it does not start.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]).arg(port.to_string());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().ok()?;
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        let is_ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { child, url: format!("redis://127.0.0.1:{port}") };
        is_ready.then_some(server)
    }

    fn storage(&self) -> RedisStorage {
        RedisStorage::at(&self.url).expect("an address on this machine")
    }

    /// Returns the number of script calls since the start.
    fn scripts(&self) -> u64 {
        let mut connection = Client::open(&*self.url).and_then(|client| client.get_connection()).expect("the server");
        let statistics: String = redis::cmd("INFO").arg("commandstats").query(&mut connection).expect("its statistics");
        let calls = |line: &str| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?.parse().ok();
        statistics.lines().find_map(calls).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may already have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Measures it with this many users.
#[must_use]
pub fn run(users: u64, effort: Effort) -> Vec<Row> {
    let Some(server) = Server::start() else { return Vec::new() };
    let (contents, accounts, runtime, scopes) = (Users::first(users), accounts(users), runtime(), wanted());
    let people = People::of(&contents);
    let cache = TokenCache::partitioned(server.storage());
    for part in contents.parts() {
        cache.merge_json(&part).expect("a cache document");
    }
    runtime.block_on(cache.flush()).expect("the server stores it");
    let hits = client(cache, Silence);
    // Without staleness, every lookup asks the server.
    let misses = client(TokenCache::partitioned(server.storage().staleness(Duration::ZERO)), Silence);
    for app in [&hits, &misses] {
        runtime.block_on(check(app, &scopes, users / 2, false));
    }
    let mut connection = runtime.block_on(async {
        let client = Client::open(&*server.url).expect("an address");
        client.get_multiplexed_async_connection().await.expect("the server")
    });
    let mut order = Order::below(accounts.len());
    let mut ask = |app: &PublicClient, count: u64| {
        runtime.block_on(async {
            for _ in 0..count {
                black_box(silent(app, black_box(&scopes), &accounts[order.draw()]).await);
            }
        });
    };
    let mut trips = |app: &PublicClient| {
        let before = server.scripts();
        ask(app, COUNTED);
        (server.scripts() - before) as f64 / COUNTED as f64
    };
    let (of_hit, of_miss) = (trips(&hits), trips(&misses));
    let mut bare_order = Order::below(accounts.len());
    let hit = compare(effort, &mut |count| ask(&hits, count), &mut |count| {
        for _ in 0..count {
            let account = &accounts[bare_order.draw()];
            black_box(people.hit(account.home_account_id.as_str(), black_box(&WANTED)).expect("a token"));
        }
    });
    let miss = compare(effort, &mut |count| ask(&misses, count), &mut |count| {
        runtime.block_on(async {
            for _ in 0..count {
                let key = format!("auth:1:user:{}", home_account_id(bare_order.draw() as u64).to_ascii_lowercase());
                let found: Vec<Vec<u8>> =
                    redis::cmd("HMGET").arg(key).arg(&["v", "d"]).query_async(&mut connection).await.expect("a value");
                black_box(found);
            }
        });
    });
    let name = |what: &str| format!("{}, {what}", grouped(users));
    vec![
        Row::compared("redis", name("a hit"), Unit::Nanoseconds, hit).ratio(Bound::AtMost(4.0)),
        Row::new("redis", name("round trips of a hit"), Unit::Count, of_hit).figure(Bound::Exactly(0.0)),
        Row::compared("redis", name("a miss"), Unit::Nanoseconds, miss).ratio(Bound::AtMost(3.0)),
        Row::new("redis", name("round trips of a miss"), Unit::Count, of_miss).figure(Bound::Exactly(1.0)),
    ]
}
