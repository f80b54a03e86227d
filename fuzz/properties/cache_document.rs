//! Cache documents: whatever they contain, a write changes only our entries, and what was written is found.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use auth_cache::{Lookup, MemoryStorage, Observer, Query, RemovalScope, Storage as _, TokenCache, TokenUpdate};
use auth_core::{
    Account, Application, Authority, ClientId, CorrelationId, Exchange as _, RefreshRedemption, RequestContext, Scopes,
    Secret, Timestamp, Tokens,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use serde_json::{Map, Value, json};

const CLIENT: &str = "my-client-id";
const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
/// How deeply a document may be nested (S-90).
const DEPTH: usize = 32;
const SECTIONS: [&str; 5] = ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"];

/// `input` is a document that another program left behind.
pub(crate) fn holds(input: &[u8]) {
    through_an_application(input);
    // Readers differ in how they treat duplicate members.
    let json = parsed(input).map_or_else(|| input.to_vec(), |document| json!(document).to_string().into());
    survives_an_application(&json);
    is_kept_by_an_application(&json);
    survives_a_sign_in(&json);
}

/// The document merged and written again, for an application that keeps it itself.
fn through_an_application(json: &[u8]) -> Option<Vec<u8>> {
    let cache = TokenCache::in_memory();
    cache.merge_json(json).ok().map(|()| cache.to_json().to_vec())
}

fn survives_an_application(json: &[u8]) {
    if let Some(given) = through_an_application(json) {
        let again = through_an_application(&given).expect("a written document can be merged");
        assert_eq!(given.len(), again.len());
        assert_eq!(parsed(&given), parsed(&again), "writing it again changes nothing");
    }
}

fn is_kept_by_an_application(json: &[u8]) {
    let before = parsed(json);
    let Some(given) = through_an_application(json) else {
        assert!(before.is_none_or(|document| depth(&json!(document)) > DEPTH), "an object is accepted");
        return;
    };
    assert!(
        before.as_ref().is_none_or(|document| depth(&json!(document)) <= DEPTH),
        "a document that is too deep is not"
    );
    let Some(after) = parsed(&given) else {
        assert!(before.is_none(), "the result is JSON");
        return;
    };
    for (name, value) in before.unwrap_or_default() {
        if SECTIONS.contains(&name.as_str()) && (value.is_object() || value.is_null()) {
            for (key, entry) in value.as_object().into_iter().flatten() {
                let of_one_identity = |other: &Value| is_same(entry, other);
                let same = after[&name].as_object().is_some_and(|section| section.values().any(of_one_identity));
                assert!(after[&name].get(key) == Some(entry) || same, "{name}: {key} is kept");
            }
        } else {
            assert_eq!(after.get(&name), Some(&value), "{name} is kept");
        }
    }
}

/// Whether two entries may have the same identity, so that only one is kept.
fn is_same(one: &Value, other: &Value) -> bool {
    let text = |entry: &Value, name| entry[name].as_str().unwrap_or_default().to_ascii_lowercase();
    one.is_object() && ["home_account_id", "environment"].iter().all(|name| text(one, name) == text(other, name))
}

/// The document changed in a store by a sign-in and a sign-out.
fn survives_a_sign_in(input: &[u8]) {
    let storage = MemoryStorage::new();
    let version = storage.version().expect("a version");
    done(storage.replace(input.to_vec().into(), version, None, &Observer::default())).expect("a store in memory");
    let cache = TokenCache::new(storage.clone());
    let authority = Arc::new(Authority::tenant(TENANT).expect("an authority"));
    let (client, scopes) = (ClientId::new(CLIENT).expect("a client id"), Scopes::parse("User.Read").expect("a scope"));
    let tokens = Arc::new(tokens(&authority, &client, &scopes));
    let account = Account::from_tokens(&tokens, &authority).expect("an account");
    let query = Query::new(&authority, &client, &account.home_account_id, &scopes);

    for account in done(cache.accounts(&authority, &client)).expect("accounts") {
        assert!(authority.is_environment(&account.environment), "{}", account.environment);
    }
    done(cache.lookup(&query, NOW)).expect("an answer");
    let first = document(&storage);
    let update = TokenUpdate::from_sign_in(Arc::clone(&authority), client.clone(), account.clone(), tokens);
    let stored = done(cache.store(update));
    let second = document(&storage);
    let found = done(cache.lookup(&query, NOW)).expect("an answer");
    assert!(matches!(found, Lookup::Usable(_) | Lookup::UsableButRefresh(..)), "what was stored is found");
    if stored.is_err() {
        // Two entries with the same key, of which the older stays, or a document that is refused.
        assert!(
            first.is_none_or(|first| depth(&json!(first)) <= DEPTH || second == Some(first)),
            "a refused document is left alone"
        );
        return;
    }
    let Some(second) = second else {
        assert!(first.is_none(), "the result is JSON");
        return;
    };
    // A document that is not JSON was set aside.
    let first = first.unwrap_or_default();
    is_kept(&first, &second);

    // Sign out, which writes again.
    let removed = done(cache.remove_account(&authority, &client, &account, RemovalScope::ThisClient));
    assert!(removed.expect("a sign-out"));
    let third = document(&storage).expect("the result is JSON");
    is_kept(&second, &third);
    assert!(matches!(done(cache.lookup(&query, NOW)), Ok(Lookup::Nothing)), "no token is left");
}

/// The result of a future that is ready at once.
fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a store in memory does not wait"),
    }
}

