//! Faults on request, queued for each endpoint.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::endpoint::Endpoint;

/// Something that goes wrong once.
///
/// ```
/// use std::time::Duration;
/// use auth_emulator::Fault;
///
/// let busy = Fault::status(503).retry_after(Duration::from_secs(2));
/// let expired = Fault::oauth("invalid_grant").suberror("bad_token").aadsts(700_082);
/// let lost = Fault::LoseAnswer;
/// # let _ = (busy, expired, lost);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is answered normally, but only after this time.
    Delay(Duration),
    /// The connection is reset; the request has no effect.
    Reset,
    /// The request takes effect, and then the connection is reset without a response: a refresh token is rotated, and
    /// the client never sees the new one.
    LoseAnswer,
    /// The request takes effect, and the connection is closed in the middle of the response body.
    TruncateBody,
    /// An arbitrary response is sent; the request has no effect.
    Http(HttpFault),
    /// An error response in Entra's format is sent. At the authorization endpoint, it goes to the redirect URI if the
    /// request is well-formed.
    OAuth(OAuthFault),
}

impl Fault {
    /// Creates a response with this HTTP status and a short text body.
    pub fn status(status: u16) -> HttpFault {
        HttpFault { status, headers: Vec::new(), body: format!("status {status} on request\n") }
    }

    /// Creates an HTML page with status 200, like that of a captive portal.
    pub fn html(body: impl Into<String>) -> HttpFault {
        Self::status(200).content_type("text/html; charset=utf-8").body(body)
    }

    /// Creates a temporary redirect (307) to this URL.
    pub fn redirect(location: impl Into<String>) -> HttpFault {
        Self::status(307).header("location", location)
    }

    /// Creates an error response with this `error` code, such as `invalid_grant`.
    pub fn oauth(error: impl Into<String>) -> OAuthFault {
        OAuthFault {
            error: error.into(),
            status: 400,
            aadsts: 0,
            description: "A fault on request.".into(),
            suberror: None,
            claims: None,
            retry_after: None,
        }
    }

    /// Delays the request by this time; it is then answered normally.
    #[must_use]
    pub const fn delay(span: Duration) -> Self {
        Self::Delay(span)
    }
}

/// An arbitrary response. Start with [`Fault::status`], [`Fault::html`] or [`Fault::redirect`].
///
/// ```
/// use auth_emulator::Fault;
///
/// let cut = Fault::status(200).content_type("application/json").body("{\"access_tok");
/// # let _ = cut;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct HttpFault {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl HttpFault {
    /// Sets the HTTP status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header. A header that is invalid in HTTP is omitted from the response.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the `Content-Type`.
    pub fn content_type(self, value: impl Into<String>) -> Self {
        self.header("content-type", value)
    }

    /// Sets `Retry-After` in whole seconds.
    pub fn retry_after(self, span: Duration) -> Self {
        self.header("retry-after", span.as_secs().to_string())
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

/// An OAuth error response. Start with [`Fault::oauth`].
///
/// ```
/// use auth_emulator::Fault;
///
/// let step_up = Fault::oauth("interaction_required")
///     .aadsts(50_076)
///     .claims(r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#);
/// # let _ = step_up;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct OAuthFault {
    pub(crate) error: String,
    pub(crate) status: u16,
    pub(crate) aadsts: u32,
    pub(crate) description: String,
    pub(crate) suberror: Option<String>,
    pub(crate) claims: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl OAuthFault {
    /// Sets the HTTP status. The default is 400.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Sets the number after `AADSTS`, which is also in `error_codes`.
    pub fn aadsts(mut self, number: u32) -> Self {
        self.aadsts = number;
        self
    }

    /// Sets the sentence in `error_description`.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Sets `suberror`.
    pub fn suberror(mut self, suberror: impl Into<String>) -> Self {
        self.suberror = Some(suberror.into());
        self
    }

    /// Sets `claims`, a claims challenge as JSON text.
    pub fn claims(mut self, json: impl Into<String>) -> Self {
        self.claims = Some(json.into());
        self
    }

    /// Sets `Retry-After` in whole seconds.
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }
}

impl From<HttpFault> for Fault {
    fn from(fault: HttpFault) -> Self {
        Self::Http(fault)
    }
}

impl From<OAuthFault> for Fault {
    fn from(fault: OAuthFault) -> Self {
        Self::OAuth(fault)
    }
}

/// The queued faults, in one queue per endpoint. Clones share the queues.
///
/// ```
/// use auth_emulator::{Endpoint, Fault, Faults};
///
/// let faults = Faults::default();
/// faults.push(Endpoint::Token, Fault::Reset);
/// faults.push_times(Endpoint::Token, 2, Fault::status(500));
/// assert_eq!(faults.pending(Endpoint::Token), 3);
/// faults.clear();
/// assert_eq!(faults.pending(Endpoint::Token), 0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<BTreeMap<Endpoint, VecDeque<Fault>>>>);

impl Faults {
    /// Queues a fault for one request to `endpoint`.
    pub fn push(&self, endpoint: Endpoint, fault: impl Into<Fault>) {
        self.push_times(endpoint, 1, fault);
    }

    /// Queues a fault for `times` requests to `endpoint`.
    pub fn push_times(&self, endpoint: Endpoint, times: usize, fault: impl Into<Fault>) {
        let fault = fault.into();
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.entry(endpoint).or_default().extend(std::iter::repeat_n(fault, times));
    }

    /// Returns how many faults are queued for `endpoint`.
    #[must_use]
    pub fn pending(&self, endpoint: Endpoint) -> usize {
        let queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.get(&endpoint).map_or(0, VecDeque::len)
    }

    /// Removes all queued faults.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn next(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.get_mut(&endpoint)?.pop_front()
    }
}
