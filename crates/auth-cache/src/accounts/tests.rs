use auth_core::AccountId;
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    CLIENT, GUEST, T, access_token, account, app_metadata, client, content, document, entra, home_account, id_token,
    index, oidc, refresh_token, text, value,
};

fn listed(authority: &Authority, entries: &[(&str, Value)]) -> Vec<String> {
    accounts(&index(entries), authority, &client()).into_iter().map(|account| account.username).collect()
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
    let found = accounts(&index(&entries), &entra("common"), &client()).remove(0);
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

fn removed(authority: &Authority, entries: &[(&str, Value)], who: &Account) -> (bool, Value) {
    let mut document = document(entries);
    let any = remove(&mut document, authority, &client(), who);
    (any, value(&document))
}

fn ada() -> Account {
    Account::new(home_account(), "login.windows.net", "ada")
}

// S-87: under every name of the cloud, in every tenant; other users' and other clients' tokens stay.
#[test]
fn removing_forgets_the_account_everywhere_and_nobody_else() {
    let alias = [("environment", json!("login.microsoftonline.com")), ("realm", json!(GUEST))];
    let upper = [
        ("home_account_id", json!(home_account().as_str().to_uppercase())),
        ("client_id", json!(CLIENT.to_uppercase())),
    ];
    let gone = [
        account_entry("ada", &[]),
        account_entry("ada", &alias),
        ("AccessToken", access_token("at", &[])),
        ("AccessToken", access_token("at", &alias)),
        ("AccessToken", access_token("pop", &[("token_type", json!("pop")), ("expires_on", text(-1))])),
        ("RefreshToken", refresh_token("rt", &alias)),
        ("RefreshToken", refresh_token("rt", &upper)),
        ("RefreshToken", refresh_token("family", &[("family_id", json!("1")), ("client_id", json!("another-client"))])),
        ("IdToken", id_token("x", &alias)),
    ];
    let other = |name, value| [(name, value)];
    let kept = [
        ("AppMetadata", app_metadata("1", &[])),
        account_entry("bob", &other("home_account_id", json!("v.t"))),
        account_entry("us", &other("environment", json!("login.microsoftonline.us"))),
        ("AccessToken", access_token("1", &other("client_id", json!("another-client")))),
        ("AccessToken", access_token("2", &other("home_account_id", json!("v.t")))),
        ("AccessToken", access_token("3", &other("home_account_id", Value::Null))),
        ("RefreshToken", refresh_token("1", &other("client_id", json!("another-client")))),
        ("RefreshToken", refresh_token("2", &[("family_id", json!("2")), ("client_id", json!("another-client"))])),
        ("IdToken", id_token("x", &other("client_id", json!("another-client")))),
        ("Foreign", json!({"a": 1})),
    ];
    let all: Vec<_> = kept.iter().chain(&gone).cloned().collect();
    let (any, after) = removed(&entra("common"), &all, &ada());
    assert!(any);
    let mut expected = json!({"AccessToken": {}, "RefreshToken": {}, "IdToken": {}, "Account": {}, "AppMetadata": {}});
    for (section, entries) in content(&kept).as_object().unwrap() {
        expected[section] = entries.clone();
    }
    assert_eq!(after, expected);
    assert!(!removed(&entra("common"), &kept, &ada()).0, "nothing more is there");
}

// Only a member of the family may forget the family's token.
#[test]
fn another_familys_token_stays() {
    let family =
        ("RefreshToken", refresh_token("family", &[("family_id", json!("1")), ("client_id", json!("another-client"))]));
    for notes in [vec![], vec![("AppMetadata", app_metadata("", &[]))], vec![("AppMetadata", app_metadata("2", &[]))]] {
        let entries: Vec<_> = notes.into_iter().chain([family.clone(), account_entry("ada", &[])]).collect();
        let (any, after) = removed(&entra("common"), &entries, &ada());
        assert!(any);
        assert_eq!(after["RefreshToken"].as_object().unwrap().len(), 1, "{entries:?}");
    }
}

#[test]
fn an_account_without_a_home_account_id_goes_by_its_local_one() {
    let without =
        |local: &str| account_entry(local, &[("home_account_id", json!("")), ("local_account_id", json!(local))]);
    let app = ("AccessToken", access_token("app", &[("home_account_id", Value::Null)]));
    let mut who = Account::new(AccountId::new(""), "login.windows.net", "ada");
    who.local_account_id = "ADA".to_owned();
    let (any, after) = removed(&entra("common"), &[without("ada"), without("bob"), app.clone()], &who);
    assert!(any);
    assert_eq!(after["Account"].as_object().unwrap().len(), 1);
    assert_eq!(after["AccessToken"].as_object().unwrap().len(), 1, "the application's own token stays");
    who.local_account_id.clear();
    assert!(
        !removed(
            &entra("common"),
            &[app, account_entry("x", &[("home_account_id", json!("")), ("local_account_id", json!(""))])],
            &who
        )
        .0
    );
}
