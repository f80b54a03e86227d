//! Network failures.

use core::fmt;

/// A request that got no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportError {
    /// What happened.
    pub fault: TransportFault,
    /// The host of the request, with its port unless that is the default.
    pub host: String,
    /// Whether bytes of the request may have reached the server, in which case a one-time credential counts as used
    /// (S-57).
    pub may_have_been_sent: bool,
    /// The system's description, without URL, headers or body.
    pub detail: String,
}

impl TransportError {
    /// Creates the error for a failure before any byte of the request was sent to `host`.
    #[must_use]
    pub fn before_send(fault: TransportFault, host: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { fault, host: host.into(), may_have_been_sent: false, detail: detail.into() }
    }

    /// Creates the error for a failure after bytes of the request may have reached `host`.
    #[must_use]
    pub fn after_send(fault: TransportFault, host: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { fault, host: host.into(), may_have_been_sent: true, detail: detail.into() }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.fault, self.host)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl core::error::Error for TransportError {}

/// The kinds of network failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportFault {
    /// No connection was made: name resolution, routing or the proxy failed, or the connection was refused.
    #[error("the identity provider could not be reached")]
    Connect,
    /// The server's certificate is not trusted; trying again will not help.
    #[error("the identity provider's certificate is not trusted")]
    Untrusted,
    /// The request timed out.
    #[error("the identity provider did not answer in time")]
    Timeout,
    /// The connection broke before the response was complete.
    #[error("the connection broke before the answer was complete")]
    Interrupted,
    /// The response was too large: more than 1 MiB of body or 64 KiB of headers (S-53).
    #[error("the answer was too large")]
    TooLarge,
}
