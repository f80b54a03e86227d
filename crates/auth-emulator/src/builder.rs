//! The settings of an emulator before it runs.

use std::time::Duration;

use crate::directory::{User, default_users};
use crate::emulator::{Emulator, StartError};
use crate::settings::{Rotation, Settings};

/// Settings of an emulator that is not running yet.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use auth_emulator::{Emulator, Rotation, User};
///
/// let emulator = Emulator::builder()
///     .users([User::new("mira@contoso.example", "Mira Solberg")])
///     .access_token_lifetime(Duration::from_secs(600))
///     .refresh_in(Duration::from_secs(300))
///     .rotation(Rotation::RevokeFamilyOnReuse)
///     .client_name("11111111-2222-3333-4444-555555555555", "Reports")
///     .start()
///     .await?;
/// assert_eq!(emulator.users().len(), 1);
/// # emulator.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct EmulatorBuilder {
    port: u16,
    users: Vec<User>,
    settings: Settings,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self { port: 0, users: default_users(), settings: Settings::default() }
    }
}

impl EmulatorBuilder {
    /// The TCP port to listen on; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The people who can sign in, in the place of the usual four.
    pub fn users(mut self, users: impl IntoIterator<Item = User>) -> Self {
        self.users = users.into_iter().collect();
        self
    }

    /// How long access tokens are valid, in whole seconds; one hour otherwise.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.access_token_lifetime = lifetime;
        self
    }

    /// Advises clients to refresh after this time (`refresh_in`), in whole seconds; otherwise the
    /// answers hold no such advice.
    pub fn refresh_in(mut self, span: Duration) -> Self {
        self.settings.refresh_in = Some(span);
        self
    }

    /// How long id tokens are valid, in whole seconds; one hour otherwise.
    pub fn id_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.id_token_lifetime = lifetime;
        self
    }

    /// How long an authorization code can be redeemed, in whole seconds; one minute otherwise.
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.code_lifetime = lifetime;
        self
    }

    /// How long a user has to enter a device code and to sign in, in whole seconds; 15 minutes otherwise.
    pub fn device_code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.device_code_lifetime = lifetime;
        self
    }

    /// How long a device waits between two questions whether its user is done, in whole seconds; five otherwise. One
    /// that asks sooner is told to slow down.
    pub fn device_interval(mut self, interval: Duration) -> Self {
        self.settings.device_interval = interval;
        self
    }

    /// How long a refresh token can be redeemed, in whole seconds; 90 days otherwise.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.refresh_token_lifetime = lifetime;
        self
    }

    /// What becomes of refresh tokens that were redeemed.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.settings.rotation = rotation;
        self
    }

    /// Whether a refresh may ask for any scope of a resource of which one scope was consented to;
    /// otherwise only for scopes that were.
    pub fn widen_on_refresh(mut self, widen: bool) -> Self {
        self.settings.widen_on_refresh = widen;
        self
    }

    /// Whether authorization responses name their issuer, and discovery promises it (RFC 9207); Entra's do not.
    pub fn response_issuer(mut self, named: bool) -> Self {
        self.settings.response_issuer = named;
        self
    }

    /// Makes a client a member of the family: its refresh tokens come with `foci` and work for every
    /// member.
    pub fn family_client(mut self, client_id: impl Into<String>) -> Self {
        self.settings.family_clients.insert(client_id.into());
        self
    }

    /// The name that the pages show for a client, which otherwise is its id.
    pub fn client_name(mut self, client_id: impl Into<String>, name: impl Into<String>) -> Self {
        self.settings.client_names.insert(client_id.into(), name.into());
        self
    }

    /// Starts the emulator. It needs a tokio runtime with time and I/O, and nothing else.
    ///
    /// # Errors
    ///
    /// If the port is taken, the operating system gives no random bytes, no signing key could be
    /// made, or there are no users.
    pub async fn start(self) -> Result<Emulator, StartError> {
        Emulator::launch(self.port, self.settings, self.users).await
    }
}

impl Emulator {
    /// Starts an emulator with the usual settings on a free port.
    ///
    /// # Errors
    ///
    /// If the operating system gives no socket or no random bytes; see [`StartError`].
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Begins to configure an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }
}
