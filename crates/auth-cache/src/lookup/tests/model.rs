//! P-03, P-04, P-12: lookups agree with a linear search of a list.

use std::time::Duration;

use auth_core::Timestamp;
use proptest::prelude::*;

use super::*;

/// The properties of an access token that matter here.
#[derive(Clone, Debug)]
struct Row {
    account: &'static str,
    environment: &'static str,
    client: &'static str,
    realm: &'static str,
    target: &'static str,
    token_type: &'static str,
    expires_in: i64,
}

const ACCOUNTS: [&str; 5] = ["u.t", "U.T", "u-login.t", "\u{212a}.t", "k.t"];
const CLIENTS: [&str; 3] = ["a", "A", "a-b"];
const ENVIRONMENTS: [&str; 3] = ["login.windows.net", "sts.windows.net", "login.microsoftonline.us"];
const REALMS: [&str; 3] = [T, GUEST, "common"];
const TARGETS: [&str; 5] = ["x", "X y", "y", "openid", ""];

fn row() -> impl Strategy<Value = Row> {
    let choice = |from: &'static [&'static str]| proptest::sample::select(from);
    (
        choice(&ACCOUNTS),
        choice(&ENVIRONMENTS),
        choice(&CLIENTS),
        choice(&REALMS),
        choice(&TARGETS),
        choice(&["Bearer", "", "pop"]),
        -100..800_i64,
    )
        .prop_map(|(account, environment, client, realm, target, token_type, expires_in)| Row {
            account,
            environment,
            client,
            realm,
            target,
            token_type,
            expires_in,
        })
}

/// Whether the row answers a request for `wanted` in tenant T of the public cloud.
fn answers(row: &Row, account: &str, client: &str, wanted: &[&str]) -> bool {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let granted: Vec<_> = row.target.split(' ').collect();
    same(row.account, account)
        && same(row.client, client)
        && ["login.windows.net", "sts.windows.net"].contains(&row.environment)
        && row.realm == T
        && row.token_type != "pop"
        && row.expires_in > 30
        && wanted.iter().all(|scope| granted.iter().any(|own| same(own, scope)))
}

proptest! {
    #[test]
    fn lookups_agree_with_a_linear_search(
        rows in proptest::collection::vec(row(), 0..12),
        account in proptest::sample::select(&ACCOUNTS[..]),
        client in proptest::sample::select(&CLIENTS[..]),
        wanted in proptest::sample::select(&["x", "x y", "Y", "openid"][..]),
    ) {
        let entries: Vec<_> = rows.iter().enumerate().map(|(number, row)| at_entry(&number.to_string(), &[
            ("home_account_id", json!(row.account)), ("environment", json!(row.environment)), ("client_id", json!(row.client)),
            ("realm", json!(row.realm)), ("target", json!(row.target)), ("token_type", json!(row.token_type)),
            ("expires_on", text(row.expires_in)),
        ])).collect();
        let needed: Vec<_> = wanted.split(' ').filter(|scope| *scope != "openid").collect();
        let longest = rows.iter().filter(|row| answers(row, account, client, &needed)).map(|row| row.expires_in).max();
        let (authority, client, account, wanted) = (entra(T), ClientId::new(client).unwrap(), AccountId::new(account), scopes(wanted));
        match (lookup(&document(&entries), &Query::new(&authority, &client, &account, &wanted), NOW), longest) {
            (Lookup::Usable(token), Some(longest)) => {
                let row = &rows[token.access_token().expose().parse::<usize>().unwrap()];
                prop_assert!(answers(row, account.as_str(), client.as_str(), &needed), "{:?}", row);
                prop_assert_eq!(row.expires_in, longest);
            }
            (Lookup::Nothing, None) => {}
            (answer, expected) => prop_assert!(false, "{}, not {expected:?}", words(&answer)),
        }
    }

    // P-12, R-33: however short tokens live, and whatever the server advises.
    #[test]
    fn refreshes_are_at_least_30_s_apart(lifetime in 61_i64..700, refresh_in in 0_i64..700, steps in proptest::collection::vec(1_i64..20, 1..80)) {
        let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("User.Read"));
        let (mut now, mut refreshed_at, mut served) = (0_i64, 0, None);
        for step in steps {
            let document = served.get_or_insert_with(|| document(&[
                at_entry("at", &[
                    ("cached_at", text(refreshed_at)),
                    ("expires_on", text(refreshed_at + lifetime)),
                    ("refresh_on", text(refreshed_at + refresh_in)),
                ]),
                rt_entry("rt", &[]),
            ]));
            let mut query = Query::new(&authority, &client, &account, &wanted);
            query.uptime = Duration::from_secs(now.unsigned_abs());
            if !matches!(lookup(document, &query, at(now)), Lookup::Usable(_)) {
                prop_assert!(now - refreshed_at >= 30, "{} s", now - refreshed_at);
                (refreshed_at, served) = (now, None);
            }
            now += step;
        }
    }

    // P-12: no clock and no time in a file makes a lookup panic either.
    #[test]
    fn no_expired_token_is_handed_out_whatever_the_clocks_say(now in any::<u64>(), expires_on in any::<u64>(), refresh_on in any::<u64>(), cached_at in any::<i64>()) {
        let entries = [at_entry("at", &[
            ("expires_on", json!(expires_on)), ("refresh_on", json!(refresh_on)), ("cached_at", json!(cached_at)),
        ])];
        let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("User.Read"));
        let query = Query::new(&authority, &client, &account, &wanted);
        let answer = lookup(&document(&entries), &query, Timestamp::from_unix_seconds(now));
        let left = expires_on.saturating_sub(now);
        if left <= 30 || left > 10 * 365 * 24 * 60 * 60 {
            prop_assert_eq!(words(&answer), "nothing");
        }
    }
}
