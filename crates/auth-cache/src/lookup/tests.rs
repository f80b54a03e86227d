mod clocks;
mod families;
mod grants;
mod issuers;
mod kinds;
mod model;

use serde_json::{Value, json};

use super::*;
use crate::testing::{
    CLIENT, GUEST, NOW, T, access_token, account, app_metadata, at, client, document, entra, home_account, id_token,
    refresh_token, scopes, text,
};

/// A lookup as text: the outcome, the token, the reason and the refresh tokens in order.
fn words(lookup: &Lookup) -> String {
    let refresh_words = |refresh: &Refresh| {
        let tokens: Vec<_> = refresh.candidates.iter().map(|candidate| candidate.refresh_token.expose()).collect();
        format!("{:?} with {}", refresh.reason, tokens.join(" "))
    };
    match lookup {
        Lookup::Usable(token) => format!("usable {}", token.access_token().expose()),
        Lookup::UsableButRefresh(token, refresh) => {
            format!("usable {}, refresh: {}", token.access_token().expose(), refresh_words(refresh))
        }
        Lookup::MustRefresh(refresh, None) => format!("refresh: {}", refresh_words(refresh)),
        Lookup::MustRefresh(refresh, Some(token)) => {
            format!("refresh: {}, meanwhile {}", refresh_words(refresh), token.access_token().expose())
        }
        Lookup::Nothing => "nothing".to_owned(),
    }
}

/// A query of the test client.
struct Ask {
    authority: Authority,
    tenant_id: Option<&'static str>,
    account: AccountId,
    wanted: &'static str,
    bypass: bool,
}

impl Ask {
    /// A query for a token of the home account.
    fn new(authority: Authority, wanted: &'static str) -> Self {
        Self { authority, tenant_id: None, account: home_account(), wanted, bypass: false }
    }

    fn answer(&self, entries: &[(&str, Value)]) -> Lookup {
        let (client, wanted) = (client(), scopes(self.wanted));
        let query = Query {
            tenant_id: self.tenant_id,
            bypass: self.bypass,
            ..Query::new(&self.authority, &client, &self.account, &wanted)
        };
        assert!(!format!("{query:?}").contains(home_account().as_str()), "accounts are not logged");
        lookup(&document(entries), &query, NOW)
    }
}

fn find(authority: &Authority, entries: &[(&str, Value)], wanted: &'static str) -> String {
    words(&Ask::new(authority.clone(), wanted).answer(entries))
}

fn at_entry(secret: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    ("AccessToken", access_token(secret, changes))
}

fn rt_entry(secret: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    ("RefreshToken", refresh_token(secret, changes))
}

const EXPIRED: &str = "refresh: Expired with rt";

// S-83, R-34: never handed out with 30 s left, refreshed first with 5 min left, in the background after `refresh_on`.
// Absurd times count as expired.
#[test]
fn the_age_of_a_token_decides_what_happens() {
    let due = "usable at, refresh: ProactivelyRefreshed with rt";
    let meanwhile = "refresh: Expired with rt, meanwhile at";
    let years = 10 * 365 * 24 * 60 * 60;
    for (expires_on, refresh_on, cached_at, expected) in [
        (text(301), Value::Null, text(-60), "usable at"),
        (text(300), Value::Null, text(-60), meanwhile),
        (text(31), Value::Null, text(-60), meanwhile),
        (text(30), Value::Null, text(-60), EXPIRED),
        (text(0), Value::Null, text(-60), EXPIRED),
        (text(-1), Value::Null, text(-60), EXPIRED),
        (text(301), text(1), text(-60), "usable at"),
        (text(301), text(-101), text(-60), due),
        (text(3600), text(-301), text(-60), due),
        (text(300), text(-1), text(-60), meanwhile),
        (text(301), json!("0"), text(-60), "usable at"),
        (text(301), json!("nonsense"), text(-60), "usable at"),
        (text(years), Value::Null, text(-60), "usable at"),
        (text(years + 1), Value::Null, text(-60), EXPIRED),
        (json!("9999999999"), Value::Null, text(-60), EXPIRED),
        (json!(u64::MAX), Value::Null, text(-60), EXPIRED),
        (json!("1e300"), Value::Null, text(-60), EXPIRED),
        (text(3600), Value::Null, text(300), "usable at"),
        (text(3600), Value::Null, text(301), EXPIRED),
        (text(3600), Value::Null, Value::Null, "usable at"),
        (json!(at(301).as_unix_seconds()), Value::Null, json!(-5), "usable at"),
        (Value::Null, Value::Null, text(-60), EXPIRED),
        (json!("nonsense"), Value::Null, text(-60), EXPIRED),
        (json!([]), Value::Null, text(-60), EXPIRED),
        // A token less than 30 s old is not refreshed.
        (text(300), Value::Null, text(0), "usable at"),
        (text(240), Value::Null, text(-29), "usable at"),
        (text(240), Value::Null, text(-30), meanwhile),
        (text(240), Value::Null, text(1), meanwhile),
        (text(3600), text(-301), text(-29), "usable at"),
        (text(30), Value::Null, text(0), EXPIRED),
    ] {
        let what = format!("{expires_on} {refresh_on} {cached_at}");
        let times = [("expires_on", expires_on), ("refresh_on", refresh_on), ("cached_at", cached_at)];
        let token = at_entry("at", &times);
        assert_eq!(find(&entra(T), &[token.clone(), rt_entry("rt", &[])], "User.Read"), expected, "{what}");
        // without a refresh token, it is handed out while it may be.
        let alone = if expected == EXPIRED { "nothing" } else { "usable at" };
        assert_eq!(find(&entra(T), &[token], "User.Read"), alone, "{what}, without refresh token");
    }
}

