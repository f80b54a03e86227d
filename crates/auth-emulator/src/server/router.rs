//! The routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::app::App;
use super::{authorize, device, discovery, guard, token};

/// All endpoints.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(discovery::index))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::configuration))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::authorize))
        .route("/{tenant}/oauth2/v2.0/signin", post(authorize::form))
        .route("/{tenant}/oauth2/v2.0/consent", post(authorize::form))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device::authorize))
        .route("/devicelogin", get(device::page).post(device::form))
        .route("/{tenant}/oauth2/v2.0/token", post(token::token))
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .with_state(app)
}
