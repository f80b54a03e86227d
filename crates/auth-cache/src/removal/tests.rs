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

// Whose tokens go, by scope: for a member of a family, for a client of which nothing is known, and for one in no family.
#[test]
fn scopes_of_removal() {
    use RemovalScope::{AllClients, Family, ThisClient};
    let of = |client: &str, more: &[(&'static str, Value)]| [&[("client_id", json!(client))], more].concat();
    let familys = |family: &str| [("family_id", json!(family))];
    let (us, bob) = ([("environment", json!("login.microsoftonline.us"))], [("home_account_id", json!("v.t"))]);
    let notes = [
        ("AppMetadata", app_metadata("1", &of("member", &[]))),
        ("AppMetadata", app_metadata("2", &of("stranger", &[]))),
        ("AppMetadata", app_metadata("1", &of("us-member", &us))),
    ];
    let at = |secret: &str, changes: &[(&str, Value)]| ("AccessToken", access_token(secret, changes));
    let rt = |secret: &str, changes: &[(&str, Value)]| ("RefreshToken", refresh_token(secret, changes));
    let alias = [("environment", json!("sts.windows.net"))];
    // The entry, and whether it goes: own alone, a member's family, a client known to be in none, one unknown, all.
    let table = [
        (at("own", &[]), [true, true, true, true, true]),
        (at("own, other tenant", &[("realm", json!(GUEST))]), [true, true, true, true, true]),
        (at("own, other name of the cloud", &alias), [true, true, true, true, true]),
        (at("own, other cloud", &us), [false, false, false, false, false]),
        (at("own, bob's", &bob), [false, false, false, false, false]),
        (at("member's", &of("Member", &[])), [false, true, false, false, true]),
        (at("member's, other cloud", &of("member", &us)), [false, false, false, false, false]),
        (at("member's of another cloud", &of("us-member", &[])), [false, false, false, false, true]),
        (at("stranger's", &of("stranger", &[])), [false, false, false, false, true]),
        (at("the application's", &[("home_account_id", Value::Null)]), [false, false, false, false, false]),
        (at("on behalf", &[("user_assertion_hash", json!("h"))]), [true, true, true, true, true]),
        (at("on behalf of bob", &[("user_assertion_hash", json!("h")), ("home_account_id", json!("v.t"))]), [false; 5]),
        (rt("on behalf", &[("user_assertion_hash", json!("h"))]), [true; 5]),
        (rt("on behalf of bob", &[("user_assertion_hash", json!("h")), ("home_account_id", json!("v.t"))]), [false; 5]),
        (("IdToken", id_token("x", &[("user_assertion_hash", json!("h"))])), [true; 5]),
        (rt("own", &[]), [true, true, true, true, true]),
        (rt("own, in the family", &familys("1")), [false, true, true, true, true]),
        (rt("own, of another family", &familys("2")), [false, true, true, true, true]),
        (rt("family's, by a member", &of("member", &familys("1"))), [false, true, false, false, true]),
        (rt("family's, by somebody", &of("somebody", &familys("1"))), [false, true, false, false, true]),
        (rt("family's, other cloud", &of("member", &[&familys("1")[..], &us].concat())), [false; 5]),
        (rt("family's, bob's", &of("member", &[&familys("1")[..], &bob].concat())), [false; 5]),
        (rt("member's own", &of("member", &[])), [false, true, false, false, true]),
        (rt("stranger's", &of("stranger", &[])), [false, false, false, false, true]),
        (rt("other family's", &of("stranger", &familys("2"))), [false, false, false, false, true]),
        (("IdToken", id_token("x", &[])), [true, true, true, true, true]),
        (("IdToken", id_token("x", &of("member", &[]))), [false, true, false, false, true]),
        (("IdToken", id_token("x", &of("stranger", &[]))), [false, false, false, false, true]),
        (account_entry("ada", &alias), [true; 5]),
        (account_entry("ada", &us), [false; 5]),
        (account_entry("bob", &bob), [false; 5]),
    ];
    let (member, outsider) = (("AppMetadata", app_metadata("1", &[])), ("AppMetadata", app_metadata("", &[])));
    for (column, (scope, own_note)) in [
        (ThisClient, Some(&member)),
        (Family, Some(&member)),
        (Family, Some(&outsider)),
        (Family, None),
        (AllClients, None),
    ]
    .into_iter()
    .enumerate()
    {
        for ((section, entry), goes) in &table {
            let entries: Vec<_> = notes.iter().chain(own_note).cloned().chain([(*section, entry.clone())]).collect();
            let document = document(&entries);
            let before = value(&document);
            let any = remove_account(&document, &entra("common"), &client(), &ada(), scope);
            assert_eq!(any, goes[column], "{scope:?} with {own_note:?}: {entry}");
            assert_eq!(value(&document) == before, !any, "{scope:?} with {own_note:?}: {entry}");
            assert_eq!(value(&document)["AppMetadata"], before["AppMetadata"], "notes of clients stay");
            assert!(!remove_account(&document, &entra("common"), &client(), &ada(), scope), "nothing more is there");
        }
    }
}
