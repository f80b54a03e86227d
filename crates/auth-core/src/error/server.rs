//! Error answers of identity providers (RFC 6749 §5.2, with Entra's additions).

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
    /// The code: the server's `error`, or MSAL's name if the answer has none (`service_not_available`, `not_found`,
    /// `request_throttled`, `http_status_not_200`).
    pub error: String,
    /// The server's explanation, without control characters. It may name people, so `Debug` and `Display` omit it.
    pub description: Option<String>,
    /// Entra's more specific code.
    pub suberror: Option<String>,
    /// Entra's AADSTS numbers.
    pub error_codes: Vec<u64>,
    /// The claims that a new sign-in must satisfy, as JSON.
    pub claims: Option<String>,
    /// The server's id for the request, for support requests.
    pub correlation_id: Option<String>,
    /// The server's id for its trace.
    pub trace_id: Option<String>,
    /// The time of the error by the server's clock.
    pub timestamp: Option<String>,
    /// The HTTP status; `None` for an answer that came through the browser.
    pub status: Option<u16>,
    /// How long to wait before repeating the request (`Retry-After`, RFC 9110 §10.2.3), capped at one hour.
    pub retry_after: Option<Duration>,
}

impl ServerError {
    /// Reads the members of an error answer (S-66); `None` if there is no usable `error`.
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

    /// Returns whether the same request may succeed later (MSAL's `IsRetryable`).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.status, Some(408 | 429 | 500..=599)) || self.error == "temporarily_unavailable"
    }

    /// Returns whether the user cancelled the sign-in on the provider's page (Entra's `cancel`, B2C's `AADB2C90091`).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.error == ACCESS_DENIED && (self.has_suberror("cancel") || self.is_b2c("AADB2C90091"))
    }

    /// Whether the user chose "Forgot your password?" on a B2C page.
    pub(crate) fn is_forgotten_password(&self) -> bool {
        self.error == ACCESS_DENIED && self.is_b2c("AADB2C90118")
    }

    /// Whether this is the given B2C code, which only the description contains.
    fn is_b2c(&self, code: &str) -> bool {
        let rest = self.description.as_deref().and_then(|description| description.strip_prefix(code));
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    }

    /// Returns whether `suberror` is the given one, ASCII-case-insensitively.
    #[must_use]
    pub fn has_suberror(&self, suberror: &str) -> bool {
        self.suberror.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(suberror))
    }
}

/// Whether the text consists of NQSCHAR (RFC 6749 appendix A) and has a sensible length.
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

/// The identity provider asks to try again later.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Throttled {
    /// The minimum time to wait, capped at one hour; `None` if the server named none.
    pub retry_after: Option<Duration>,
    /// The answer.
    pub server: ServerError,
}

impl Throttled {
    /// Creates the error from the answer and the time to wait.
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

/// The error in an authorization response or a token response, if any.
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
