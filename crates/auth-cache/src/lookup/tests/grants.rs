//! An application's own tokens, and tokens on behalf of a user (S-81, S-84).

use super::*;
use crate::assertion::Assertion;
use crate::extension::Extension;
use crate::testing::oidc;
use crate::token_kind::TokenKind;

/// A lookup as text.
fn grant_words(lookup: &GrantLookup) -> String {
    match lookup {
        GrantLookup::Usable(token) => format!("usable {}", token.access_token().expose()),
        GrantLookup::UsableButRefresh(token) => format!("usable {}, refresh", token.access_token().expose()),
        GrantLookup::MustRequest(reason, None) => format!("request: {reason:?}"),
        GrantLookup::MustRequest(reason, Some(token)) => {
            format!("request: {reason:?}, meanwhile {}", token.access_token().expose())
        }
    }
}

const NOTHING: &str = "request: NoCachedAccessToken";

fn app_entry(secret: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    let changes = [&[("home_account_id", Value::Null)], changes].concat();
    ("AccessToken", access_token(secret, &changes))
}

fn find_app(authority: &Authority, tenant_id: Option<&str>, entries: &[(&str, Value)], wanted: &str) -> String {
    let (client, wanted) = (client(), scopes(wanted));
    let query = AppQuery { tenant_id, ..AppQuery::new(authority, &client, &wanted) };
    grant_words(&lookup_app(&document(entries), &query, NOW))
}

fn find_assertion(authority: &Authority, token: &str, entries: &[(&str, Value)], wanted: &str) -> String {
    let (client, wanted, assertion) = (client(), scopes(wanted), Assertion::from_token(token));
    let query = AssertionQuery::new(&assertion, AppQuery::new(authority, &client, &wanted));
    grant_words(&lookup_assertion(&document(entries), &query, NOW))
}

fn hash(token: &str) -> String {
    Assertion::from_token(token).as_str().to_owned()
}

#[test]
fn an_applications_own_token_is_found_in_every_spelling() {
    let adfs = Authority::parse("https://adfs.example/adfs").unwrap();
    let at_adfs = |realm: &str| [("environment", json!("adfs.example")), ("realm", json!(realm))];
    let (entra_id, domain, generic) = (entra(T), entra("contoso.example"), oidc("https://idp.example"));
    for (authority, tenant_id, changes, wanted, found) in [
        (&entra_id, None, vec![], "User.Read", true),
        (&entra_id, None, vec![("home_account_id", json!(""))], "User.Read", true),
        (&entra_id, None, vec![("realm", json!(T.to_uppercase()))], "user.read", true),
        (&entra_id, None, vec![("environment", json!("STS.windows.net"))], "User.Read", true),
        (&entra_id, None, vec![("client_id", json!(CLIENT.to_uppercase()))], "User.Read", true),
        (&entra_id, None, vec![("environment", json!("login.microsoftonline.us"))], "User.Read", false),
        (&entra_id, None, vec![("environment", Value::Null)], "User.Read", false),
        (&entra_id, None, vec![("client_id", json!("another-client"))], "User.Read", false),
        (&entra_id, None, vec![("realm", json!(GUEST))], "User.Read", false),
        (&entra_id, None, vec![("realm", json!("common"))], "User.Read", false),
        (&entra_id, None, vec![("target", json!("User.Read Mail.Read"))], "mail.read", true),
        (&entra_id, None, vec![("target", json!("User.Read Mail.Read"))], "Mail.Read User.Read", true),
        (&entra_id, None, vec![], "User.Read Mail.Read", false),
        (&entra_id, None, vec![("target", json!("https://a/.default"))], "https://a/.default", true),
        (&entra_id, None, vec![("target", json!("https://a/.default"))], "https://b/.default", false),
        (&domain, None, vec![("realm", json!("Contoso.example"))], "User.Read", true),
        (&domain, None, vec![], "User.Read", false),
        (&domain, Some(T), vec![], "User.Read", true),
        (&domain, Some(T), vec![("realm", json!("contoso.example"))], "User.Read", true),
        (&domain, Some(T), vec![("realm", json!(GUEST))], "User.Read", false),
        (&adfs, None, at_adfs("adfs").to_vec(), "User.Read", true),
        (&adfs, None, at_adfs("ADFS").to_vec(), "User.Read", true),
        (&adfs, None, at_adfs("").to_vec(), "User.Read", true),
        (&adfs, None, vec![("environment", json!("adfs.example")), ("realm", Value::Null)], "User.Read", true),
        (&adfs, None, at_adfs("other").to_vec(), "User.Read", false),
        (&generic, None, vec![("environment", json!("idp.example")), ("realm", json!(""))], "User.Read", true),
    ] {
        let expected = if found { "usable app" } else { NOTHING };
        let entry = app_entry("app", &changes);
        assert_eq!(
            find_app(authority, tenant_id, std::slice::from_ref(&entry), wanted),
            expected,
            "{changes:?} {wanted}"
        );
        // MSAL Python writes `null`, MSAL Node an empty string.
        let null = with_null(entry.1, "home_account_id");
        assert_eq!(find_app(authority, tenant_id, &[("AccessToken", null)], wanted), expected, "{changes:?} {wanted}");
    }
}

