//! The `claims` request parameter (OpenID Connect Core §5.5).

use core::fmt;

use crate::error::ConfigError;
use crate::json;

const MAX: usize = 16 * 1024;

/// What the tokens must satisfy, as a JSON object: a claims challenge of an API, or the application's own wish.
///
/// ```
/// use auth_core::Claims;
///
/// assert!(Claims::parse(r#"{"access_token":{"nbf":{"essential":true}}}"#).is_ok());
/// assert!(Claims::parse("[]").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Claims(String);

impl Claims {
    /// Takes the JSON text.
    ///
    /// # Errors
    /// [`ConfigError::Claims`] unless it is one JSON object of at most 16 KiB without repeated member names.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > MAX || json::parse_object(text.as_bytes()).is_none() {
            return Err(ConfigError::Claims);
        }
        Ok(Self(text.to_owned()))
    }

    /// The JSON text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Claims may ask for a value that names somebody.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims([pii])")
    }
}
