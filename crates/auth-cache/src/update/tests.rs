mod grants;
mod healing;
mod issuers;
mod kinds;
mod made;
mod overtaken;

use serde_json::{Value, json};

use super::*;
use crate::testing::{
    CLIENT, GUEST, NOW, T, access_token, account, account_of, app_metadata, client, document, entra, home_id, id_token,
    parse, refresh_token, refreshing, secrets, sign_in, text, tokens, update_of, value,
};

/// Applies a response for `User.Read` to a document.
fn apply(document: &Document, authority: &Authority, answer: &[(&str, Value)], refreshed: bool) -> bool {
    let tokens = tokens(authority, "User.Read", answer, NOW);
    let account = tokens.home_account_id().map_or_else(
        || Account::new(crate::testing::home_account(), authority.environment(), "ada@contoso.example"),
        |_| account_of(&tokens, authority),
    );
    let update = TokenUpdate::from_sign_in(Arc::new(authority.clone()), client(), account, Arc::new(tokens));
    let update = if refreshed { refreshing(update, document) } else { update };
    update.apply(document, Moment::First)
}

fn signed_in(authority: &Authority, tenant: &str, more: &[(&str, Value)]) -> Document {
    signed_in_over(&[], authority, tenant, more)
}

fn signed_in_over(entries: &[(&str, Value)], authority: &Authority, tenant: &str, more: &[(&str, Value)]) -> Document {
    let document = document(entries);
    let answer: Vec<_> = sign_in(authority, tenant, "u").into_iter().chain(more.iter().cloned()).collect();
    assert!(apply(&document, authority, &answer, false));
    document
}

/// A refresh that returns only an access token and the members in `answer`.
fn refreshed(entries: &[(&str, Value)], answer: &[(&str, Value)]) -> Document {
    let document = document(entries);
    assert!(apply(&document, &entra(T), answer, true));
    document
}

fn known() -> (&'static str, Value) {
    ("Account", account("ada@contoso.example", &[]))
}

// The whole document, as every other MSAL reads it: canonical keys, times as text, nothing empty.
#[test]
fn a_sign_in_is_written_in_canonical_form() {
    let times = [
        ("ext_expires_in", json!(7200)),
        ("refresh_in", json!("1800")),
        ("scope", json!("openid User.Read Mail.Read")),
    ];
    let authority = entra("common");
    let written = value(&signed_in(&authority, T, &times));
    let (id, env) = (home_id(), "login.windows.net");
    let id_token = written["IdToken"][format!("{id}-{env}-idtoken-{CLIENT}-{T}-")]["secret"].clone();
    let client_info = written["Account"][format!("{id}-{env}-{T}")]["client_info"].clone();
    assert!(id_token.as_str().unwrap().starts_with("eyJ") && client_info.as_str().unwrap().starts_with("eyJ"));
    let expected = json!({
        "AccessToken": {format!("{id}-{env}-accesstoken-{CLIENT}-{T}-mail.read openid user.read"): {
            "home_account_id": id, "environment": env, "credential_type": "AccessToken", "client_id": CLIENT,
            "secret": "new-at", "realm": T, "target": "Mail.Read openid User.Read", "token_type": "Bearer",
            "cached_at": "1700000000", "expires_on": "1700003600", "refresh_on": "1700001800",
            "extended_expires_on": "1700007200", "ext_expires_on": "1700007200",
        }},
        "RefreshToken": {format!("{id}-{env}-refreshtoken-{CLIENT}--"): {
            "home_account_id": id, "environment": env, "credential_type": "RefreshToken", "client_id": CLIENT,
            "secret": "new-rt", "target": "Mail.Read openid User.Read", "last_modification_time": "1700000000",
        }},
        "IdToken": {format!("{id}-{env}-idtoken-{CLIENT}-{T}-"): {
            "home_account_id": id, "environment": env, "credential_type": "IdToken", "client_id": CLIENT,
            "secret": id_token, "realm": T,
        }},
        "Account": {format!("{id}-{env}-{T}"): {
            "home_account_id": id, "environment": env, "realm": T, "local_account_id": "oid",
            "username": "ada@contoso.example", "authority_type": "MSSTS", "name": "Ada L.", "client_info": client_info,
            "last_modification_time": "1700000000",
        }},
        "AppMetadata": {format!("appmetadata-{env}-{CLIENT}"): {"client_id": CLIENT, "environment": env}},
    });
    assert_eq!(written, expected);
}

