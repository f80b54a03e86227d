//! Why a key is not to be had.

/// A key that is not to be had, and why. It holds no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct KeyError {
    /// What went wrong, and where it helps what to do.
    pub reason: String,
    /// What a caller may want to tell apart.
    pub kind: KeyErrorKind,
}

/// The failures that are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// There is no keyring here, as on a server or in a container: no D-Bus, nobody who answers, nowhere to keep a key.
    NoKeyring,
    /// The keyring is locked, and the user did not unlock it.
    Locked,
    /// The keyring, or the user whom it asks, took too long.
    TimedOut,
    /// What is kept under the name is no key.
    NotAKey,
    /// Anything else.
    #[default]
    Other,
}

impl KeyError {
    /// A failure of a kind.
    #[must_use]
    pub fn new(kind: KeyErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}
