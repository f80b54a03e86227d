//! What is known about clients.

use std::sync::Arc;

use crate::members::{Entry, Members};
use crate::names::shared;

/// Whether a client belongs to a family of clients. Without a family ID, it is known to belong to none.
#[derive(Debug)]
pub(crate) struct AppMetadata {
    pub(crate) environment: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) family_id: Box<str>,
}

impl Entry for AppMetadata {
    fn read(members: &Members<'_>) -> Option<Self> {
        Some(Self {
            environment: shared(&members.text("environment").or_empty()?),
            client_id: shared(&members.text("client_id").or_empty()?),
            family_id: members.text("family_id").or_empty()?.into(),
        })
    }
}
