//! What all requests and responses have in common: headers, status, content type and redirects (S-49, S-58, S-65).

use core::time::Duration;
use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};

use super::date::http_date;
use crate::body::Body;
use crate::client::RequestContext;
use crate::error::{Error, ProtocolError, ServerError, Throttled, UiRequired};
use crate::json::{self, Members};
use crate::scopes::Scopes;
use crate::time::Timestamp;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
/// The longest wait that a server can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

pub(crate) fn get(context: &RequestContext, uri: &Uri) -> Request<Body> {
    request(context, Method::GET, uri, &HEADERS, Body::default())
}

/// Posts a form to the token endpoint; fields without a value are omitted.
pub(crate) fn post_form<const N: usize>(
    context: &RequestContext,
    uri: &Uri,
    fields: &[(&str, &str); N],
) -> Request<Body> {
    post(context, &with_extra_query(uri, &context.extra_query), Body::form(fields))
}

/// Posts a form to any endpoint.
pub(crate) fn post(context: &RequestContext, uri: &Uri, form: Body) -> Request<Body> {
    request(context, Method::POST, uri, &FORM_HEADERS, form)
}

/// The parameter `scope` of a user's grant: the scopes, and those of OpenID Connect that they lack. The text of
/// [`Scopes::with_oidc`].
pub(crate) fn scope_parameter(scopes: &Scopes) -> String {
    let added = ["openid", "profile", "offline_access"].into_iter().filter(|scope| !scopes.contains(scope));
    let mut text = String::with_capacity(scopes.as_str().len().saturating_add(64));
    text.push_str(scopes.as_str());
    for scope in added {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(scope);
    }
    text
}

fn request(context: &RequestContext, method: Method, uri: &Uri, headers: &HeaderMap, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers.clone();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            request.headers_mut().insert(name, value);
        }
    };
    context.correlation_id.with_text(|id| set(CLIENT_REQUEST_ID, id));
    if let Some((name, version)) = context.application.name.as_deref() {
        set(HeaderName::from_static("x-app-name"), name);
        set(HeaderName::from_static("x-app-ver"), version);
    }
    request
}

/// The headers of every request. A request clones them, which is faster than inserting one by one.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let headers = [
        (ACCEPT, "application/json"),
        // Each request has its own.
        (CLIENT_REQUEST_ID, ""),
        (HeaderName::from_static("return-client-request-id"), "true"),
        (HeaderName::from_static("x-client-sku"), "auth.rs"),
        (HeaderName::from_static("x-client-ver"), env!("CARGO_PKG_VERSION")),
        (HeaderName::from_static("x-client-os"), OS),
        (HeaderName::from_static("x-ms-lib-capability"), "retry-after, h429"),
    ];
    headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
});

/// The headers of every request with a form.
static FORM_HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = HEADERS.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers
});

const OS: &str = if cfg!(windows) {
    "Windows"
} else if cfg!(target_os = "macos") {
    "MacOS"
} else if cfg!(target_os = "linux") {
    "Linux"
} else {
    "Other"
};

/// `uri` with the parameters appended to its query.
pub(crate) fn with_extra_query(uri: &Uri, parameters: &[(String, String)]) -> Uri {
    if parameters.is_empty() {
        return uri.clone();
    }
    let separator = if uri.query().is_some() { '&' } else { '?' };
    let query = encode_query(parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    // Everything is percent-encoded, so only the length can be wrong.
    format!("{uri}{separator}{query}").parse().unwrap_or_else(|_| uri.clone())
}

/// Encodes a query with spaces as `%20` (RFC 3986).
pub(crate) fn encode_query<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let mut query = String::new();
    for (name, value) in parameters {
        if !query.is_empty() {
            query.push('&');
        }
        query.extend(utf8_percent_encode(name, UNRESERVED));
        query.push('=');
        query.extend(utf8_percent_encode(value, UNRESERVED));
    }
    query
}

/// A checked response.
pub(crate) enum Answer<'a> {
    /// Status 200 (or 201 from [`judge_created`]) and a JSON object without `error`.
    Success(Members<'a>),
    /// A refusal.
    Refusal(ServerError),
}

