//! Many simultaneous calls with expired tokens: how many requests the identity provider gets, and which calls wait.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use auth::PublicClient;
use tokio::task::JoinSet;

use crate::generate::{Users, new_access_token};
use crate::limit::flight;
use crate::measure::{Compared, Effort, median};
use crate::ours::provider::{Pause, Provider};
use crate::ours::{account, check, client, memory, runtime, silent, wanted};
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;

/// How long the endpoint takes to respond.
const TAKES: Duration = Duration::from_millis(50);
/// The number of turns; few suffice, because each takes at least as long as the endpoint.
const ROUNDS: usize = 5;

/// Measures this many callers of one token.
#[must_use]
pub fn one_token(callers: u64, effort: Effort) -> Vec<Row> {
    let runtime = runtime();
    let (mut times, mut meanwhile, mut requests) = (Vec::new(), Vec::new(), 0);
    for _ in 0..effort.rounds.min(ROUNDS) {
        let (app, provider) = expired(1);
        let hits = Bystander::start(&app, 1);
        let begun = Instant::now();
        runtime.block_on(stampede(&app, (0..callers).map(|_| 0)));
        let ours = begun.elapsed();
        meanwhile.extend(hits.stop());
        requests = requests.max(provider.requests());

        let begun = Instant::now();
        assert_eq!(runtime.block_on(flight::herd(usize::try_from(callers).expect("small"), TAKES)), 1);
        times.push((ours.as_nanos() as f64, begun.elapsed().as_nanos() as f64));
    }
    let size = |what: &str| format!("{} callers, {what}", grouped(callers));
    vec![
        Row::new("herd", size("requests"), Unit::Requests, requests as f64).figure(Bound::Exactly(1.0)),
        Row::new("herd", size("another's hit meanwhile"), Unit::Nanoseconds, median(meanwhile))
            .figure(Bound::AtMost(50_000.0)),
        Row::compared("herd", size("until all are served"), Unit::Nanoseconds, Compared::of(&times)),
    ]
}

/// Measures this many callers, each of a different token.
#[must_use]
pub fn many_tokens(callers: u64) -> Row {
    let (app, provider) = expired(callers);
    runtime().block_on(stampede(&app, 0..callers));
    let size = format!("{} tokens, requests", grouped(callers));
    Row::new("herd", size, Unit::Requests, provider.requests() as f64).figure(Bound::Exactly(callers as f64))
}

/// A client with this many users whose tokens have expired, and one whose token is valid.
fn expired(users: u64) -> (PublicClient, Provider) {
    let contents = Users { expired: 0..users, ..Users::first(users + 1) };
    let provider = Provider::new(users, Pause::For(TAKES));
    (client(memory(&contents), provider.clone()), provider)
}

/// Makes all calls at once, each for the user with this number.
async fn stampede(app: &PublicClient, users: impl Iterator<Item = u64>) {
    let mut tasks = JoinSet::new();
    let scopes = wanted();
    for user in users {
        let (app, scopes) = (app.clone(), scopes.clone());
        tasks.spawn(async move { (user, silent(&app, &scopes, &account(user)).await) });
    }
    for (user, result) in tasks.join_all().await {
        assert_eq!(result.access_token().expose(), new_access_token(user), "not the token of user {user}");
    }
}

/// A caller with a valid token, which it requests repeatedly from its own thread.
struct Bystander {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<f64>>,
}

impl Bystander {
    fn start(app: &PublicClient, number: u64) -> Self {
        let (app, over) = (app.clone(), Arc::new(AtomicBool::new(false)));
        runtime().block_on(check(&app, &wanted(), number, false));
        let thread = thread::spawn({
            let over = Arc::clone(&over);
            move || runtime().block_on(ask_until(&over, &app, number))
        });
        Self { over, thread }
    }

    fn stop(self) -> Vec<f64> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("every hit succeeds")
    }
}

async fn ask_until(over: &AtomicBool, app: &PublicClient, number: u64) -> Vec<f64> {
    let (account, scopes, mut times) = (account(number), wanted(), Vec::new());
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        black_box(silent(app, &scopes, &account).await);
        times.push(begun.elapsed().as_nanos() as f64);
        // Leave the processor to the others.
        thread::sleep(Duration::from_micros(200));
    }
    times
}
