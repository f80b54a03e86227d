//! Sign-in on another device over HTTP: the endpoint for the device, and the pages for its user.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use serde_json::json;

use super::app::App;
use super::{authorize, reply, token};
use crate::clock::UnixTime;
use crate::device::{self, Step, choose, enter};
use crate::directory::Tenant;
use crate::error::OAuthError;
use crate::pages::{self, FormTarget};

/// The path where users enter codes; short, because they type it.
const LOGIN: &str = "/devicelogin";

/// The device authorization endpoint (RFC 8628 §3.1).
pub(super) async fn authorize(
    State(app): State<Arc<App>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let stamp = app.stamp(&headers);
    let begun = Tenant::parse(&segment).and_then(|tenant| {
        let form = token::form(&headers, &body)?;
        let mut state = app.state();
        let code = device::authorize(&mut state, tenant, &form, stamp.now)?;
        Ok((code, state.settings.device_code_lifetime, state.settings.device_interval))
    });
    match begun {
        Ok((code, lifetime, interval)) => {
            let uri = format!("{}{LOGIN}", app.base_url());
            let message = format!("To sign in, open the page {uri} and enter the code {}.", code.user_code);
            let document = json!({
                "user_code": code.user_code,
                "device_code": code.device_code,
                "verification_uri": uri,
                "expires_in": lifetime.as_secs(),
                "interval": interval.as_secs(),
                "message": message,
            });
            reply::json(200, document.to_string())
        }
        Err(error) => reply::refusal(&error, &stamp),
    }
}

/// The page where users enter codes.
pub(super) async fn page() -> Response<Body> {
    reply::page(200, pages::enter_code(LOGIN), FormTarget::Emulator)
}

/// The forms of that page and of those that follow it.
pub(super) async fn form(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let now = UnixTime::now();
    let step = authorize::parse(&body).and_then(|form| match form.get("user_code") {
        Some(user_code) => enter(&mut app.state(), user_code, now),
        None => choose(&mut app.state(), form.require("transaction")?, authorize::choice(&form)?, now),
    });
    show(&app, step, &headers)
}

fn show(app: &App, step: Result<Step, OAuthError>, headers: &HeaderMap) -> Response<Body> {
    let state = app.state();
    let (markup, target) = match &step {
        Ok(Step::SignIn { transaction, request }) => {
            let page = pages::SignIn {
                action: LOGIN,
                transaction,
                client_name: state.settings.client_name(&request.client_id),
                users: &state.users,
                login_hint: None,
            };
            (pages::sign_in(&page), FormTarget::Emulator)
        }
        Ok(Step::Consent { transaction, request, user }) => {
            let page = pages::Consent {
                action: LOGIN,
                transaction,
                client_name: state.settings.client_name(&request.client_id),
                user,
                scopes: &request.scopes,
            };
            (pages::consent(&page), FormTarget::Emulator)
        }
        Ok(Step::Done { request, allowed }) => {
            let client_name = state.settings.client_name(&request.client_id);
            (pages::device_done(client_name, *allowed), FormTarget::Nowhere)
        }
        Err(error) => {
            drop(state);
            return reply::problem_page(error, &app.stamp(headers));
        }
    };
    reply::page(200, markup, target)
}
