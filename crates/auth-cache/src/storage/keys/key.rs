//! Keys of 256 bits.

use core::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::{KeyError, KeyErrorKind};

/// The length of a [`KeyId`] in bytes.
pub(in crate::storage) const KEY_ID: usize = 8;
/// Identifies a key without revealing anything else about it.
pub(in crate::storage) type KeyId = [u8; KEY_ID];

/// A 256-bit key that encrypts a cache at rest. Clones share it; it is wiped when the last one is dropped.
///
/// It is also a [`KeySource`](crate::KeySource), for an application that keeps its key elsewhere, such as in a key
/// management service.
///
/// ```
/// use auth_cache::EncryptionKey;
///
/// let key = EncryptionKey::generate()?;
/// assert_eq!(format!("{key:?}"), "[redacted]");
/// assert!(EncryptionKey::from_slice(b"too short").is_none());
/// # Ok::<(), auth_cache::KeyError>(())
/// ```
#[derive(Clone)]
pub struct EncryptionKey(Arc<Zeroizing<[u8; 32]>>);

impl EncryptionKey {
    /// Creates a key from 32 random bytes; `None` if there are more or fewer. Do not use a password, or a fast hash of
    /// one.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != 32 {
            return None;
        }
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(bytes);
        Some(Self(Arc::new(key)))
    }

    /// Generates a random key.
    ///
    /// # Errors
    /// Returns [`KeyError`] if the operating system provides no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut key = Zeroizing::new([0; 32]);
        random(&mut *key)?;
        Ok(Self(Arc::new(key)))
    }

    /// Returns the bytes of the key, in order to store them. Never log them or put them into an error.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the id by which a file names its key.
    pub(in crate::storage) fn id(&self) -> KeyId {
        let digest = Sha256::new().chain_update("auth-cache key id").chain_update(self.expose()).finalize();
        let mut id = [0; KEY_ID];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        id
    }
}

/// Fills `bytes` with random bytes of the operating system.
pub(in crate::storage) fn random(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes)
        .map_err(|error| KeyError::new(KeyErrorKind::Other, format!("the system provides no random bytes: {error}")))
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_256_bits_and_a_unique_id() {
        let [one, other] = [1, 2].map(|byte| EncryptionKey::from_slice(&[byte; 32]).unwrap());
        assert_eq!(one.expose(), &[1; 32]);
        assert!(one.clone().id() == one.id() && one.id() != other.id());
        for length in [0, 16, 31, 33, 64] {
            assert!(EncryptionKey::from_slice(&vec![7; length]).is_none(), "{length}");
        }
        assert_ne!(EncryptionKey::generate().unwrap().id(), EncryptionKey::generate().unwrap().id());
        assert!(!format!("{one:?}").contains('1'));
    }
}
