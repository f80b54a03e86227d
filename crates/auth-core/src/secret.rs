//! The one type that holds secrets.

use core::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// A token, code, verifier or other text that must not leak.
///
/// It has no `Display`, no `Serialize` and a redacted `Debug`; [`expose`](Self::expose) is the one way to the text.
/// Clones share one allocation, which is wiped when the last of them is dropped. What TLS and HTTP stacks copied from
/// it is beyond our reach.
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

/// A text that is wiped when it is dropped.
struct Wiped(String);

impl Secret {
    /// Takes the text; nothing of it is copied.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Arc::new(Wiped(text)))
    }

    /// The text itself. Never log it, never put it into an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.0
    }

    /// Compares without telling by the time it takes where the two differ (S-89).
    #[must_use]
    pub fn ct_eq(&self, other: &str) -> bool {
        self.expose().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        // What lies beyond the length is wiped at once, the characters before it one by one.
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
