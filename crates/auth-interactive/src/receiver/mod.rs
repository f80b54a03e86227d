//! Sockets and clocks around the [conversation](crate::conversation).

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

/// Holds the port of a loopback redirect URI and receives the one authorization response that is waited for
/// (RFC 8252 §7.3, S-13…S-30).
///
/// It listens from the moment it exists: bind it before the browser is opened, and begin the sign-in with
/// [`redirect_uri`](Self::redirect_uri), which names the port. Dropping it, or the future of
/// [`receive`](Self::receive), closes the port and ends every connection.
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
    /// Listens where `redirect_uri` points to. Without a port the system chooses a free one. For
    /// `localhost` the port is held on `127.0.0.1` and on `[::1]`, since a browser may try either and the other must
    /// not be left to somebody else (S-14); a family that this machine does not have is left out.
    ///
    /// # Errors
    /// [`LoopbackError::NotLoopback`] for a redirect URI elsewhere, [`LoopbackError::PortInUse`] when its port is
    /// taken, [`LoopbackError::NoFreePort`] and [`LoopbackError::Bind`] when the system has none or refuses.
    pub fn bind(redirect_uri: &RedirectUri) -> Result<Self, LoopbackError> {
        let host = redirect_uri.loopback_host().ok_or(LoopbackError::NotLoopback)?;
        let bound = bind::bind(host, redirect_uri.port().unwrap_or(0), bind::listen)?;
        Ok(Self { redirect_uri: redirect_uri.with_port(bound.port), listeners: bound.listeners })
    }

    /// The redirect URI with the port that is listened on.
    #[must_use]
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// Waits for the response that `expectation` describes, and answers everything else that comes (S-20).
    ///
    /// When it returns, the page for the user is written and the port is closed; a browser that does not end its side
    /// of the connection is waited for 1 s (S-28). A response by query is first sent on
    /// to the bare path, so that the code leaves the address bar (S-27); a browser follows at once, and one that does
    /// not is waited for 2 s. A response that says that the user or the provider refused ends the wait too: ask
    /// [`PendingAuthorization::accept`](auth_core::PendingAuthorization::accept).
    ///
    /// Needs a tokio runtime with I/O and time enabled. Dropping the future closes the port, and leaves no task.
    ///
    /// # Errors
    /// [`LoopbackError::OtherRedirect`] when the sign-in was begun with another redirect URI,
    /// [`LoopbackError::TimedOut`] when no response came in time, [`LoopbackError::Flooded`] after 10 000 foreign
    /// connections (S-23), [`LoopbackError::Listen`] when the runtime refuses the sockets.
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
