//! On behalf of whom a token was got.

use core::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A session key that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a session key needs at least 22 characters of its own choice, and must not look like the hash of an assertion"
)]
#[non_exhaustive]
pub struct InvalidSessionKey;

/// The user's assertion behind an on-behalf-of token, or the key of a session that the application chose.
///
/// ```
/// use auth_cache::Assertion;
///
/// assert_ne!(Assertion::of_token("eyJ0"), Assertion::of_token("eyJ1"));
/// assert!(Assertion::session("too short").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion(Box<str>);

impl Assertion {
    /// The access token that the application received; its SHA-256 is kept (S-84).
    #[must_use]
    pub fn of_token(token: &str) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(token)).into())
    }

    /// A key that the application chose for a long-running process. Whoever knows it gets the tokens: it needs 128 bits of
    /// randomness.
    ///
    /// # Errors
    /// [`InvalidSessionKey`] when the key is shorter than 22 characters, or could be mistaken for a hash.
    pub fn session(key: &str) -> Result<Self, InvalidSessionKey> {
        let is_hash = BASE64_URL_SAFE_NO_PAD.decode(key).is_ok_and(|bytes| bytes.len() == 32);
        if key.len() < 22 || is_hash || key.ends_with('=') {
            return Err(InvalidSessionKey);
        }
        Ok(Self(key.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_keys() {
        let hash = Assertion::of_token("eyJ0");
        assert_eq!(hash.as_str().len(), 43);
        for (key, accepted) in [
            ("0123456789abcdef012345", true),
            ("0123456789abcdef01234", false),
            (hash.as_str(), false),
            ("0123456789abcdef0123==", false),
        ] {
            assert_eq!(Assertion::session(key).is_ok(), accepted, "{key}");
        }
    }
}
