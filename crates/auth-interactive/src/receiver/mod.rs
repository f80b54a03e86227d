//! The sockets and clocks around the [conversation](crate::conversation).

mod bind;
mod connection;
mod reception;
#[cfg(test)]
mod tests;

use std::net::TcpListener;

use auth_core::{AuthorizationResponse, RedirectUri};

use crate::error::LoopbackError;
use crate::expectation::Expectation;
use reception::Reception;

/// Listens on the port of a loopback redirect URI and receives the authorization response (RFC 8252 §7.3, S-13…S-30).
///
/// It listens from the moment it exists: bind it before the browser is opened, and begin the sign-in with
/// [`redirect_uri`](Self::redirect_uri), which includes the port. Dropping it, or the future of
/// [`receive`](Self::receive), closes the port and every connection.
///
/// ```
/// use auth_core::RedirectUri;
/// use auth_interactive::LoopbackReceiver;
///
/// let receiver = LoopbackReceiver::bind(&RedirectUri::parse("http://localhost")?)?;
/// assert!(receiver.redirect_uri().port().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct LoopbackReceiver {
    redirect_uri: RedirectUri,
    listeners: Vec<TcpListener>,
}

impl LoopbackReceiver {
    /// Binds the port of `redirect_uri`; if it has none, the system chooses a free one. For `localhost` the port is
    /// held on both `127.0.0.1` and `[::1]`, because a browser may try either, and no other program must get the other
    /// (S-14). An address family that this machine lacks is skipped.
    ///
    /// # Errors
    /// [`LoopbackError::NotLoopback`] if `redirect_uri` does not name this machine, [`LoopbackError::PortInUse`] if its
    /// port is taken, [`LoopbackError::NoFreePort`] if no port is free on both address families,
    /// [`LoopbackError::Bind`] if the system refuses for another reason.
    pub fn bind(redirect_uri: &RedirectUri) -> Result<Self, LoopbackError> {
        let host = redirect_uri.loopback_host().ok_or(LoopbackError::NotLoopback)?;
        let bound = bind::bind(host, redirect_uri.port().unwrap_or(0), bind::listen)?;
        Ok(Self { redirect_uri: redirect_uri.with_port(bound.port), listeners: bound.listeners })
    }

    /// Returns the redirect URI with the port that is bound.
    #[must_use]
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// Waits for the response that `expectation` describes. Every other request gets a fixed refusal (S-20).
    ///
    /// When it returns, the page for the user has been written and the port is closed; a browser that does not close
    /// its side of the connection delays this by up to 1 s (S-28). After a query response, the browser is redirected to
    /// the bare path, so that the code leaves the address bar (S-27); if it does not follow, this takes up to 2 s. A
    /// response that reports an error ends the wait too: see
    /// [`PendingAuthorization::accept`](auth_core::PendingAuthorization::accept).
    ///
    /// Requires a tokio runtime with I/O and time enabled. Dropping the future closes the port, and leaves no task.
    ///
    /// # Errors
    /// [`LoopbackError::OtherRedirect`] if the sign-in was begun with a different redirect URI,
    /// [`LoopbackError::TimedOut`] if no response arrives in time, [`LoopbackError::Flooded`] after 10,000 other
    /// connections (S-23), [`LoopbackError::Listen`] if the runtime refuses the sockets.
    ///
    /// ```no_run
    /// use auth_core::{AuthorizationResponse, PendingAuthorization};
    /// use auth_interactive::{Expectation, LoopbackError, LoopbackReceiver};
    ///
    /// # async fn example(receiver: LoopbackReceiver, pending: PendingAuthorization)
    /// # -> Result<AuthorizationResponse, LoopbackError> {
    /// receiver.receive(Expectation::new(&pending)?).await
    /// # }
    /// ```
    pub async fn receive(self, expectation: Expectation) -> Result<AuthorizationResponse, LoopbackError> {
        if expectation.redirect_uri != self.redirect_uri {
            return Err(LoopbackError::OtherRedirect);
        }
        let limit = expectation.timeout;
        let mut reception = Reception::start(self.listeners, expectation)?;
        let response = tokio::time::timeout(limit, reception.response()).await;
        let response = response.map_err(|_| LoopbackError::TimedOut(limit))??;
        reception.finish().await;
        Ok(response)
    }
}
