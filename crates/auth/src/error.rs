//! [`AuthError`]: why a call failed.

use core::time::Duration;
use std::sync::Arc;

use auth_cache::StorageError;
use auth_core::{ConfigError, Error, ProtocolError, ServerError, Throttled, TransportError, UiRequired};
use auth_interactive::{LoopbackError, SignInError};

/// Why a call failed; the variants tell who must act.
///
/// At most 24 bytes, `Send + Sync + 'static`, and without secrets. Calls that share a refresh get clones of the same
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
    /// The user must act. Remedy: pass the error to
    /// [`acquire_token_interactive(..).satisfying(&ui)`](crate::InteractiveRequest::satisfying).
    #[error(transparent)]
    UiRequired(Box<UiRequired>),
    /// The identity provider, or the user on its pages, refused. Remedy: see the error code and description.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The identity provider is busy. Remedy: try again after the time that the error names.
    #[error(transparent)]
    Throttled(Box<Throttled>),
    /// The network failed. Remedy: try again; check the proxy and certificates.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The sign-in timed out, or the refresh was interrupted. Remedy: try again.
    #[error(transparent)]
    Cancelled(Cancelled),
    /// The sign-in page could not be shown, or its response could not be received. Remedy: see the message.
    #[error(transparent)]
    Browser(Arc<SignInError>),
    /// The application's configuration is wrong. Remedy: fix it.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The cache failed in a call that needs it, such as a sign-out. Remedy: see the message.
    #[error(transparent)]
    Cache(Box<StorageError>),
    /// Someone other than the required account signed in, or the response does not say who did; nothing was cached.
    /// Remedy: sign in with the required account (S-86).
    #[error("someone else signed in; sign in with the required account")]
    UserMismatch,
    /// A message violates the protocol or belongs to another sign-in; it was neither used nor cached. Remedy: start a
    /// new sign-in after [`StateMismatch`](ProtocolError::StateMismatch) or
    /// [`AlreadyRedeemed`](ProtocolError::AlreadyRedeemed); otherwise contact the operator of the identity provider.
    #[error(transparent)]
    Protocol(Box<ProtocolError>),
}

/// How a call was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cancelled {
    /// The user did not finish in time.
    #[error("the sign-in was not finished within {} s; start it again", .0.as_secs())]
    TimedOut(Duration),
    /// The refresh ended without a result: its runtime is shutting down, or a transport, store or clock of the
    /// application panicked.
    #[error("the refresh was interrupted; try again")]
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
