//! How long a request may take.

use core::time::Duration;

/// How long a [`ReqwestTransport`](crate::ReqwestTransport) waits (S-54). Every wait has a limit.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(auth_http::Timeouts::default().whole, Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For the connection: 10 s.
    pub connect: Duration,
    /// For the head of the response, including the connection: 20 s.
    pub head: Duration,
    /// For the whole response: 60 s.
    pub whole: Duration,
    /// Between two chunks of the body: 10 s. Before this time has passed, a slow server is not considered stalled.
    pub idle: Duration,
    /// The lowest average rate after that, in bytes per second: 1024.
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