// S-82
#[test]
fn only_tokens_of_the_requested_tenant_are_found() {
    let msa = "9188040d-6c67-4c5b-b112-36a304b66dad";
    for (tenant, tenant_id, realm, found) in [
        (T, None, T, true),
        (T, None, &T.to_uppercase(), true),
        (T, None, GUEST, false),
        (T, None, "common", false),
        (T, None, "", false),
        (GUEST, None, GUEST, true),
        (GUEST, None, T, false),
        ("common", None, T, true),
        ("common", None, "common", true),
        ("common", None, "organizations", false),
        ("common", None, GUEST, false),
        ("organizations", None, T, true),
        ("organizations", None, "organizations", true),
        ("organizations", None, "common", false),
        ("consumers", None, "consumers", true),
        ("consumers", None, msa, true),
        ("consumers", None, T, false),
        ("contoso.example", None, "contoso.example", true),
        ("contoso.example", None, "CONTOSO.example", true),
        ("contoso.example", None, T, false),
        ("contoso.example", Some(T), T, true),
        ("contoso.example", Some(T), "contoso.example", true),
        ("contoso.example", Some(T), GUEST, false),
        ("contoso.example", Some(GUEST), T, false),
    ] {
        let expected = if found { "usable at" } else { "nothing" };
        let ask = Ask { tenant_id, ..Ask::new(entra(tenant), "User.Read") };
        let answer = ask.answer(&[at_entry("at", &[("realm", json!(realm))])]);
        assert_eq!(words(&answer), expected, "{tenant} ({tenant_id:?}) and realm {realm}");
    }
}

#[test]
fn entries_under_every_name_of_the_cloud_are_found() {
    for (environment, found) in [
        ("login.windows.net", true),
        ("login.microsoftonline.com", true),
        ("LOGIN.microsoft.com", true),
        ("sts.windows.net", true),
        ("login.microsoftonline.us", false),
        ("login.partner.microsoftonline.cn", false),
        ("evil.example", false),
        ("login.windows.net:443", false),
        ("", false),
    ] {
        let there = [("environment", json!(environment))];
        let answers = [
            (find(&entra(T), &[at_entry("at", &there)], "User.Read"), "usable at"),
            (find(&entra(T), &[rt_entry("rt", &there)], "User.Read"), "refresh: NoCachedAccessToken with rt"),
        ];
        for (answer, hit) in answers {
            assert_eq!(answer, if found { hit } else { "nothing" }, "{environment}");
        }
    }
}

// S-68, S-82: the granted scopes include the wanted ones, except those of OpenID Connect.
#[test]
fn scopes_are_case_insensitive_sets() {
    for (target, wanted, found) in [
        ("User.Read", "User.Read", true),
        ("User.Read", "user.READ", true),
        ("User.Read", "User.Read openid profile offline_access", true),
        ("User.Read", "openid", true),
        ("User.Read", "", true),
        ("Mail.Read User.Read", "User.Read", true),
        ("Mail.Read User.Read", "User.Read Mail.Read", true),
        ("User.Read", "User.Read Mail.Read", false),
        ("User.Read", "User.Read email", false),
        ("User.Read email openid", "email User.Read", true),
        ("User.Read.All", "User.Read", false),
        ("api://a/.default", "api://a/x", false),
        ("", "User.Read", false),
        ("User\u{e9}", "", false),
    ] {
        let entries = [at_entry("at", &[("target", json!(target))])];
        let expected = if found { "usable at" } else { "nothing" };
        assert_eq!(find(&entra(T), &entries, wanted), expected, "{target} for {wanted}");
    }
}