// Strict readers reject the whole document otherwise.
#[test]
fn every_member_is_text_and_none_that_others_require_is_missing() {
    let answers: [&[(&str, Value)]; 3] = [&[], &[("scope", json!("openid"))], &[("foci", json!("1"))]];
    for (authority, answer) in [entra(T), crate::testing::oidc("https://idp.example")]
        .iter()
        .flat_map(|authority| answers.iter().map(move |answer| (authority, *answer)))
    {
        let written = value(&signed_in(authority, T, answer));
        for (section, entries) in written.as_object().unwrap() {
            let required: &[&str] = match section.as_str() {
                "AccessToken" => {
                    &["home_account_id", "secret", "target", "realm", "cached_at", "expires_on", "client_id"]
                }
                "RefreshToken" => &["home_account_id", "secret", "client_id"],
                "IdToken" => &["home_account_id", "secret", "client_id", "realm"],
                "Account" => &["home_account_id", "authority_type", "username", "realm", "local_account_id"],
                _ => &["client_id"],
            };
            assert_eq!(entries.as_object().unwrap().len(), 1, "{section}");
            for (key, entry) in entries.as_object().unwrap() {
                assert_eq!(*key, key.to_lowercase());
                for name in required.iter().chain(&["environment"]) {
                    assert!(entry[name].is_string(), "{section} without {name}");
                }
                assert!(entry.as_object().unwrap().values().all(Value::is_string), "{entry}");
            }
        }
    }
}

#[test]
fn an_account_without_a_name_gets_the_usual_placeholder() {
    let authority = crate::testing::oidc("https://idp.example");
    let now = NOW.as_unix_seconds();
    let claims = json!({"iss": "https://idp.example", "sub": "s", "aud": CLIENT, "exp": now + 300, "iat": now});
    let document = Document::default();
    apply(&document, &authority, &[("id_token", json!(crate::testing::jwt(&claims)))], false);
    let account = value(&document)["Account"]["s-idp.example-"].clone();
    assert_eq!(account["username"], "Missing from the token response");
    assert_eq!((&account["local_account_id"], &account["realm"]), (&json!("s"), &json!("")));
}

#[test]
fn entries_under_another_name_of_the_cloud_or_another_key_are_replaced() {
    let elsewhere = [("environment", json!("login.microsoftonline.com"))];
    let document = signed_in_over(
        &[
            ("AccessToken", access_token("old-at", &elsewhere)),
            (
                "AccessToken",
                access_token(
                    "older-at",
                    &[("token_type", json!("bearer")), ("client_id", json!(CLIENT.to_uppercase()))],
                ),
            ),
            ("RefreshToken", refresh_token("old-rt", &elsewhere)),
            ("RefreshToken", refresh_token("older-rt", &[])),
            ("IdToken", id_token("https://login.microsoftonline.com", &elsewhere)),
            ("Account", account("old", &elsewhere)),
            ("AppMetadata", app_metadata("1", &elsewhere)),
        ],
        &entra(T),
        T,
        &[],
    );
    for section in ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"] {
        let entries = value(&document)[section].clone();
        let entries: Vec<_> = entries.as_object().unwrap().iter().collect();
        assert_eq!(entries.len(), 1, "{section}");
        assert_eq!(entries[0].1["environment"], "login.windows.net", "{section}");
    }
    assert_eq!(
        (secrets(&document, "AccessToken"), secrets(&document, "RefreshToken")),
        (vec!["new-at".to_owned()], vec!["new-rt".to_owned()])
    );
}

