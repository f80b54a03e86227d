//! Decides from the head alone which request may carry the response (S-16…S-19, S-22).

use auth_core::{RedirectUri, ResponseMode};

use super::arrival::Arrival;
use super::body::{Body, Framing};
use super::head::Head;
use super::reply::Refusal;
use crate::pages::Pages;

/// What a request must look like. Shared by all connections of a wait.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) mode: ResponseMode,
    /// The path of the redirect URI, byte for byte.
    path: String,
    /// The redirect URI without its query, for the address bar at the end (S-27).
    pub(super) landing: String,
    /// The query of the redirect URI, if it is registered with one.
    query: Option<String>,
    /// The accepted values of `Host`.
    hosts: Vec<String>,
    /// The origins that may post the response, besides `null`.
    pub(crate) origins: Vec<String>,
    /// The pages that the browser shows at the end.
    pub(crate) pages: Pages,
}

/// The outcome of an accepted head.
pub(super) enum Admission {
    /// The request is complete.
    Arrived(Arrival),
    /// A body follows.
    Body(Body),
}

impl Rules {
    /// Returns the rules for a redirect URI; `None` unless it names this machine and a port.
    pub(crate) fn new(redirect_uri: &RedirectUri, mode: ResponseMode) -> Option<Self> {
        let host = redirect_uri.loopback_host()?;
        let port = redirect_uri.port().filter(|port| *port != 0)?;
        let (host_and_port, path) = (format!("{host}:{port}"), redirect_uri.path().to_owned());
        // Absolute, so that no path can be mistaken for a host.
        let landing = format!("http://{host_and_port}{path}");
        let mut hosts = vec![host_and_port];
        // Browsers omit the default port.
        if port == 80 {
            hosts.push(host.to_owned());
        }
        let query = redirect_uri.as_str().split_once('?').map(|(_, query)| query.to_owned());
        Some(Self { mode, path, landing, query, hosts, origins: Vec::new(), pages: Pages::default() })
    }

    /// The longest request line: a query response is part of it (S-22).
    pub(super) fn request_line_limit(&self) -> usize {
        match self.mode {
            ResponseMode::FormPost => 16 * 1024,
            ResponseMode::Query => 64 * 1024,
        }
    }

    /// Judges a head. `Host` is first: a page that reached us under another name (DNS rebinding) learns nothing else.
    pub(super) fn admit(&self, head: &Head<'_>) -> Result<Admission, Refusal> {
        self.check_host(head)?;
        let framing = framing(head)?;
        let (path, query) = head.path_and_query();
        match head.method {
            "OPTIONS" => return Err(Refusal::MethodNotAllowed(self.mode)),
            "HEAD" => return Err(Refusal::HeadNotAllowed(self.mode)),
            _ => {}
        }
        if path != self.path {
            return Err(Refusal::NotFound);
        }
        match (self.mode, head.method) {
            (ResponseMode::FormPost, "POST") => self.admit_post(head, query, framing),
            (ResponseMode::Query, "GET") => self.admit_get(head, query, framing),
            (ResponseMode::FormPost | ResponseMode::Query, _) => Err(Refusal::MethodNotAllowed(self.mode)),
        }
    }

    fn admit_post(&self, head: &Head<'_>, query: Option<&str>, framing: Option<Framing>) -> Result<Admission, Refusal> {
        // Only the registered query is accepted: a response in the query and the body at once is not ours.
        if query != self.query.as_deref() {
            return Err(Refusal::NotFound);
        }
        check_fetch_mode(head)?;
        if let Some(origin) = head.once("origin")? {
            let known = origin == b"null" || self.origins.iter().any(|own| own.as_bytes() == origin);
            if !known {
                return Err(Refusal::Forbidden);
            }
        }
        check_form(head)?;
        Ok(Admission::Body(Body::new(framing.ok_or(Refusal::LengthRequired)?)?))
    }

    fn admit_get(&self, head: &Head<'_>, query: Option<&str>, framing: Option<Framing>) -> Result<Admission, Refusal> {
        check_fetch_mode(head)?;
        if !matches!(framing, None | Some(Framing::Length(0))) {
            return Err(Refusal::BadRequest);
        }
        Ok(Admission::Arrived(match query {
            Some(query) => Arrival::response(query.as_bytes())?,
            None => Arrival::Visit,
        }))
    }

    /// Requires exactly one `Host`, with a registered value (S-17).
    fn check_host(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let host = head.once("host").map_err(|_| Refusal::Misdirected)?;
        let known = host.is_some_and(|host| self.hosts.iter().any(|own| own.as_bytes() == host));
        if known { Ok(()) } else { Err(Refusal::Misdirected) }
    }
}

/// Requires a navigation if the browser says what kind of request this is: only then does a person see the reply
/// (S-18).
fn check_fetch_mode(head: &Head<'_>) -> Result<(), Refusal> {
    match head.once("sec-fetch-mode")? {
        None | Some(b"navigate") => Ok(()),
        Some(_) => Err(Refusal::Forbidden),
    }
}

/// Requires the media type of a form, without parameters, which no browser adds (S-19).
fn check_form(head: &Head<'_>) -> Result<(), Refusal> {
    let value = head.once("content-type")?.unwrap_or_default();
    let form = value.eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
    if form { Ok(()) } else { Err(Refusal::UnsupportedMediaType) }
}

/// Returns how the end of the body is found, if there is one. Contradictory framing is refused (RFC 9112 §6.3), as are
/// chunks in HTTP/1.0, which has none (§6.1).
fn framing(head: &Head<'_>) -> Result<Option<Framing>, Refusal> {
    match (head.once("transfer-encoding")?, head.once("content-length")?) {
        (None, None) => Ok(None),
        (Some(coding), None) if head.version == 1 && coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Some(Framing::Chunked))
        }
        (Some(_), _) => Err(Refusal::BadRequest),
        (None, Some(digits)) => {
            let text = core::str::from_utf8(digits).unwrap_or_default();
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Refusal::BadRequest);
            }
            // A number that overflows is over the limit too.
            Ok(Some(Framing::Length(text.parse().unwrap_or(usize::MAX))))
        }
    }
}
