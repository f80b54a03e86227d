//! Encryption keys and their sources.

mod error;
mod key;
#[cfg(feature = "keyring")]
mod keyring;
#[cfg(all(feature = "keyring", unix, not(target_os = "macos")))]
pub(in crate::storage) mod secret_service;
mod source;
mod turn;

pub use error::{KeyError, KeyErrorKind};
pub use key::EncryptionKey;
pub(in crate::storage) use key::{KEY_ID, KeyId, random};
#[cfg(feature = "keyring")]
pub use keyring::Keyring;
pub use source::{DynKeySource, KeySource};
pub(in crate::storage) use turn::Turn;
#[cfg(all(feature = "secret-service", unix, not(target_os = "macos")))]
pub(in crate::storage) use turn::blocking;
