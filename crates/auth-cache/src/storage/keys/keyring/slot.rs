//! Slots of a keyring.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::storage::keys::error::KeyError;

/// A place for one secret.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) application: Arc<str>,
    pub(super) name: String,
}

/// The secrets of a keyring, for the duration of one request.
pub(super) trait Secrets {
    fn load(&self, slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError>;
    fn store(&self, slot: &Slot, secret: &[u8]) -> Result<(), KeyError>;
    fn remove(&self, slot: &Slot) -> Result<(), KeyError>;
}
