//! Fixtures for the tests of several modules.

use std::sync::Arc;

use auth_core::{
    Account, AccountId, Application, Authority, ClientId, CorrelationId, Exchange as _, OpenIdConfiguration,
    ProviderMetadata, RefreshRedemption, RequestContext, Scopes, Secret, Timestamp, Tokens,
};
use serde_json::{Value, json};

use crate::basis::RefreshBasis;
use crate::document::{Document, Size};
use crate::update::TokenUpdate;

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
pub(crate) const CLIENT: &str = "my-client-id";
/// The home tenant of the account `u.T`.
pub(crate) const T: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
/// Another tenant, in which that account is a guest.
pub(crate) const GUEST: &str = "bbbbbbbb-0000-cccc-1111-dddd2222eeee";

pub(crate) fn home_id() -> String {
    format!("u.{T}")
}

pub(crate) fn client() -> ClientId {
    ClientId::new(CLIENT).unwrap()
}

pub(crate) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

pub(crate) fn entra(tenant: &str) -> Authority {
    Authority::tenant(tenant).unwrap()
}

pub(crate) fn oidc(issuer: &str) -> Authority {
    Authority::oidc(issuer).unwrap()
}

/// The time `seconds` after [`NOW`].
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW.as_unix_seconds().saturating_add_signed(seconds))
}

/// The time as a cache has it.
pub(crate) fn text(seconds: i64) -> Value {
    json!(at(seconds).to_string())
}

/// `value` with some members set, or removed if the new value is null.
pub(crate) fn with(mut value: Value, changes: &[(&str, Value)]) -> Value {
    for (name, change) in changes {
        let members = value.as_object_mut().unwrap();
        if change.is_null() {
            members.remove(*name);
        } else {
            members.insert((*name).to_owned(), change.clone());
        }
    }
    value
}

fn entry(credential_type: &str, secret: &str) -> Value {
    json!({
        "home_account_id": home_id(), "environment": "login.windows.net", "client_id": CLIENT,
        "credential_type": credential_type, "secret": secret,
    })
}

/// An access token for `User.Read` in the home tenant, with an hour to live.
pub(crate) fn access_token(secret: &str, changes: &[(&str, Value)]) -> Value {
    let more =
        [("realm", json!(T)), ("target", json!("User.Read")), ("cached_at", text(-60)), ("expires_on", text(3600))];
    with(with(entry("AccessToken", secret), &more), changes)
}

pub(crate) fn refresh_token(secret: &str, changes: &[(&str, Value)]) -> Value {
    with(entry("RefreshToken", secret), changes)
}

/// An ID token from `iss`.
pub(crate) fn id_token(iss: &str, changes: &[(&str, Value)]) -> Value {
    let token = jwt(&json!({"iss": iss, "sub": "s"}));
    with(with(entry("IdToken", &token), &[("realm", json!(T))]), changes)
}

pub(crate) fn account(username: &str, changes: &[(&str, Value)]) -> Value {
    let account = json!({
        "home_account_id": home_id(), "environment": "login.windows.net", "realm": T, "local_account_id": "oid",
        "username": username, "authority_type": "MSSTS",
    });
    with(account, changes)
}

pub(crate) fn app_metadata(family: &str, changes: &[(&str, Value)]) -> Value {
    let entry = json!({"client_id": CLIENT, "environment": "login.windows.net", "family_id": family});
    with(entry, changes)
}

/// A document with these entries, under meaningless keys: fields decide (S-78).
pub(crate) fn document(entries: &[(&str, Value)]) -> Document {
    parse(&content(entries).to_string())
}

pub(crate) fn content(entries: &[(&str, Value)]) -> Value {
    let mut document = json!({});
    for (number, (section, entry)) in entries.iter().enumerate() {
        document[section][format!("key {number}")] = entry.clone();
    }
    document
}

pub(crate) fn parse(text: &str) -> Document {
    crate::document::parse(text.as_bytes().to_vec().into(), 32).unwrap()
}

pub(crate) fn value(document: &Document) -> Value {
    serde_json::from_slice(&crate::document::write(document).0).unwrap()
}

/// The secrets of a section in the order of their keys.
pub(crate) fn secrets(document: &Document, section: &str) -> Vec<String> {
    let value = value(document);
    value[section].as_object().unwrap().values().map(|entry| entry["secret"].as_str().unwrap().to_owned()).collect()
}

/// The size of a document, counted from scratch.
pub(crate) fn counted(document: &Document) -> Size {
    document.all().into_iter().map(|(_, partition)| partition.size()).fold(Size::default(), Size::plus)
}

