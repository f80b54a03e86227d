//! Where in a keyring a secret is.

use std::sync::Arc;

/// A place for one secret.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) application: Arc<str>,
    pub(super) name: String,
}
