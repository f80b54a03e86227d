//! What is known about a stored document at one moment.

use std::sync::Arc;

use crate::document::Document;
use crate::storage::Version;

/// A document at one version.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: Version,
    pub(crate) document: Arc<Document>,
    /// Whether the store must be read even if its version is the same.
    pub(crate) is_stale: bool,
    /// Why the stored document is left alone. The document here is then what this process knows.
    pub(crate) refused: Option<&'static str>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new(Version::NONE, Arc::default())
    }
}

impl Snapshot {
    pub(crate) const fn new(version: Version, document: Arc<Document>) -> Self {
        Self { version, document, is_stale: false, refused: None }
    }
}
