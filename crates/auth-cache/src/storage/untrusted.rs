//! What others may have written, read as the stores read it: for fuzzing, no part of the API.

#[cfg(feature = "redis")]
use super::Stored;
#[cfg(feature = "encrypted")]
use super::encrypted::seal;
#[cfg(feature = "encrypted")]
use super::keys::{EncryptionKey, KeyError};
#[cfg(feature = "encrypted")]
use zeroize::Zeroizing;

/// Who holds a lock, as a lock file with this content says.
#[cfg(feature = "file")]
#[must_use]
pub fn lock_file(content: &[u8]) -> Option<super::LockHolder> {
    super::LockHolder::parse(&String::from_utf8_lossy(content))
}

/// The encrypted file of a cache of this name.
///
/// # Errors
/// [`KeyError`] when it is too large, or the system has no randomness.
#[cfg(feature = "encrypted")]
pub fn encrypted_file(key: &EncryptionKey, name: &str, content: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    seal::seal(key, name, content)
}

/// What is in an encrypted file, if it opens.
#[cfg(feature = "encrypted")]
#[must_use]
pub fn decrypted_file(key: &EncryptionKey, name: &str, file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    seal::open(key, name, file).ok()
}

/// What a server answered that was asked for a partition.
///
/// # Errors
/// Why it is none, without any of it.
#[cfg(feature = "redis")]
pub fn redis_value(answer: redis::Value) -> Result<Stored, &'static str> {
    super::redis::stored(answer)
}
