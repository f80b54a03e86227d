//! Which request may carry the response: everything that can be judged from the head alone (S-16…S-19, S-22).

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
    /// The redirect URI without its query, to be shown in the address bar at the end (S-27).
    pub(super) landing: String,
    /// The query of the redirect URI, where it is registered with one.
    query: Option<String>,
    /// What `Host` may say.
    hosts: Vec<String>,
    /// Who may post the response, beside `null`.
    pub(crate) origins: Vec<String>,
    /// What the browser is shown at the end.
    pub(crate) pages: Pages,
}

/// What a good head asks for.
pub(super) enum Admission {
    /// The request is complete.
    Arrived(Arrival),
    /// A body follows.
    Body(Body),
}

impl Rules {
    /// The rules for a redirect URI; nothing unless it names this machine and a port.
    pub(crate) fn new(redirect_uri: &RedirectUri, mode: ResponseMode) -> Option<Self> {
        let host = redirect_uri.loopback_host()?;
        let port = redirect_uri.port().filter(|port| *port != 0)?;
        let (host_and_port, path) = (format!("{host}:{port}"), redirect_uri.path().to_owned());
        // Absolute, so that no path can be taken for a host.
        let landing = format!("http://{host_and_port}{path}");
        let mut hosts = vec![host_and_port];
        // Browsers leave the default port out.
        if port == 80 {
            hosts.push(host.to_owned());
        }
        let query = redirect_uri.as_str().split_once('?').map(|(_, query)| query.to_owned());
        Some(Self { mode, path, landing, query, hosts, origins: Vec::new(), pages: Pages::default() })
    }

    /// The longest request line: with a query response the whole response stands in it (S-22).
    pub(super) fn request_line_limit(&self) -> usize {
        match self.mode {
            ResponseMode::FormPost => 16 * 1024,
            ResponseMode::Query => 64 * 1024,
        }
    }

    /// Judges a head. `Host` comes first: a page that reached us under another name (DNS rebinding) learns nothing else.
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
        // Only the query that is registered; a response that came in both ways at once is not ours.
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

    /// S-17: exactly one `Host`, exactly the registered one.
    fn check_host(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let host = head.once("host").map_err(|_| Refusal::Misdirected)?;
        let known = host.is_some_and(|host| self.hosts.iter().any(|own| own.as_bytes() == host));
        if known { Ok(()) } else { Err(Refusal::Misdirected) }
    }
}

/// S-18: a browser that says what kind of request this is must say that it shows the answer to a person.
fn check_fetch_mode(head: &Head<'_>) -> Result<(), Refusal> {
    match head.once("sec-fetch-mode")? {
        None | Some(b"navigate") => Ok(()),
        Some(_) => Err(Refusal::Forbidden),
    }
}

/// S-19: without a parameter, which no browser adds to a form.
fn check_form(head: &Head<'_>) -> Result<(), Refusal> {
    let value = head.once("content-type")?.unwrap_or_default();
    let form = value.eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
    if form { Ok(()) } else { Err(Refusal::UnsupportedMediaType) }
}

/// How the end of the body is found, if there is one. Who says two things about it is not believed (RFC 9112 §6.3), nor
/// who speaks of chunks in HTTP/1.0, which has none (§6.1).
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
            // More digits than fit are more bytes than we take.
            Ok(Some(Framing::Length(text.parse().unwrap_or(usize::MAX))))
        }
    }
}
