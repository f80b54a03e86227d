//! Errors of the protocol, named by who must act.

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
/// At most 24 bytes, `Send + Sync + 'static`, and free of secrets.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "callers pass each kind on to whom it concerns")]
pub enum Error {
    /// The user must act: sign in, consent, or satisfy a policy.
    #[error(transparent)]
    UiRequired(Box<UiRequired>),
    /// The identity provider refused, for a reason that signing in does not fix.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The identity provider asks to try again later.
    #[error(transparent)]
    Throttled(Box<Throttled>),
    /// The network failed.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The application's configuration is wrong.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The other side violated the protocol; nothing in its answer was used.
    #[error(transparent)]
    Protocol(Box<ProtocolError>),
}

impl Error {
    /// Returns whether the same call may succeed later without any other action.
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
