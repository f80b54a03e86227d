//! What the network did.

use core::fmt;

/// A request that got no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportError {
    /// What happened.
    pub fault: TransportFault,
    /// The host that was asked, with its port where that is not the default.
    pub host: String,
    /// Whether bytes of the request may have reached the server. Where it is `true` a one-time credential counts as
    /// used (S-57).
    pub may_have_been_sent: bool,
    /// The system's words, without URL, header or body.
    pub detail: String,
}

impl TransportError {
    /// A failure before any byte of the request was sent, at `host`.
    #[must_use]
    pub fn before_send(fault: TransportFault, host: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { fault, host: host.into(), may_have_been_sent: false, detail: detail.into() }
    }

    /// A failure after bytes of the request may have reached `host`.
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
    /// No connection came about: name resolution, routing, refusal or proxy.
    #[error("the identity provider could not be reached")]
    Connect,
    /// The server's certificate is not trusted; trying again will not mend that.
    #[error("the certificate of the identity provider is not trusted")]
    Untrusted,
    /// The time ran out.
    #[error("the identity provider did not answer in time")]
    Timeout,
    /// The connection broke before the response was complete.
    #[error("the connection broke before the answer was complete")]
    Interrupted,
    /// The response was larger than 1 MiB (S-53).
    #[error("the answer was larger than 1 MiB")]
    TooLarge,
}
