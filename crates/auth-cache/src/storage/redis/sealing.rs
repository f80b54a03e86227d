//! Whether values are encrypted (S-92), which is with the feature `encrypted`.

use zeroize::Zeroizing;

#[cfg(feature = "encrypted")]
use crate::storage::encrypted::seal;
#[cfg(feature = "encrypted")]
use crate::storage::keys::EncryptionKey;

/// A value was changed by somebody else, or belongs elsewhere.
pub(super) struct NotOpened;

/// The key of all values, if there is one.
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

    /// What keys of values have in them for it: what is plain, and what was sealed with another key, is never met.
    pub(super) fn space(&self) -> String {
        self.key.as_ref().map_or_else(String::new, |key| format!(":e{:016x}", u64::from_be_bytes(key.id())))
    }

    /// Seals a value for one place. What was sealed for another prefix, version or partition does not open there.
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