// S-77
#[test]
fn a_token_of_another_kind_client_or_user_is_not_found() {
    for (name, value) in [
        ("client_id", json!("another-client")),
        ("client_id", Value::Null),
        ("home_account_id", json!(format!("v.{T}"))),
        ("home_account_id", json!(format!("u.{T}x"))),
        ("home_account_id", json!("")),
        ("home_account_id", Value::Null),
        ("token_type", json!("pop")),
        ("token_type", json!("ssh-cert")),
        ("token_type", json!(["Bearer"])),
        ("credential_type", json!("ATExt")),
        ("credential_type", json!("AccessToken_With_AuthScheme")),
        ("credential_type", json!("RefreshToken")),
        ("ext", json!({"fmi_path": "x"})),
        ("ext_cache_key", json!("latlwkpewb")),
        ("additionalCacheKeyComponents", json!({"a": "b"})),
        ("additionalCacheKeyComponentsHash", json!("h")),
        ("user_assertion_hash", json!("h")),
        ("userAssertionHash", json!("h")),
        ("kid", json!("k")),
        ("key_id", json!("k")),
        ("keyid", json!("k")),
        ("secret", json!("")),
        ("secret", json!({"a": 1})),
        ("secret", json!("x".repeat(64 * 1024 + 1))),
        ("environment", json!([1])),
        ("target", json!(["User.Read"])),
    ] {
        let entries = [at_entry("at", &[(name, value.clone())])];
        assert_eq!(find(&entra(T), &entries, "User.Read"), "nothing", "{name}: {value:.40}");
    }
    for (name, value) in [
        ("token_type", json!("bearer")),
        ("token_type", json!("")),
        ("credential_type", Value::Null),
        ("client_id", json!(CLIENT.to_uppercase())),
        ("home_account_id", json!(home_account().as_str().to_uppercase())),
        ("ext", json!({})),
        ("kid", json!("")),
        ("user_assertion_hash", json!(null)),
        ("unknown", json!({"a": 1})),
    ] {
        let entries = [at_entry("at", &[(name, value.clone())])];
        assert_eq!(find(&entra(T), &entries, "User.Read"), "usable at", "{name}: {value}");
    }
}

// S-81: tokens without an account are an application's own, or belong to no one.
#[test]
fn a_query_without_an_account_finds_nothing() {
    for id in [json!(""), Value::Null] {
        let entries = [at_entry("app", &[("home_account_id", id.clone())]), rt_entry("rt", &[("home_account_id", id)])];
        let ask = Ask { account: AccountId::new(""), ..Ask::new(entra(T), "User.Read") };
        assert_eq!(words(&ask.answer(&entries)), "nothing");
    }
}

#[test]
fn the_token_that_expires_last_wins_then_the_one_with_fewest_scopes() {
    let token = |secret: &str, seconds, target: &str| {
        at_entry(secret, &[("expires_on", text(seconds)), ("target", json!(target))])
    };
    let mut entries = vec![
        token("short", 400, "User.Read"),
        token("wide", 3600, "User.Read Mail.Read Files.Read"),
        token("best", 3600, "User.Read Mail.Read"),
        token("dead", -1, "User.Read"),
        token("absurd", 999_999_999, "User.Read"),
    ];
    for _ in 0..entries.len() {
        entries.rotate_left(1);
        assert_eq!(find(&entra(T), &entries, "User.Read"), "usable best");
    }
}

// S-83: a forced refresh does not fall back on a cached token either.
#[test]
fn bypass_ignores_cached_access_tokens() {
    let entries = [at_entry("at", &[]), rt_entry("rt", &[])];
    let ask = Ask { bypass: true, ..Ask::new(entra(T), "User.Read") };
    assert_eq!(words(&ask.answer(&entries)), "refresh: ForceRefreshOrClaims with rt");
    assert_eq!(words(&ask.answer(&entries[..1])), "nothing");
}

#[test]
fn refresh_tokens_apply_to_every_tenant_and_scope_newest_first() {
    let modified = |seconds| [("last_modification_time", text(seconds))];
    let entries = [
        rt_entry("unknown-age", &[("realm", json!(GUEST)), ("target", json!("Other.Scope"))]),
        rt_entry("old", &modified(-90)),
        rt_entry("new", &modified(-5)),
        rt_entry("numbered", &[("last_modification_time", json!(at(-30).as_unix_seconds()))]),
        rt_entry("other-client", &[("client_id", json!("another-client"))]),
        rt_entry("other-user", &[("home_account_id", json!("v.t"))]),
        rt_entry("other-cloud", &[("environment", json!("login.microsoftonline.us"))]),
        rt_entry("partitioned", &[("ext", json!({"a": "b"}))]),
        rt_entry("on-behalf", &[("user_assertion_hash", json!("h"))]),
        rt_entry("", &[]),
    ];
    let expected = "refresh: NoCachedAccessToken with new numbered old unknown-age";
    assert_eq!(find(&entra("contoso.example"), &entries, "User.Read"), expected);
}

