//! [`EmulatorBuilder`]: the configuration of an emulator.

use std::time::Duration;

use crate::directory::{User, default_users};
use crate::emulator::{Emulator, StartError};
use crate::settings::{Rotation, Settings};

/// Configures an emulator; see [`Emulator::builder`].
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
    /// Sets the TCP port to listen on; 0, the default, picks a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the users who can sign in, replacing the default four.
    pub fn users(mut self, users: impl IntoIterator<Item = User>) -> Self {
        self.users = users.into_iter().collect();
        self
    }

    /// Sets how long access tokens are valid, in whole seconds. The default is one hour.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.access_token_lifetime = lifetime;
        self
    }

    /// Advises clients to refresh after this time (`refresh_in`), in whole seconds. By default responses contain no
    /// such advice.
    pub fn refresh_in(mut self, span: Duration) -> Self {
        self.settings.refresh_in = Some(span);
        self
    }

    /// Sets how long ID tokens are valid, in whole seconds. The default is one hour.
    pub fn id_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.id_token_lifetime = lifetime;
        self
    }

    /// Sets how long an authorization code can be redeemed, in whole seconds. The default is one minute.
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.code_lifetime = lifetime;
        self
    }

    /// Sets how long a user has to enter a device code and sign in, in whole seconds. The default is 15 minutes.
    pub fn device_code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.device_code_lifetime = lifetime;
        self
    }

    /// Sets how long a device must wait between two polls, in whole seconds. The default is five. A device that polls
    /// sooner gets `slow_down`.
    pub fn device_interval(mut self, interval: Duration) -> Self {
        self.settings.device_interval = interval;
        self
    }

    /// Sets how long a refresh token can be redeemed, in whole seconds. The default is 90 days.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.refresh_token_lifetime = lifetime;
        self
    }

    /// Sets what happens to a refresh token when it is redeemed.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.settings.rotation = rotation;
        self
    }

    /// Sets whether a refresh may request any scope of a resource once the user has consented to one of them. By
    /// default it may request only scopes that the user has consented to.
    pub fn widen_on_refresh(mut self, widen: bool) -> Self {
        self.settings.widen_on_refresh = widen;
        self
    }

    /// Sets whether authorization responses contain their issuer and discovery announces this (RFC 9207). The default
    /// is `false`, as at Entra.
    pub fn response_issuer(mut self, named: bool) -> Self {
        self.settings.response_issuer = named;
        self
    }

    /// Adds a client to the family: its token responses contain `foci`, and its refresh tokens work for every member.
    pub fn family_client(mut self, client_id: impl Into<String>) -> Self {
        self.settings.family_clients.insert(client_id.into());
        self
    }

    /// Sets the name that the pages show for a client instead of its ID.
    pub fn client_name(mut self, client_id: impl Into<String>, name: impl Into<String>) -> Self {
        self.settings.client_names.insert(client_id.into(), name.into());
        self
    }

    /// Starts the emulator. It needs a tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    /// [`StartError`] if the port is taken, the operating system provides no random bytes, no signing key can be
    /// generated, or there are no users.
    pub async fn start(self) -> Result<Emulator, StartError> {
        Emulator::launch(self.port, self.settings, self.users).await
    }
}

impl Emulator {
    /// Starts an emulator with default settings on a free port.
    ///
    /// # Errors
    /// [`StartError`] if the operating system provides no socket or no random bytes.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }
}
