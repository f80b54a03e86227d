//! Errors of stores.

use core::fmt;

/// A failed operation of a store.
///
/// ```
/// use auth_cache::{StorageError, StorageErrorKind};
///
/// let error = StorageError::new("read", "/home/ada/cache.json", "permission denied");
/// assert_eq!(error.to_string(), "the token cache /home/ada/cache.json could not be read: permission denied");
/// assert_eq!(error.kind, StorageErrorKind::Other);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token cache{} could not be {operation}: {reason}", named(place))]
#[non_exhaustive]
pub struct StorageError {
    /// The operation, as a participle: `read`, `written`, `locked`, `set aside`.
    pub operation: &'static str,
    /// The store, such as the path of the file; empty if unknown.
    pub place: String,
    /// What went wrong and, where there is a remedy, what to do.
    pub reason: String,
    /// What kind of failure it is.
    pub kind: StorageErrorKind,
}

/// The kinds of failure that a caller can distinguish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// The lock was held elsewhere until there was no time left to wait (S-101).
    LockTimedOut,
    /// The folder must be private, but belongs to another user or is writable by others (S-93).
    SharedFolder,
    /// The file is encrypted, and this store has no key. The file is left unchanged (S-92).
    Encrypted,
    /// The file is not encrypted, although this store encrypts. Its content is not used, and it is left unchanged
    /// (S-92).
    NotEncrypted,
    /// The content is corrupt, belongs to another cache, or was encrypted with a key that is no longer available. A
    /// cache moves it aside, as it does a document that is not JSON (S-99).
    Damaged,
    /// The document exceeds a limit of the store or the cache. It is left unchanged, and a cache keeps tokens in memory
    /// only (S-90).
    TooLarge,
    /// The key, or another secret in the keyring, is currently unavailable: the keyring is locked, missing or too slow
    /// (S-104).
    KeyUnavailable,
    /// Secrets would cross the network unencrypted, or be readable without a password (S-107).
    Insecure,
    /// The server did not answer in time, refused the connection or the password, or could not prove its identity.
    Unreachable,
    /// Anything else.
    #[default]
    Other,
}

impl StorageError {
    /// Creates an error of kind [`Other`](StorageErrorKind::Other). `operation` is a participle, such as `read`.
    #[must_use]
    pub fn new(operation: &'static str, place: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { operation, place: place.into(), reason: reason.to_string(), kind: StorageErrorKind::Other }
    }

    /// Returns this error with the given kind.
    #[must_use]
    pub fn with_kind(self, kind: StorageErrorKind) -> Self {
        Self { kind, ..self }
    }
}

/// The place as it appears in a message. The cache itself does not know where its store is.
fn named(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" {place}") }
}
