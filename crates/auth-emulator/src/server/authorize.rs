//! The authorization endpoint and the forms of its pages over HTTP.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Response};

use super::app::App;
use super::reply;
use crate::authorize::{Step, begin, choose};
use crate::choice::Choice;
use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::{OAuthError, printable};
use crate::pages::{self, FormTarget};
use crate::params::Params;

pub(super) async fn authorize(
    State(app): State<Arc<App>>,
    Path(segment): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let now = UnixTime::now();
    let step = Tenant::parse(&segment).and_then(|tenant| {
        let query = query.unwrap_or_default();
        let params = parse(query.as_bytes())?;
        begin(&mut app.state(), tenant, &params, now)
    });
    show(&app, &segment, step, &headers)
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let now = UnixTime::now();
    let step = Tenant::parse(&segment).and_then(|_| {
        let form = parse(&body)?;
        choose(&mut app.state(), form.require("transaction")?, choice(&form)?, now)
    });
    show(&app, &segment, step, &headers)
}

/// The button that was pressed.
pub(super) fn choice(form: &Params) -> Result<Choice<'_>, OAuthError> {
    match (form.get("action"), form.get("user")) {
        (Some("cancel"), _) => Ok(Choice::Cancel),
        (Some("accept"), _) => Ok(Choice::Accept),
        (_, Some(object_id)) => Ok(Choice::User(object_id)),
        _ => Err(OAuthError::missing("user")),
    }
}

/// The form of a page, or a query.
pub(super) fn parse(encoded: &[u8]) -> Result<Params, OAuthError> {
    Params::parse(encoded).map_err(|name| OAuthError::repeated(&printable(&name)))
}

/// The page or the response that a step leads to.
fn show(app: &App, segment: &str, step: Result<Step, OAuthError>, headers: &HeaderMap) -> Response<Body> {
    match step {
        Ok(Step::SignIn { transaction, request }) => {
            let markup = {
                let state = app.state();
                pages::sign_in(&pages::SignIn {
                    action: &format!("/{segment}/oauth2/v2.0/signin"),
                    transaction: &transaction,
                    client_name: state.settings.client_name(&request.client_id),
                    users: &state.users,
                    login_hint: request.login_hint.as_deref(),
                })
            };
            reply::page(200, markup, FormTarget::Client(&request.reply_to.csp_source()))
        }
        Ok(Step::Consent { transaction, request, user }) => {
            let markup = {
                let state = app.state();
                pages::consent(&pages::Consent {
                    action: &format!("/{segment}/oauth2/v2.0/consent"),
                    transaction: &transaction,
                    client_name: state.settings.client_name(&request.client_id),
                    user: &user,
                    scopes: &request.scopes,
                })
            };
            reply::page(200, markup, FormTarget::Client(&request.reply_to.csp_source()))
        }
        Ok(Step::Reply(answer)) => reply::deliver(answer, app.response_issuer(segment), &app.stamp(headers)),
        Err(error) => reply::problem_page(&error, &app.stamp(headers)),
    }
}
