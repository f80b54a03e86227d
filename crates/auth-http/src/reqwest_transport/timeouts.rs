//! How long a request may take.

use core::time::Duration;

/// How long a [`ReqwestTransport`](crate::ReqwestTransport) waits (S-54). Nothing is waited for without an end.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(auth_http::Timeouts::default().whole, Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Until there is a connection: 10 s.
    pub connect: Duration,
    /// Until the head of the response is there, with the connection: 20 s.
    pub head: Duration,
    /// Until all of the response is there: 60 s.
    pub whole: Duration,
    /// Between two pieces of the body: 10 s. A slow server is not told from a stalling one before this time is over.
    pub idle: Duration,
    /// After that a server that sends fewer bytes a second on average is taken to stall: 1024.
    pub slowest: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            head: Duration::from_secs(20),
            whole: Duration::from_secs(60),
            idle: Duration::from_secs(10),
            slowest: 1024,
        }
    }
}
