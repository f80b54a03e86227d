//! What one sign-in waits for.

use std::time::Duration;

use auth_core::{PendingAuthorization, RedirectUri, State};

use crate::conversation::Rules;
use crate::error::LoopbackError;

/// Five minutes (S-23).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// What [`LoopbackReceiver::receive`](crate::LoopbackReceiver::receive) waits for: the state, the response mode, the
/// address, and the web origins that may post the response.
///
/// ```
/// use std::time::Duration;
/// use auth_core::PendingAuthorization;
/// use auth_interactive::{Expectation, LoopbackError};
///
/// # fn example(pending: &PendingAuthorization) -> Result<(), LoopbackError> {
/// let expectation = Expectation::of(pending)?.with_timeout(Duration::from_secs(120));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Expectation {
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) state: State,
    pub(crate) rules: Rules,
    pub(crate) timeout: Duration,
}

impl Expectation {
    /// What `pending` waits for, for five minutes. The origin of its authorization endpoint may post the response, and
    /// for Entra the other sign-in hosts of the same cloud.
    ///
    /// # Errors
    /// [`LoopbackError::NotLoopback`] when its redirect URI is not an address of this machine with a port.
    pub fn of(pending: &PendingAuthorization) -> Result<Self, LoopbackError> {
        let redirect_uri = pending.redirect_uri().clone();
        let mut rules =
            Rules::new(&redirect_uri, pending.response_mode()).ok_or(LoopbackError::NotLoopback)?;
        rules.origins = pending.response_origins();
        Ok(Self { redirect_uri, state: pending.state().clone(), rules, timeout: DEFAULT_TIMEOUT })
    }

    /// Waits so long for the user.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Lets another origin post the response, for providers whose sign-in pages stand on a host of their own. Written
    /// as browsers send it: `https://host`, and the port where it is not 443.
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.rules.origins.push(origin.into());
        self
    }
}
