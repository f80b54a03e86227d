//! Refresh tokens.

use std::sync::Arc;

use auth_core::{Secret, Timestamp};

use super::assertion;
use crate::extension::Extended;
use crate::members::{Entry, Members};
use crate::names::shared;

/// A refresh token of a client or of a family of clients.
#[derive(Debug)]
pub(crate) struct RefreshToken {
    pub(crate) environment: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) family_id: Box<str>,
    pub(crate) secret: Secret,
    pub(crate) last_modification_time: Timestamp,
    /// Whether it is bound to an extension or an assertion, and so of no use to plain requests.
    pub(crate) is_bound: bool,
}

impl Entry for RefreshToken {
    fn read(members: &Members<'_>) -> Option<Self> {
        Some(Self {
            is_bound: !matches!(Extended::read(members), Extended::Not) || !assertion(members)?.is_empty(),
            environment: shared(&members.text("environment").or_empty()?),
            client_id: shared(&members.text("client_id").or_empty()?),
            family_id: members.text("family_id").or_empty()?.into(),
            secret: members.secret("secret")?,
            last_modification_time: members.time("last_modification_time").unwrap_or_default(),
        })
    }
}
