//! W7: hits per second with one and two threads, against a pure CPU loop on the same machine.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::generate::Users;
use crate::measure::{Compared, Effort, median, warm_up};
use crate::order::Order;
use crate::ours::provider::Silence;
use crate::ours::{accounts, check, client, memory, runtime, silent, wanted};
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;

/// Measures it with this many users in the cache.
#[must_use]
pub fn run(users: u64, effort: Effort) -> Vec<Row> {
    let (app, scopes, accounts) = (client(memory(&Users::first(users)), Silence), wanted(), accounts(users));
    runtime().block_on(check(&app, &scopes, users / 2, false));
    let hits = |thread: u64, count: u64| {
        // Each thread has its own account and scopes, like threads that serve different users.
        let (scopes, mut order) = (wanted(), Order::starting_at(accounts.len(), 42 + thread));
        runtime().block_on(async {
            for _ in 0..count {
                black_box(silent(&app, &scopes, &accounts[order.draw()]).await);
            }
        });
    };
    let spin = |thread: u64, count: u64| {
        let mut state = black_box(thread);
        for _ in 0..count {
            for _ in 0..100 {
                state = black_box(state.wrapping_mul(31).wrapping_add(7));
            }
        }
        black_box(state);
    };
    let hit_count = warm_up(effort.turn, &mut |count| hits(0, count));
    let spin_count = warm_up(effort.turn, &mut |count| spin(0, count));
    let mut rates = Vec::new();
    let rounds: Vec<_> = (0..effort.rounds)
        .map(|_| {
            let (one, two) = (rate(1, hit_count, &hits), rate(2, hit_count, &hits));
            rates.push((one, two));
            (two / one, rate(2, spin_count, &spin) / rate(1, spin_count, &spin))
        })
        .collect();
    let size = |what: &str| format!("{}, {what}", grouped(users));
    let rate_of = |of: &dyn Fn(&(f64, f64)) -> f64| median(rates.iter().map(of));
    vec![
        Row::new("W7", size("1 thread"), Unit::PerSecond, rate_of(&|round| round.0)),
        Row::new("W7", size("2 threads"), Unit::PerSecond, rate_of(&|round| round.1)),
        Row::compared("W7", size("2 threads to 1"), Unit::Times, Compared::of(&rounds)).ratio(Bound::AtLeast(0.85)),
    ]
}

/// Operations per second of all threads together.
fn rate(threads: u64, count: u64, work: &(impl Fn(u64, u64) + Sync)) -> f64 {
    let start = Barrier::new(usize::try_from(threads).expect("few threads"));
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|number| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let begun = Instant::now();
                    work(number, count);
                    count as f64 / begun.elapsed().as_secs_f64()
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().expect("a thread that succeeds")).sum()
    })
}
