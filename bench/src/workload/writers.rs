//! W6: processes that write new tokens to one file without a pause. Each runs this program, and they start together.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth::Timestamp;
use auth_cache::TokenUpdate;
use auth_core::{
    Application, ClientId, CorrelationId, Exchange as _, RefreshRedemption, RequestContext, Secret, Tokens,
};
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::child;
use crate::generate::{CLIENT, home_account_id, refresh_token};
use crate::limit::{now, writer};
use crate::measure::{Compared, Effort};
use crate::ours::{account, authority, basis, file, runtime};
use crate::row::{Bound, Row, Unit};

/// The number of tokens that each process stores.
const STORES: u64 = 20;
/// The number of runs, of a few seconds each.
const RUNS: [usize; 2] = [3, 20];

/// Which side writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Writer {
    /// Our cache over our file store.
    Ours,
    /// The bare loop.
    Bare,
}

/// The figures of one process, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Written {
    /// The time of all its stores.
    total: f64,
    /// The time of the longest store.
    longest: f64,
    /// The number of failed stores.
    errors: u64,
}

/// The result of one run.
struct Run {
    /// Stores per second of all processes.
    rate: f64,
    longest: f64,
    errors: u64,
    /// The number of tokens missing at the end.
    lost: u64,
    /// Whether the file is damaged at the end, or one was moved aside.
    torn: bool,
}

/// Measures it with this many processes, on copies of a generated file.
#[must_use]
pub fn run(processes: u64, path: &Path, effort: Effort) -> Vec<Row> {
    let runs = RUNS[usize::from(effort.rounds >= Effort::FULL.rounds)];
    let (mut ours, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let run = together(Writer::Ours, processes, path);
        let bare = together(Writer::Bare, processes, path);
        assert!(bare.lost == 0 && !bare.torn, "the bare loop lost a token");
        rates.push((run.rate, bare.rate));
        ours.push(run);
    }
    let size = |what: &str| format!("{processes} processes, {what}");
    let sum = |of: fn(&Run) -> u64| ours.iter().map(of).sum::<u64>() as f64;
    let count = |what: &str, figure| Row::new("W6", size(what), Unit::Count, figure).figure(Bound::Exactly(0.0));
    let rate = Row::compared("W6", size("stores"), Unit::PerSecond, Compared::of(&rates)).ratio(Bound::AtLeast(0.55));
    let longest = ours.iter().map(|run| run.longest).fold(0.0, f64::max);
    vec![
        if processes == 8 { rate.figure(Bound::AtLeast(200.0)) } else { rate },
        Row::new("W6", size("the longest"), Unit::Nanoseconds, longest).figure(Bound::AtMost(250e6)),
        count("lost", sum(|run| run.lost)),
        count("errors", sum(|run| run.errors)),
        count("torn", sum(|run| u64::from(run.torn))),
    ]
}

/// Runs once, in its own folder.
fn together(writer: Writer, processes: u64, path: &Path) -> Run {
    let folder = path.with_extension("writers");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir(&folder).expect("room for a folder");
    let copy = folder.join("cache.json");
    fs::copy(path, &copy).expect("room for a copy");
    let mut started: Vec<_> = (0..processes).map(|number| start(writer, &copy, number)).collect();
    for (process, _) in &mut started {
        // The processes wait for this line.
        process.stdin.take().expect("a pipe").write_all(b"\n").expect("a process that waits");
    }
    let begun = Instant::now();
    let written: Vec<Written> = started.into_iter().map(|(process, output)| end(process, output)).collect();
    let took = begun.elapsed().as_secs_f64().min(written.iter().map(|one| one.total).fold(0.0, f64::max) / 1e9);
    let document = fs::read(&copy).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let torn = document.is_none() || folder.join("cache.json.corrupt").exists();
    let targets = |document: &Value| {
        let entries = document["AccessToken"].as_object().map(|entries| entries.values());
        entries.into_iter().flatten().filter(|entry| is_ours(&entry["target"])).count() as u64
    };
    let found = document.as_ref().map_or(0, targets);
    fs::remove_dir_all(&folder).expect("the folder");
    Run {
        rate: (processes * STORES) as f64 / took,
        longest: written.iter().map(|one| one.longest).fold(0.0, f64::max),
        errors: written.iter().map(|one| one.errors).sum(),
        lost: (processes * STORES).saturating_sub(found),
        torn,
    }
}

