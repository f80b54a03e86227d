//! Every way in which the protocol can fail, named by who must act.

mod protocol;
mod server;
mod transport;
mod ui_required;

pub use crate::config_error::ConfigError;
pub use protocol::{IdTokenFault, ProtocolError};
pub(crate) use server::error_in;
pub use server::{ServerError, Throttled};
pub use transport::{TransportError, TransportFault};
pub use ui_required::{Classification, UiReason, UiRequired};

/// A failure of an exchange or a flow.
///
/// At most 24 bytes, `Send + Sync + 'static`, and never a secret in it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "callers pass each kind on to whom it concerns")]
pub enum Error {
    /// The user must act: sign in, consent, or satisfy a policy.
    #[error(transparent)]
    UiRequired(Box<UiRequired>),
    /// The identity provider refused, for a reason that no sign-in mends.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The identity provider asks for patience.
    #[error(transparent)]
    Throttled(Box<Throttled>),
    /// The network failed.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The application's configuration is wrong.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The other side broke the protocol; nothing of its answer was used.
    #[error(transparent)]
    Protocol(Box<ProtocolError>),
}

impl Error {
    /// Whether the same call may succeed later without anybody doing anything.
    ///
    /// ```
    /// use auth_core::{ConfigError, Error};
    /// assert!(!Error::from(ConfigError::Randomness).is_transient());
    /// ```
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport(_) | Self::Throttled(_) => true,
            Self::Server(error) => error.is_transient(),
            Self::UiRequired(_) | Self::Config(_) | Self::Protocol(_) => false,
        }
    }
}

impl From<UiRequired> for Error {
    fn from(error: UiRequired) -> Self {
        Self::UiRequired(Box::new(error))
    }
}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        Self::Server(Box::new(error))
    }
}

impl From<Throttled> for Error {
    fn from(error: Throttled) -> Self {
        Self::Throttled(Box::new(error))
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        Self::Transport(Box::new(error))
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(Box::new(error))
    }
}

const _: () = {
    const fn safe_to_share<T: Send + Sync + 'static>() {}
    safe_to_share::<Error>();
    assert!(size_of::<Error>() <= 24, "results stay small");
};
