//! The body of a successful token response, and the claims of its tokens.

use serde::Serialize;
use serde_json::{Value, json};

use super::grant::Grant;
use crate::ids;
use crate::keys::{KeyError, SigningKey};
use crate::settings::Settings;

/// The members in Entra's order.
#[derive(Serialize)]
struct TokenBody {
    token_type: &'static str,
    scope: String,
    expires_in: u64,
    ext_expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<u64>,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    foci: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<String>,
}

/// The JSON response to a granted request. `token_id` is a new identifier.
///
/// # Errors
///
/// If signing fails.
pub(crate) fn token_body(
    grant: &Grant,
    settings: &Settings,
    base_url: &str,
    token_id: &str,
    key: &SigningKey,
) -> Result<String, KeyError> {
    let lifetime = settings.access_token_lifetime.as_secs();
    let issuer = format!("{base_url}/{}/v2.0", grant.tenant.guid());
    let id_token =
        if grant.scopes.openid() { Some(key.sign(&id_token_claims(grant, settings, &issuer))?) } else { None };
    let body = TokenBody {
        token_type: "Bearer",
        scope: scope_text(grant),
        expires_in: lifetime,
        ext_expires_in: lifetime,
        refresh_in: settings.refresh_in.map(|span| span.as_secs()),
        access_token: key.sign(&access_token_claims(grant, settings, &issuer, token_id))?,
        refresh_token: grant.refresh_token.clone(),
        foci: (grant.family && grant.refresh_token.is_some()).then_some("1"),
        id_token,
        client_info: grant.client_info.then(|| grant.tenant.client_info(&grant.user)),
    };
    // Only strings and numbers: this cannot fail.
    Ok(serde_json::to_string(&body).unwrap_or_default())
}

fn scope_text(grant: &Grant) -> String {
    let scopes = grant.scopes.scopes.iter().map(|scope| scope.text());
    let words = grant.scopes.identity.iter().map(String::as_str);
    scopes.chain(words).collect::<Vec<_>>().join(" ")
}

/// Claims that the access token and the ID token share.
fn common_claims(grant: &Grant, issuer: &str, audience: &str, lifetime: u64) -> Value {
    let now = grant.now.as_secs();
    let object_id = grant.tenant.object_id_of(&grant.user);
    let subject = ids::derived_subject(&[&object_id, audience]);
    json!({
        "aud": audience,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add(lifetime),
        "name": grant.user.name(),
        "oid": object_id,
        "preferred_username": grant.user.username(),
        "sub": subject,
        "tid": grant.tenant.guid(),
        "ver": "2.0",
    })
}

fn id_token_claims(grant: &Grant, settings: &Settings, issuer: &str) -> Value {
    let lifetime = settings.id_token_lifetime.as_secs();
    let mut claims = common_claims(grant, issuer, &grant.client_id, lifetime);
    add(&mut claims, "nonce", grant.nonce.clone().map(Value::from));
    add(&mut claims, "auth_time", grant.auth_time.map(|at| at.as_secs().into()));
    let email = grant.scopes.identity.iter().any(|scope| scope == "email");
    add(&mut claims, "email", email.then(|| grant.user.username().into()));
    claims
}

fn access_token_claims(grant: &Grant, settings: &Settings, issuer: &str, token_id: &str) -> Value {
    let lifetime = settings.access_token_lifetime.as_secs();
    let mut claims = common_claims(grant, issuer, &grant.resource, lifetime);
    let names: Vec<&str> =
        grant.scopes.scopes.iter().filter(|scope| !scope.is_default()).map(|scope| scope.name()).collect();
    add(&mut claims, "azp", Some(grant.client_id.clone().into()));
    add(&mut claims, "azpacr", Some("0".into()));
    add(&mut claims, "scp", Some(names.join(" ").into()));
    add(&mut claims, "uti", Some(token_id.into()));
    let capabilities = (!grant.capabilities.is_empty()).then(|| grant.capabilities.clone().into());
    add(&mut claims, "xms_cc", capabilities);
    claims
}

fn add(claims: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(claims), Some(value)) = (claims.as_object_mut(), value) {
        claims.insert(name.into(), value);
    }
}
