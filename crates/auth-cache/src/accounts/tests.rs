use serde_json::{Value, json};

use super::*;
use crate::testing::{
    GUEST, T, access_token, account, app_metadata, at, client, document, entra, home_account, id_token, oidc,
    refresh_token, text,
};

fn listed(authority: &Authority, entries: &[(&str, Value)]) -> Vec<String> {
    accounts(&document(entries), authority, &client()).into_iter().map(|account| account.username).collect()
}

fn account_entry(username: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    ("Account", account(username, changes))
}

#[test]
fn there_is_one_account_per_home_account_sorted_by_username() {
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
    assert_eq!(listed(&entra("common"), &rotated), ["ada", "bob", "Zoe"], "that of the home tenant, in any order");
}

#[test]
fn an_account_is_read_with_all_its_fields() {
    let entries = [account_entry("ada", &[("name", json!("Ada L."))])];
    let found = accounts(&document(&entries), &entra("common"), &client()).remove(0);
    assert_eq!(
        (found.home_account_id, found.environment.as_str(), found.realm.as_str()),
        (home_account(), "login.windows.net", T)
    );
    assert_eq!((found.local_account_id.as_str(), found.name.as_deref()), ("oid", Some("Ada L.")));
}

#[test]
fn accounts_without_a_home_account_id_are_separate() {
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

// Where several issuers share a host, only the one that signed the account in for this client knows it.
#[test]
fn issuers_on_one_host_do_not_see_each_others_accounts() {
    let of_a = [at_issuer(account_entry("ada", &[]), "a"), at_issuer(("IdToken", id_token(A, &[])), "a")];
    assert_eq!(listed(&oidc(A), &of_a), ["ada"]);
    assert!(listed(&oidc(B), &of_a).is_empty());
    assert!(listed(&oidc(A), &of_a[..1]).is_empty(), "nothing says whose it is");
    let other_client = at_issuer(("IdToken", id_token(A, &[("client_id", json!("x"))])), "a");
    assert!(listed(&oidc(A), &[of_a[0].clone(), other_client]).is_empty());

    let of_b = [at_issuer(account_entry("bob", &[]), "b"), at_issuer(("IdToken", id_token(B, &[])), "b")];
    for both in [[of_a.clone(), of_b.clone()].concat(), [of_b, of_a].concat()] {
        assert_eq!(listed(&oidc(A), &both), ["ada"], "its own account of the same subject");
        assert_eq!(listed(&oidc(B), &both), ["bob"]);
    }
}

/// The profiles of the only account, as text.
fn profiles_of(entries: &[(&str, Value)]) -> Vec<String> {
    let account = accounts(&document(entries), &entra("common"), &client()).remove(0);
    let words = |profile: TenantProfile| {
        let home = if profile.is_home { " (home)" } else { "" };
        format!("{} {} {:?}{home} in {}", profile.local_account_id, profile.username, profile.name, profile.tenant_id)
    };
    account.tenant_profiles.into_iter().map(words).collect()
}

#[test]
fn an_account_has_a_profile_for_each_tenant() {
    let node = |tenant: &str, username: &str| {
        let profile =
            json!({"tenantId": tenant, "localAccountId": "l", "username": username, "name": "N", "isHomeTenant": true});
        json!(profile.to_string())
    };
    let home = format!("oid ada None (home) in {T}");
    let guest = format!("g ada_ext None in {GUEST}");
    let as_guest = [("realm", json!(GUEST)), ("local_account_id", json!("g"))];
    let guest_entry = account_entry("ada_ext", &as_guest);
    let broken =
        json!(["nonsense", "{}", 7, null, {"tenantId": GUEST}, r#"{"tenantId":7}"#, "[]", node(GUEST, "ada_ext")]);
    let within = format!("l ada_ext Some(\"N\") in {GUEST}");
    for (entries, expected) in [
        (vec![account_entry("ada", &[])], vec![&home]),
        (vec![guest_entry.clone(), account_entry("ada", &[])], vec![&home, &guest]),
        (vec![account_entry("ada", &[("tenantProfiles", json!([node(GUEST, "ada_ext")]))])], vec![&home, &within]),
        (vec![account_entry("ada", &[("tenantProfiles", broken)])], vec![&home, &within]),
        (vec![account_entry("ada", &[("tenantProfiles", json!([node(&T.to_uppercase(), "x")]))])], vec![&home]),
        (
            vec![account_entry("ada", &[("tenantProfiles", json!([node(GUEST, "older")]))]), guest_entry.clone()],
            vec![&home, &guest],
        ),
        (vec![account_entry("ada", &[("tenantProfiles", json!("[]"))])], vec![&home]),
        (vec![account_entry("ada", &[("tenantProfiles", json!({"a": 1}))])], vec![&home]),
        (
            vec![
                account_entry("ada", &[]),
                account_entry("us", &[("environment", json!("login.microsoftonline.us")), as_guest[0].clone()]),
            ],
            vec![&home],
        ),
    ] {
        assert_eq!(profiles_of(&entries).iter().collect::<Vec<_>>(), expected, "{entries:?}");
    }
}

#[test]
fn an_account_says_where_it_comes_from() {
    let source = |text: &str| ("account_source", json!(text));
    for (entries, expected) in [
        (vec![account_entry("ada", &[source("device_code_flow")])], Some("device_code_flow")),
        (
            vec![account_entry("ada", &[]), account_entry("g", &[source("broker"), ("realm", json!(GUEST))])],
            Some("broker"),
        ),
        (vec![account_entry("ada", &[source("")])], None),
        (vec![account_entry("ada", &[("account_source", json!([]))])], None),
        (vec![account_entry("ada", &[])], None),
    ] {
        let account = accounts(&document(&entries), &entra("common"), &client()).remove(0);
        assert_eq!(account.source.as_deref(), expected, "{entries:?}");
    }
}

// It agrees with what a lookup would do.
#[test]
fn an_account_says_whether_it_can_be_refreshed() {
    let rt = |changes: &[(&str, Value)]| ("RefreshToken", refresh_token("rt", changes));
    let other = ("client_id", json!("another-client"));
    let family = ("family_id", json!("1"));
    let member = ("AppMetadata", app_metadata("1", &[]));
    let outsider = ("AppMetadata", app_metadata("", &[]));
    for (entries, expected) in [
        (vec![], false),
        (vec![rt(&[])], true),
        (vec![rt(&[("environment", json!("sts.windows.net"))])], true),
        (vec![rt(&[("environment", json!("login.microsoftonline.us"))])], false),
        (vec![rt(&[("home_account_id", json!("v.t"))])], false),
        (vec![rt(&[("secret", Value::Null)])], false),
        (vec![rt(&[("ext", json!({"a": "1"}))])], false),
        (vec![rt(&[("user_assertion_hash", json!("h"))])], false),
        (vec![rt(std::slice::from_ref(&other))], false),
        (vec![rt(&[other.clone(), family.clone()])], false),
        (vec![rt(&[other.clone(), family.clone()]), member.clone()], true),
        (vec![rt(&[other.clone(), ("family_id", json!("2"))]), member.clone()], false),
        (vec![rt(std::slice::from_ref(&family))], true),
        (vec![rt(std::slice::from_ref(&family)), outsider.clone()], false),
        (vec![rt(&[other, family]), outsider.clone()], false),
        (vec![rt(&[]), outsider], true),
        (vec![("AccessToken", access_token("at", &[])), ("IdToken", id_token("x", &[]))], false),
    ] {
        let mut all = entries.clone();
        all.push(account_entry("ada", &[]));
        let document = document(&all);
        let account = accounts(&document, &entra("common"), &client()).remove(0);
        assert_eq!(account.can_refresh, expected, "{entries:?}");
        let (authority, client, id, wanted) =
            (entra("common"), client(), home_account(), crate::testing::scopes("User.Read"));
        let query =
            crate::lookup::Query { bypass: true, ..crate::lookup::Query::new(&authority, &client, &id, &wanted) };
        let candidates = !matches!(crate::lookup::lookup(&document, &query, at(0)), crate::lookup::Lookup::Nothing);
        assert_eq!(candidates, expected, "{entries:?}");
    }
}

#[test]
fn the_most_recent_sign_in_comes_first() {
    let person = |name: &str, time: Option<i64>| {
        let id = ("home_account_id", json!(format!("{name}.t")));
        account_entry(name, &[id, ("last_modification_time", time.map_or(Value::Null, text))])
    };
    let rt = |name: &str, seconds: i64| {
        let id = ("home_account_id", json!(format!("{name}.t")));
        ("RefreshToken", refresh_token("rt", &[id, ("last_modification_time", text(seconds))]))
    };
    let entries = [
        person("never", None),
        person("Again", None),
        person("old", Some(-500)),
        person("recent", Some(-5)),
        person("refreshed", None),
        rt("refreshed", -50),
        // A refresh does not count as a sign-in if the time of the sign-in is known.
        person("long ago", Some(-900)),
        rt("long ago", 0),
        person("same b", Some(-70)),
        person("Same A", Some(-70)),
    ];
    let expected = ["recent", "refreshed", "Same A", "same b", "old", "long ago", "Again", "never"];
    assert_eq!(listed(&entra("common"), &entries), expected);
    let reversed: Vec<_> = entries.iter().rev().cloned().collect();
    assert_eq!(listed(&entra("common"), &reversed), expected);
    let times: Vec<_> = accounts(&document(&entries), &entra("common"), &client())
        .into_iter()
        .map(|account| account.last_sign_in)
        .collect();
    let known = [-5, -50, -70, -70, -500, -900].map(|seconds| Some(at(seconds)));
    assert_eq!(times, [&known[..], &[None, None]].concat());
}

// Where several issuers share a host, a token that may be another issuer's is not used.
#[test]
fn a_token_of_an_unclear_issuer_refreshes_no_account() {
    let entries = |id_tokens: &[(&'static str, &str)]| {
        let mut entries =
            vec![at_issuer(account_entry("ada", &[]), "a"), at_issuer(("RefreshToken", refresh_token("rt", &[])), "a")];
        entries.extend(id_tokens.iter().map(|(issuer, realm)| at_issuer(("IdToken", id_token(issuer, &[])), realm)));
        entries
    };
    for (id_tokens, expected) in [(&[(A, "a")][..], true), (&[(A, "a"), (B, "b")], false)] {
        let account = accounts(&document(&entries(id_tokens)), &oidc(A), &client()).remove(0);
        assert_eq!(account.can_refresh, expected, "{id_tokens:?}");
    }
}
