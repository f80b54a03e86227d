//! What is known of clients.

use crate::members::{Entry, Members};

/// Whether a client is in a family of clients. Without family it is known to be in none.
#[derive(Debug)]
pub(crate) struct AppMetadata {
    pub(crate) environment: Box<str>,
    pub(crate) client_id: Box<str>,
    pub(crate) family_id: Box<str>,
}

impl Entry for AppMetadata {
    fn read(members: &Members<'_>) -> Option<Self> {
        Some(Self {
            environment: members.text("environment").or_empty()?.into(),
            client_id: members.text("client_id").or_empty()?.into(),
            family_id: members.text("family_id").or_empty()?.into(),
        })
    }
}