// S-86
#[test]
fn entries_of_other_accounts_tenants_clients_and_kinds_are_untouched() {
    let other = |name, value| [(name, value)];
    let others = [
        ("AccessToken", access_token("1", &other("client_id", json!("another-client")))),
        ("AccessToken", access_token("2", &other("home_account_id", json!("v.t")))),
        ("AccessToken", access_token("3", &other("environment", json!("login.microsoftonline.us")))),
        ("AccessToken", access_token("4", &other("realm", json!(GUEST)))),
        ("AccessToken", access_token("5", &other("token_type", json!("pop")))),
        ("AccessToken", access_token("6", &other("ext", json!({"a": "b"})))),
        ("AccessToken", access_token("7", &other("user_assertion_hash", json!("h")))),
        ("AccessToken", access_token("8", &[("client_id", json!("another-client")), ("expires_on", text(-9))])),
        ("AccessToken", access_token("9", &[("token_type", json!("pop")), ("expires_on", json!(null))])),
        ("AccessToken", json!(7)),
        ("RefreshToken", refresh_token("1", &other("client_id", json!("another-client")))),
        ("RefreshToken", refresh_token("2", &other("home_account_id", json!("v.t")))),
        ("RefreshToken", refresh_token("3", &other("family_id", json!("1")))),
        ("RefreshToken", refresh_token("4", &other("ext", json!({"a": "b"})))),
        ("IdToken", id_token("x", &other("realm", json!(GUEST)))),
        ("IdToken", id_token("x", &other("client_id", json!("another-client")))),
        ("Account", account("1", &other("realm", json!(GUEST)))),
        ("Account", account("2", &other("home_account_id", json!("v.t")))),
        ("AppMetadata", app_metadata("1", &other("client_id", json!("another-client")))),
        ("AppMetadata", app_metadata("1", &other("environment", json!("login.microsoftonline.us")))),
        ("Foreign", json!({"deep": [null, 1.50]})),
    ];
    let before = crate::testing::content(&others);
    let after = value(&signed_in_over(&others, &entra(T), T, &[]));
    for (section, entries) in before.as_object().unwrap() {
        for (key, entry) in entries.as_object().unwrap() {
            assert_eq!(after[section].get(key), Some(entry), "{section} {key}");
        }
    }
}

// S-77: a token requested with claims is of another kind.
#[test]
fn a_plain_token_does_not_replace_one_for_claims() {
    let claims = [("requestedClaims", json!("{}")), ("requestedClaimsHash", json!("hash"))];
    let document = refreshed(&[known(), ("AccessToken", access_token("for claims", &claims))], &[]);
    assert_eq!(secrets(&document, "AccessToken").len(), 2);
    assert_eq!(value(&document)["AccessToken"]["key 1"], access_token("for claims", &claims));
}

// Tokens that overlap with the new one go, unless they grant all of it and more. Expired ones go too.
#[test]
fn a_new_access_token_replaces_those_that_it_overlaps_with() {
    for (target, expires_in, realm, stays) in [
        ("User.Read", 600, T, false),
        ("user.READ", 600, T, false),
        ("User.Read openid profile", 600, T, false),
        ("Mail.Read", 600, T, false),
        ("openid", 600, T, false),
        ("User.Read Files.Read", 600, T, false),
        ("user.read openid Files.Read", 600, T, false),
        ("User.Read Mail.Read Files.Read", 600, T, true),
        ("User.Read Files.Read", 600, GUEST, true),
        ("Files.Read", 600, T, true),
        ("openid Files.Read", 600, T, true),
        ("User.Read", 600, GUEST, true),
        ("Files.Read", 0, T, false),
        ("Files.Read", -1, GUEST, false),
        ("Files.Read", 1, GUEST, true),
    ] {
        let old = access_token(
            "old",
            &[("target", json!(target)), ("expires_on", text(expires_in)), ("realm", json!(realm))],
        );
        let document = refreshed(&[known(), ("AccessToken", old)], &[("scope", json!("User.Read Mail.Read"))]);
        let there = secrets(&document, "AccessToken").contains(&"old".to_owned());
        assert_eq!(there, stays, "{target} for {expires_in} s in {realm}");
        assert!(secrets(&document, "AccessToken").contains(&"new-at".to_owned()));
    }
}

