//! Responses over HTTP.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use maud::Markup;

use crate::authorize::Reply;
use crate::error::{OAuthError, Stamp};
use crate::pages::{self, FormTarget};
use crate::redirect::ResponseMode;

/// The `error` code of an error response, attached for the ledger.
#[derive(Clone)]
pub(super) struct ErrorNote(pub(super) String);

pub(super) fn json(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status_code(status);
    put(&mut response, CONTENT_TYPE, "application/json; charset=utf-8");
    put(&mut response, CACHE_CONTROL, "no-store, no-cache");
    put(&mut response, HeaderName::from_static("pragma"), "no-cache");
    put(&mut response, HeaderName::from_static("x-content-type-options"), "nosniff");
    response
}

pub(super) fn refusal(error: &OAuthError, stamp: &Stamp) -> Response<Body> {
    let mut response = json(error.status, error.to_json(stamp));
    put(&mut response, HeaderName::from_static("x-ms-request-id"), &stamp.trace_id);
    response.extensions_mut().insert(ErrorNote(error.code.clone().into_owned()));
    response
}

pub(super) fn page(status: u16, markup: Markup, form_target: FormTarget<'_>) -> Response<Body> {
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = status_code(status);
    put(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    put(&mut response, CACHE_CONTROL, "no-store");
    put(&mut response, CONTENT_SECURITY_POLICY, &pages::policy(form_target));
    put(&mut response, HeaderName::from_static("x-content-type-options"), "nosniff");
    put(&mut response, HeaderName::from_static("x-frame-options"), "DENY");
    // The origin is still sent, as by the real sign-in page, because receivers check it.
    put(&mut response, HeaderName::from_static("referrer-policy"), "strict-origin");
    put(&mut response, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}

pub(super) fn problem_page(error: &OAuthError, stamp: &Stamp) -> Response<Body> {
    let mut response = page(error.status, pages::problem(error, stamp), FormTarget::Nowhere);
    response.extensions_mut().insert(ErrorNote(error.code.clone().into_owned()));
    response
}

/// The response for the client, in the response mode that it requested.
pub(super) fn deliver(reply: Reply, issuer: Option<String>, stamp: &Stamp) -> Response<Body> {
    let Reply { to, outcome, cancelled } = reply;
    let mut error_note = None;
    let mut fields = match outcome {
        Ok(fields) => fields,
        Err(error) => {
            let mut fields =
                vec![("error", error.code.clone().into_owned()), ("error_description", error.description(stamp))];
            if cancelled {
                fields.push(("error_subcode", "cancel".into()));
            }
            fields.extend(error.suberror.map(|suberror| ("suberror", suberror.into_owned())));
            error_note = Some(ErrorNote(error.code.into_owned()));
            fields
        }
    };
    fields.extend(to.state.clone().map(|state| ("state", state)));
    fields.extend(issuer.map(|issuer| ("iss", issuer)));
    let mut response = match to.mode {
        ResponseMode::Query => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SEE_OTHER;
            put(&mut response, LOCATION, to.with_query(&fields).as_str());
            put(&mut response, CACHE_CONTROL, "no-store");
            put(&mut response, HeaderName::from_static("referrer-policy"), "no-referrer");
            response
        }
        ResponseMode::FormPost => {
            let markup = pages::form_post(&to.redirect_uri, &fields);
            page(200, markup, FormTarget::Client(&to.csp_source()))
        }
    };
    if let Some(note) = error_note {
        response.extensions_mut().insert(note);
    }
    response
}

/// Sets a header. All values here are ASCII; any other would be omitted.
pub(super) fn put(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub(super) fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A response without a body, for requests that neither users nor client libraries make.
pub(super) fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
