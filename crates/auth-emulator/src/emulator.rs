//! [`Emulator`]: a running emulator, and how it starts and stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::directory::{HOME_DOMAIN, HOME_TENANT_ID, SECOND_TENANT_ID, User};
use crate::fault::Faults;
use crate::keys::SigningKey;
use crate::ledger::Ledger;
use crate::server::{App, Cutter, LoopbackListener, router};
use crate::settings::{Rotation, Settings};
use crate::store::State;

/// A running identity provider on `127.0.0.1`.
///
/// Dropping it stops it at once; [`shutdown`](Self::shutdown) lets pending responses finish first.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_emulator::Emulator;
///
/// let emulator = Emulator::start().await?;
/// assert!(emulator.authority().starts_with("http://127.0.0.1:"));
/// assert!(emulator.authority().ends_with(emulator.tenant_id()));
/// assert_eq!(emulator.users()[0].username(), "ada@contoso.example");
/// emulator.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Emulator {
    app: Arc<App>,
    users: Vec<User>,
    stop: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
}

impl Emulator {
    /// How long a shutdown waits for pending responses.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// Starts an emulator as configured by its builder.
    pub(crate) async fn launch(port: u16, settings: Settings, users: Vec<User>) -> Result<Self, StartError> {
        if users.is_empty() {
            return Err(StartError::NoUsers);
        }
        let (listener, port) =
            LoopbackListener::bind(port).await.map_err(|source| StartError::Bind { port, source })?;
        let rng = StdRng::try_from_rng(&mut SysRng).map_err(|_| StartError::Randomness)?;
        let key = tokio::task::spawn_blocking(SigningKey::generate)
            .await
            .map_err(|_| StartError::SigningKey)?
            .map_err(|_| StartError::SigningKey)?;

        let (stop, stopped) = watch::channel(false);
        let state = State::new(rng, settings, users.clone());
        let app = Arc::new(App::new(state, key, port, stopped));
        let service = router(Arc::clone(&app)).into_make_service_with_connect_info::<Cutter>();
        let stopping = Arc::clone(&app);
        let server = tokio::spawn(async move {
            let until = async move { stopping.stopped().await };
            // The listener retries after each error, so this ends only with the signal.
            let _ = axum::serve(listener, service).with_graceful_shutdown(until).await;
        });
        Ok(Self { app, users, stop, server: Some(server) })
    }

    /// Stops the emulator. It accepts no more connections; pending responses have up to two seconds to finish.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(Self::PATIENCE, &mut server).await.is_err()
        {
            server.abort();
        }
    }

    /// Revokes every refresh token of a user, as an administrator would, and returns how many were valid. Ignores the
    /// case of the username.
    pub fn revoke_refresh_tokens(&self, username: &str) -> usize {
        let of = |user: &User| user.username().eq_ignore_ascii_case(username);
        self.app.state().refresh_tokens.revoke(|sign_in| of(&sign_in.user))
    }

    /// Forgets who has signed in and what they have consented to. Issued tokens remain valid.
    pub fn forget_consents(&self) {
        let mut state = self.app.state();
        state.consents = Default::default();
        state.signed_in.clear();
    }

    /// Sets how long access tokens are valid, in whole seconds, starting with the next response.
    pub fn set_access_token_lifetime(&self, lifetime: Duration) {
        self.app.state().settings.access_token_lifetime = lifetime;
    }

    /// Sets when clients are advised to refresh (`refresh_in`), in whole seconds, starting with the next response.
    pub fn set_refresh_in(&self, span: Option<Duration>) {
        self.app.state().settings.refresh_in = span;
    }

    /// Sets what happens to redeemed refresh tokens from now on.
    pub fn set_rotation(&self, rotation: Rotation) {
        self.app.state().settings.rotation = rotation;
    }

    /// Returns the authority of the home tenant, `http://127.0.0.1:{port}/{tenant id}`.
    #[must_use]
    pub fn authority(&self) -> String {
        self.authority_for(HOME_TENANT_ID)
    }

    /// Returns the authority with `tenant` in its path: `common`, `organizations`, `consumers`, a tenant ID or a domain
    /// name. It is not checked, so that tests can name tenants that do not exist.
    #[must_use]
    pub fn authority_for(&self, tenant: &str) -> String {
        format!("{}/{tenant}", self.base_url())
    }

    /// Returns `http://127.0.0.1:{port}`, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.app.base_url()
    }

    /// Returns the address that the emulator listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port()))
    }

    /// Returns the TCP port that the emulator listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.app.port()
    }

    /// Returns the ID of the users' home tenant.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        HOME_TENANT_ID
    }

    /// Returns the domain name of the home tenant; an authority can contain it instead of the ID.
    #[must_use]
    pub fn tenant_domain(&self) -> &str {
        HOME_DOMAIN
    }

    /// Returns the ID of another tenant, where the same users are guests.
    #[must_use]
    pub fn second_tenant_id(&self) -> &str {
        SECOND_TENANT_ID
    }

    /// Returns the users who can sign in.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Returns the queued faults. The handle can be cloned and kept.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.app.faults().clone()
    }

    /// Returns the requests so far. The handle can be cloned and kept.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.app.ledger().clone()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("base_url", &self.base_url())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}

/// Why an emulator failed to start.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_emulator::{Emulator, StartError};
///
/// let first = Emulator::start().await?;
/// let second = Emulator::builder().port(first.port()).start().await;
/// assert!(matches!(second, Err(StartError::Bind { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port is taken or not permitted. Choose another one, or 0 for a free one.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Bind {
        /// The requested port.
        port: u16,
        /// The reason given by the operating system.
        source: io::Error,
    },
    /// The operating system provided no random bytes.
    #[error("the operating system provided no random bytes")]
    Randomness,
    /// The key that signs tokens could not be generated.
    #[error("cannot generate a signing key")]
    SigningKey,
    /// The list of users is empty.
    #[error("an emulator needs at least one user")]
    NoUsers,
}

const _: fn() = || {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<Emulator>();
    send_and_sync::<StartError>();
};
