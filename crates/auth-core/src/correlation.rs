//! Correlation ids.

use core::fmt;

use rand_core::TryCryptoRng;

use crate::config_error::ConfigError;

/// The correlation id of a call and all its requests, which servers log (`client-request-id`).
///
/// ```
/// use auth_core::CorrelationId;
///
/// let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000")?;
/// assert_eq!(id.to_string(), "a1b2c3d4-0000-4000-8000-000000000000");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationId(uuid::Uuid);

impl CorrelationId {
    /// Generates a random id (UUID version 4).
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] if the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, ConfigError> {
        // Drawing two words is faster than sixteen bytes, and every call needs an id.
        let mut word = || rng.try_next_u64().map_err(|_| ConfigError::Randomness);
        let bits = (u128::from(word()?) << 64) | u128::from(word()?);
        Ok(Self(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()))
    }

    /// Passes the text to `read`.
    pub(crate) fn with_text<T>(self, read: impl FnOnce(&str) -> T) -> T {
        read(self.0.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
    }

    /// Parses a UUID.
    ///
    /// # Errors
    /// [`ConfigError::CorrelationId`] if `text` is not a UUID.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        uuid::Uuid::parse_str(text).map(Self).map_err(|_| ConfigError::CorrelationId)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}
