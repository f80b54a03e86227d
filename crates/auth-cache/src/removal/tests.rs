use auth_core::AccountId;
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    CLIENT, GUEST, access_token, account, app_metadata, client, content, document, entra, home_account, id_token,
    refresh_token, text, value,
};

fn account_entry(username: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    ("Account", account(username, changes))
}

fn removed(authority: &Authority, entries: &[(&str, Value)], who: &Account) -> (bool, Value) {
    let document = document(entries);
    let any = remove_account(&document, authority, &client(), who, RemovalScope::default());
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
