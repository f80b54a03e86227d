//! What is known of a store at one moment.

use std::sync::Arc;

use crate::document::Document;
use crate::storage::Version;

/// The document at one version.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) version: Version,
    pub(crate) document: Arc<Document>,
    /// Whether it must be read anew although the version is the same.
    pub(crate) is_stale: bool,
    /// Why what is stored is not touched, in which case the document is what this process knows.
    pub(crate) refused: Option<&'static str>,
}

impl Default for Picture {
    fn default() -> Self {
        Self::new(Version::NONE, Arc::default())
    }
}

impl Picture {
    pub(crate) const fn new(version: Version, document: Arc<Document>) -> Self {
        Self { version, document, is_stale: false, refused: None }
    }
}
