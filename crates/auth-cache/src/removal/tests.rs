use auth_core::AccountId;
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    CLIENT, GUEST, access_token, account, app_metadata, client, content, document, entra, home_account, id_token,
    refresh_token, text, value,
};

fn remove_account(
    document: &Document,
    authority: &Authority,
    client_id: &ClientId,
    account: &Account,
    scope: RemovalScope,
) -> bool {
    let removal = Removal::new(authority.clone(), client_id.clone(), account.clone(), scope);
    let found = removal.finds(document);
    assert_eq!(removal.apply(document, Moment::First), found);
    assert!(!removal.finds(document));
    found
}

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

// S-87: under every name of the cloud and in every tenant. Tokens of other users and clients stay.
#[test]
fn removal_covers_the_account_everywhere_and_no_other() {
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
        (
            "RefreshToken",
            refresh_token("2", &[("family_id", json!("1")), ("environment", json!("login.microsoftonline.us"))]),
        ),
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
    assert!(!removed(&entra("common"), &kept, &ada()).0, "nothing is left");
}

#[test]
fn an_account_without_a_home_account_id_is_removed_by_its_local_one() {
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

// What each scope removes: with the entry alone, and next to a family refresh token.
#[test]
fn each_scope_removes_the_tokens_it_names() {
    use RemovalScope::{AllClients, Family, ThisClient};
    let of = |client: &str, more: &[(&'static str, Value)]| [&[("client_id", json!(client))], more].concat();
    let familys = |family: &str| [("family_id", json!(family))];
    let (us, bob) = ([("environment", json!("login.microsoftonline.us"))], [("home_account_id", json!("v.t"))]);
    let at = |secret: &str, changes: &[(&str, Value)]| ("AccessToken", access_token(secret, changes));
    let rt = |secret: &str, changes: &[(&str, Value)]| ("RefreshToken", refresh_token(secret, changes));
    let alias = [("environment", json!("sts.windows.net"))];
    let (never, always, others, shared) =
        ([false; 4], [true; 4], [false, false, true, true], [false, true, true, true]);
    let table = [
        (at("own", &[]), always),
        (at("own, other tenant", &[("realm", json!(GUEST))]), always),
        (at("own, other name of the cloud", &alias), always),
        (at("own, other cloud", &us), never),
        (at("own, bob's", &bob), never),
        (at("stranger's", &of("stranger", &[])), others),
        (at("stranger's, other cloud", &of("stranger", &us)), never),
        (at("the application's", &[("home_account_id", Value::Null)]), never),
        (at("on behalf", &[("user_assertion_hash", json!("h"))]), always),
        (at("on behalf, stranger's", &of("stranger", &[("user_assertion_hash", json!("h"))])), others),
        (at("on behalf of bob", &[("user_assertion_hash", json!("h")), ("home_account_id", json!("v.t"))]), never),
        (rt("on behalf", &[("user_assertion_hash", json!("h"))]), always),
        (rt("on behalf of bob", &[("user_assertion_hash", json!("h")), ("home_account_id", json!("v.t"))]), never),
        (("IdToken", id_token("x", &[("user_assertion_hash", json!("h"))])), always),
        (rt("own", &[]), always),
        (rt("own, of the family", &familys("1")), shared),
        (rt("own, of another family", &familys("2")), shared),
        (rt("family's, by somebody", &of("somebody", &familys("1"))), shared),
        (rt("family's, other cloud", &of("somebody", &[&familys("1")[..], &us].concat())), never),
        (rt("family's, bob's", &of("somebody", &[&familys("1")[..], &bob].concat())), never),
        (rt("stranger's", &of("stranger", &[])), others),
        (("IdToken", id_token("x", &[])), always),
        (("IdToken", id_token("x", &of("stranger", &[]))), others),
        (account_entry("ada", &alias), always),
        (account_entry("ada", &us), never),
        (account_entry("bob", &bob), never),
    ];
    let note = ("AppMetadata", app_metadata("1", &of("stranger", &[])));
    let familys_token = rt("extra", &of("member", &familys("1")));
    for (column, (scope, extra)) in
        [(ThisClient, None), (Family, None), (Family, Some(familys_token)), (AllClients, None)].into_iter().enumerate()
    {
        for ((section, entry), goes) in &table {
            let what = format!("{scope:?} with {extra:?}: {entry}");
            let entries = [&note, &(*section, entry.clone())].into_iter().chain(&extra).cloned().collect::<Vec<_>>();
            let document = document(&entries);
            let any = remove_account(&document, &entra("common"), &client(), &ada(), scope);
            assert_eq!(any, goes[column] || extra.is_some(), "{what}");
            let after = value(&document);
            let is_left = after[*section].as_object().unwrap().values().any(|left| left == entry);
            assert_eq!(is_left, !goes[column], "{what}");
            assert_eq!(
                after["AppMetadata"],
                content(core::slice::from_ref(&note))["AppMetadata"],
                "notes of clients stay"
            );
            assert!(!remove_account(&document, &entra("common"), &client(), &ada(), scope), "nothing is left");
        }
    }
}

// S-87: what another program writes back is removed for all clients, even when the family refresh token is gone.
#[test]
fn the_scope_of_a_removal_is_decided_once() {
    let familys = [("family_id", json!("1")), ("client_id", json!("another-client"))];
    let others = ("AccessToken", access_token("at", &[("client_id", json!("another-client"))]));
    let removal = Removal::new(entra("common"), client(), ada(), RemovalScope::default());
    let before = document(&[("RefreshToken", refresh_token("rt", &familys)), account_entry("ada", &[])]);
    assert!(removal.apply(&before, Moment::First));
    let after = document(&[others]);
    assert!(removal.finds(&after) && removal.apply(&after, Moment::First) && !removal.finds(&after));
}