/// Checks the status, headers and form of a response.
pub(crate) fn judge<'a>(
    context: &RequestContext,
    response: &'a Response<Bytes>,
    message: &'static str,
    now: Timestamp,
) -> Result<Answer<'a>, Error> {
    judge_as(&[StatusCode::OK], context, response, message, now)
}

/// Like [`judge`], but for a request that creates something: status 201 is also a success.
pub(crate) fn judge_created<'a>(
    context: &RequestContext,
    response: &'a Response<Bytes>,
    message: &'static str,
    now: Timestamp,
) -> Result<Answer<'a>, Error> {
    judge_as(&[StatusCode::OK, StatusCode::CREATED], context, response, message, now)
}

fn judge_as<'a>(
    successes: &[StatusCode],
    context: &RequestContext,
    response: &'a Response<Bytes>,
    message: &'static str,
    now: Timestamp,
) -> Result<Answer<'a>, Error> {
    let status = response.status();
    let headers = response.headers();
    if status.is_redirection() {
        let host = headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let host = host.and_then(|location| location.parse::<Uri>().ok()?.host().map(str::to_owned));
        let host = host.unwrap_or_else(|| "?".to_owned());
        return Err(ProtocolError::UnexpectedRedirect { status: status.as_u16(), host }.into());
    }
    verify_echo(context, headers)?;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let json = is_json(content_type);
    if successes.contains(&status) {
        if !json {
            let content_type = crate::text::stripped(content_type, 100);
            return Err(ProtocolError::NotJson { status: status.as_u16(), content_type }.into());
        }
        let members = json::parse_members(response.body()).ok_or(ProtocolError::Malformed(message))?;
        if members.get("error").is_none() {
            return Ok(Answer::Success(members));
        }
        let error = crate::error::error_in(&members.into_map(), Some(status.as_u16()), message)?;
        let mut error = error.ok_or(ProtocolError::Malformed(message))?;
        error.retry_after = retry_after(headers, now);
        return Ok(Answer::Refusal(error));
    }
    let members = if json { json::parse_object(response.body()) } else { None };
    let mut error = members
        .and_then(|members| ServerError::from_members(&members, Some(status.as_u16())))
        .unwrap_or_else(|| ServerError::from_status(status.as_u16()));
    error.retry_after = retry_after(headers, now);
    if status == StatusCode::TOO_MANY_REQUESTS || (status.is_server_error() && error.retry_after.is_some()) {
        let wait = error.retry_after;
        return Err(Throttled::new(error, wait).into());
    }
    Ok(Answer::Refusal(error))
}

/// Classifies a refusal of tokens. A transient failure says nothing about the user, whatever the answer contains.
pub(super) fn refusal(error: ServerError, asks_user: bool, context: &RequestContext) -> Error {
    if asks_user && !error.is_transient() {
        UiRequired::from_server(error, context.correlation_id).into()
    } else {
        error.into()
    }
}

/// Checks that the response echoes the id of this request, if it echoes any.
pub(crate) fn verify_echo(context: &RequestContext, headers: &HeaderMap) -> Result<(), ProtocolError> {
    let Some(echo) = headers.get(CLIENT_REQUEST_ID) else { return Ok(()) };
    let own = context.correlation_id.with_text(|own| echo.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
    if own { Ok(()) } else { Err(ProtocolError::ForeignResponse) }
}

const SUFFIX: &str = "+json";

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let Some((kind, of)) = essence.split_once('/') else { return false };
    let is_suffixed = || {
        of.len()
            .checked_sub(SUFFIX.len())
            .and_then(|at| of.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(SUFFIX))
    };
    kind.eq_ignore_ascii_case("application") && (of.eq_ignore_ascii_case("json") || is_suffixed())
}

/// Reads `Retry-After`, in seconds or as a date, capped at one hour; invalid values are ignored.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let mut values = headers.get_all(RETRY_AFTER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        now.duration_until(http_date(text)?)
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests;
