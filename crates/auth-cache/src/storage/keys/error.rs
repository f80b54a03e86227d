//! Errors of key sources.

/// The reason why a key is unavailable. Contains no key.
///
/// ```
/// use auth_cache::{KeyError, KeyErrorKind};
///
/// let error = KeyError::new(KeyErrorKind::TimedOut, "the key management service did not answer");
/// assert_eq!(error.to_string(), "the key management service did not answer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct KeyError {
    /// What went wrong and, where there is a remedy, what to do.
    pub reason: String,
    /// What kind of failure it is.
    pub kind: KeyErrorKind,
}

/// The kinds of failure that a caller can distinguish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// No keyring is available, as on a server or in a container: no D-Bus, no service, or nowhere to keep a key.
    NoKeyring,
    /// The keyring is locked, and the user did not unlock it.
    Locked,
    /// The keyring, or the user it asked, took too long.
    TimedOut,
    /// What is stored under the name is not a key.
    NotAKey,
    /// Anything else.
    #[default]
    Other,
}

impl KeyError {
    /// Creates an error of the given kind.
    #[must_use]
    pub fn new(kind: KeyErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}
