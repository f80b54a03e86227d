use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::lookup::{AppQuery, GrantLookup, Query, lookup, lookup_app};
use crate::testing::{
    NOW, T, access_token, account, at, client, counted, document, entra, home_account, id_token, refresh_token, scopes,
    secrets, text,
};

fn limits(access_tokens: usize) -> Limits {
    Limits { access_tokens, ..Limits::DEFAULT }
}

#[cfg(target_pointer_width = "64")]
#[test]
fn a_document_of_more_than_4_gib_is_refused_whatever_the_limit() {
    let limits = Limits { document_bytes: usize::MAX, ..Limits::DEFAULT };
    let last = u32::MAX as usize;
    assert_eq!(limits.excess(last, 0), None);
    assert!(limits.excess(last + 1, 0).is_some());
}

/// A token of the home account, for a scope of its own.
fn numbered(number: usize, changes: &[(&str, Value)]) -> (&'static str, Value) {
    let own = [("target", json!(format!("scope{number}"))), ("cached_at", text(-1000))];
    ("AccessToken", access_token(&format!("at{number:03}"), &[&own[..], changes].concat()))
}

fn expired(number: usize) -> (&'static str, Value) {
    numbered(number, &[("expires_on", text(0))])
}

/// Looks up a token at the given time.
fn ask(document: &Document, number: usize, seconds: i64) {
    let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes(&format!("scope{number}")));
    let query = Query::new(&authority, &client, &account, &wanted);
    let answer = lookup(document, &query, at(seconds));
    assert!(!matches!(answer, crate::lookup::Lookup::Nothing));
}

fn left(document: &Document) -> Vec<usize> {
    let mut left: Vec<_> = secrets(document, "AccessToken")
        .iter()
        .map(|secret| secret.strip_prefix("at").unwrap().parse().unwrap())
        .collect();
    left.sort_unstable();
    left
}

// Expired tokens are dropped first, all of them; then the least recently used, down to an eighth below the limit.
#[test]
fn expired_and_least_recently_used_tokens_are_dropped() {
    for (tokens, expired_ones, limit, evicted, first_left) in [
        (8, 0, 8, None, 0),
        (9, 0, 8, Some((0, 2)), 2),
        (9, 1, 8, Some((1, 1)), 1),
        (9, 2, 8, Some((2, 0)), 0),
        (9, 5, 8, Some((5, 0)), 0),
        (8, 5, 8, None, 0),
        (20, 3, 8, Some((3, 10)), 10),
        (17, 0, 16, Some((0, 3)), 3),
        (5, 0, 0, Some((0, 5)), 5),
        (2, 0, 1, Some((0, 1)), 1),
    ] {
        let living = tokens - expired_ones;
        let entries: Vec<_> =
            (0..living).map(|number| numbered(number, &[])).chain((living..tokens).map(expired)).collect();
        let document = document(&entries);
        // Used in this order, whatever their order in the document.
        (0..living).for_each(|number| ask(&document, number, i64::try_from(number).unwrap() - 500));
        let found = make_room(&document, &client(), &limits(limit), NOW);
        let what = format!("{tokens} with {expired_ones} expired, at most {limit}");
        assert_eq!(found.map(|evicted| (evicted.expired, evicted.least_recently_used)), evicted, "{what}");
        let gone = if evicted.is_some() { living } else { tokens };
        assert_eq!(left(&document), (first_left..gone).collect::<Vec<_>>(), "{what}");
        assert_eq!(document.size(), counted(&document), "{what}");
        assert_eq!(make_room(&document, &client(), &limits(limit), NOW), None, "{what}: there is room now");
    }
}

#[test]
fn a_token_that_was_used_or_cached_recently_stays() {
    let entries: Vec<_> = (0..9).map(|number| numbered(number, &[])).collect();
    let document = document(&[&entries[..], &[numbered(9, &[("cached_at", text(-1))])]].concat());
    for (number, seconds) in [(0, -900), (1, -20), (3, -900), (3, -5)] {
        ask(&document, number, seconds);
    }
    let evicted = make_room(&document, &client(), &limits(4), NOW).unwrap();
    assert_eq!((evicted.expired, evicted.least_recently_used), (0, 6));
    assert_eq!(left(&document), [0, 1, 3, 9]);
}

#[test]
fn the_limit_on_bytes_works_like_that_on_tokens() {
    let filler = "x".repeat(1000);
    let entries: Vec<_> = (0..16).map(|number| numbered(number, &[("x_filler", json!(filler))])).collect();
    let document = document(&entries);
    (0..16).for_each(|number| ask(&document, number, i64::try_from(number).unwrap() - 500));
    let each = memory(document.size()) / 16;
    for (bytes, first_left) in [(each * 17, 0), (each * 15 + 8, 3), (each * 12, 6), (each * 12, 6), (0, 16)] {
        let limits = Limits { bytes, ..Limits::DEFAULT };
        make_room(&document, &client(), &limits, NOW);
        assert_eq!(left(&document), (first_left..16).collect::<Vec<_>>(), "{bytes}");
        assert_eq!(document.size(), counted(&document));
    }
}

