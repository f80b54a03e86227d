//! Which kind of token answers a user's query, and when a token is due for refresh.

use super::*;
use crate::extension::Extension;
use crate::token_kind::TokenKind;

fn find_kind(kind: TokenKind<'_>, entries: &[(&str, Value)]) -> String {
    let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("User.Read"));
    let query = Query { kind, ..Query::new(&authority, &client, &account, &wanted) };
    words(&lookup(&document(entries), &query, NOW))
}

#[test]
fn a_token_answers_only_for_its_type_and_key() {
    let data = Extension::new([("a", "1")]);
    let pop = ("token_type", json!("pop"));
    for (changes, pop_key, pop_no_key, ssh_key, bearer) in [
        (vec![pop.clone(), ("kid", json!("key"))], true, false, false, false),
        (vec![pop.clone(), ("key_id", json!("key"))], true, false, false, false),
        (vec![pop.clone(), ("keyid", json!("key"))], true, false, false, false),
        (vec![pop.clone(), ("keyid", json!("KEY"))], true, false, false, false),
        (vec![("token_type", json!("POP")), ("kid", json!("key"))], true, false, false, false),
        (
            vec![pop.clone(), ("kid", json!("key")), ("credential_type", json!("AccessToken_With_AuthScheme"))],
            true,
            false,
            false,
            false,
        ),
        (vec![pop.clone(), ("kid", json!("")), ("key_id", json!("key"))], true, false, false, false),
        (vec![pop.clone(), ("kid", json!("other")), ("key_id", json!("key"))], false, false, false, false),
        (vec![pop.clone(), ("kid", json!("other"))], false, false, false, false),
        (vec![pop.clone()], false, true, false, false),
        (vec![("token_type", json!("ssh-cert")), ("key_id", json!("key"))], false, false, true, false),
        (vec![("token_type", json!("Bearer")), ("kid", json!("key"))], false, false, false, false),
        (vec![("token_type", json!("bearer"))], false, false, false, true),
        (vec![("token_type", json!(""))], false, false, false, true),
        (vec![], false, false, false, true),
        (vec![pop.clone(), ("kid", json!({}))], false, false, false, false),
        (vec![pop, ("kid", json!("key")), ("ext", json!({"a": "1"}))], false, false, false, false),
        // Older versions of MSAL Node note the claims a token was requested with. It answers no other request.
        (vec![("requestedClaims", json!("{}")), ("requestedClaimsHash", json!("hash"))], false, false, false, false),
        (vec![("requestedClaimsHash", json!(""))], false, false, false, true),
        (vec![("requestedClaimsHash", Value::Null)], false, false, false, true),
    ] {
        let entries = [at_entry("at", &changes)];
        for (kind, found) in [
            (TokenKind::bound("pop", "key"), pop_key),
            (TokenKind::bound("PoP", "key"), pop_key),
            (TokenKind::bound("pop", ""), pop_no_key),
            (TokenKind::bound("ssh-cert", "key"), ssh_key),
            (TokenKind::bound("Bearer", ""), bearer),
            (TokenKind::PLAIN, bearer),
            (TokenKind::PLAIN.with_extension(&data), false),
        ] {
            let expected = if found { "usable at" } else { "nothing" };
            assert_eq!(find_kind(kind, &entries), expected, "{changes:?} for {kind:?}");
        }
    }
}

#[test]
fn tokens_of_two_keys_are_kept_apart() {
    let bound = |secret: &str, name, key: &str| at_entry(secret, &[("token_type", json!("pop")), (name, json!(key))]);
    let entries = [bound("a", "kid", "one"), bound("b", "key_id", "two"), at_entry("plain", &[])];
    assert_eq!(find_kind(TokenKind::bound("pop", "one"), &entries), "usable a");
    assert_eq!(find_kind(TokenKind::bound("pop", "two"), &entries), "usable b");
    assert_eq!(find_kind(TokenKind::bound("pop", "three"), &entries), "nothing");
    assert_eq!(find_kind(TokenKind::PLAIN, &entries), "usable plain");
}

/// How many seconds after `refresh_on` a token becomes due.
fn delay(secret: &str, expires_after: i64) -> i64 {
    let entries = [at_entry(secret, &[("refresh_on", text(0)), ("expires_on", text(expires_after))])];
    let document = document(&entries);
    let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("User.Read"));
    let margins = Margins::new(Duration::ZERO, Duration::ZERO);
    let query = Query { margins, ..Query::new(&authority, &client, &account, &wanted) };
    let entries = [entries[0].clone(), rt_entry("rt", &[])];
    let with_refresh_token = crate::testing::document(&entries);
    let is_due = |seconds| {
        assert!(
            matches!(lookup(&document, &query, at(seconds)), Lookup::Usable(_)),
            "without a refresh token it is not due"
        );
        match lookup(&with_refresh_token, &query, at(seconds)) {
            Lookup::Usable(_) => false,
            Lookup::UsableButRefresh(_, refresh) => refresh.reason == RefreshReason::ProactivelyRefreshed,
            other => panic!("{}", words(&other)),
        }
    };
    (0..=expires_after).find(|seconds| is_due(*seconds)).unwrap()
}

// The delay is at most 300 s and a quarter of the remaining life.
#[test]
fn each_token_has_a_fixed_delay_until_it_is_due() {
    for (expires_after, latest) in [(4, 1), (40, 10), (400, 100), (1200, 300), (1300, 300), (3600, 300)] {
        let delays: Vec<_> = (0..60).map(|number| delay(&format!("token {number}"), expires_after)).collect();
        assert!(delays.iter().all(|delay| (0..=latest).contains(delay)), "{expires_after}: {delays:?}");
        assert!(delays.iter().any(|delay| *delay != delays[0]), "delays differ: {delays:?}");
        let again: Vec<_> = (0..60).map(|number| delay(&format!("token {number}"), expires_after)).collect();
        assert_eq!(delays, again, "a document read again has the same delays");
    }
}
