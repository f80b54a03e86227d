//! R-53: documents that only an attacker would make, large enough to reveal anything quadratic.

use std::sync::Arc;

use auth_core::{Account, Authority};

use super::*;
use crate::TokenCache;
use crate::accounts::accounts;
use crate::lookup::{Lookup, Query, lookup};
use crate::pending::Moment;
use crate::removal::{Removal, RemovalScope};
use crate::testing::{
    CLIENT, NOW, T, access_token, account, app_metadata, assert_linear, client, entra, home_account, id_token, oidc,
    refresh_token, scopes, sign_in, tokens, update_of, with,
};
use crate::update::TokenUpdate;

const ISSUER: &str = "https://idp.example";

/// A section of `n` entries.
fn section(name: &str, n: usize, entry: impl Fn(usize) -> (String, Value)) -> String {
    let entries: Vec<_> = (0..n)
        .map(|number| {
            let (key, entry) = entry(number);
            format!(r#""{key}":{entry}"#)
        })
        .collect();
    format!(r#""{name}":{{{}}}"#, entries.join(","))
}

fn document(sections: &[String]) -> String {
    format!("{{{}}}", sections.join(","))
}

/// A key that differs from others only in its last letters.
fn key(number: usize) -> String {
    format!("{}-{number:06}", "k".repeat(40))
}

fn ask(document: &Document, authority: &Authority, wanted: &str) -> Lookup {
    let (client, account, wanted) = (client(), home_account(), scopes(wanted));
    lookup(document, &Query::new(authority, &client, &account, &wanted), NOW)
}

/// Does everything that can be done with a document, once.
fn use_all(text: &str, authority: &Authority) {
    let document = super::super::parse(text.as_bytes().to_vec().into(), 32).unwrap();
    assert!(!matches!(ask(&document, authority, "none"), Lookup::Usable(_)));
    drop(ask(&document, authority, "User.Read"));
    drop(accounts(&document, authority, &client()));
    let tid = if *authority == entra(T) { T } else { "" };
    let answer = [&[("refresh_token", json!("new")), ("scope", json!("User.Read"))], &sign_in(authority, tid, "s")[..]];
    let tokens = tokens(authority, "User.Read", &answer.concat(), NOW);
    let new = Account::new(home_account(), authority.environment(), "ada");
    let update = TokenUpdate::from_sign_in(Arc::new(authority.clone()), client(), new.clone(), Arc::new(tokens));
    assert!(update.apply(&document, Moment::First));
    let cache = TokenCache::in_memory();
    cache.merge_json(text.as_bytes()).unwrap();
    cache.merge_json(text.as_bytes()).unwrap();
    assert!(!cache.to_json().is_empty() && !write(&document).0.is_empty());
    let removal = Removal::new(authority.clone(), client(), new, RemovalScope::Family);
    assert!(removal.apply(&document, Moment::First));
}

// Entries of as many accounts, all under one key.
#[test]
fn a_hundred_thousand_keys_that_collide() {
    let tokens = |n: usize| {
        let id = |number: usize| [("home_account_id", json!(format!("u{number}.{T}")))];
        document(&[section("AccessToken", n, |number| ("k".to_owned(), access_token("at", &id(number))))])
    };
    assert_linear(50_000, tokens, |text| {
        let document = super::super::parse(text.as_bytes().to_vec().into(), 32).unwrap();
        assert!(matches!(ask(&document, &entra(T), "User.Read"), Lookup::Nothing));
        assert!(write(&document).0.len() < 1_000, "one is left");
    });
}

#[test]
fn a_hundred_thousand_tokens_of_one_account() {
    let tokens = |n: usize| {
        let target = |number: usize| [("target", json!(format!("scope{number}")))];
        (document(&[section("AccessToken", n, |number| (key(number), access_token("at", &target(number))))]), n)
    };
    assert_linear(50_000, tokens, |(text, n)| {
        let document = super::super::parse(text.into_bytes().into(), 32).unwrap();
        for number in [0, n / 2, n - 1] {
            assert!(matches!(ask(&document, &entra(T), &format!("scope{number}")), Lookup::Usable(_)), "{number}");
        }
        assert!(matches!(ask(&document, &entra(T), &format!("scope{n}")), Lookup::Nothing));
    });
}

#[test]
fn ten_thousand_scopes_of_one_token() {
    // Short names, as no member of an entry may be longer than 64 KiB.
    let many = |n: usize| (0..n).map(|number| format!("{number:x}")).collect::<Vec<_>>().join(" ");
    assert_linear(5_000, many, |target| {
        let text = json!({"AccessToken": {"k": access_token("at", &[("target", json!(target))])}}).to_string();
        let document = super::super::parse(text.into_bytes().into(), 32).unwrap();
        assert!(matches!(ask(&document, &entra(T), &target), Lookup::Usable(_)));
        assert!(matches!(ask(&document, &entra(T), &format!("{target} more")), Lookup::Nothing));
    });
}

// A new entry takes over the members that other programs added to the one it replaces (R-53, S-88).
#[test]
fn a_hundred_thousand_members_of_another_program() {
    let token = |n: usize| {
        let mut entry = access_token("at", &[]);
        entry.as_object_mut().unwrap().extend((0..n).map(|number| (key(number), json!(number))));
        (json!({"AccessToken": {"k": entry}}).to_string(), n)
    };
    assert_linear(50_000, token, |(text, n)| {
        let document = super::super::parse(text.into_bytes().into(), 32).unwrap();
        assert!(update_of("u", &[], NOW).apply(&document, Moment::First));
        let written: Value = serde_json::from_slice(&write(&document).0).unwrap();
        let entry = written["AccessToken"].as_object().unwrap().values().next().unwrap();
        assert_eq!((&entry["secret"], &entry[key(n - 1)]), (&json!("new-at"), &json!(n - 1)));
    });
}

/// One account with many entries of every kind: for other realms, clients and families, or spelled differently.
fn crowded(n: usize, issuer: &str, environment: impl Fn(usize) -> String) -> String {
    let numbered = |name: &'static str, number: usize| (name, json!(format!("{name}{number}")));
    let entry = |number: usize, entry: Value, more: &[(&'static str, Value)]| {
        (key(number), with(with(entry, &[("environment", json!(environment(number)))]), more))
    };
    // Every second one belongs to this client.
    let client_id = |number: usize| {
        if number.is_multiple_of(2) { ("client_id", json!(CLIENT)) } else { numbered("client_id", number) }
    };
    document(&[
        section("AccessToken", n, |number| entry(number, access_token("at", &[]), &[numbered("realm", number)])),
        section("RefreshToken", n, |number| {
            let family =
                if number.is_multiple_of(3) { ("family_id", Value::Null) } else { numbered("family_id", number) };
            entry(number, refresh_token(&format!("rt{number}"), &[]), &[client_id(number), family])
        }),
        section("IdToken", n, |number| entry(number, id_token(issuer, &[]), &[numbered("realm", number)])),
        section("Account", n, |number| entry(number, account("ada", &[]), &[numbered("realm", number)])),
        section("AppMetadata", n, |number| {
            entry(number, app_metadata("1", &[]), &[client_id(number), numbered("family_id", number)])
        }),
    ])
}

#[test]
fn many_entries_of_every_section_at_entra() {
    let prepare =
        |n| crowded(n, &format!("https://login.microsoftonline.com/{T}/v2.0"), |_| "login.windows.net".to_owned());
    assert_linear(2_500, prepare, |text| use_all(&text, &entra(T)));
}

// Where ID tokens decide whose an entry is: many of them, and many spellings of the host.
#[test]
fn many_entries_of_every_section_where_issuers_share_a_host() {
    for issuer in [ISSUER, "https://idp.example/other"] {
        let prepare = |n| crowded(n, issuer, |_| "idp.example".to_owned());
        assert_linear(2_500, prepare, |text| use_all(&text, &oidc(ISSUER)));
    }
    let spelt = |number: usize| {
        let letters = "localhost".char_indices();
        letters.map(|(bit, c)| if number >> bit & 1 == 1 { c.to_ascii_uppercase() } else { c }).collect()
    };
    let prepare = |n| crowded(n, "http://localhost:8400/other", spelt);
    assert_linear(250, prepare, |text| use_all(&text, &oidc("http://localhost:8400/own")));
}

// The work is bounded: at most 64 refresh tokens are tried, and none if there are more than 256 ID tokens.
#[test]
fn more_tokens_than_an_honest_account_has_are_ignored() {
    let text = |n: usize, id_tokens: usize| {
        let place = ("environment", json!("idp.example"));
        let client_id = |number: usize| ("client_id", json!(format!("client{number}")));
        document(&[
            section("RefreshToken", n, |number| {
                (key(number), refresh_token(&number.to_string(), std::slice::from_ref(&place)))
            }),
            section("IdToken", id_tokens, |number| {
                let more = [place.clone(), if number == 0 { ("realm", json!("r")) } else { client_id(number) }];
                (key(number), id_token(ISSUER, &more))
            }),
        ])
    };
    for (refresh_tokens, id_tokens, tried) in [(3, 256, 3), (64, 1, 64), (65, 1, 64), (3, 257, 0)] {
        let document = super::super::parse(text(refresh_tokens, id_tokens).into_bytes().into(), 32).unwrap();
        let found = match ask(&document, &oidc(ISSUER), "User.Read") {
            Lookup::MustRefresh(refresh, None) => refresh.candidates.len(),
            _ => 0,
        };
        assert_eq!(found, tried, "{refresh_tokens} {id_tokens}");
    }
}
