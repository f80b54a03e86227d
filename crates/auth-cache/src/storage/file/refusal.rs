//! Why a file is not used although the system would let us.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use crate::storage::{StorageError, StorageErrorKind};

/// A rule of ours that stands against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the path names no file")]
    NoName,
    #[error("it is a symbolic link")]
    Link,
    #[error("it is not a regular file")]
    NotRegular,
    #[error("it has a second name (a hard link)")]
    HardLink,
    #[error("it belongs to another user")]
    Stranger,
    #[error("others may read it")]
    Readable,
    #[error("it is encrypted, and is read and decrypted only with its key (`EncryptedFileStorage`)")]
    Encrypted,
    #[cfg(feature = "encrypted")]
    #[error("the new file cannot be read back as it was written")]
    NotReadBack,
    #[error("it is larger than the limit for its size")]
    TooLarge,
    #[error("a symbolic link leads to it that others may turn elsewhere")]
    LinkedFolder,
    #[error("its folder is not the user's alone; take the write permission from others, or name a file elsewhere")]
    SharedFolder,
    #[error("another program holds its lock{}", for_long(waited))]
    Locked { waited: Duration },
}

fn for_long(waited: &Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(", for {} s by now", waited.as_secs()) }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(ErrorKind::InvalidInput, refusal)
    }
}

/// The error of an operation on the file at `path`.
pub(super) fn storage_error(operation: &'static str, path: &Path, error: &Error) -> StorageError {
    let refusal = error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>());
    let kind = match refusal {
        Some(Refusal::Locked { .. }) => StorageErrorKind::LockTimedOut,
        Some(Refusal::SharedFolder) => StorageErrorKind::SharedFolder,
        Some(Refusal::Encrypted) => StorageErrorKind::Encrypted,
        Some(_) | None => StorageErrorKind::Other,
    };
    StorageError::new(operation, path.display().to_string(), error).with_kind(kind)
}
