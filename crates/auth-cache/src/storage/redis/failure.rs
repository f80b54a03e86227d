//! What goes wrong, without what it went wrong with.

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
                StorageError::new(operation, place, reason).of_kind(StorageErrorKind::Unreachable)
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
            ErrorKind::Io | ErrorKind::Parse => Self::Unreachable("the connection failed"),
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
