//! The Secret Service of the session.

use zeroize::Zeroizing;

use super::slot::Slot;
use crate::storage::keys::error::KeyError;
use crate::storage::keys::secret_service::{self, Attributes};

/// What kind of item it is, for programs that show a keyring.
const SCHEMA: &str = "auth.TokenCacheKey";

impl Slot {
    fn attributes(&self) -> Attributes {
        let pairs = [("xdg:schema", SCHEMA), ("application", &self.application), ("cache", &self.name)];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

pub(super) fn load(slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    secret_service::load(&slot.attributes())
}

pub(super) fn store(slot: &Slot, secret: &[u8]) -> Result<(), KeyError> {
    let label = format!("{}: key of the token cache {}", slot.application, slot.name);
    secret_service::store(&slot.attributes(), &label, secret, "application/octet-stream")
}

pub(super) fn remove(slot: &Slot) -> Result<(), KeyError> {
    secret_service::remove(&slot.attributes())
}
