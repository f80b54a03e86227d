//! Parsers of what other programs may have written, exposed for fuzzing. Not part of the API.

#[cfg(feature = "redis")]
use super::Stored;
#[cfg(feature = "encrypted")]
use super::encrypted::seal;
#[cfg(feature = "encrypted")]
use super::keys::{EncryptionKey, KeyError};
#[cfg(feature = "encrypted")]
use zeroize::Zeroizing;

/// Parses the content of a lock file.
#[cfg(feature = "file")]
#[must_use]
pub fn lock_file(content: &[u8]) -> Option<super::LockHolder> {
    super::LockHolder::parse(&String::from_utf8_lossy(content))
}

/// Encrypts the file of a cache of this name.
///
/// # Errors
/// Returns [`KeyError`] if the content is too large, or the system provides no random bytes.
#[cfg(feature = "encrypted")]
pub fn encrypted_file(key: &EncryptionKey, name: &str, content: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    seal::seal(key, name, content)
}

/// Decrypts the file of a cache of this name; `None` if it is not authentic.
#[cfg(feature = "encrypted")]
#[must_use]
pub fn decrypted_file(key: &EncryptionKey, name: &str, file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    seal::open(key, name, file).ok()
}

/// Parses a server's answer to a request for a partition.
///
/// # Errors
/// Returns why the answer is invalid, without repeating any of it.
#[cfg(feature = "redis")]
pub fn redis_value(answer: redis::Value) -> Result<Stored, &'static str> {
    super::redis::stored(answer)
}
