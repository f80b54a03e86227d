//! Wall clocks that are set while the process runs.

use std::time::Duration;

use auth_core::Timestamp;

use super::*;

const HOUR: i64 = 3600;
const DECADE: i64 = 10 * 365 * 24 * HOUR;

/// What a lookup says of a token that is good for an hour when it is first looked at, so many seconds later by the wall
/// clock and by the one that nobody sets.
fn later(wall: i64, passed: u64) -> String {
    let document = document(&[
        ("AccessToken", access_token("at", &[])),
        ("RefreshToken", refresh_token("rt", &[])),
        ("Account", account("ada@contoso.example", &[])),
    ]);
    let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("User.Read"));
    let look = |wall: i64, passed: u64| {
        let mut query = Query::new(&authority, &client, &account, &wanted);
        query.uptime = Duration::from_secs(1000 + passed);
        let now = NOW.as_unix_seconds().saturating_add_signed(wall);
        words(&lookup(&document, &query, Timestamp::from_unix_seconds(now)))
    };
    assert_eq!(look(0, 0), "usable at");
    look(wall, passed)
}

#[test]
fn a_token_ages_by_the_clock_that_says_older() {
    let expired = "refresh: Expired with rt";
    for (wall, passed, expected) in [
        (0, 0, "usable at"),
        (HOUR / 2, 1800, "usable at"),
        (HOUR, 3600, expired),
        // The machine slept, which only the wall clock has noticed.
        (HOUR, 60, expired),
        // Somebody set the wall clock, by as much as the token is old, by years, or to 1970.
        (0, 1800, "usable at"),
        (0, 3600, expired),
        (-30, 3570, expired),
        (-30, 3599, expired),
        (-DECADE, 60, "usable at"),
        (-DECADE, 3600, expired),
        (i64::MIN, 60, "usable at"),
        (i64::MIN, 3600, expired),
        (DECADE, 60, expired),
        (i64::MAX, 60, expired),
    ] {
        assert_eq!(later(wall, passed), expected, "{wall} s by the wall clock, {passed} s passed");
    }
}

#[test]
fn a_wall_clock_that_comes_back_changes_nothing() {
    assert_eq!(later(60, 60), "usable at");
    assert_eq!(later(59, 60), "usable at");
}
