//! The type of all secrets.

use core::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// A token, code, verifier or other text that must not leak.
///
/// It has no `Display`, no `Serialize` and a redacted `Debug`; only [`expose`](Self::expose) returns the text. Clones
/// share one allocation, which is wiped when the last of them is dropped. Copies made by TLS and HTTP libraries are out
/// of our reach.
///
/// ```
/// use auth_core::Secret;
///
/// let token = Secret::new("eyJ0".to_owned());
/// assert_eq!(format!("{token:?}"), "[redacted]");
/// assert_eq!(token.expose(), "eyJ0");
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Wiped>);

/// A text that is wiped on drop.
struct Wiped(String);

impl Secret {
    /// Creates a secret without copying the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Arc::new(Wiped(text)))
    }

    /// Returns the text. Never log it or put it into an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.0
    }

    /// Compares in constant time (S-89).
    #[must_use]
    pub fn ct_eq(&self, other: &str) -> bool {
        self.expose().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        // `zeroize` wipes spare capacity in one go, but initialised bytes one by one.
        self.0.clear();
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Wiped {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
