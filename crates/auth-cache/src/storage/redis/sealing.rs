//! Encryption of values, with the feature `encrypted` (S-92).

use zeroize::Zeroizing;

#[cfg(feature = "encrypted")]
use crate::storage::encrypted::seal;
#[cfg(feature = "encrypted")]
use crate::storage::keys::EncryptionKey;

/// The value was modified, or belongs elsewhere.
pub(super) struct NotOpened;

/// The key of all values, if they are encrypted.
#[derive(Clone, Debug, Default)]
pub(super) struct Sealing {
    #[cfg(feature = "encrypted")]
    key: Option<EncryptionKey>,
}

#[cfg(feature = "encrypted")]
impl Sealing {
    pub(super) const fn with(key: EncryptionKey) -> Self {
        Self { key: Some(key) }
    }

    /// Returns the part of the names of values that depends on the key, so that plain values, and those sealed with
    /// another key, are never encountered.
    pub(super) fn space(&self) -> String {
        self.key.as_ref().map_or_else(String::new, |key| format!(":e{:016x}", u64::from_be_bytes(key.id())))
    }

    /// Seals a value for one name. It does not open under the name of another prefix, version or partition.
    pub(super) fn seal(&self, name: &str, content: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        match &self.key {
            Some(key) => seal::seal(key, name, &content).map_err(|_| "it could not be encrypted"),
            None => Ok(content),
        }
    }

    pub(super) fn open(&self, name: &str, content: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        match &self.key {
            Some(key) => seal::open(key, name, &content).map_err(|seal::NotOpened| NotOpened),
            None => Ok(content),
        }
    }
}

#[cfg(not(feature = "encrypted"))]
impl Sealing {
    pub(super) const fn space(&self) -> &'static str {
        ""
    }

    pub(super) fn seal(&self, _name: &str, content: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        Ok(content)
    }

    pub(super) fn open(&self, _name: &str, content: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        Ok(content)
    }
}
