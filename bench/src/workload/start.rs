//! W3: a new process reads the file, answers one silent call, then changes one token and writes. Each turn has its own
//! process, so that nothing is warm and its peak memory can be measured.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use auth::{Account, Timestamp};
use auth_cache::{Lookup, Query, TokenUpdate};
use auth_core::{
    Application, ClientId, CorrelationId, Exchange as _, RefreshRedemption, RequestContext, Secret, Tokens,
};
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};

use crate::child;
use crate::generate::{
    CLIENT, Contents, ENVIRONMENT, SCOPES, TENANT, access_token, home_account_id, new_access_token, refresh_token,
};
use crate::limit::document::{Document, Span, replace_file};
use crate::limit::now;
use crate::measure::{Compared, Effort};
use crate::ours::{WANTED, account, authority, basis, file, runtime, wanted};
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;

/// Which side starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Starter {
    /// Our cache over our file store.
    Ours,
    /// A parsed document that borrows from its text and is serialized as a whole.
    Parsed,
    /// The text itself, in which one entry is replaced.
    Spliced,
}

impl Starter {
    /// Its name on the command line.
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Parsed => "parsed",
            Self::Spliced => "spliced",
        }
    }
}

/// The figures of one process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Started {
    /// Nanoseconds until the first answer.
    load: f64,
    /// Nanoseconds to change one token and write.
    write: f64,
    /// Bytes of memory after the first answer, minus those before.
    resident: f64,
    /// Peak memory until the first answer, in bytes.
    peak: f64,
}

/// Measures it with the generated file of this many users.
#[must_use]
pub fn run(users: u64, path: &Path, effort: Effort) -> Vec<Row> {
    let rounds = match users {
        0..=100 => effort.rounds,
        101..=10_000 => effort.rounds / 3,
        _ => effort.rounds / 8,
    };
    let size = fs::metadata(path).expect("the generated file").len() as f64;
    let starters = [Starter::Ours, Starter::Parsed, Starter::Spliced];
    let copies = starters.map(|starter| path.with_extension(starter.name()));
    for copy in &copies {
        fs::copy(path, copy).expect("room for a copy");
    }
    // One turn before measuring, so that the file is in the system's cache.
    let mut turns: Vec<[Started; 3]> =
        (0..=rounds).map(|_| std::array::from_fn(|at| turn(starters[at], &copies[at]))).collect();
    turns.remove(0);
    for copy in &copies {
        fs::remove_file(copy).expect("the copy");
    }
    let pairs = |of: fn(&Started) -> f64, other: usize| {
        Compared::of(&turns.iter().map(|turn| (of(&turn[0]), of(&turn[other]))).collect::<Vec<_>>())
    };
    let row = |what: &str, unit, figures| Row::compared("W3", format!("{}, {what}", grouped(users)), unit, figures);
    let load = row("load", Unit::Nanoseconds, pairs(|started| started.load, 1));
    let write = row("write", Unit::Nanoseconds, pairs(|started| started.write, 1));
    let splice = row("write, to a splice", Unit::Nanoseconds, pairs(|started| started.write, 2));
    let peak = row("peak", Unit::Bytes, pairs(|started| started.peak, 1));
    let each = pairs(|started| started.resident, 1);
    let each = Compared { ours: each.ours / users as f64, limit: each.limit / users as f64, ..each };
    let each = row("memory a user", Unit::Bytes, each);
    match users {
        1 => vec![load.figure(Bound::AtMost(0.25e6)).ratio(Bound::AtMost(3.5)), write, splice],
        10_000 => vec![
            load.figure(Bound::AtMost(110e6)).ratio(Bound::AtMost(1.5)),
            write.figure(Bound::AtMost(110e6)).ratio(Bound::AtMost(1.5)),
            splice,
            peak.figure(Bound::AtMost(2.2 * size)),
            each.figure(Bound::AtMost(6_500.0)).ratio(Bound::AtMost(1.4)),
        ],
        _ => vec![load, write, splice, peak, each],
    }
}

/// Runs one turn in its own process, with a file that was not written recently.
fn turn(starter: Starter, path: &Path) -> Started {
    let file = File::options().write(true).open(path).expect("the copy");
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).expect("a time in the past");
    child::answer(child::command().args(["start", starter.name()]).arg(path)).expect("a process that succeeds")
}

