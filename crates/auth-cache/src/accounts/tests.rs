use serde_json::{Value, json};

use super::*;
use crate::testing::{GUEST, T, access_token, account, client, document, entra, home_account, id_token, oidc};

fn listed(authority: &Authority, entries: &[(&str, Value)]) -> Vec<String> {
    accounts(&document(entries), authority, &client()).into_iter().map(|account| account.username).collect()
}

fn account_entry(username: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    ("Account", account(username, changes))
}

#[test]
fn one_for_each_home_account_by_name() {
    let entries = [
        account_entry("Zoe", &[("home_account_id", json!("z.t"))]),
        account_entry("ada (guest)", &[("realm", json!(GUEST))]),
        account_entry("ada", &[]),
        account_entry("ada (elsewhere)", &[("realm", json!("x"))]),
        account_entry("bob", &[("home_account_id", json!("b.t")), ("environment", json!("STS.windows.net"))]),
        account_entry("us", &[("home_account_id", json!("c.t")), ("environment", json!("login.microsoftonline.us"))]),
        account_entry("nowhere", &[("home_account_id", json!("d.t")), ("environment", Value::Null)]),
        ("Account", json!(7)),
        account_entry("", &[("home_account_id", json!("e.t")), ("username", json!({"a": 1}))]),
    ];
    for tenant in ["common", "contoso.example", GUEST] {
        assert_eq!(listed(&entra(tenant), &entries), ["ada", "bob", "Zoe"], "{tenant}");
    }
    assert_eq!(listed(&Authority::parse("https://login.microsoftonline.us/common").unwrap(), &entries), ["us"]);
    let rotated: Vec<_> = entries.iter().rev().cloned().collect();
    assert_eq!(listed(&entra("common"), &rotated), ["ada", "bob", "Zoe"], "the home tenant's picture, in any order");
}

#[test]
fn an_account_is_read_whole() {
    let entries = [account_entry("ada", &[("name", json!("Ada L."))])];
    let found = accounts(&document(&entries), &entra("common"), &client()).remove(0);
    assert_eq!(
        (found.home_account_id, found.environment.as_str(), found.realm.as_str()),
        (home_account(), "login.windows.net", T)
    );
    assert_eq!((found.local_account_id.as_str(), found.name.as_deref()), ("oid", Some("Ada L.")));
}

#[test]
fn accounts_without_a_home_account_id_are_each_their_own() {
    let without =
        |username| account_entry(username, &[("home_account_id", json!("")), ("local_account_id", json!(username))]);
    let entries =
        [without("ada"), without("bob"), ("AccessToken", access_token("app", &[("home_account_id", Value::Null)]))];
    assert_eq!(listed(&entra("common"), &entries), ["ada", "bob"]);
}

const A: &str = "https://idp.example/a";
const B: &str = "https://idp.example/b";

fn at_issuer(entry: (&'static str, Value), realm: &str) -> (&'static str, Value) {
    let place = [("environment", json!("idp.example")), ("home_account_id", json!("s")), ("realm", json!(realm))];
    (entry.0, crate::testing::with(entry.1, &place))
}

// Where several issuers share a host, an account is known to those only that signed it in, for this client.
#[test]
fn issuers_on_one_host_do_not_see_each_others_accounts() {
    let of_a = [at_issuer(account_entry("ada", &[]), "a"), at_issuer(("IdToken", id_token(A, &[])), "a")];
    assert_eq!(listed(&oidc(A), &of_a), ["ada"]);
    assert!(listed(&oidc(B), &of_a).is_empty());
    assert!(listed(&oidc(A), &of_a[..1]).is_empty(), "nobody says whose it is");
    let other_client = at_issuer(("IdToken", id_token(A, &[("client_id", json!("x"))])), "a");
    assert!(listed(&oidc(A), &[of_a[0].clone(), other_client]).is_empty());

    let of_b = [at_issuer(account_entry("bob", &[]), "b"), at_issuer(("IdToken", id_token(B, &[])), "b")];
    for both in [[of_a.clone(), of_b.clone()].concat(), [of_b, of_a].concat()] {
        assert_eq!(listed(&oidc(A), &both), ["ada"], "its own picture of the same subject");
        assert_eq!(listed(&oidc(B), &both), ["bob"]);
    }
}