#[test]
fn foreign_members_are_carried_over_from_the_entry_that_is_replaced() {
    let foreign = ("wam_account_ids", json!({"c": "w"}));
    let document = signed_in_over(
        &[
            ("AccessToken", access_token("old", &[("x_covered", json!(1)), ("requestedClaims", json!("{}"))])),
            (
                "AccessToken",
                access_token(
                    "dead",
                    &[("x_expired", json!(1)), ("target", json!("Files.Read")), ("expires_on", text(-1))],
                ),
            ),
            ("RefreshToken", refresh_token("old", &[("x_rt", json!([1.50]))])),
            ("Account", account("old", &[foreign.clone(), ("tenantProfiles", json!(["{}"]))])),
            ("AppMetadata", app_metadata("1", &[("x_app", json!(null)), ("x_more", json!("m"))])),
        ],
        &entra(T),
        T,
        &[],
    );
    let written = value(&document);
    let only = |section: &str| written[section].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!(only("AccessToken")["x_covered"], 1);
    assert_eq!(only("AccessToken").get("x_expired"), None);
    assert_eq!(only("AccessToken").get("requestedClaims"), None, "the claims belong to the old token");
    assert_eq!(only("RefreshToken")["x_rt"], json!([1.50]));
    assert_eq!((&only("Account")["wam_account_ids"], &only("Account")["tenantProfiles"]), (&foreign.1, &json!(["{}"])));
    assert_eq!((only("AppMetadata").get("family_id"), &only("AppMetadata")["x_more"]), (None, &json!("m")));
}

// S-62
#[test]
fn a_token_without_a_lifetime_is_not_cached() {
    for expires_in in [json!(0), json!("0"), Value::Null] {
        let document =
            refreshed(&[known()], &[("expires_in", expires_in.clone()), ("refresh_token", json!("rotated"))]);
        assert!(secrets(&document, "AccessToken").is_empty(), "{expires_in}");
        assert_eq!(secrets(&document, "RefreshToken"), ["rotated"], "the rest is cached");
    }
}

#[test]
fn a_refresh_without_a_new_refresh_token_keeps_the_old_one() {
    let entries = [known(), ("RefreshToken", refresh_token("kept", &[])), ("IdToken", id_token("kept", &[]))];
    let document = refreshed(&entries, &[]);
    assert_eq!(secrets(&document, "RefreshToken"), ["kept"]);
    assert_eq!(secrets(&document, "IdToken").len(), 1);
    assert_eq!(secrets(&document, "AccessToken"), ["new-at"]);
    assert_eq!(secrets(&refreshed(&entries, &[("refresh_token", json!("rotated"))]), "RefreshToken"), ["rotated"]);
}

#[test]
fn an_account_that_was_removed_during_a_refresh_stays_removed() {
    let token = ("RefreshToken", refresh_token("rt", &[]));
    let account_with = |name, change| ("Account", account("x", &[(name, json!(change))]));
    for (when_it_began, others) in [
        (vec![known()], vec![]),
        (vec![known()], vec![account_with("home_account_id", "v.t")]),
        (vec![known()], vec![account_with("environment", "login.microsoftonline.us")]),
        (vec![known(), token.clone()], vec![token.clone()]),
        (vec![token.clone()], vec![]),
        (
            vec![token.clone()],
            vec![("RefreshToken", refresh_token("another", &[("client_id", json!("another-client"))]))],
        ),
    ] {
        let after = document(&others);
        let before = value(&after);
        let update = refreshing(update_of("u", &[], NOW), &document(&when_it_began));
        assert!(!update.apply(&after, Moment::First), "{when_it_began:?}");
        assert_eq!(value(&after), before, "nothing was changed");
        assert!(apply(&after, &entra(T), &sign_in(&entra(T), T, "u"), false), "a sign-in restores it");
    }
    // Some applications store refresh tokens without an account: the new one is kept.
    let alone = document(&[token]);
    assert!(apply(&alone, &entra(T), &[("refresh_token", json!("rotated"))], true));
    assert_eq!(secrets(&alone, "RefreshToken"), ["rotated"]);
    let elsewhere = [("environment", json!("sts.windows.net")), ("realm", json!(GUEST))];
    assert!(
        apply(&document(&[("Account", account("x", &elsewhere))]), &entra(T), &[], true),
        "an account entry of any tenant will do"
    );
}