// Only what the client can get again is dropped, never what another program or the user would miss.
#[test]
fn only_access_tokens_of_this_client_are_dropped() {
    let other = [("client_id", json!("another-client")), ("expires_on", text(-1))];
    let kept = [
        ("RefreshToken", refresh_token("rt", &[])),
        ("RefreshToken", refresh_token("rt-old", &[("last_modification_time", text(-9_999_999))])),
        ("IdToken", id_token("x", &[])),
        ("Account", account("ada", &[])),
        ("AccessToken", access_token("others", &other)),
        (
            "AccessToken",
            access_token("others-on-behalf", &[&other[..], &[("user_assertion_hash", json!("h"))]].concat()),
        ),
        ("AccessToken", access_token("unreadable", &[("target", json!([]))])),
        ("AccessToken", json!({"home_account_id": null})),
        ("AccessToken", json!(7)),
    ];
    let going = [
        numbered(0, &[]),
        expired(1),
        numbered(2, &[("home_account_id", Value::Null)]),
        numbered(3, &[("user_assertion_hash", json!("h"))]),
        numbered(4, &[("token_type", json!("pop"))]),
        numbered(5, &[("home_account_id", json!("v.t"))]),
    ];
    let document = document(&[&kept[..], &going].concat());
    for limits in [limits(0), Limits { bytes: 0, ..Limits::DEFAULT }] {
        make_room(&document, &client(), &limits, NOW);
        let expected = crate::testing::value(&crate::testing::document(&kept));
        assert_eq!(crate::testing::value(&document), expected);
        // There is nothing left to drop, so no event says otherwise.
        assert_eq!(make_room(&document, &client(), &limits, NOW), None);
    }
}

// Tokens of an application, each for another tenant.
#[test]
fn tokens_for_tenants_in_use_stay() {
    let (client, wanted) = (client(), scopes("User.Read"));
    let realm = |number: usize| format!("{number:08}-0000-0000-0000-000000000000");
    let app = |number| {
        ("AccessToken", access_token("app", &[("home_account_id", Value::Null), ("realm", json!(realm(number)))]))
    };
    let document = document(&(0..40).map(app).collect::<Vec<_>>());
    let find = |number| {
        let authority = entra(&realm(number));
        matches!(lookup_app(&document, &AppQuery::new(&authority, &client, &wanted), NOW), GrantLookup::Usable(_))
    };
    assert!((0..40).step_by(4).all(find));
    assert_eq!(make_room(&document, &client, &limits(16), NOW).unwrap().least_recently_used, 26);
    assert!((0..40).step_by(4).all(find));
    assert_eq!(document.size().access_tokens, 14);
}

proptest! {
    #[test]
    fn there_is_room_afterwards_and_sizes_are_correct(
        tokens in proptest::collection::vec((0..4_usize, any::<bool>(), -900..0_i64), 0..40),
        limit in 1..40_usize,
    ) {
        let entries: Vec<_> = tokens.iter().enumerate().map(|(number, (who, is_expired, asked))| {
            let who = [json!("u.t"), json!("v.t"), Value::Null, json!("")][*who].clone();
            let end = if *is_expired { text(-1) } else { text(3600) };
            numbered(number, &[("home_account_id", who), ("expires_on", end), ("cached_at", text(*asked))])
        }).collect();
        let document = document(&entries);
        let before = document.size().access_tokens;
        let evicted = make_room(&document, &client(), &limits(limit), NOW);
        prop_assert_eq!(document.size(), counted(&document));
        prop_assert!(document.size().access_tokens <= limit);
        let gone = evicted.map_or(0, |evicted| evicted.expired + evicted.least_recently_used);
        prop_assert_eq!(before - gone, document.size().access_tokens);
        prop_assert_eq!(evicted.is_some(), before > limit);
        // Each dropped token had expired, or was used no later than any that stayed.
        if let Some(evicted) = evicted {
            let left = left(&document);
            prop_assert!(left.iter().all(|number| !tokens[*number].1));
            prop_assert_eq!(evicted.expired, tokens.iter().filter(|token| token.1).count());
            let oldest = left.iter().map(|number| tokens[*number].2).min().unwrap_or(0);
            let gone = (0..tokens.len()).filter(|number| !left.contains(number) && !tokens[*number].1);
            prop_assert!(gone.map(|number| tokens[number].2).all(|asked| asked <= oldest));
        }
    }
}
