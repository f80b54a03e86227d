//! Several issuers on one host: no token of one is handed out for, or sent to, another.

use super::*;
use crate::testing::{oidc, with};

const A: &str = "https://idp.example/realms/a";
const B: &str = "https://idp.example/realms/b";

/// An entry of such a provider: the environment is the host, the account the subject.
fn there(entry: (&'static str, Value), realm: &str) -> (&'static str, Value) {
    let place = [("environment", json!("idp.example")), ("home_account_id", json!("s")), ("realm", json!(realm))];
    (entry.0, with(entry.1, &place))
}

fn all_of(issuer: &str, realm: &str) -> Vec<(&'static str, Value)> {
    let letter = issuer.rsplit('/').next().unwrap();
    vec![
        there(at_entry(&format!("at-{letter}"), &[]), realm),
        there(rt_entry(&format!("rt-{letter}"), &[]), realm),
        there(("IdToken", id_token(issuer, &[])), realm),
    ]
}

fn ask(issuer: &str, entries: &[(&str, Value)], wanted: &'static str) -> String {
    words(&Ask { account: AccountId::new("s"), ..Ask::new(oidc(issuer), wanted) }.answer(entries))
}

#[test]
fn tokens_count_only_with_an_id_token_of_the_issuer() {
    let of_a = all_of(A, "realms");
    assert_eq!(ask(A, &of_a, "User.Read"), "usable at-a");
    assert_eq!(ask(A, &of_a, "Mail.Read"), "refresh: NoCachedAccessToken with rt-a");
    for other in [B, "https://idp.example", "https://idp.example/realms/a/", "https://idp.example/realms/A"] {
        assert_eq!(ask(other, &of_a, "User.Read"), "nothing", "{other}");
        assert_eq!(ask(other, &of_a, "Mail.Read"), "nothing", "{other}");
    }
    assert_eq!(ask(A, &of_a[..2], "User.Read"), "nothing", "without an ID token, the issuer is unknown");
    let unreadable = there(("IdToken", id_token(A, &[("secret", json!("x"))])), "realms");
    assert_eq!(ask(A, &[&of_a[..2], &[unreadable]].concat(), "User.Read"), "nothing");
}

#[test]
fn no_refresh_token_is_sent_to_the_wrong_issuer() {
    // Different realms tell access tokens apart, but not refresh tokens.
    let apart = [all_of(A, "a"), all_of(B, "b")].concat();
    assert_eq!(ask(A, &apart, "User.Read"), "usable at-a");
    assert_eq!(ask(B, &apart, "User.Read"), "usable at-b");
    assert_eq!(ask(A, &apart, "Mail.Read"), "nothing");
    assert_eq!(ask(B, &apart, "Mail.Read"), "nothing");
    // In the same realm, nothing does.
    let mixed = [all_of(A, "realms"), all_of(B, "realms")].concat();
    assert_eq!(ask(A, &mixed, "User.Read"), "nothing");
    assert_eq!(ask(B, &mixed, "User.Read"), "nothing");
}

#[test]
fn an_id_token_of_another_client_or_account_proves_nothing() {
    let tokens = &all_of(A, "realms")[..2];
    let with_id_token = |name, value: &str| {
        let (_, id_token) = there(("IdToken", id_token(A, &[])), "realms");
        [tokens, &[("IdToken", with(id_token, &[(name, json!(value))]))]].concat()
    };
    assert_eq!(ask(A, &with_id_token("client_id", "another-client"), "User.Read"), "nothing");
    assert_eq!(ask(A, &with_id_token("home_account_id", "other"), "User.Read"), "nothing");
    // MSAL Node writes one realm for the access token and another for the ID token.
    assert_eq!(ask(A, &with_id_token("realm", ""), "User.Read"), "usable at-a");
    assert_eq!(ask(B, &with_id_token("realm", ""), "User.Read"), "nothing");
}

#[test]
fn a_family_token_counts_only_with_an_id_token_of_the_issuer() {
    let other = [("client_id", json!("another-client"))];
    let place = [("environment", json!("idp.example"))];
    let mut entries = all_of(A, "realms");
    entries.push(there(rt_entry("family", &[other[0].clone(), ("family_id", json!("1"))]), "realms"));
    entries.push(("AppMetadata", app_metadata("1", &place)));
    assert_eq!(ask(A, &entries, "Mail.Read"), "refresh: NoCachedAccessToken with rt-a");
    entries.push(there(("IdToken", id_token(B, &other)), "realms"));
    assert_eq!(ask(A, &entries, "Mail.Read"), "refresh: NoCachedAccessToken with rt-a");
    entries.pop();
    entries.push(there(("IdToken", id_token(A, &other)), "realms"));
    assert_eq!(ask(A, &entries, "Mail.Read"), "refresh: NoCachedAccessToken with family rt-a");
}

#[test]
fn the_id_token_of_a_hit_is_from_the_issuer() {
    let entries = [all_of(B, "b"), all_of(A, "a")].concat();
    let ask = Ask { account: AccountId::new("s"), ..Ask::new(oidc(A), "User.Read") };
    let Lookup::Usable(token) = ask.answer(&entries) else { panic!() };
    assert_eq!(IdToken::parse(token.id_token().unwrap()).unwrap().text("iss"), Some(A));
}

// Most libraries write the environment without the port.
#[test]
fn providers_on_two_local_ports_are_two_issuers() {
    let tenant = |port: u16| Authority::parse(&format!("http://127.0.0.1:{port}/{T}")).unwrap();
    let iss = |port: u16| format!("http://127.0.0.1:{port}/{T}/v2.0");
    let place = [("environment", json!("127.0.0.1"))];
    let entries = [at_entry("at", &place), rt_entry("rt", &place), ("IdToken", id_token(&iss(8400), &place))];
    assert_eq!(find(&tenant(8400), &entries, "User.Read"), "usable at");
    assert_eq!(find(&tenant(8400), &entries, "Mail.Read"), "refresh: NoCachedAccessToken with rt");
    assert_eq!(find(&tenant(8401), &entries, "User.Read"), "nothing");
    // MSAL Node writes the port, which tells its entries apart.
    let with_port = [("environment", json!("127.0.0.1:8401"))];
    let both = [
        &entries[..],
        &[at_entry("at2", &with_port), rt_entry("rt2", &with_port), ("IdToken", id_token(&iss(8401), &with_port))],
    ]
    .concat();
    assert_eq!(find(&tenant(8400), &both, "Mail.Read"), "refresh: NoCachedAccessToken with rt");
    assert_eq!(find(&tenant(8401), &both, "Mail.Read"), "refresh: NoCachedAccessToken with rt2");
    assert_eq!(find(&tenant(8401), &both, "User.Read"), "usable at2");
}
