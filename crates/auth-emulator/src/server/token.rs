//! The token endpoint over HTTP.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Response};

use super::app::App;
use super::reply;
use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::OAuthError;
use crate::ids;
use crate::ledger::{CredentialKind, GrantType};
use crate::params::Params;
use crate::token::{answer, token_body};

pub(super) async fn token(
    State(app): State<Arc<App>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let stamp = app.stamp(&headers);
    match respond(&app, &segment, &headers, &body, stamp.now) {
        Ok(body) => reply::json(200, body),
        Err(error) => reply::refusal(&error, &stamp),
    }
}

fn respond(app: &App, segment: &str, headers: &HeaderMap, body: &[u8], now: UnixTime) -> Result<String, OAuthError> {
    let tenant = Tenant::parse(segment)?;
    let form = form(headers, body)?;

    let mut state = app.state();
    let outcome = answer(&mut state, tenant, &form, now);
    let credential = match GrantType::named(form.get("grant_type").unwrap_or_default()) {
        GrantType::AuthorizationCode => Some((CredentialKind::Code, "code")),
        GrantType::DeviceCode => Some((CredentialKind::DeviceCode, "device_code")),
        GrantType::RefreshToken => Some((CredentialKind::RefreshToken, "refresh_token")),
        GrantType::Other => None,
    };
    if let Some((kind, name)) = credential
        && let Some(text) = form.get(name)
    {
        app.ledger().redeemed(kind, text, outcome.is_ok());
    }
    let grant = outcome?;
    let token_id = ids::opaque(&mut state.rng, "");
    let settings = state.settings.clone();
    // Signing takes a millisecond, so do it without the lock.
    drop(state);
    token_body(&grant, &settings, app.base_url(), &token_id, app.key()).map_err(|_| OAuthError::server_error())
}

/// The form that was posted to an endpoint for clients.
pub(super) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Params, OAuthError> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next());
    if !kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        return Err(OAuthError::invalid_request(
            900_561,
            "The content type must be application/x-www-form-urlencoded.",
        ));
    }
    Params::parse(body).map_err(|name| OAuthError::repeated(&name))
}
