//! What goes wrong, without what it went wrong with.

use core::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};

use crate::storage::{StorageError, StorageErrorKind};

/// Why a command was not carried out. The words of server and library are not repeated: there may be keys in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody answered, or the server refused to talk.
    Unreachable(&'static str),
    /// It answered with an error of this name.
    Answered(String),
    /// It answered what no server should.
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
                Some(rustls::Error::InvalidCertificate(_)) => "the certificate of the server is not trusted",
                Some(_) => "the server did not agree on TLS",
                None => "the connection failed",
            }),
            ErrorKind::AuthenticationFailed => Self::Unreachable("the server did not take the password"),
            ErrorKind::InvalidClientConfig => Self::Unreachable("no connection could be set up"),
            ErrorKind::UnexpectedReturnType => Self::Unexpected("it is no value of ours"),
            _ => match error.code().filter(|code| code.bytes().all(|byte| byte.is_ascii_uppercase())) {
                Some(code) => Self::Answered(code.to_owned()),
                None => Self::Unexpected("the server refused the command"),
            },
        }
    }
}

/// What was wrong with TLS, if it was that.
fn tls(error: &RedisError) -> Option<&rustls::Error> {
    let cause = error.source()?;
    // The client shares the cause among copies of the error.
    let cause = cause.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}
