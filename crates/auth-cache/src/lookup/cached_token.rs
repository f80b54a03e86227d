//! A token that the cache hands out.

use std::sync::Arc;

use auth_core::{Account, Scopes, Secret, Timestamp};

use crate::document::Row;
use crate::entries::IdTokenEntry;

/// A token in the cache. It shares everything with the cache; a clone counts one reference.
#[derive(Clone, Debug)]
pub struct CachedToken {
    row: Arc<Row>,
    /// What belongs to the token where the row does not tell.
    beside: Option<Box<Beside>>,
}

#[derive(Clone, Debug)]
struct Beside {
    id_token: Option<Arc<IdTokenEntry>>,
    account: Option<Arc<Account>>,
}

impl CachedToken {
    pub(super) fn of(row: &Arc<Row>) -> Self {
        Self { row: Arc::clone(row), beside: None }
    }

    /// The token with what was found for it elsewhere than in its row.
    pub(super) fn with(row: &Arc<Row>, id_token: Option<Arc<IdTokenEntry>>, account: Option<Arc<Account>>) -> Self {
        Self { row: Arc::clone(row), beside: Some(Box::new(Beside { id_token, account })) }
    }

    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.row.token.secret
    }

    /// What it grants.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.row.scopes
    }

    /// When it expires.
    #[must_use]
    pub fn expires_on(&self) -> Timestamp {
        self.row.life.expires_on
    }

    /// When it should be refreshed beside its use.
    #[must_use]
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.row.life.refresh_on
    }

    /// When it was cached.
    #[must_use]
    pub fn cached_at(&self) -> Timestamp {
        self.row.life.cached_at
    }

    /// The tenant it was issued in.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.row.realm
    }

    /// The id_token that belongs to it, raw: [`IdToken::parse`](auth_core::IdToken::parse) reads it.
    #[must_use]
    pub fn id_token(&self) -> Option<&Secret> {
        let entry = match &self.beside {
            Some(beside) => &beside.id_token,
            None => &self.row.id_token,
        };
        entry.as_ref().map(|entry| &entry.secret)
    }

    /// Whose it is, as seen from that tenant.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match &self.beside {
            Some(beside) => beside.account.as_deref(),
            None => self.row.account.as_deref(),
        }
    }
}
