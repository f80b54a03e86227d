//! Several issuers on one host: only one of them has tokens in the same place of the cache.

use auth_core::AccountId;

use super::*;
use crate::lookup::{Lookup, Query, lookup};
use crate::testing::{oidc, scopes};

const A: &str = "https://idp.example/realms/a";
const B: &str = "https://idp.example/realms/b";

fn answer(issuer: &str, name: &str, scope: &str) -> Vec<(&'static str, Value)> {
    answer_for("s", issuer, name, scope)
}

fn answer_for(subject: &str, issuer: &str, name: &str, scope: &str) -> Vec<(&'static str, Value)> {
    let mut answer = sign_in(&oidc(issuer), T, subject);
    answer.retain(|(member, _)| *member != "refresh_token");
    answer.extend([
        ("access_token", json!(format!("at-{name}"))),
        ("refresh_token", json!(format!("rt-{name}"))),
        ("scope", json!(scope)),
    ]);
    answer
}

/// All tokens that a lookup for any scope hands out or would send.
fn reachable(document: &Document, issuer: &str) -> Vec<String> {
    reachable_for("s", document, issuer)
}

fn reachable_for(subject: &str, document: &Document, issuer: &str) -> Vec<String> {
    let (authority, client, account) = (oidc(issuer), client(), AccountId::new(subject));
    let mut reachable = Vec::new();
    for wanted in ["User.Read", "Mail.Read", ""].map(scopes) {
        let query = Query::new(&authority, &client, &account, &wanted);
        for query in [query.clone(), Query { bypass: true, ..query }] {
            match lookup(document, &query, NOW) {
                Lookup::Usable(token) => reachable.push(token.access_token().expose().to_owned()),
                Lookup::MustRefresh(refresh, None) => {
                    reachable.extend(refresh.candidates.iter().map(|found| found.refresh_token.expose().to_owned()));
                }
                Lookup::Nothing => {}
                other => panic!("{other:?}"),
            }
        }
    }
    reachable.sort();
    reachable.dedup();
    reachable
}

#[test]
fn a_sign_in_displaces_the_tokens_of_another_issuer() {
    // The client, subject, host and realm are the same.
    let document = Document::default();
    apply(&document, &oidc(A), &answer(A, "a", "User.Read"), false);
    apply(&document, &oidc(A), &answer(A, "a2", "Mail.Read"), false);
    assert_eq!(reachable(&document, A), ["at-a", "at-a2", "rt-a2"]);
    assert!(reachable(&document, B).is_empty());
    // The second response has no refresh token: the first one's must not stay in its place.
    let mut second = answer(B, "b", "User.Read");
    second.retain(|(member, _)| *member != "refresh_token");
    apply(&document, &oidc(B), &second, false);
    assert_eq!(reachable(&document, B), ["at-b"]);
    assert!(reachable(&document, A).is_empty());
}

// S-80, OpenID Connect Core §2: although their keys are the same.
#[test]
fn subjects_that_differ_in_case_are_two_users() {
    let document = Document::default();
    apply(&document, &oidc(A), &answer_for("Ada", A, "big", "User.Read"), false);
    assert_eq!(reachable_for("Ada", &document, A), ["at-big", "rt-big"]);
    for subject in ["ada", "ADA"] {
        assert!(reachable_for(subject, &document, A).is_empty(), "{subject}");
        assert!(
            !apply(&document, &oidc(A), &answer_for(subject, A, "late", "User.Read"), true),
            "a refresh of {subject}"
        );
    }
    assert_eq!(reachable_for("Ada", &document, A), ["at-big", "rt-big"]);
    let mut second = answer_for("ada", A, "small", "Mail.Read");
    second.retain(|(member, _)| *member != "refresh_token");
    apply(&document, &oidc(A), &second, false);
    assert_eq!(reachable_for("ada", &document, A), ["at-small"], "nothing of the other user remains");
    assert!(reachable_for("Ada", &document, A).is_empty());
    let accounts = crate::accounts::accounts(&document, &oidc(A), &client());
    assert_eq!(accounts.iter().map(|account| account.home_account_id.as_str()).collect::<Vec<_>>(), ["ada"]);
}

#[test]
fn issuers_in_different_realms_are_kept_apart_too() {
    let (a, b) = ("https://idp.example/a", "https://idp.example/b");
    let document = Document::default();
    apply(&document, &oidc(a), &answer(a, "a", "User.Read"), false);
    apply(&document, &oidc(b), &answer(b, "b", "User.Read"), false);
    assert!(reachable(&document, a).iter().all(|token| token.ends_with("-a")), "{:?}", reachable(&document, a));
    assert_eq!(reachable(&document, b), ["at-b", "rt-b"]);
}

#[test]
fn a_late_refresh_does_not_displace_another_issuer() {
    let document = Document::default();
    apply(&document, &oidc(A), &answer(A, "a", "User.Read"), false);
    apply(&document, &oidc(B), &answer(B, "b", "User.Read"), false);
    let before = value(&document);
    assert!(!apply(&document, &oidc(A), &answer(A, "late", "User.Read"), true));
    assert_eq!(value(&document), before);
    assert!(apply(&document, &oidc(B), &answer(B, "b2", "User.Read"), true));
    assert_eq!(reachable(&document, B), ["at-b2", "rt-b2"]);
}

#[test]
fn other_accounts_and_clients_are_not_displaced() {
    let place = [("environment", json!("idp.example")), ("realm", json!("realms"))];
    let of = |changes: &[(&'static str, Value)]| [&place[..], changes].concat();
    let (other_client, other_account) =
        (of(&[("client_id", json!("x")), ("home_account_id", json!("s"))]), of(&[("home_account_id", json!("t"))]));
    let kept = [
        ("RefreshToken", refresh_token("1", &other_client)),
        ("IdToken", id_token(A, &other_client)),
        ("RefreshToken", refresh_token("2", &other_account)),
        ("IdToken", id_token(A, &other_account)),
    ];
    let document = document(&kept);
    apply(&document, &oidc(A), &answer(A, "a", "User.Read"), false);
    apply(&document, &oidc(B), &answer(B, "b", "User.Read"), false);
    let mut left = secrets(&document, "RefreshToken");
    left.sort();
    assert_eq!(left, ["1", "2", "rt-b"]);
    assert_eq!(secrets(&document, "IdToken").len(), 3);
}

// Each tenant of Entra has its own issuer, and its entries name the tenant.
#[test]
fn tenants_of_one_cloud_do_not_displace_each_other() {
    let document = Document::default();
    for tenant in [T, GUEST] {
        apply(&document, &entra("common"), &sign_in(&entra("common"), tenant, "u"), false);
    }
    for section in ["AccessToken", "IdToken", "Account"] {
        assert_eq!(value(&document)[section].as_object().unwrap().len(), 2, "{section}");
    }
    assert_eq!(secrets(&document, "RefreshToken").len(), 1);
}
