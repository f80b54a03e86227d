//! W1, W1p: a silent hit by account and three of the token's five scopes.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use auth::{Account, PublicClient, Scopes, TokenCache};

use crate::generate::Users;
use crate::limit::people::{Hit, People};
use crate::measure::{Compared, Effort, Turn, compare};
use crate::order::Order;
use crate::ours::provider::Silence;
use crate::ours::{WANTED, accounts, check, client, file, memory, runtime, silent, wanted};
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;

/// W1: the cache in memory.
#[must_use]
pub fn in_memory(users: u64, effort: Effort) -> Vec<Row> {
    let (figure, ratio) = match users {
        0..=100 => (200.0, 2.2),
        101..=10_000 => (750.0, 2.1),
        10_001..=100_000 => (1_600.0, 2.1),
        _ => (2_500.0, 2.1),
    };
    // A million full-size users would fill the memory of a small machine.
    let slim = users > 100_000;
    let contents = Users { slim, ..Users::first(users) };
    let people = People::of(&contents);
    let accounts = accounts(users);
    let mut order = Order::below(accounts.len());
    let mut limit = |count| {
        for _ in 0..count {
            black_box(bare(&people, &accounts[order.draw()]));
        }
    };
    let (first, figures) = measure(memory(&contents), &accounts, slim, effort, &mut limit);
    let hit = Row::compared("W1", grouped(users), Unit::Nanoseconds, figures);
    let first = Row::new("W1", format!("{}, each user's first", grouped(users)), Unit::Nanoseconds, first);
    let hit = hit.figure(Bound::AtMost(figure)).ratio(Bound::AtMost(ratio));
    // The first call would dominate the mean of a few.
    if users < 1_000 { vec![hit] } else { vec![hit, first] }
}

/// W1p: the cache in a file that does not change between calls. The bare program checks the file, too.
#[must_use]
pub fn in_file(users: u64, path: &Path, effort: Effort) -> Row {
    let figure = if users <= 1_000 { 3_000.0 } else { 4_000.0 };
    let mut people = People::default();
    people.merge(&std::fs::read(path).expect("the generated file"));
    let accounts = accounts(users);
    let mut order = Order::below(accounts.len());
    let look = || std::fs::metadata(path).and_then(|file| Ok((file.len(), file.modified()?))).expect("the file");
    let seen = look();
    let mut limit = |count| {
        for _ in 0..count {
            assert!(look() == seen, "the file has changed");
            black_box(bare(&people, &accounts[order.draw()]));
        }
    };
    let (_, figures) = measure(file(path), &accounts, false, effort, &mut limit);
    let row = Row::compared("W1p", grouped(users), Unit::Nanoseconds, figures);
    row.figure(Bound::AtMost(figure)).ratio(Bound::AtMost(2.5))
}

fn bare(people: &People, account: &Account) -> Hit {
    people.hit(account.home_account_id.as_str(), black_box(&WANTED)).expect("a token")
}

fn measure(cache: TokenCache, accounts: &[Account], slim: bool, effort: Effort, limit: Turn<'_>) -> (f64, Compared) {
    let runtime = runtime();
    let (app, scopes) = (client(cache, Silence), wanted());
    for number in [0, accounts.len() / 2, accounts.len() - 1] {
        runtime.block_on(check(&app, &scopes, number as u64, slim));
    }
    let begun = Instant::now();
    runtime.block_on(ask_once_for_each(&app, &scopes, accounts));
    let first = begun.elapsed().as_nanos() as f64 / accounts.len() as f64;
    let mut order = Order::below(accounts.len());
    let mut ours = |count| {
        runtime.block_on(async {
            for _ in 0..count {
                black_box(silent(&app, black_box(&scopes), &accounts[order.draw()]).await);
            }
        });
    };
    (first, compare(effort, &mut ours, limit))
}

/// A cache may defer work to the first lookup for a user; that is not part of a hit.
async fn ask_once_for_each(app: &PublicClient, scopes: &Scopes, accounts: &[Account]) {
    for account in accounts {
        black_box(silent(app, scopes, account).await);
    }
}

/// Which side's instructions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Side {
    /// Ours.
    Ours,
    /// The bare program's.
    Limit,
}

impl Side {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Limit => "limit",
        }
    }
}

/// Runs W1 this many times, for a tool that counts the instructions of [`COUNTED`]. Secrets are short, so that building
/// the cache is fast.
pub fn repeat(side: Side, users: u64, count: u64) {
    let contents = Users { slim: true, ..Users::first(users) };
    let accounts = accounts(users);
    let mut order = Order::below(accounts.len());
    match side {
        Side::Ours => {
            let (app, scopes, runtime) = (client(memory(&contents), Silence), wanted(), runtime());
            runtime.block_on(check(&app, &scopes, users / 2, true));
            runtime.block_on(ask_once_for_each(&app, &scopes, &accounts));
            counted_hits(count, &mut |count| {
                runtime.block_on(async {
                    for _ in 0..count {
                        black_box(silent(&app, black_box(&scopes), &accounts[order.draw()]).await);
                    }
                });
            });
        }
        Side::Limit => {
            let people = People::of(&contents);
            counted_hits(count, &mut |count| {
                for _ in 0..count {
                    black_box(bare(&people, &accounts[order.draw()]));
                }
            });
        }
    }
}

/// The function whose instructions are counted, as a pattern for valgrind.
pub const COUNTED: &str = "*counted_hits*";

#[inline(never)]
fn counted_hits(count: u64, hits: Turn<'_>) {
    hits(count);
    // Prevents the call above from becoming a tail call, which the tool would take for the end.
    black_box(count);
}