fn is_ours(target: &Value) -> bool {
    target.as_str().is_some_and(|target| target.to_ascii_lowercase().contains("w6."))
}

/// Starts a writer and waits until it is ready.
fn start(writer: Writer, path: &Path, number: u64) -> (Child, BufReader<ChildStdout>) {
    let name = if writer == Writer::Ours { "ours" } else { "bare" };
    let mut command = child::command();
    command.args(["write", name, &number.to_string()]).arg(path).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().expect("a process");
    let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a process that is ready");
    (process, output)
}

fn end(mut process: Child, mut output: BufReader<ChildStdout>) -> Written {
    let mut text = String::new();
    output.read_to_string(&mut text).expect("figures");
    assert!(process.wait().expect("a process").success(), "a process that succeeds");
    serde_json::from_str(&text).expect("figures")
}

/// The work of a process; an empty line signals that it is ready.
#[must_use]
pub fn write(writer: Writer, number: u64, path: &Path, ready: impl FnOnce()) -> Written {
    // Each process has its own users among the hundred.
    let mine: Vec<_> = (0..STORES).map(|store| ((number * STORES + store) % 100, target(number, store))).collect();
    match writer {
        Writer::Bare => timed(&mine, ready, |(user, target)| {
            writer::add(path, &home_account_id(*user), target, &secret(target));
            true
        }),
        Writer::Ours => {
            let (cache, runtime) = (file(path), runtime());
            let (authority, client_id) = (Arc::new(authority()), ClientId::new(CLIENT).expect("a client id"));
            let updates: Vec<_> = mine
                .iter()
                .map(|(user, target)| {
                    let (account, tokens) = (account(*user), Arc::new(tokens(*user, target)));
                    let basis = basis(&runtime, &cache, &authority, &account);
                    TokenUpdate::from_refresh(Arc::clone(&authority), client_id.clone(), account, tokens, basis)
                })
                .collect();
            timed(&updates, ready, |update| runtime.block_on(cache.store(update.clone())).is_ok_and(|stored| stored))
        }
    }
}

fn timed<T>(stores: &[T], ready: impl FnOnce(), store: impl Fn(&T) -> bool) -> Written {
    ready();
    std::io::stdin().read_line(&mut String::new()).expect("the start signal");
    let (mut longest, mut errors) = (Duration::ZERO, 0);
    let begun = Instant::now();
    for one in stores {
        let begun = Instant::now();
        errors += u64::from(!store(one));
        longest = longest.max(begun.elapsed());
    }
    Written { total: begun.elapsed().as_nanos() as f64, longest: longest.as_nanos() as f64, errors }
}

fn target(process: u64, store: u64) -> String {
    format!("W6.{process}.{store}")
}

fn secret(target: &str) -> String {
    format!("{target:x<1500}")
}

/// A new token for another scope.
fn tokens(user: u64, target: &str) -> Tokens {
    let id = CorrelationId::generate(&mut SysRng).expect("random bytes");
    let context = RequestContext::new(Application::new(ClientId::new(CLIENT).expect("a client id")), id);
    let metadata = authority().metadata().expect("a known host");
    let now = Timestamp::from_unix_seconds(now());
    let scopes = auth::Scopes::parse(target).expect("a scope");
    let old = Secret::new(refresh_token(user, false));
    let exchange = RefreshRedemption::new(context, metadata, old, scopes, now);
    let body = json!({"token_type": "Bearer", "scope": target, "expires_in": 3599, "access_token": secret(target)});
    let response = http::Response::builder().header("content-type", "application/json").body(body.to_string().into());
    exchange.complete(response.expect("a response"), now).expect("valid tokens")
}
