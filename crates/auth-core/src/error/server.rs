//! What identity providers say when they refuse (RFC 6749 §5.2, with Entra's additions).

use core::fmt;
use core::time::Duration;

use serde_json::{Map, Value};

use crate::error::ProtocolError;
use crate::text;

const ACCESS_DENIED: &str = "access_denied";
const MAX_ERROR: usize = 256;
const MAX_DESCRIPTION: usize = 4 * 1024;
const MAX_CLAIMS: usize = 16 * 1024;

/// An error answer of an identity provider.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ServerError {
    /// The code: the server's `error`, or MSAL's name where the answer has none (`service_not_available`, `not_found`,
    /// `request_throttled`, `http_status_not_200`).
    pub error: String,
    /// The server's explanation, without control characters. It may name people: `Debug` and `Display` leave it out.
    pub description: Option<String>,
    /// Entra's finer code.
    pub suberror: Option<String>,
    /// Entra's AADSTS numbers.
    pub error_codes: Vec<u64>,
    /// The claims that a new sign-in must satisfy, as JSON.
    pub claims: Option<String>,
    /// The server's id for the request, for its support.
    pub correlation_id: Option<String>,
    /// The server's id for its trace.
    pub trace_id: Option<String>,
    /// The server's time of the error.
    pub timestamp: Option<String>,
    /// The HTTP status; `None` for an answer through the browser.
    pub status: Option<u16>,
    /// How long to wait before the same is asked again (`Retry-After`, RFC 9110 §10.2.3), capped at one hour.
    pub retry_after: Option<Duration>,
}

impl ServerError {
    /// Reads the members of an error answer (S-66). `None` when there is no usable `error`.
    pub(crate) fn from_members(members: &Map<String, Value>, status: Option<u16>) -> Option<Self> {
        let member = |name: &str| members.get(name).and_then(Value::as_str);
        let short = |name: &str| member(name).map(|value| text::stripped(value, MAX_ERROR));
        let numbers = members.get("error_codes").and_then(Value::as_array);
        Some(Self {
            error: member("error").filter(|code| is_code(code))?.to_owned(),
            description: member("error_description").map(|value| text::stripped(value, MAX_DESCRIPTION)),
            suberror: short("suberror").filter(|value| !value.is_empty()),
            error_codes: numbers.into_iter().flatten().filter_map(code_number).take(16).collect(),
            claims: member("claims").filter(|claims| claims.len() <= MAX_CLAIMS).map(str::to_owned),
            correlation_id: short("correlation_id"),
            trace_id: short("trace_id"),
            timestamp: short("timestamp"),
            status,
            retry_after: None,
        })
    }

    /// An answer without a usable body.
    pub(crate) fn from_status(status: u16) -> Self {
        let code = match status {
            404 => "not_found",
            429 => "request_throttled",
            500..=599 => "service_not_available",
            _ => "http_status_not_200",
        };
        Self {
            error: code.to_owned(),
            description: None,
            suberror: None,
            error_codes: Vec::new(),
            claims: None,
            correlation_id: None,
            trace_id: None,
            timestamp: None,
            status: Some(status),
            retry_after: None,
        }
    }

    /// Whether the same request may succeed later (MSAL's `IsRetryable`).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.status, Some(408 | 429 | 500..=599)) || self.error == "temporarily_unavailable"
    }

    /// Whether the user gave the sign-in up on the provider's pages (Entra's `cancel`, B2C's `AADB2C90091`).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.error == ACCESS_DENIED && (self.has_suberror("cancel") || self.is_b2c("AADB2C90091"))
    }

    /// Whether the user pressed "Forgot your password?" on a page of B2C.
    pub(crate) fn is_forgotten_password(&self) -> bool {
        self.error == ACCESS_DENIED && self.is_b2c("AADB2C90118")
    }

    /// Whether this is the given code of B2C, which stands in the description only.
    fn is_b2c(&self, code: &str) -> bool {
        let rest = self.description.as_deref().and_then(|description| description.strip_prefix(code));
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    }

    /// Whether `suberror` is the given one; letters compare ASCII-case-insensitively.
    #[must_use]
    pub fn has_suberror(&self, suberror: &str) -> bool {
        self.suberror.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(suberror))
    }
}

/// NQCHAR of RFC 6749 appendix A, of a sensible length.
fn is_code(code: &str) -> bool {
    let legal = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=MAX_ERROR).contains(&code.len()) && code.bytes().all(legal)
}

fn code_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the identity provider answered {}", self.error)?;
        if let Some(suberror) = &self.suberror {
            write!(f, ", {suberror}")?;
        }
        for code in &self.error_codes {
            write!(f, ", AADSTS{code}")?;
        }
        match self.status {
            Some(status) => write!(f, " (HTTP {status})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerError")
            .field("error", &self.error)
            .field("suberror", &self.suberror)
            .field("error_codes", &self.error_codes)
            .field("status", &self.status)
            .field("correlation_id", &self.correlation_id)
            .field("trace_id", &self.trace_id)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl core::error::Error for ServerError {}

/// The identity provider asks to come back later.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Throttled {
    /// How long to wait at least; capped at one hour. `None` when the server named no time.
    pub retry_after: Option<Duration>,
    /// The answer itself.
    pub server: ServerError,
}

impl Throttled {
    /// The answer `server`, and how long to wait.
    #[must_use]
    pub fn new(server: ServerError, retry_after: Option<Duration>) -> Self {
        Self { retry_after, server }
    }
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retry_after {
            Some(wait) => write!(f, "{}; try again in {} s", self.server, wait.as_secs()),
            None => write!(f, "{}; try again later", self.server),
        }
    }
}

impl core::error::Error for Throttled {}

/// Whether an authorization response or a token response carries an error, and which.
pub(crate) fn error_in(
    members: &Map<String, Value>,
    status: Option<u16>,
    message: &'static str,
) -> Result<Option<ServerError>, ProtocolError> {
    if !members.contains_key("error") {
        return Ok(None);
    }
    ServerError::from_members(members, status).map(Some).ok_or(ProtocolError::Invalid { message, name: "error" })
}
