//! Wall clocks that jump while the process runs.

use std::time::Duration;

use auth_core::Timestamp;

use super::*;

const HOUR: i64 = 3600;
const DECADE: i64 = 10 * 365 * 24 * HOUR;

/// Looks up a token that had an hour left when first seen, after `wall` seconds by the wall clock and `passed` seconds
/// by the monotonic one.
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
fn a_token_is_as_old_as_the_later_clock_says() {
    let expired = "refresh: Expired with rt";
    for (wall, passed, expected) in [
        (0, 0, "usable at"),
        (HOUR / 2, 1800, "usable at"),
        (HOUR, 3600, expired),
        // The machine slept, which only the wall clock noticed.
        (HOUR, 60, expired),
        // The wall clock was set: back by the token's age, by years, to 1970, or forward.
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
fn a_wall_clock_that_steps_back_a_second_changes_nothing() {
    assert_eq!(later(60, 60), "usable at");
    assert_eq!(later(59, 60), "usable at");
}
