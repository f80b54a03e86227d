//! Keys, and where they are kept.

mod error;
mod key;
mod source;

pub use error::{KeyError, KeyErrorKind};
pub use key::EncryptionKey;
pub(in crate::storage) use key::{KEY_ID, KeyId, random};
pub use source::{DynKeySource, KeySource};
