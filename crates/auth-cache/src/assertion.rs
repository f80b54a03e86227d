//! The assertion that an on-behalf-of token was obtained with.

use core::fmt;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The maximum length of a session key in bytes; it is part of keys in the cache.
const LONGEST: usize = 256;

/// The session key is not acceptable; see [`Assertion::session`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a session key must have at least 22 characters (32 if all are hexadecimal digits, 39 if all are decimal) and at most \
     256 bytes, and must not look like the hash of an assertion"
)]
#[non_exhaustive]
pub struct InvalidSessionKey;

/// The user's assertion behind an on-behalf-of token, or a session key that the application chose.
///
/// ```
/// use auth_cache::Assertion;
///
/// assert_ne!(Assertion::from_token("eyJ0"), Assertion::from_token("eyJ1"));
/// assert!(Assertion::session("too short").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion(Box<str>);

impl Assertion {
    /// Uses the access token that the application received; only its SHA-256 is kept (S-84).
    #[must_use]
    pub fn from_token(token: &str) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(token)).into())
    }

    /// Uses a key that the application chose for a long-running process.
    ///
    /// Anyone who knows the key gets the tokens, so it needs 128 bits of randomness: at least 22 characters, or 32
    /// hexadecimal or 39 decimal digits if it has no others (S-84).
    ///
    /// # Errors
    /// [`InvalidSessionKey`] if the key is shorter than that or longer than 256 bytes, ends with `=`, or could be the
    /// hash of an assertion.
    pub fn session(key: &str) -> Result<Self, InvalidSessionKey> {
        let is_hash = [&BASE64_URL_SAFE_NO_PAD, &BASE64_STANDARD_NO_PAD]
            .iter()
            .any(|base64| base64.decode(key).is_ok_and(|bytes| bytes.len() == 32));
        if key.len() > LONGEST || !may_hold_128_bits(key) || is_hash || key.ends_with('=') {
            return Err(InvalidSessionKey);
        }
        Ok(Self(key.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the key has enough characters of its kind for 128 bits. Separators between digits, as in a UUID, do not
/// count.
fn may_hold_128_bits(key: &str) -> bool {
    let digits = |is_digit: fn(&char) -> bool| {
        let all = key.chars().all(|letter| is_digit(&letter) || matches!(letter, '-' | ':' | '{' | '}'));
        all.then(|| key.chars().filter(is_digit).count())
    };
    match (digits(char::is_ascii_digit), digits(char::is_ascii_hexdigit)) {
        (Some(decimal), _) => decimal >= 39,
        (None, Some(hexadecimal)) => hexadecimal >= 32,
        (None, None) => key.chars().count() >= 22,
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
        let hash = Assertion::from_token("eyJ0");
        assert_eq!(hash.as_str().len(), 43);
        let long = "s".repeat(256);
        for (key, accepted) in [
            ("", false),
            ("0123456789-bcdefghi_k", false),
            ("0123456789-bcdefghi_kl", true),
            ("0123456789abcdef0123456789abcde", false),
            ("0123456789abcdef0123456789abcdef", true),
            ("0123456789ABCDEF0123456789abcdef", true),
            ("00001111-aaaa-2222-bbbb-3333cccc444", false),
            ("00001111-aaaa-2222-bbbb-3333cccc4444", true),
            ("{00001111-aaaa-2222-bbbb-3333cccc4444}", true),
            ("aaaaaaaa-:-:-:-:-:-:-:-:-:-:-:-:", false),
            ("12345678901234567890123456789012345678", false),
            ("123456789012345678901234567890123456789", true),
            ("éééééééééé1", false),
            (hash.as_str(), false),
            ("+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/8", false),
            ("0123456789-bcdefghi_kl==", false),
            (long.as_str(), true),
            (&format!("{long}s"), false),
        ] {
            assert_eq!(Assertion::session(key).is_ok(), accepted, "{key}");
        }
    }
}