fn with_null(mut entry: Value, name: &str) -> Value {
    entry[name] = Value::Null;
    entry
}

#[test]
fn users_applications_and_assertions_do_not_see_each_others_tokens() {
    let of_assertion = ("user_assertion_hash", json!(hash("theirs")));
    let user = at_entry("user", &[]);
    let app = app_entry("app", &[]);
    let behalf = at_entry("behalf", std::slice::from_ref(&of_assertion));
    let app_behalf = app_entry("app-behalf", &[of_assertion]);
    for (entries, users, apps, assertions) in [
        (vec![user.clone()], "usable user", NOTHING, NOTHING),
        (vec![app.clone()], "nothing", "usable app", NOTHING),
        (vec![behalf.clone()], "nothing", NOTHING, "usable behalf"),
        (vec![app_behalf.clone()], "nothing", NOTHING, "usable app-behalf"),
        (vec![behalf, app_behalf, app, user].split_off(1), "usable user", "usable app", "usable app-behalf"),
    ] {
        assert_eq!(find(&entra(T), &entries, "User.Read"), users, "{entries:?}");
        let no_account = Ask { account: AccountId::new(""), ..Ask::new(entra(T), "User.Read") };
        assert_eq!(words(&no_account.answer(&entries)), "nothing", "{entries:?}");
        assert_eq!(find_app(&entra(T), None, &entries, "User.Read"), apps, "{entries:?}");
        assert_eq!(find_assertion(&entra(T), "theirs", &entries, "User.Read"), assertions, "{entries:?}");
        assert_eq!(find_assertion(&entra(T), "mine", &entries, "User.Read"), NOTHING, "{entries:?}");
        // Nor with an escaped member name.
        let hidden = entries.iter().map(|(_, entry)| entry.to_string().replace("assertion", r"\u0061ssertion"));
        let text = hidden.enumerate().map(|(number, entry)| format!(r#""{number}":{entry}"#)).collect::<Vec<_>>();
        let document = crate::testing::parse(&format!(r#"{{"AccessToken":{{{}}}}}"#, text.join(",")));
        let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("User.Read"));
        let answer = lookup(&document, &Query::new(&authority, &client, &account, &wanted), NOW);
        assert_eq!(words(&answer), users, "{entries:?}");
        let answer = lookup_app(&document, &AppQuery::new(&authority, &client, &wanted), NOW);
        assert_eq!(grant_words(&answer), apps, "{entries:?}");
    }
}

#[test]
fn the_hash_of_an_assertion_is_found_in_every_spelling() {
    let own = hash("token");
    assert_eq!(own.len(), 43);
    let session = Assertion::session("a-session-key-of-mine-0123456789").unwrap();
    for (name, value, found) in [
        ("user_assertion_hash", own.clone(), true),
        ("userAssertionHash", own.clone(), true),
        ("user_assertion_hash", format!("{own}="), true),
        ("userAssertionHash", format!("{own}="), true),
        ("user_assertion_hash", own.to_lowercase(), false),
        ("user_assertion_hash", own.chars().take(42).collect(), false),
        ("user_assertion_hash", hash("other"), false),
        ("user_assertion_hash", session.as_str().to_owned(), false),
        ("user_assertion_hash", String::new(), false),
    ] {
        let entries = [at_entry("at", &[(name, json!(value))])];
        let expected = if found { "usable at" } else { NOTHING };
        for tenant in [T, "common", "organizations"] {
            assert_eq!(find_assertion(&entra(tenant), "token", &entries, "User.Read"), expected, "{name} {value}");
        }
        assert_eq!(find_assertion(&entra(GUEST), "token", &entries, "User.Read"), NOTHING, "in another tenant");
        let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
        let query = AssertionQuery::new(&session, AppQuery::new(&authority, &client, &wanted));
        let answer = grant_words(&lookup_assertion(&document(&entries), &query, NOW));
        assert_eq!(answer == "usable at", value == session.as_str(), "{name} {value}");
    }
}

// Unlike a user's token, a new one can always be requested.
#[test]
fn the_margins_are_those_of_a_users_token() {
    let meanwhile = "request: Expired, meanwhile at";
    for (expires_on, refresh_on, bypass, expected) in [
        (3600, None, false, "usable at"),
        (3600, None, true, "request: ForceRefreshOrClaims"),
        (301, None, false, "usable at"),
        (300, None, false, meanwhile),
        (31, None, false, meanwhile),
        (30, None, false, "request: Expired"),
        (-1, None, false, "request: Expired"),
        (3600, Some(-301), false, "usable at, refresh"),
        (3600, Some(1), false, "usable at"),
        (300, Some(-301), false, meanwhile),
    ] {
        let mut times = vec![("expires_on", text(expires_on))];
        times.extend(refresh_on.map(|time| ("refresh_on", text(time))));
        let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
        let query = AppQuery { bypass, ..AppQuery::new(&authority, &client, &wanted) };
        let answer = lookup_app(&document(&[app_entry("at", &times)]), &query, NOW);
        assert_eq!(grant_words(&answer), expected, "{expires_on} {refresh_on:?}");
        times.push(("user_assertion_hash", json!(hash("token"))));
        let assertion = Assertion::from_token("token");
        let answer =
            lookup_assertion(&document(&[at_entry("at", &times)]), &AssertionQuery::new(&assertion, query), NOW);
        assert_eq!(grant_words(&answer), expected, "{expires_on} {refresh_on:?}");
    }
}

// Under the tenant's domain and under its ID, in either order.
#[test]
fn the_better_token_of_two_spellings_of_a_tenant_wins() {
    let (fresh, due) = (vec![("expires_on", text(3600))], vec![("refresh_on", text(-301)), ("expires_on", text(3600))]);
    let (ending, expired) = (vec![("expires_on", text(60))], vec![("expires_on", text(-1))]);
    for (one, other, expected) in [
        (&fresh, &due, "usable one"),
        (&fresh, &ending, "usable one"),
        (&fresh, &expired, "usable one"),
        (&due, &ending, "usable one, refresh"),
        (&due, &expired, "usable one, refresh"),
        (&ending, &expired, "request: Expired, meanwhile one"),
        (&expired, &expired, "request: Expired"),
    ] {
        for [first, second] in [["contoso.example", T], [T, "contoso.example"]] {
            let entry = |secret, times: &Vec<_>, realm: &str| {
                app_entry(secret, &[&times[..], &[("realm", json!(realm))]].concat())
            };
            let entries = [entry("one", one, first), entry("other", other, second)];
            let answer = find_app(&entra("contoso.example"), Some(T), &entries, "User.Read");
            assert_eq!(answer, expected, "{one:?} under {first}, {other:?} under {second}");
        }
    }
}

#[test]
fn a_token_answers_only_requests_with_its_extra_data() {
    let wanted_data = Extension::new([("fmi_path", "a/b"), ("empty", "")]);
    let other_data = Extension::new([("fmi_path", "a/c")]);
    let old_hash = "zm2n0e62zwtsnnsozptlsooob_c7i-gfpxhyqqinjuw";
    let with_old_hash = Extension::new([("fmi_path", "SomeFmiPath/FmiCredentialPath")]);
    for (changes, of_wanted, of_old, of_none) in [
        (vec![], false, false, true),
        (vec![("ext", json!({"fmi_path": "a/b"}))], true, false, false),
        (vec![("ext", json!({"fmi_path": "a/b"})), ("credential_type", json!("ATExt"))], true, false, false),
        (vec![("ext_cache_key", json!(wanted_data.hash()))], true, false, false),
        (vec![("ext_cache_key", json!(old_hash)), ("credential_type", json!("ATExt"))], false, true, false),
        (vec![("ext_cache_key", json!(with_old_hash.hash()))], false, true, false),
        (vec![("additionalCacheKeyComponents", json!({"fmi_path": "a/b"}))], true, false, false),
        (vec![("additionalCacheKeyComponentsHash", json!(wanted_data.hash()))], true, false, false),
        // The data takes precedence over the hash.
        (vec![("ext", json!({"fmi_path": "x"})), ("ext_cache_key", json!(wanted_data.hash()))], false, false, false),
        (vec![("ext", json!({})), ("ext_cache_key", json!(""))], false, false, true),
        (vec![("ext", json!({})), ("ext_cache_key", json!(wanted_data.hash()))], true, false, false),
        (vec![("ext", json!("broken"))], false, false, false),
        (vec![("credential_type", json!("ATExt"))], false, false, false),
    ] {
        for (kind, found) in [
            (TokenKind::PLAIN, of_none),
            (TokenKind::PLAIN.with_extension(&Extension::default()), of_none),
            (TokenKind::PLAIN.with_extension(&wanted_data), of_wanted),
            (TokenKind::PLAIN.with_extension(&with_old_hash), of_old),
            (TokenKind::PLAIN.with_extension(&other_data), false),
            (TokenKind::bound("pop", "key").with_extension(&wanted_data), false),
        ] {
            let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
            let expected = if found { "usable at" } else { NOTHING };
            let app = AppQuery { kind, ..AppQuery::new(&authority, &client, &wanted) };
            let answer = lookup_app(&document(&[app_entry("at", &changes)]), &app, NOW);
            assert_eq!(grant_words(&answer), expected, "{changes:?} for {kind:?}");

            let assertion = Assertion::from_token("token");
            let behalf = [&changes[..], &[("userAssertionHash", json!(assertion.as_str()))]].concat();
            let query = AssertionQuery::new(&assertion, app);
            let answer = lookup_assertion(&document(&[at_entry("at", &behalf)]), &query, NOW);
            assert_eq!(grant_words(&answer), expected, "{changes:?} for {kind:?}");
        }
    }
}