/// Asserts that twice the input takes about twice the time, not four times (R-53). Measures the thread's processor
/// time, so other load does not count, and needs only one good ratio out of twenty. Slow runs are measured once.
pub(crate) fn assert_linear<T>(n: usize, prepare: impl Fn(usize) -> T, run: impl Fn(T)) {
    let fastest = |n: usize| {
        let time = || {
            let input = prepare(n);
            let start = on_processor();
            run(input);
            on_processor() - start
        };
        let first = time();
        if first > 0.1 { first } else { first.min(time()).min(time()) }
    };
    let mut ratios = (0..20).map(|_| fastest(2 * n) / fastest(n));
    assert!(ratios.any(|ratio| ratio < 2.6), "twice the input takes more than twice the time");
}

/// The processor time of this thread, in seconds.
fn on_processor() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

pub(crate) fn jwt(claims: &Value) -> String {
    format!("{}.{}.c2ln", base64url(r#"{"alg":"RS256"}"#), base64url(&claims.to_string()))
}

/// Base64url without padding (RFC 4648 §5).
pub(crate) fn base64url(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - group.len()));
        for position in 0..=group.len() {
            encoded.push(char::from(ALPHABET[bits >> (18 - 6 * position) & 63]));
        }
    }
    encoded
}

/// The provider's response to a redemption at `now`: a Bearer token for an hour, with some members changed.
pub(crate) fn tokens(authority: &Authority, requested: &str, changes: &[(&str, Value)], now: Timestamp) -> Tokens {
    let body = json!({"token_type": "Bearer", "access_token": "new-at", "expires_in": 3600});
    let refresh =
        RefreshRedemption::new(context(), metadata(authority), Secret::new("rt".to_owned()), scopes(requested), now);
    refresh.complete(response(&with(body, changes)), now).unwrap()
}

/// The members of a sign-in's response: refresh token, ID token and, from Entra, the home account.
pub(crate) fn sign_in(authority: &Authority, tenant: &str, sub: &str) -> Vec<(&'static str, Value)> {
    let now = NOW.as_unix_seconds();
    let mut claims = json!({
        "sub": sub, "aud": CLIENT, "exp": now + 999_999, "iat": now - 60, "oid": "oid", "name": "Ada L.",
        "preferred_username": "ada@contoso.example",
    });
    let mut members = vec![("refresh_token", json!("new-rt"))];
    if authority.tenant_name().is_some() {
        let origin = authority.to_string().rsplit_once('/').unwrap().0.to_owned();
        claims["iss"] = json!(format!("{origin}/{tenant}/v2.0"));
        claims["tid"] = json!(tenant);
        members.push(("client_info", json!(base64url(&json!({"uid": sub, "utid": T}).to_string()))));
    } else {
        claims["iss"] = json!(authority.to_string());
    }
    members.push(("id_token", json!(jwt(&claims))));
    members
}

pub(crate) fn account_of(tokens: &Tokens, authority: &Authority) -> Account {
    Account::from_tokens(tokens, authority).unwrap()
}

/// The update from a user's sign-in at `now`, with some members of the response changed.
pub(crate) fn update_of(user: &str, answer: &[(&'static str, Value)], now: Timestamp) -> TokenUpdate {
    let authority = entra(T);
    let answer = [&sign_in(&authority, T, user), answer].concat();
    let tokens = tokens(&authority, "User.Read", &answer, now);
    let account = account_of(&tokens, &authority);
    TokenUpdate::from_sign_in(Arc::new(authority), client(), account, Arc::new(tokens))
}

/// The same tokens as the result of a refresh that begins when they arrive.
pub(crate) fn refreshing(update: TokenUpdate, document: &Document) -> TokenUpdate {
    let began_at = update.tokens.received_at;
    let basis = document.user(&update.account.home_account_id, |partition| {
        RefreshBasis::new(&update.authority, &partition.accounts, &partition.refresh_tokens, began_at)
    });
    let basis = basis.unwrap_or_else(|| RefreshBasis::new(&update.authority, &[], &[], began_at));
    TokenUpdate { basis: Some(basis), ..update }
}

pub(crate) fn home_account() -> AccountId {
    AccountId::new(home_id())
}

fn context() -> RequestContext {
    let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").unwrap();
    RequestContext::new(Application::new(client()), id)
}

fn metadata(authority: &Authority) -> ProviderMetadata {
    authority.metadata().unwrap_or_else(|| {
        let document = json!({
            "issuer": authority.to_string(),
            "authorization_endpoint": "https://login.example/authorize",
            "token_endpoint": "https://login.example/token",
        });
        let discovery = OpenIdConfiguration::new(context(), authority).unwrap();
        discovery.complete(response(&document), NOW).unwrap().metadata
    })
}

fn response(body: &Value) -> http::Response<bytes::Bytes> {
    let response = http::Response::builder().header("content-type", "application/json");
    response.body(body.to_string().into()).unwrap()
}
