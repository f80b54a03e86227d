//! What happens to each request before and after its handler: the check of `Host`, the ledger, and the faults.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::middleware::Next;

use super::app::App;
use super::listener::Cutter;
use super::reply;
use crate::authorization_request::AuthorizationRequest;
use crate::authorize::Reply;
use crate::directory::Tenant;
use crate::endpoint::Endpoint;
use crate::error::OAuthError;
use crate::fault::{Fault, HttpFault, OAuthFault};
use crate::ledger::Record;
use crate::params::Params;

/// The largest form accepted, in bytes.
const FORM_LIMIT: usize = 64 * 1_024;

pub(super) async fn guard(
    State(app): State<Arc<App>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
    next: Next,
) -> Response<Body> {
    if !is_our_host(request.headers(), app.port()) {
        return reply::bare(StatusCode::MISDIRECTED_REQUEST);
    }
    let Some((endpoint, _)) = Endpoint::at(request.uri().path()) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, FORM_LIMIT).await else {
        return reply::bare(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let fault = app.faults().next(endpoint);
    let mut record = record(&parts, &body);
    record.faulted = fault.is_some();
    let number = app.ledger().open(record);
    let correlation_id = parts.headers.get("client-request-id").cloned();

    let visit = Visit { app: &app, cutter: &cutter, endpoint };
    let answer = visit.answer(fault, Request::from_parts(parts, Body::from(body)), next).await;
    let Some(mut response) = answer else {
        app.ledger().complete(number, None, None);
        return Response::new(Body::empty());
    };
    let error = response.extensions_mut().remove::<reply::ErrorNote>().map(|note| note.0);
    app.ledger().complete(number, Some(response.status().as_u16()), error);
    if let Some(id) = correlation_id {
        response.headers_mut().insert("client-request-id", id);
    }
    response
}

/// A request in progress.
struct Visit<'a> {
    app: &'a App,
    cutter: &'a Cutter,
    endpoint: Endpoint,
}

impl Visit<'_> {
    /// The response; `None` if the connection is cut instead.
    async fn answer(&self, fault: Option<Fault>, request: Request, next: Next) -> Option<Response<Body>> {
        match fault {
            None => Some(next.run(request).await),
            Some(Fault::Delay(span)) => {
                // A server that is shutting down does not keep its clients waiting.
                if tokio::time::timeout(span, self.app.stopped()).await.is_ok() {
                    self.cutter.reset();
                    return None;
                }
                Some(next.run(request).await)
            }
            Some(Fault::Reset) => {
                self.cutter.reset();
                None
            }
            Some(Fault::LoseAnswer) => {
                next.run(request).await;
                self.cutter.reset();
                None
            }
            Some(Fault::TruncateBody) => {
                let bytes = cut_in_half(next.run(request).await).await;
                self.cutter.close_after(bytes);
                None
            }
            Some(Fault::Http(fault)) => Some(made_up(fault)),
            Some(Fault::OAuth(fault)) => Some(self.refuse(fault, &request)),
        }
    }

    fn refuse(&self, fault: OAuthFault, request: &Request) -> Response<Body> {
        let stamp = self.app.stamp(request.headers());
        let error = OAuthError {
            status: fault.status,
            code: fault.error.into(),
            number: fault.aadsts,
            text: fault.description.into(),
            suberror: fault.suberror.map(Into::into),
            claims: fault.claims,
        };
        let query = request.uri().query().unwrap_or_default();
        let reply_to = (self.endpoint == Endpoint::Authorize)
            .then(|| Params::parse(query.as_bytes()).ok())
            .flatten()
            .and_then(|params| match AuthorizationRequest::parse(Tenant::Common, &params) {
                Ok(request) => Some(request.reply_to),
                Err(refusal) => refusal.reply_to(),
            });
        let Some(to) = reply_to else {
            let mut response = reply::refusal(&error, &stamp);
            if let Some(span) = fault.retry_after {
                let seconds = span.as_secs().to_string();
                reply::put(&mut response, HeaderName::from_static("retry-after"), &seconds);
            }
            return response;
        };
        let segment = request.uri().path().split('/').nth(1).unwrap_or_default();
        let issuer = self.app.response_issuer(segment);
        reply::deliver(Reply { to, outcome: Err(error), cancelled: false }, issuer, &stamp)
    }
}

/// Whether `Host` is the emulator's. A page of another site could reach it under its own name (DNS rebinding).
fn is_our_host(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|value| value.to_str().ok());
    let ours = host
        .and_then(|host| host.rsplit_once(':'))
        .is_some_and(|(name, number)| matches!(name, "127.0.0.1" | "localhost") && number.parse() == Ok(port));
    ours && hosts.next().is_none()
}

fn record(parts: &axum::http::request::Parts, body: &Bytes) -> Record {
    let (endpoint, tenant) = Endpoint::at(parts.uri.path()).unwrap_or((Endpoint::Index, None));
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let parameters = form_urlencoded::parse(query).chain(form_urlencoded::parse(body));
    let headers = parts.headers.iter();
    Record {
        endpoint,
        method: parts.method.to_string(),
        tenant: tenant.map(str::to_owned),
        parameters: parameters.map(|(name, value)| (name.into(), value.into())).collect(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        status: None,
        error: None,
        faulted: false,
    }
}

fn made_up(fault: HttpFault) -> Response<Body> {
    let mut response = Response::new(Body::from(fault.body));
    *response.status_mut() = reply::status_code(fault.status);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    for (name, value) in fault.headers {
        // A later header of the same name replaces the earlier one.
        if let Ok(name) = HeaderName::try_from(name) {
            reply::put(&mut response, name, &value);
        }
    }
    response
}

/// The response as sent on the wire, cut off in the middle of its body.
async fn cut_in_half(response: Response<Body>) -> Vec<u8> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        if name != CONTENT_LENGTH {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body.get(..body.len() / 2).unwrap_or_default());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_emulators_own_host_is_served() {
        for (hosts, expected) in [
            (&["127.0.0.1:8400"][..], true),
            (&["localhost:8400"], true),
            (&["localhost:8401"], false),
            (&["localhost"], false),
            (&["rebound.example:8400"], false),
            (&["127.0.0.1:8400", "127.0.0.1:8400"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_static(host));
            }
            assert_eq!(is_our_host(&headers, 8_400), expected, "{hosts:?}");
        }
    }
}
