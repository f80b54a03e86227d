//! Storing an application's own tokens, and tokens on behalf of a user.

use super::*;
use crate::assertion::Assertion;
use crate::extension::Extension;
use crate::lookup::{AppQuery, AssertionQuery, GrantLookup, lookup_app, lookup_assertion};
use crate::testing::{at, scopes};
use crate::token_kind::TokenKind;

/// A token response for `scope`.
fn answer(secret: &str, scope: &str, more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    [&[("access_token", json!(secret)), ("scope", json!(scope))], more].concat()
}

fn app_update(authority: &Authority, answer: &[(&str, Value)]) -> AppTokenUpdate {
    let tokens = tokens(authority, "User.Read", answer, NOW);
    AppTokenUpdate::new(Arc::new(authority.clone()), client(), Arc::new(tokens))
}

fn put_app(document: &Document, secret: &str, scope: &str, more: &[(&'static str, Value)]) {
    app_update(&entra(T), &answer(secret, scope, more)).apply(document, Moment::First);
}

fn put_behalf(document: &Document, token: &str, secret: &str, more: &[(&'static str, Value)]) {
    let app = app_update(&entra(T), &answer(secret, "User.Read", more));
    AssertionTokenUpdate::new(Assertion::from_token(token), None, app).apply(document, Moment::First);
}

fn usable(lookup: GrantLookup) -> Option<String> {
    match lookup {
        GrantLookup::Usable(token) => Some(token.access_token().expose().to_owned()),
        GrantLookup::UsableButRefresh(_) | GrantLookup::MustRequest(..) => None,
    }
}

fn find_app(document: &Document, wanted: &str, kind: TokenKind<'_>) -> Option<String> {
    let (authority, client, wanted) = (entra(T), client(), scopes(wanted));
    usable(lookup_app(document, &AppQuery { kind, ..AppQuery::new(&authority, &client, &wanted) }, NOW))
}

fn find_behalf(document: &Document, assertion: &Assertion, seconds: i64) -> Option<String> {
    let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
    let query = AssertionQuery::new(assertion, AppQuery::new(&authority, &client, &wanted));
    usable(lookup_assertion(document, &query, at(seconds)))
}

/// The document as another process reads it.
fn saved(document: &Document) -> Document {
    let (text, collided) = crate::document::write(document);
    assert!(collided.is_empty());
    parse(core::str::from_utf8(&text).unwrap())
}

#[test]
fn an_applications_own_token_is_written_in_canonical_form() {
    let document = document(&[]);
    let times = [("refresh_in", json!(1800)), ("ext_expires_in", json!(7200)), ("refresh_token", json!("never"))];
    put_app(&document, "app", "https://graph.example/.default", &times);
    let key = format!("-login.windows.net-accesstoken-{CLIENT}-{T}-https://graph.example/.default");
    let expected = json!({
        "AccessToken": {key: {
            "environment": "login.windows.net", "credential_type": "AccessToken", "client_id": CLIENT, "secret": "app",
            "realm": T, "target": "https://graph.example/.default", "token_type": "Bearer", "cached_at": "1700000000",
            "expires_on": "1700003600", "refresh_on": "1700001800", "extended_expires_on": "1700007200",
            "ext_expires_on": "1700007200",
        }},
        "RefreshToken": {}, "IdToken": {}, "Account": {}, "AppMetadata": {},
    });
    assert_eq!(value(&document), expected);
}

#[test]
fn a_token_with_extra_data_is_written_in_canonical_form() {
    let document = document(&[]);
    let extension = Extension::new([("key2", "value2"), ("key1", "value1"), ("empty", "")]);
    let update = app_update(&entra("Contoso.example"), &answer("app", "r1/scope1 r1/scope2", &[]));
    AppTokenUpdate { extension, ..update }.apply(&document, Moment::First);
    let hash = "latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike";
    let key = format!("-login.windows.net-atext-{CLIENT}-contoso.example-r1/scope1 r1/scope2-{hash}");
    let entry = json!({
        "environment": "login.windows.net", "credential_type": "ATExt", "client_id": CLIENT, "secret": "app",
        "realm": "contoso.example", "target": "r1/scope1 r1/scope2", "token_type": "Bearer",
        "cached_at": "1700000000", "expires_on": "1700003600", "ext": {"key1": "value1", "key2": "value2"},
        "ext_cache_key": hash,
    });
    let written = value(&document)["AccessToken"].clone();
    assert_eq!(written[&key]["realm"].as_str().map(str::to_lowercase).as_deref(), Some("contoso.example"));
    let mut written_entry = written[&key].clone();
    written_entry["realm"] = json!("contoso.example");
    assert_eq!((written.as_object().unwrap().len(), written_entry), (1, entry));
}

#[test]
fn a_token_on_behalf_of_a_user_is_written_in_canonical_form() {
    let document = document(&[]);
    let members = sign_in(&entra(T), T, "u");
    put_behalf(&document, "token", "behalf", &members);
    let hash = Assertion::from_token("token").as_str().to_owned();
    let (id, env) = (home_id(), "login.windows.net");
    let key = format!("{id}-{env}-accesstoken-{CLIENT}-{T}-user.read-obo-{}", hash.to_lowercase());
    let expected = json!({
        "AccessToken": {key: {
            "home_account_id": id, "environment": env, "credential_type": "AccessToken", "client_id": CLIENT,
            "secret": "behalf", "realm": T, "target": "User.Read", "token_type": "Bearer",
            "cached_at": "1700000000", "expires_on": "1700003600", "user_assertion_hash": hash,
        }},
        "RefreshToken": {}, "IdToken": {}, "Account": {}, "AppMetadata": {},
    });
    assert_eq!(value(&document), expected, "no refresh token, ID token or account is kept");
}

// Their tokens differ only in the assertion, which must be part of the key.
#[test]
fn tokens_on_behalf_of_many_users_stay_apart_when_saved() {
    let document = document(&[]);
    put_app(&document, "app", "User.Read", &[]);
    for user in 0..5 {
        put_behalf(&document, &format!("token {user}"), &format!("behalf-{user}"), &[]);
    }
    let members = sign_in(&entra(T), T, "u");
    put_behalf(&document, "signed in", "behalf-u", &members);
    assert!(apply(&document, &entra(T), &members, false));
    assert_eq!(value(&document)["AccessToken"].as_object().unwrap().len(), 8);
    for document in [&document, &saved(&document)] {
        for user in 0..5 {
            let assertion = Assertion::from_token(&format!("token {user}"));
            assert_eq!(find_behalf(document, &assertion, 0), Some(format!("behalf-{user}")));
        }
        assert_eq!(find_behalf(document, &Assertion::from_token("signed in"), 0).as_deref(), Some("behalf-u"));
        assert_eq!(find_app(document, "User.Read", TokenKind::PLAIN).as_deref(), Some("app"));
    }
}

// S-84: a session key does not expire.
#[test]
fn a_token_expires_with_its_assertion() {
    let session = Assertion::session("a-session-key-of-mine-0123456789").unwrap();
    let token = Assertion::from_token("token");
    for (assertion, end, lives_until) in [
        (&token, Some(at(600)), Some(600)),
        (&token, Some(at(3600)), Some(3600)),
        (&token, Some(at(9999)), Some(3600)),
        (&token, Some(at(0)), None),
        (&token, Some(at(-1)), None),
        (&token, None, Some(3600)),
        (&session, None, Some(3600)),
    ] {
        let document = document(&[]);
        let times = [("refresh_in", json!(9000)), ("ext_expires_in", json!(9000))];
        let app = app_update(&entra(T), &answer("behalf", "User.Read", &times));
        AssertionTokenUpdate::new(assertion.clone(), end, app).apply(&document, Moment::First);
        for document in [&document, &saved(&document)] {
            let Some(lives_until) = lives_until else {
                assert_eq!(value(document)["AccessToken"], json!({}));
                continue;
            };
            assert_eq!(find_behalf(document, assertion, lives_until - 301).as_deref(), Some("behalf"), "{end:?}");
            assert_eq!(find_behalf(document, assertion, lives_until - 30), None, "{end:?}");
            let entries = value(document)["AccessToken"].take();
            let extended = entries.as_object().unwrap().values().all(|entry| entry.get("ext_expires_on").is_some());
            assert_eq!(extended, lives_until == 3600, "{end:?}");
        }
    }
}

// Tokens that overlap with the new one go, unless they grant all of it and more, or differ in tenant, kind or
// assertion.
#[test]
fn a_new_token_replaces_those_that_it_overlaps_with() {
    let old = |changes: &[(&str, Value)]| {
        access_token("old", &[&[("home_account_id", Value::Null), ("target", json!("a b"))], changes].concat())
    };
    let data = ("ext", json!({"k": "v"}));
    for (changes, scope, stays) in [
        (vec![], "a b", false),
        (vec![], "B A", false),
        (vec![], "a b c", false),
        (vec![], "a b openid", false),
        (vec![], "a", true),
        (vec![], "a c", false),
        (vec![], "c", true),
        (vec![("expires_on", text(-1))], "c", false),
        (vec![("environment", json!("sts.windows.net"))], "a b", false),
        (vec![("environment", json!("login.microsoftonline.us"))], "a b", true),
        (vec![("client_id", json!(CLIENT.to_uppercase()))], "a b", false),
        (vec![("client_id", json!("another-client"))], "a b", true),
        (vec![("client_id", json!("another-client")), ("expires_on", text(-1))], "a b", true),
        (vec![("realm", json!(GUEST))], "a b", true),
        (vec![data.clone()], "a b", true),
        (vec![("token_type", json!("pop")), ("kid", json!("k"))], "a b", true),
        (vec![("user_assertion_hash", json!("h"))], "a b", true),
        (vec![("home_account_id", json!(home_id()))], "a b", true),
        (vec![("secret", Value::Null)], "a b", true),
    ] {
        let document = document(&[("AccessToken", old(&changes))]);
        put_app(&document, "new", scope, &[]);
        let document = saved(&document);
        let entries = value(&document)["AccessToken"].as_object().unwrap().len();
        assert_eq!(entries, 1 + usize::from(stays), "{changes:?} {scope}");
        assert_eq!(find_app(&document, scope, TokenKind::PLAIN).as_deref(), Some("new"), "{changes:?} {scope}");
    }
    // With extra data, the plain token stays.
    let with_data = document(&[("AccessToken", old(&[data])), ("AccessToken", old(&[]))]);
    let extension = Extension::new([("k", "v")]);
    let update = app_update(&entra(T), &answer("new", "a b", &[]));
    AppTokenUpdate { extension: extension.clone(), ..update }.apply(&with_data, Moment::First);
    let saved = saved(&with_data);
    assert_eq!(value(&saved)["AccessToken"].as_object().unwrap().len(), 2);
    assert_eq!(find_app(&saved, "a b", TokenKind::PLAIN).as_deref(), Some("old"));
    assert_eq!(find_app(&saved, "a b", TokenKind::PLAIN.with_extension(&extension)).as_deref(), Some("new"));
}

// S-62: the token that it would have replaced goes too.
#[test]
fn a_grant_without_a_lifetime_is_not_cached() {
    for expires_in in [json!(0), json!("0"), Value::Null] {
        let document = document(&[]);
        put_app(&document, "old", "User.Read", &[]);
        put_app(&document, "new", "User.Read", &[("expires_in", expires_in.clone())]);
        put_behalf(&document, "token", "old", &[]);
        put_behalf(&document, "token", "new", &[("expires_in", expires_in.clone())]);
        assert_eq!(value(&document)["AccessToken"], json!({}), "{expires_in}");
        assert_eq!(document.size(), crate::document::Size::default(), "no empty partition remains");
    }
}

#[test]
fn foreign_members_of_an_applications_own_token_are_carried_over() {
    let foreign = [("home_account_id", Value::Null), ("x_foreign", json!([1.50])), ("requestedClaims", json!("{}"))];
    let document = document(&[("AccessToken", access_token("old", &foreign))]);
    put_app(&document, "new", "User.Read", &[]);
    let entries = value(&document)["AccessToken"].clone();
    let entry = entries.as_object().unwrap().values().next().unwrap();
    assert_eq!(
        (&entry["secret"], &entry["x_foreign"], entry.get("requestedClaims")),
        (&json!("new"), &foreign[1].1, None)
    );
}
