//! Discovery documents, keys, and the page at the root.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Response};
use serde_json::json;
use url::Url;

use super::app::App;
use super::reply;
use crate::directory::{HOME_TENANT_ID, Tenant};
use crate::error::OAuthError;
use crate::pages::{self, FormTarget};
use crate::params::Params;

/// The OpenID provider's metadata (OpenID Connect Discovery §3).
pub(super) async fn configuration(
    State(app): State<Arc<App>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let tenant = match Tenant::parse(&segment) {
        Ok(tenant) => tenant,
        Err(error) => return reply::refusal(&error, &app.stamp(&headers)),
    };
    let base = format!("{}/{segment}", app.base_url());
    let response_issuer = app.state().settings.response_issuer;
    let document = json!({
        "issuer": format!("{}/{}/v2.0", app.base_url(), tenant.in_issuer()),
        "authorization_response_iss_parameter_supported": response_issuer,
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "prompt_values_supported": ["none", "login", "select_account", "consent"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "name", "tid", "oid",
            "ver", "email",
        ],
        "claims_parameter_supported": true,
        "request_uri_parameter_supported": false,
    });
    reply::json(200, document.to_string())
}

/// The emulator's names, in the format of Entra's instance discovery.
pub(super) async fn instance(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    match tenant_to_discover(&app, query.as_deref().unwrap_or_default()) {
        Ok(tenant) => {
            let host = format!("127.0.0.1:{}", app.port());
            let discovery = format!("{}/{tenant}/v2.0/.well-known/openid-configuration", app.base_url());
            let document = json!({
                "tenant_discovery_endpoint": discovery,
                "api-version": "1.1",
                "metadata": [{
                    "preferred_network": host,
                    "preferred_cache": host,
                    "aliases": [host, format!("localhost:{}", app.port())],
                }],
            });
            reply::json(200, document.to_string())
        }
        Err(error) => reply::refusal(&error, &app.stamp(&headers)),
    }
}

/// The tenant in the `authorization_endpoint` of the request, if that endpoint is one of ours.
fn tenant_to_discover(app: &App, query: &str) -> Result<String, OAuthError> {
    let params = Params::parse(query.as_bytes()).map_err(|name| OAuthError::repeated(&name))?;
    let endpoint = params.require("authorization_endpoint")?;
    let url = Url::parse(endpoint).ok().filter(|url| {
        matches!(url.host_str(), Some("127.0.0.1" | "localhost")) && url.port_or_known_default() == Some(app.port())
    });
    let unknown = || OAuthError::new("invalid_instance", 50_049, "The host is unknown.");
    let url = url.ok_or_else(unknown)?;
    let segment = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
    Tenant::parse(segment)?;
    Ok(segment.to_owned())
}

/// The public signing key.
pub(super) async fn keys(
    State(app): State<Arc<App>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    match Tenant::parse(&segment) {
        Ok(tenant) => {
            let issuer = format!("{}/{}/v2.0", app.base_url(), tenant.in_issuer());
            reply::json(200, app.key().to_jwks(&issuer).to_string())
        }
        Err(error) => reply::refusal(&error, &app.stamp(&headers)),
    }
}

/// A page for people who open the emulator's URL.
pub(super) async fn index(State(app): State<Arc<App>>) -> Response<Body> {
    let authority = format!("{}/{HOME_TENANT_ID}", app.base_url());
    let markup = pages::index(&authority, &app.state().users);
    reply::page(200, markup, FormTarget::Nowhere)
}