// S-85
#[test]
fn the_family_is_noted_with_the_token_and_the_client_even_if_there_is_none() {
    let family = [("foci", json!("1"))];
    let document = signed_in_over(
        &[
            ("RefreshToken", refresh_token("own", &[])),
            (
                "RefreshToken",
                refresh_token("familys", &[("client_id", json!("another-client")), ("family_id", json!("1"))]),
            ),
            ("RefreshToken", refresh_token("other-familys", &[("family_id", json!("2"))])),
        ],
        &entra(T),
        T,
        &family,
    );
    let written = value(&document);
    let key = format!("{}-login.windows.net-refreshtoken-1--", home_id());
    assert_eq!(written["RefreshToken"][&key]["secret"], "new-rt");
    assert_eq!(written["RefreshToken"][&key]["family_id"], "1");
    assert_eq!(written["RefreshToken"][&key]["client_id"], CLIENT);
    let mut left = secrets(&document, "RefreshToken");
    left.sort();
    assert_eq!(left, ["new-rt", "other-familys", "own"], "a family has one token");
    let note = |document: &Value| document["AppMetadata"].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!(note(&written)["family_id"], "1");
    let left_family = signed_in_over(&[("AppMetadata", app_metadata("1", &[]))], &entra(T), T, &[]);
    assert_eq!(note(&value(&left_family)), json!({"client_id": CLIENT, "environment": "login.windows.net"}));
}

// Without an ID token, it is the authority's name.
#[test]
fn the_realm_is_the_tenant_that_issued_the_token() {
    for (tenant, issued_in, realm) in [("common", T, T), ("common", GUEST, GUEST), ("contoso.example", T, T)] {
        let written = value(&signed_in(&entra(tenant), issued_in, &[]));
        for section in ["AccessToken", "IdToken", "Account"] {
            let entry = written[section].as_object().unwrap().values().next().unwrap();
            assert_eq!(entry["realm"], realm, "{section} of {tenant}");
        }
    }
    let document = document(&[known()]);
    apply(&document, &entra("common"), &[], true);
    let written = value(&document);
    assert_eq!(written["AccessToken"].as_object().unwrap().values().next().unwrap()["realm"], "common");
}

// S-79: two identities with the same key.
#[test]
fn another_identity_under_the_key_is_not_overwritten() {
    let authority = crate::testing::oidc("https://bar.example");
    let answer = sign_in(&authority, T, "alice-foo");
    let stranger =
        refresh_token("strangers", &[("home_account_id", json!("alice")), ("environment", json!("foo-bar.example"))]);
    let key = format!("alice-foo-bar.example-refreshtoken-{CLIENT}--");
    let document = parse(&json!({"RefreshToken": {&key: stranger}}).to_string());
    assert!(apply(&document, &authority, &answer, false));
    assert!(!crate::document::write(&document).1.is_empty());
    assert_eq!(value(&document)["RefreshToken"], json!({&key: stranger}));
    let here = document.user(&auth_core::AccountId::new("alice-foo"), |partition| {
        entries(&partition.refresh_tokens).map(|token| token.secret.expose().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(here, Some(vec!["new-rt".to_owned()]));
}

// S-91: a broken entry that belongs to no one does not prevent storing.
#[test]
fn a_broken_entry_under_the_key_is_replaced() {
    let key = format!("{}-login.windows.net-refreshtoken-{CLIENT}--", home_id());
    for broken in
        [json!(null), json!(7), json!({}), json!({"secret": "x"}), json!({"home_account_id": 1.5, "environment": []})]
    {
        let text = json!({"RefreshToken": {&key: broken}}).to_string();
        let document = parse(&text);
        assert!(apply(&document, &entra(T), &sign_in(&entra(T), T, "u"), false));
        let stored = crate::document::write(&document).1.is_empty();
        // An entry whose home account ID is a number may be someone's.
        assert_eq!(stored, broken.get("home_account_id").is_none(), "{broken}");
        assert_eq!(value(&document)["RefreshToken"][&key] == broken, !stored, "{broken}");
    }
}

#[test]
fn tokens_without_an_account_are_not_cached() {
    let authority = entra(T);
    let tokens = tokens(&authority, "User.Read", &[], NOW);
    let no_account = Account::new(auth_core::AccountId::new(""), "login.windows.net", "");
    let document = document(&[(
        "AccessToken",
        access_token("app", &[("home_account_id", Value::Null), ("expires_on", text(-1))]),
    )]);
    let before = value(&document);
    assert!(
        !TokenUpdate::from_sign_in(Arc::new(authority), client(), no_account, Arc::new(tokens))
            .apply(&document, Moment::First)
    );
    assert_eq!(value(&document), before);
}
