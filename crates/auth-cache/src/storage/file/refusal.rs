//! Refusals of files that the operating system would let us use.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use crate::storage::{StorageError, StorageErrorKind};

/// Why a file or its lock is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the path does not name a file")]
    NoName,
    #[error("it is a symbolic link")]
    Link,
    #[error("it is not a regular file")]
    NotRegular,
    #[error("it has a second name (a hard link)")]
    HardLink,
    #[error("it belongs to another user")]
    Stranger,
    #[error("it belongs to root, and other users can read it")]
    Readable,
    #[error("it is encrypted; use `EncryptedFileStorage` and its key")]
    Encrypted,
    #[cfg(feature = "encrypted")]
    #[error("the new file, read back, differs from what was written")]
    NotReadBack,
    #[error("it is larger than the size limit")]
    TooLarge,
    #[error("its path contains a symbolic link that other users can redirect")]
    LinkedFolder,
    #[error("its folder is not private; make it yours and writable by you alone, or choose another folder")]
    SharedFolder,
    #[error("another program holds its lock{}", after(waited))]
    Locked { waited: Duration },
}

fn after(waited: &Duration) -> String {
    if waited.is_zero() { String::new() } else { format!("; gave up after {} s", waited.as_secs()) }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(ErrorKind::InvalidInput, refusal)
    }
}

/// Returns the error of an operation on the file at `path`.
pub(super) fn storage_error(operation: &'static str, path: &Path, error: &Error) -> StorageError {
    let refusal = error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>());
    let kind = match refusal {
        Some(Refusal::Locked { .. }) => StorageErrorKind::LockTimedOut,
        Some(Refusal::SharedFolder) => StorageErrorKind::SharedFolder,
        Some(Refusal::Encrypted) => StorageErrorKind::Encrypted,
        Some(Refusal::TooLarge) => StorageErrorKind::TooLarge,
        Some(_) | None => StorageErrorKind::Other,
    };
    StorageError::new(operation, path.display().to_string(), error).with_kind(kind)
}