fn document(storage: &MemoryStorage) -> Option<Map<String, Value>> {
    parsed(&done(storage.read(&Observer::default())).expect("a store in memory").content)
}

/// The number of nested levels of objects and arrays.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(values) => values.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
    };
    inner.unwrap_or_default() + 1
}

/// `None` if it is not an object, or exceeds this reader's limits, such as a depth of 200.
fn parsed(json: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)).ok()
}

/// Asserts that everything that is not this client's or this account's is unchanged.
fn is_kept(before: &Map<String, Value>, after: &Map<String, Value>) {
    for (name, value) in before {
        let Some(entries) = value.as_object().filter(|_| SECTIONS.contains(&name.as_str())) else {
            // A section that is not an object cannot take entries.
            assert!(after.get(name) == Some(value) || SECTIONS.contains(&name.as_str()), "{name} is kept");
            continue;
        };
        for (key, entry) in entries.iter().filter(|(_, entry)| !is_ours(entry)) {
            let there = after[name].get(key);
            let replaced = there.is_some_and(|there| is_ours(there) && may_be(entry, there));
            assert!(replaced || there == Some(entry), "{name}: {key} is kept");
        }
    }
    for name in SECTIONS {
        let Some(entries) = after[name].as_object() else { continue };
        let is_new = |key: &str| before.get(name).and_then(|section| section.get(key)).is_none();
        for (key, entry) in entries.iter().filter(|(key, _)| is_new(key)) {
            assert!(is_ours(entry), "{name}: {key} is new");
        }
    }
}

fn is_ours(entry: &Value) -> bool {
    let is = |name: &str, own: &str| entry[name].as_str().is_some_and(|text| text.eq_ignore_ascii_case(own));
    is("client_id", CLIENT) || is("home_account_id", &format!("uid.{TENANT}"))
}

/// Whether nothing in `entry` contradicts the identity of `other`. Under one of our keys, it may be a damaged entry of
/// ours.
fn may_be(entry: &Value, other: &Value) -> bool {
    ["home_account_id", "environment", "client_id", "realm"].iter().all(|name| match &entry[name] {
        Value::String(text) => {
            text.is_empty() || other[name].as_str().is_some_and(|own| own.eq_ignore_ascii_case(text))
        }
        Value::Number(_) => false,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => true,
    })
}

/// The tokens of a sign-in of our account.
fn tokens(authority: &Authority, client: &ClientId, scopes: &Scopes) -> Tokens {
    let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").expect("a correlation id");
    let context = RequestContext::new(Application::new(client.clone()), id);
    let metadata = authority.metadata().expect("metadata");
    let refresh = RefreshRedemption::new(context, metadata, Secret::new("rt".to_owned()), scopes.clone(), NOW);
    let base64 = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "tid": TENANT, "sub": "sub", "aud": CLIENT,
        "exp": NOW.as_unix_seconds() + 3600, "iat": NOW.as_unix_seconds(), "preferred_username": "ada@contoso.example",
    });
    let body = json!({
        "token_type": "Bearer", "access_token": "at", "expires_in": 3600, "refresh_token": "rt",
        "client_info": base64(json!({"uid": "uid", "utid": TENANT})),
        "id_token": format!("{}.{}.c2ln", base64(json!({"alg": "RS256"})), base64(claims)),
    });
    let response = Response::builder().header("content-type", "application/json").body(body.to_string().into());
    refresh.complete(response.expect("a response"), NOW).expect("good tokens")
}
