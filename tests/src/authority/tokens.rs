//! A token endpoint's answers to a refresh.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use serde_json::{Value, json};

use super::TokenRequest;
use super::documents::{Documents, RefreshToken};

/// The lifetime of tokens, in seconds.
const LIFETIME: u64 = 3599;

/// Returns the access token in the answer to the token request with this number, counted from 1.
pub fn new_access_token(number: usize) -> String {
    format!("access-token-{number}-of-the-fake-authority")
}

/// Returns the refresh token in the same answer.
pub fn new_refresh_token(number: usize) -> String {
    format!("refresh-token-{number}-of-the-fake-authority")
}

/// Returns Entra's answer to a refresh token that is no longer valid.
pub(super) fn refusal() -> Value {
    json!({
        "error": "invalid_grant",
        "suberror": "bad_token",
        "error_description": "AADSTS70043: The refresh token has expired or is invalid.",
        "error_codes": [70043],
    })
}

/// Returns new tokens for the owner of the redeemed token; `None` if the owner is unknown. Tokens of one provider
/// differ in their `number`.
pub(super) fn answer(
    documents: &Documents,
    uri: &Uri,
    request: &TokenRequest,
    redeemed: &RefreshToken,
    number: usize,
    now: u64,
) -> Option<Value> {
    let tenant = documents.tenant_id(uri.path().split('/').nth(1).unwrap_or_default());
    let client_id = request.value("client_id");
    let identity = documents.identity(&redeemed.home_account_id, tenant, client_id)?;
    let mut claims = identity.claims.clone();
    if identity.client_id != client_id {
        // Entra names the same person differently to each client.
        claims.insert("sub".to_owned(), format!("as-seen-by-{client_id}").into());
    }
    for (name, value) in [
        ("aud", client_id.into()),
        ("iat", now.into()),
        ("nbf", now.into()),
        ("exp", now.saturating_add(LIFETIME).into()),
    ] {
        claims.insert(name.to_owned(), value);
    }
    let granted: Vec<_> = request.value("scope").split(' ').filter(|scope| *scope != "offline_access").collect();
    let mut answer = json!({
        "token_type": "Bearer",
        "scope": granted.join(" "),
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "access_token": new_access_token(number),
        "refresh_token": new_refresh_token(number),
        "id_token": unsigned(&claims.into()),
    });
    if let Some(family) = &redeemed.family {
        answer["foci"] = family.as_str().into();
    }
    if request.value("client_info") == "1"
        && let Some((uid, utid)) = redeemed.home_account_id.rsplit_once('.')
    {
        answer["client_info"] = encoded(&json!({"uid": uid, "utid": utid})).into();
    }
    Some(answer)
}

/// Returns a token with a signature that no one checks.
fn unsigned(claims: &Value) -> String {
    format!("{}.{}.c2lnbmF0dXJl", encoded(&json!({"typ": "JWT", "alg": "RS256", "kid": "gone"})), encoded(claims))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
