//! The Secret Service of the user's session.

use zeroize::Zeroizing;

use super::slot::{Secrets, Slot};
use crate::storage::keys::error::KeyError;
use crate::storage::keys::secret_service::{self, Attributes, Deadline};

/// The kind of item, for programs that display a keyring.
const SCHEMA: &str = "auth.TokenCacheKey";

impl Slot {
    fn attributes(&self) -> Attributes {
        let pairs = [("xdg:schema", SCHEMA), ("application", &self.application), ("cache", &self.name)];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }
}

/// The Secret Service, with one deadline for all requests.
pub(super) struct Session(Deadline);

pub(super) fn open() -> Result<Session, KeyError> {
    Ok(Session(Deadline::new()))
}

impl Secrets for Session {
    fn load(&self, slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        secret_service::load(&slot.attributes(), self.0)
    }

    fn store(&self, slot: &Slot, secret: &[u8]) -> Result<(), KeyError> {
        let label = format!("{}: key of the token cache {}", slot.application, slot.name);
        secret_service::store(&slot.attributes(), &label, secret, "application/octet-stream", self.0)
    }

    fn remove(&self, slot: &Slot) -> Result<(), KeyError> {
        secret_service::remove(&slot.attributes(), self.0)
    }
}
