//! What a store fails with.

use core::fmt;

/// A failure of the store: what was tried, where, and what went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token cache{} could not be {operation}: {reason}", named(place))]
#[non_exhaustive]
pub struct StorageError {
    /// What was tried: `read`, `written`, `locked`, `set aside`.
    pub operation: &'static str,
    /// Which store, such as the path of the file.
    pub place: String,
    /// What went wrong, and where it helps what to do.
    pub reason: String,
    /// What a caller may want to tell apart.
    pub kind: StorageErrorKind,
}

/// The failures that are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// Somebody else held the lock for as long as there was time to wait (S-101).
    LockTimedOut,
    /// Others than the user can write into the folder of a file that should be the user's alone (S-93).
    SharedFolder,
    /// The file is encrypted, and this store has no key (S-92). It is left as it is.
    Encrypted,
    /// The file is not encrypted, although this store encrypts: nothing of it is believed, and it is left as it is (S-92).
    NotEncrypted,
    /// What is stored was changed by somebody else, or encrypted with a key that is not to be had any more. A cache moves it
    /// aside, as it does with what is no JSON (S-99).
    Damaged,
    /// The key, or what else is kept in a keyring, is not to be had now (S-104): the keyring is locked, missing or takes too
    /// long.
    KeyUnavailable,
    /// Secrets would go over the network in plain, or to whoever asks for them (S-107).
    Insecure,
    /// The server of the store did not answer in time, refused to talk, or could not prove who it is.
    Unreachable,
    /// Anything else.
    #[default]
    Other,
}

impl StorageError {
    /// A failure of `operation` (a participle: `read`, `written`) at `place`.
    #[must_use]
    pub fn new(operation: &'static str, place: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { operation, place: place.into(), reason: reason.to_string(), kind: StorageErrorKind::Other }
    }

    /// The same as a failure of a kind.
    #[must_use]
    pub fn with_kind(self, kind: StorageErrorKind) -> Self {
        Self { kind, ..self }
    }
}

/// The place as it stands in a message; the cache itself does not know where its store is.
fn named(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" {place}") }
}
