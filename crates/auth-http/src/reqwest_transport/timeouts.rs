//! How long a request may take.

use core::time::Duration;

/// The time limits of a [`ReqwestTransport`](crate::ReqwestTransport) (S-54). Every wait has one.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(auth_http::Timeouts::default().whole, Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For connecting: 10 s by default.
    pub connect: Duration,
    /// Until the head of the response has arrived, including connecting: 20 s by default.
    pub head: Duration,
    /// Until the whole response has arrived: 60 s by default.
    pub whole: Duration,
    /// Between two chunks of the body: 10 s by default. The rate is not checked before this time has passed since the
    /// head arrived.
    pub idle: Duration,
    /// The lowest average rate after that, in bytes per second: 1024 by default.
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

impl Timeouts {
    /// Whether this is less than the slowest server would have sent in the time since its head arrived.
    pub(super) fn is_too_slow(&self, received: usize, passed: Duration) -> bool {
        let millis = passed.saturating_sub(self.idle).as_millis();
        (received as u128).saturating_mul(1000) < millis.saturating_mul(u128::from(self.slowest))
    }
}
