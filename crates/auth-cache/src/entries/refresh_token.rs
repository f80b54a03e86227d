//! Refresh tokens.

use std::sync::Arc;

use auth_core::{Secret, Timestamp};

use super::assertion;
use crate::document::{Key, KeyKind, Make, NewEntry, Origin};
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
    /// Whether it is bound to an extension or an assertion, and so not for plain requests.
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

impl RefreshToken {
    /// The refresh token of a response.
    pub(crate) fn new(origin: &Origin, secret: &Secret) -> Self {
        Self {
            environment: Arc::clone(&origin.environment),
            client_id: Arc::clone(&origin.client_id),
            family_id: origin.tokens.family_id.as_deref().unwrap_or_default().into(),
            secret: secret.clone(),
            last_modification_time: origin.tokens.received_at,
            is_bound: false,
        }
    }
}

impl Make for RefreshToken {
    fn kind(&self) -> KeyKind {
        if self.family_id.is_empty() { KeyKind::RefreshToken } else { KeyKind::FamilyRefreshToken }
    }

    fn own_bytes(&self) -> usize {
        self.secret.expose().len()
    }

    fn key(&self, origin: &Origin) -> Key {
        let id = origin.home_account_id.as_str();
        if self.family_id.is_empty() {
            Key::refresh_token(id, &self.environment, &self.client_id)
        } else {
            Key::family_refresh_token(id, &self.environment, &self.family_id)
        }
    }

    fn members<'a>(&'a self, origin: &'a Origin) -> NewEntry<'a> {
        origin
            .credential("RefreshToken")
            .with_secret("secret", &self.secret)
            .with("family_id", &*self.family_id)
            .with("target", origin.tokens.granted_scopes.sorted().to_string())
            .with_time("last_modification_time", self.last_modification_time)
    }
}
