//! Failures of commands, without anything secret.

use core::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};

use crate::storage::{StorageError, StorageErrorKind};

pub(super) const UNKNOWN_FORMAT: &str = "the value has an unknown format";
pub(super) const NO_RANDOM_BYTES: &str = "the system provides no random bytes";

/// Why a command failed. The messages of server and client are not repeated, as they may contain keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server did not answer, or refused the connection.
    Unreachable(&'static str),
    /// The server answered with an error of this name.
    Answered(String),
    /// The answer was not what the command should return.
    Unexpected(&'static str),
}

impl Failure {
    pub(super) fn of(self, operation: &'static str, place: String) -> StorageError {
        match self {
            Self::Unreachable(reason) => {
                StorageError::new(operation, place, reason).with_kind(StorageErrorKind::Unreachable)
            }
            Self::Answered(code) => StorageError::new(operation, place, format_args!("the server answered {code}")),
            Self::Unexpected(reason) => StorageError::new(operation, place, reason),
        }
    }
}

impl From<&RedisError> for Failure {
    fn from(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io if error.is_timeout() => Self::Unreachable("the server did not answer in time"),
            ErrorKind::Io | ErrorKind::Parse => Self::Unreachable(match tls(error) {
                Some(rustls::Error::InvalidCertificate(_)) => "the server's certificate is not trusted",
                Some(_) => "the TLS handshake with the server failed",
                None => "the connection failed",
            }),
            ErrorKind::AuthenticationFailed => Self::Unreachable("the server rejected the password"),
            ErrorKind::InvalidClientConfig => Self::Unreachable("the connection could not be set up"),
            ErrorKind::UnexpectedReturnType => Self::Unexpected(UNKNOWN_FORMAT),
            _ => match error.code().filter(|code| code.bytes().all(|byte| byte.is_ascii_uppercase())) {
                Some(code) => Self::Answered(code.to_owned()),
                None => Self::Unexpected("the server refused the command"),
            },
        }
    }
}

/// Returns the TLS error, if it was one.
fn tls(error: &RedisError) -> Option<&rustls::Error> {
    let cause = error.source()?;
    // The client wraps the cause so that copies of the error can share it.
    let cause = cause.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}
