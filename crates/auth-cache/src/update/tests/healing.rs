//! Duplicates left by libraries that use other keys: one of several entries with the same identity is used, and one
//! remains.

use super::*;
use crate::lookup::{Lookup, Query, lookup};
use crate::testing::{content, home_account, scopes};

/// Makes an entry with some members changed.
type Make = fn(&[(&str, Value)]) -> Value;

fn candidates(document: &Document) -> Vec<String> {
    let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("Other.Scope"));
    match lookup(document, &Query::new(&authority, &client, &account, &wanted), NOW) {
        Lookup::MustRefresh(refresh, None) => {
            refresh.candidates.iter().map(|found| found.refresh_token.expose().to_owned()).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn keyed(section: &str, entries: &[(String, Value)]) -> Document {
    let mut document = content(&[known()]);
    document[section] = entries.iter().cloned().collect::<serde_json::Map<_, _>>().into();
    parse(&document.to_string())
}

#[test]
fn the_newest_of_many_refresh_tokens_is_used_and_one_remains() {
    let key = |tail: &str| format!("{}-login.windows.net-refreshtoken-{CLIENT}{tail}", home_id());
    let rt = |secret: &str, time: i64| refresh_token(secret, &[("last_modification_time", text(time))]);
    let tails = ["----", "---", "--", "", "--User.Read"];
    for newest in 0..tails.len() {
        let entries: Vec<_> = (0..tails.len())
            .map(|number| {
                let time = if number == newest { -5 } else { -100 - i64::try_from(number).unwrap() };
                (key(tails[number]), rt(&format!("rt{number}"), time))
            })
            .collect();
        let document = keyed("RefreshToken", &entries);
        let found = candidates(&document);
        assert_eq!((found.len(), &*found[0]), (tails.len(), &*format!("rt{newest}")), "{found:?}");
        // A refresh without a new refresh token leaves them all. A new one replaces them all, under the canonical key.
        assert!(apply(&document, &entra(T), &[], true));
        assert_eq!(secrets(&document, "RefreshToken").len(), tails.len());
        assert!(apply(&document, &entra(T), &[("refresh_token", json!("rotated"))], true));
        let left = value(&document)["RefreshToken"].clone();
        assert_eq!(left.as_object().unwrap().keys().collect::<Vec<_>>(), [&key("--").to_lowercase()]);
        assert_eq!(candidates(&document), ["rotated"]);
    }
}

#[test]
fn duplicates_under_two_names_of_the_cloud_become_one() {
    let hosts = ["login.microsoftonline.com", "login.windows.net", "STS.windows.net"];
    let each = |section: &str, make: Make| {
        let entries = hosts.map(|host| (format!("{section} at {host}"), make(&[("environment", json!(host))])));
        (section.to_owned(), Value::Object(entries.into_iter().collect()))
    };
    let sections = [
        each("AccessToken", |changes| access_token("old", changes)),
        each("RefreshToken", |changes| refresh_token("old", changes)),
        each("IdToken", |changes| id_token("x", changes)),
        each("Account", |changes| account("old", changes)),
        each("AppMetadata", |changes| app_metadata("", changes)),
    ];
    let us = [("environment", json!("login.microsoftonline.us"))];
    let mut text = Value::Object(sections.into_iter().collect());
    text["RefreshToken"]["us"] = refresh_token("us", &us);
    let document = parse(&text.to_string());
    assert!(apply(&document, &entra(T), &sign_in(&entra(T), T, "u"), true));
    for (section, entries) in value(&document).as_object().unwrap() {
        let here = entries.as_object().unwrap().values().filter(|entry| entry["environment"] == "login.windows.net");
        assert_eq!(here.count(), 1, "{section}");
        let others = usize::from(section == "RefreshToken");
        assert_eq!(entries.as_object().unwrap().len(), 1 + others, "{section}: the other cloud's stays");
    }
    assert_eq!(candidates(&document), ["new-rt"]);
}

#[test]
fn family_tokens_of_many_clients_become_one() {
    let entries: Vec<_> = ["a", CLIENT, "c"]
        .map(|client| {
            let changes = [("client_id", json!(client)), ("family_id", json!("1"))];
            (format!("{client}--user.read"), refresh_token(client, &changes))
        })
        .into();
    let document = keyed("RefreshToken", &entries);
    assert!(apply(&document, &entra(T), &[("refresh_token", json!("new")), ("foci", json!("1"))], true));
    assert_eq!(secrets(&document, "RefreshToken"), ["new"]);
}

#[test]
fn a_refresh_keeps_the_time_of_the_sign_in() {
    let time = |document: &Document, realm: &str| {
        let entries = value(document)["Account"].clone();
        let mut here = entries.as_object().unwrap().values().filter(|entry| entry["realm"] == realm);
        here.next().unwrap().get("last_modification_time").cloned()
    };
    let members = |tenant: &str| sign_in(&entra(tenant), tenant, "u");
    let old = || document(&[("Account", account("old", &[("last_modification_time", text(-500))]))]);
    for (refreshed, tenant, expected) in [
        (true, T, Some(text(-500))),
        (false, T, Some(text(0))),
        // The user has not signed in to this tenant.
        (true, GUEST, None),
        (false, GUEST, Some(text(0))),
    ] {
        let document = old();
        assert!(apply(&document, &entra(tenant), &members(tenant), refreshed));
        assert_eq!(time(&document, tenant), expected, "{refreshed} {tenant}");
        assert_eq!(time(&document, T), if tenant == T { expected } else { Some(text(-500)) });
    }
    let without = document(&[known()]);
    assert!(apply(&without, &entra(T), &members(T), true));
    assert_eq!(time(&without, T), None, "an unknown time is not made up");
    let twice = document(&[
        ("Account", account("a", &[("environment", json!("sts.windows.net"))])),
        ("Account", account("b", &[("last_modification_time", json!(1_699_999_000))])),
    ]);
    assert!(apply(&twice, &entra(T), &members(T), true));
    assert_eq!(time(&twice, T), Some(json!("1699999000")), "a number becomes text");
}

#[test]
fn foreign_members_of_an_account_survive_every_refresh_and_sign_in() {
    let kept = [
        ("wam_account_ids", json!({"client": "wam id"})),
        ("tenantProfiles", json!([json!({"tenantId": GUEST}).to_string()])),
        ("account_source", json!("broker")),
        ("given_name", json!("Ada")),
        ("x_number", json!(1.50)),
        ("x_null", Value::Null),
    ];
    let mut entry = account("old", &kept);
    entry["x_null"] = Value::Null;
    let document = document(&[("Account", entry)]);
    for refreshed in [true, false, true] {
        assert!(apply(&document, &entra(T), &sign_in(&entra(T), T, "u"), refreshed));
        let written = value(&document)["Account"].clone();
        let only = written.as_object().unwrap().values().next().unwrap();
        assert_eq!(only["username"], "ada@contoso.example");
        for (name, member) in &kept {
            assert_eq!(only.get(*name), Some(member), "{name}");
        }
    }
}

// MSAL for .NET then does not look for a broker.
#[test]
fn an_account_notes_a_sign_in_by_device_code_until_the_next_sign_in() {
    const DEVICE: Option<&str> = Some("device_code_flow");
    // The source before, whether it is a refresh, whether it is by device code, and the source afterwards.
    for (before, refreshed, by_device_code, after) in [
        (None, false, true, DEVICE),
        (DEVICE, false, true, DEVICE),
        (DEVICE, true, false, DEVICE),
        (DEVICE, false, false, None),
        (None, false, false, None),
        (Some("broker"), false, true, DEVICE),
        (Some("broker"), false, false, Some("broker")),
        (Some("broker"), true, false, Some("broker")),
        (Some(""), true, false, None),
    ] {
        let source = before.map(|source| ("account_source", json!(source)));
        let document = document(&[("Account", account("old", source.as_slice()))]);
        let tokens = tokens(&entra(T), "User.Read", &sign_in(&entra(T), T, "u"), NOW);
        let account = account_of(&tokens, &entra(T));
        let update = TokenUpdate::from_sign_in(Arc::new(entra(T)), client(), account, Arc::new(tokens));
        let update = if refreshed { refreshing(update, &document) } else { update };
        let update = TokenUpdate { by_device_code, ..update };
        assert!(update.apply(&document, Moment::First));
        let noted = |document: &Document| {
            let listed = crate::accounts::accounts(document, &entra(T), &client());
            listed.first().and_then(|account| account.source.clone())
        };
        assert_eq!(noted(&document).as_deref(), after, "in memory: {before:?} {refreshed} {by_device_code}");
        let written = value(&document)["Account"].as_object().unwrap().values().next().unwrap().clone();
        assert_eq!(
            written.get("account_source").and_then(Value::as_str),
            after,
            "{before:?} {refreshed} {by_device_code}"
        );
    }
}

// S-82: for a later process that cannot ask the provider.
#[test]
fn the_domain_name_of_a_tenant_is_noted() {
    let domains = |document: &Document, tenant: &str| {
        let all = value(document)["Account"].clone();
        let own = all.as_object().unwrap().values().find(|entry| entry["realm"] == tenant).unwrap().clone();
        own.get("tenant_domains").cloned()
    };
    let document = document(&[]);
    for (authority, tenant, expected) in [
        ("common", T, None),
        ("a.example", T, Some("a.example")),
        ("a.example", T, Some("a.example")),
        (T, T, Some("a.example")),
        ("b.example", T, Some("b.example a.example")),
        ("a.example", T, Some("a.example b.example")),
        ("c.example", GUEST, Some("c.example")),
        ("organizations", T, Some("a.example b.example")),
    ] {
        for refreshed in [false, true] {
            let authority = entra(authority);
            assert!(apply(&document, &authority, &sign_in(&authority, tenant, "u"), refreshed));
            assert_eq!(domains(&document, tenant), expected.map(|text| json!(text)), "{authority} {refreshed}");
        }
    }
    for number in 0..20 {
        let authority = entra(&format!("d{number}.example"));
        assert!(apply(&document, &authority, &sign_in(&authority, T, "u"), true));
    }
    let noted = domains(&document, T).unwrap();
    assert!(noted.as_str().unwrap().starts_with("d19.example d18.example "), "{noted}");
    assert_eq!(noted.as_str().unwrap().split(' ').count(), MOST_DOMAINS);
}
