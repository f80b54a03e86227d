//! The token endpoint as a function: a form, a time and what is remembered go in, and what is
//! granted comes out. Sockets and signatures are elsewhere.

mod body;
mod code;
mod refresh;
#[cfg(test)]
mod tests;

pub(crate) use body::{client_info_of, token_body};

use crate::clock::UnixTime;
use crate::directory::{Tenant, TenantId, User};
use crate::error::OAuthError;
use crate::params::Params;
use crate::scope::ScopeRequest;
use crate::settings::Settings;
use crate::store::{SignIn, State};

/// What a token request is granted.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) user: User,
    pub(crate) tenant: TenantId,
    pub(crate) client_id: String,
    /// What the tokens are good for; `offline_access` does not show in the answer.
    pub(crate) scopes: ScopeRequest,
    pub(crate) resource: String,
    pub(crate) nonce: Option<String>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) client_info: bool,
    pub(crate) family: bool,
    /// The client capabilities (`xms_cc`) that the client stated.
    pub(crate) capabilities: Vec<String>,
    pub(crate) now: UnixTime,
}

/// Answers a form that was posted to the token endpoint of `tenant`.
///
/// # Errors
///
/// The refusal to send to the client.
pub(crate) fn answer(
    state: &mut State,
    tenant: Tenant,
    form: &Params,
    now: UnixTime,
) -> Result<Grant, OAuthError> {
    let grant_type = require(form, "grant_type")?;
    require(form, "client_id")?;
    match grant_type {
        "authorization_code" => code::redeem(state, tenant, form, now),
        "refresh_token" => refresh::redeem(state, tenant, form, now),
        other => Err(OAuthError::new(
            "unsupported_grant_type",
            70_003,
            format!("The grant type '{}' is not supported.", printable(other)),
        )),
    }
}

fn require<'a>(form: &'a Params, name: &str) -> Result<&'a str, OAuthError> {
    form.get(name).ok_or_else(|| OAuthError::missing(name))
}

/// A value of the client for a sentence: short, and without anything that could break a line.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && *c != '\'').take(80).collect()
}

/// What both grants end in, once the credential and the scopes are known to be good.
fn grant(
    settings: &Settings,
    sign_in: &SignIn,
    tenant: TenantId,
    scopes: ScopeRequest,
    form: &Params,
    now: UnixTime,
) -> Result<Grant, OAuthError> {
    let resource = scopes.resource().map(str::to_owned).ok_or_else(|| {
        OAuthError::invalid_request(28_000, "The scopes of one token request are of one resource.")
    })?;
    let client_id = require(form, "client_id")?;
    Ok(Grant {
        user: sign_in.user.clone(),
        tenant,
        client_id: client_id.into(),
        scopes,
        resource,
        nonce: None,
        refresh_token: None,
        client_info: form.get("client_info").is_some(),
        family: settings.is_family(client_id),
        capabilities: capabilities(form.get("claims"))?,
        now,
    })
}

/// The client capabilities in a `claims` parameter.
///
/// # Errors
///
/// `invalid_request` if the parameter is not a JSON object.
pub(crate) fn capabilities(claims: Option<&str>) -> Result<Vec<String>, OAuthError> {
    let Some(claims) = claims else { return Ok(Vec::new()) };
    let parsed: serde_json::Value = serde_json::from_str(claims).unwrap_or_default();
    if !parsed.is_object() {
        return Err(OAuthError::invalid_request(
            9_000_411,
            "The parameter 'claims' is not a JSON object.",
        ));
    }
    let values = parsed.pointer("/access_token/xms_cc/values").and_then(|found| found.as_array());
    let words = values.into_iter().flatten().filter_map(serde_json::Value::as_str);
    Ok(words.map(str::to_owned).collect())
}

/// Puts the scopes that were consented to in the place of `.default`, which itself stays.
fn expand_default(
    state: &State,
    client_id: &str,
    object_id: &str,
    mut request: ScopeRequest,
) -> ScopeRequest {
    let Some(default) = request.scopes.iter().find(|scope| scope.is_default()).cloned() else {
        return request;
    };
    for scope in state.consents.of_resource(&state.settings, client_id, object_id, &default) {
        if !request.scopes.iter().any(|known| known.key() == scope.key()) {
            request.scopes.push(scope);
        }
    }
    request
}