/// The work of one turn's process.
#[must_use]
pub fn start(starter: Starter, path: &Path) -> Started {
    match starter {
        Starter::Ours => ours(path),
        Starter::Parsed => parsed(path),
        Starter::Spliced => spliced(path),
    }
}

fn ours(path: &Path) -> Started {
    let (authority, client_id, account) = (authority(), ClientId::new(CLIENT).expect("a client id"), account(0));
    let (scopes, tokens) = (wanted(), tokens());
    let runtime = runtime();
    let before = memory("VmRSS:");

    let begun = Instant::now();
    let cache = file(path);
    let query = Query::new(&authority, &client_id, &account.home_account_id, &scopes);
    let found = runtime.block_on(cache.lookup(&query, Timestamp::from_unix_seconds(now()))).expect("a file");
    let load = begun.elapsed();
    let Lookup::Usable(token) = found else { panic!("no token for user 0") };
    assert_is_user_0(token.access_token().expose());
    let (resident, peak) = (memory("VmRSS:") - before, memory("VmHWM:"));

    let basis = basis(&runtime, &cache, &authority, &account);
    let begun = Instant::now();
    let update = TokenUpdate::from_refresh(Arc::new(authority), client_id, account, Arc::new(tokens), basis);
    assert!(runtime.block_on(cache.store(update)).expect("a file that can be written"));
    Started { load: load.as_nanos() as f64, write: begun.elapsed().as_nanos() as f64, resident, peak }
}

fn parsed(path: &Path) -> Started {
    let key = key();
    let before = memory("VmRSS:");
    let begun = Instant::now();
    let text = fs::read(path).expect("the file");
    let mut document = Document::parse(&text);
    let token = document.hit(&key, &WANTED).expect("a token");
    let load = begun.elapsed();
    assert_is_user_0(&token);
    let (resident, peak) = (memory("VmRSS:") - before, memory("VmHWM:"));

    let begun = Instant::now();
    replace_file(path, &document.changed(&key, new_access_token(0)));
    Started { load: load.as_nanos() as f64, write: begun.elapsed().as_nanos() as f64, resident, peak }
}

fn spliced(path: &Path) -> Started {
    let key = key();
    let before = memory("VmRSS:");
    let begun = Instant::now();
    let text = fs::read(path).expect("the file");
    let place = Span::find(&text, &key);
    let load = begun.elapsed();
    let (resident, peak) = (memory("VmRSS:") - before, memory("VmHWM:"));

    let begun = Instant::now();
    replace_file(path, &place.splice(&text, new_access_token(0)));
    let write = begun.elapsed();
    black_box(text);
    Started { load: load.as_nanos() as f64, write: write.as_nanos() as f64, resident, peak }
}

fn assert_is_user_0(token: &str) {
    assert!(
        [access_token(0, false), new_access_token(0)].iter().any(|known| known == token),
        "not the token of user 0"
    );
}

/// The key of the access token of user 0.
fn key() -> String {
    format!("{}-{ENVIRONMENT}-accesstoken-{CLIENT}-{TENANT}-{SCOPES}", home_account_id(0)).to_ascii_lowercase()
}

/// New tokens for user 0, as returned by an exchange.
fn tokens() -> Tokens {
    let id = CorrelationId::generate(&mut SysRng).expect("random bytes");
    let context = RequestContext::new(Application::new(ClientId::new(CLIENT).expect("a client id")), id);
    let metadata = authority().metadata().expect("a known host");
    let now = Timestamp::from_unix_seconds(now());
    let secret = Secret::new(refresh_token(0, false));
    let scopes = auth::Scopes::parse(SCOPES).expect("scopes");
    let account: Account = account(0);
    let exchange =
        RefreshRedemption::new(context, metadata, secret, scopes, now).expecting(account.home_account_id, Vec::new());
    let response = http::Response::builder().header("content-type", "application/json");
    let response = response.body(Contents::token(0).to_bytes().into()).expect("a response");
    exchange.complete(response, now).expect("valid tokens")
}

/// A figure of this process from `/proc`, in bytes.
fn memory(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(name)).expect("a figure of memory");
    let kibibytes: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
    kibibytes * 1024.0
}
