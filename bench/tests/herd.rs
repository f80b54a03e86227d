//! Each token is requested once, however many simultaneous callers there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auth_bench::generate::{Users, new_access_token};
use auth_bench::ours::provider::{Pause, Provider};
use auth_bench::ours::{account, client, memory, runtime, silent, wanted};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Makes this many calls at once, each for the user with this number, and returns the number of requests. No response
/// comes before all calls have begun.
fn requests(callers: u64, users: u64) -> u64 {
    let (open, opened) = watch::channel(false);
    let provider = Provider::new(users, Pause::Until(opened));
    let app = client(memory(&Users { expired: 0..users, ..Users::first(users) }), provider.clone());
    let scopes = wanted();
    let answers = runtime().block_on(async {
        let asking = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            let (app, scopes, asking, user) = (app.clone(), scopes.clone(), Arc::clone(&asking), caller % users);
            tasks.spawn(async move {
                asking.fetch_add(1, Ordering::Relaxed);
                let result = silent(&app, &scopes, &account(user)).await;
                (user, result.access_token().expose().to_owned())
            });
        }
        // On one thread, a running task is only switched out where it waits.
        while asking.load(Ordering::Relaxed) < callers || provider.requests() == 0 {
            tokio::task::yield_now().await;
        }
        open.send_replace(true);
        tasks.join_all().await
    });
    let mut served = BTreeMap::new();
    for (user, token) in answers {
        assert_eq!(token, *served.entry(user).or_insert_with(|| new_access_token(user)), "the token of user {user}");
    }
    assert_eq!(served.len() as u64, users);
    provider.requests()
}

#[test]
fn ten_thousand_callers_of_one_token_make_one_request() {
    assert_eq!(requests(10_000, 1), 1);
}

#[test]
fn a_thousand_tokens_take_a_thousand_requests() {
    assert_eq!(requests(1_000, 1_000), 1_000);
}

#[test]
fn callers_share_only_identical_requests() {
    assert_eq!(requests(1_000, 10), 10);
}