#[test]
fn a_hit_includes_the_id_token_and_account_of_its_tenant() {
    let guest = [("realm", json!(GUEST))];
    let entries = [
        at_entry("at", &guest),
        ("IdToken", id_token("https://home.example", &[])),
        ("IdToken", id_token("https://guest.example", &guest)),
        ("IdToken", id_token("https://other-client.example", &[("realm", json!(GUEST)), ("client_id", json!("x"))])),
        ("Account", account("home", &[])),
        ("Account", account("guest", &guest)),
    ];
    let Lookup::Usable(token) = Ask::new(entra(GUEST), "User.Read").answer(&entries) else { panic!() };
    assert_eq!(IdToken::parse(token.id_token().unwrap()).unwrap().text("iss"), Some("https://guest.example"));
    assert_eq!(token.account().unwrap().username, "guest");
    assert_eq!((token.realm(), token.expires_on(), token.cached_at()), (GUEST, at(3600), at(-60)));
    assert_eq!(token.scopes().to_string(), "User.Read");
}

// S-82
#[test]
fn a_domain_name_means_the_tenant_that_was_noted() {
    let noted = |realm: &str, domains: &str| {
        ("Account", account("ada", &[("realm", json!(realm)), ("tenant_domains", json!(domains))]))
    };
    let elsewhere =
        ("Account", account("ada", &[("environment", json!("b.example")), ("tenant_domains", json!("a.example"))]));
    for (accounts, domain, tenant_id, found) in [
        (vec![], "a.example", None, false),
        (vec![noted(T, "a.example")], "a.example", None, true),
        (vec![noted(T, "b.example A.Example")], "a.example", None, true),
        (vec![noted(T, "a.example")], "b.example", None, false),
        (vec![noted(T, "aa.example a.example.b")], "a.example", None, false),
        (vec![noted(GUEST, "a.example")], "a.example", None, false),
        // Discovery takes precedence.
        (vec![noted(T, "a.example")], "a.example", Some(GUEST), false),
        (vec![noted(GUEST, "a.example")], "a.example", Some(T), true),
        // Noted for two tenants: the name has moved.
        (vec![noted(T, "a.example"), noted(GUEST, "a.example")], "a.example", None, false),
        (vec![noted(T, "a.example"), noted(GUEST, "b.example")], "a.example", None, true),
        (vec![elsewhere], "a.example", None, false),
    ] {
        let what = format!("{accounts:?} {domain} {tenant_id:?}");
        let entries: Vec<_> = accounts.into_iter().chain([("AccessToken", access_token("at", &[]))]).collect();
        let answer = Ask { tenant_id, ..Ask::new(entra(domain), "User.Read") }.answer(&entries);
        assert_eq!(words(&answer), if found { "usable at" } else { "nothing" }, "{what}");
    }
}

// S-75: a new ID token is compared with the cached one of the requested tenant.
#[test]
fn a_refresh_includes_the_cached_id_token_of_the_tenant() {
    let entries = [
        rt_entry("rt", &[]),
        ("IdToken", id_token("https://guest.example", &[("realm", json!(GUEST))])),
        ("IdToken", id_token("https://home.example", &[])),
        ("IdToken", id_token("https://other.example", &[("client_id", json!("another-client"))])),
    ];
    for (tenant, expected) in [
        (T, &["https://home.example"][..]),
        (GUEST, &["https://guest.example"]),
        ("common", &["https://home.example"]),
        // Only a new ID token will tell which of the two tenants it is.
        ("contoso.example", &["https://guest.example", "https://home.example"]),
    ] {
        let answer = Ask::new(entra(tenant), "User.Read").answer(&entries);
        let Lookup::MustRefresh(refresh, None) = answer else { panic!("{tenant}") };
        let issuers: Vec<_> = refresh.id_tokens.iter().filter_map(|token| token.text("iss")).collect();
        assert_eq!(issuers, expected, "{tenant}");
    }
}

// S-91
#[test]
fn a_bad_entry_does_not_affect_its_neighbours() {
    let entries = [
        at_entry("at", &[]),
        ("AccessToken", json!(7)),
        ("AccessToken", json!(null)),
        ("AccessToken", json!({"home_account_id": [], "secret": 1})),
        at_entry("bad", &[("home_account_id", json!({"a": 1}))]),
        ("Account", json!("x")),
        ("IdToken", id_token("x", &[("secret", json!("not a token"))])),
    ];
    assert_eq!(find(&entra(T), &entries, "User.Read"), "usable at");
}
