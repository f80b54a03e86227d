//! W4: the forced redemption of a refresh token; the endpoint responds at once, in this process.

use std::hint::black_box;

use auth::TokenSource;

use crate::generate::{CLIENT, SCOPES, Users, new_access_token};
use crate::limit::people::People;
use crate::measure::{Effort, compare};
use crate::ours::provider::{Pause, Provider};
use crate::ours::{account, client, memory, runtime, wanted};
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;

/// Measures it with this many users in the cache.
#[must_use]
pub fn run(users: u64, effort: Effort) -> Row {
    let contents = Users::first(users);
    let provider = Provider::new(1, Pause::None);
    let (app, account, scopes) = (client(memory(&contents), provider.clone()), account(0), wanted());
    let runtime = runtime();
    let redeem =
        async || app.acquire_token_silent(&scopes, Some(&account)).force_refresh(true).send().await.expect("a token");

    let people = People::of(&contents);
    // Both sides' requests go to the same endpoint.
    let endpoint = provider.clone();
    let (home, all) = (account.home_account_id.as_str(), format!("{SCOPES} offline_access openid profile"));
    let bare = || people.redeem(CLIENT, home, &all, |form| endpoint.answer(black_box(form.as_bytes())));

    let first = runtime.block_on(redeem());
    assert_eq!((first.source(), provider.requests()), (TokenSource::IdentityProvider, 1));
    assert_eq!(first.access_token().expose(), new_access_token(0), "not the user's token");
    assert_eq!(bare().as_deref(), Some(first.access_token().expose()));
    let figures = compare(
        effort,
        &mut |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    black_box(redeem().await);
                }
            });
        },
        &mut |count| {
            for _ in 0..count {
                black_box(bare());
            }
        },
    );
    let row = Row::compared("W4", grouped(users), Unit::Nanoseconds, figures);
    row.figure(Bound::AtMost(12_000.0)).ratio(Bound::AtMost(2.8))
}

/// Runs W4 this many times, for a profiler.
pub fn repeat(users: u64, count: u64) {
    let app = client(memory(&Users::first(users)), Provider::new(1, Pause::None));
    let (account, scopes) = (account(0), wanted());
    runtime().block_on(async {
        for _ in 0..count {
            let request = app.acquire_token_silent(&scopes, Some(&account)).force_refresh(true);
            black_box(request.send().await.expect("a token"));
        }
    });
}
