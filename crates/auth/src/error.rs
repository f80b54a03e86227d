//! What can go wrong, named by who must act.

use core::time::Duration;
use std::sync::Arc;

use auth_cache::StorageError;
use auth_core::{ConfigError, Error, ProtocolError, ServerError, Throttled, TransportError, UiRequired};
use auth_interactive::{LoopbackError, SignInError};

/// Why there is no token.
///
/// At most 24 bytes, `Send + Sync + 'static`, and never a secret in it. Calls that share one refresh get clones of one
/// error.
///
/// ```
/// use auth::{AuthError, Scopes};
///
/// let error = AuthError::from(Scopes::parse("a\"b").unwrap_err());
/// assert!(matches!(error, AuthError::Config(_)));
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The user must act. User action: hand it to
    /// [`acquire_token_interactive(..).satisfying(&ui)`](crate::InteractiveRequest::satisfying).
    #[error(transparent)]
    UiRequired(Box<UiRequired>),
    /// The identity provider, or the user on its pages, refused. User action: read the code and the description.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The identity provider asks for patience. User action: try again after the time it names.
    #[error(transparent)]
    Throttled(Box<Throttled>),
    /// The network failed. User action: try again; look at proxy and certificates.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The sign-in was given up, by time or by the user, or the refresh ended with its runtime. User action: none.
    #[error(transparent)]
    Cancelled(Cancelled),
    /// The sign-in page could not be shown, or nothing could listen for its answer. User action: as the text says.
    #[error(transparent)]
    Browser(Arc<SignInError>),
    /// The application's configuration is wrong. User action: mend it.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The cache failed where it is itself the job. User action: as the text says.
    #[error(transparent)]
    Cache(Box<StorageError>),
    /// Somebody else signed in than the account that was asked for, or the response names nobody; nothing was cached
    /// (S-86). User action: sign in with that account.
    #[error("somebody else signed in than the account that was asked for")]
    UserMismatch,
    /// A message broke the protocol, or belongs to another sign-in; nothing of it was used or cached. User action: sign in
    /// anew after [`StateMismatch`](ProtocolError::StateMismatch) or
    /// [`AlreadyRedeemed`](ProtocolError::AlreadyRedeemed); otherwise tell the operator of the identity provider.
    #[error(transparent)]
    Protocol(Box<ProtocolError>),
}

/// How a call was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cancelled {
    /// The user did not finish in time.
    #[error("the sign-in was not finished within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The refresh ended without an answer: the runtime that it ran on is shutting down, or a transport, a store or a clock
    /// of the application's own panicked.
    #[error("the refresh was cut off before it had an answer")]
    CutOff,
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        match error {
            Error::UiRequired(error) => Self::UiRequired(error),
            Error::Server(error) => Self::Server(error),
            Error::Throttled(error) => Self::Throttled(error),
            Error::Transport(error) => Self::Transport(error),
            Error::Config(error) => Self::Config(error),
            Error::Protocol(error) => Self::Protocol(error),
        }
    }
}

impl From<UiRequired> for AuthError {
    fn from(error: UiRequired) -> Self {
        Self::UiRequired(Box::new(error))
    }
}

impl From<Throttled> for AuthError {
    fn from(error: Throttled) -> Self {
        Self::Throttled(Box::new(error))
    }
}

impl From<ConfigError> for AuthError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<ProtocolError> for AuthError {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(Box::new(error))
    }
}

impl From<StorageError> for AuthError {
    fn from(error: StorageError) -> Self {
        Self::Cache(Box::new(error))
    }
}

impl From<SignInError> for AuthError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Loopback(LoopbackError::TimedOut(time)) => Self::Cancelled(Cancelled::TimedOut(time)),
            error => Self::Browser(Arc::new(error)),
        }
    }
}

const _: () = {
    const fn safe_to_share<T: Send + Sync + 'static>() {}
    safe_to_share::<AuthError>();
    assert!(size_of::<AuthError>() <= 24, "results stay small");
};
