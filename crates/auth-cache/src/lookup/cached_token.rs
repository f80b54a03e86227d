//! A token that the cache hands out.

use std::sync::Arc;

use auth_core::{Account, Scopes, Secret, Timestamp};

use crate::document::Row;
use crate::entries::IdTokenEntry;

/// An access token from the cache, with its ID token and account. It shares its data with the cache, so cloning is
/// cheap.
#[derive(Clone, Debug)]
pub struct CachedToken {
    row: Arc<Row>,
    /// Whatever differs from the row; nearly always nothing, which keeps a hit small.
    own: Option<Box<Own>>,
}

#[derive(Clone, Debug)]
struct Own {
    id_token: Option<Arc<IdTokenEntry>>,
    account: Option<Arc<Account>>,
    declined: Option<Scopes>,
}

impl CachedToken {
    /// The token of a row, with the ID token and account that were found for it and what the provider declined.
    #[inline]
    pub(super) fn new(
        row: &Arc<Row>,
        id_token: Option<&Arc<IdTokenEntry>>,
        account: Option<&Arc<Account>>,
        declined: Option<&Scopes>,
    ) -> Self {
        let is_of_row = is_same(id_token, row.id_token.as_ref()) && is_same(account, row.account.as_ref());
        let own = || Own { id_token: id_token.cloned(), account: account.cloned(), declined: declined.cloned() };
        let own = (!is_of_row || declined.is_some()).then(|| Box::new(own()));
        Self { row: Arc::clone(row), own }
    }

    /// Returns the access token.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.row.token.secret
    }

    /// Returns the scopes that the token grants.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.row.scopes
    }

    /// Returns the requested scopes that the provider declined, or `None` if the token grants all of them.
    ///
    /// A token that grants only a part is returned to the same request alone, until it expires, and only by the
    /// process that cached it: asked again, the provider would only repeat its answer.
    #[must_use]
    pub fn declined_scopes(&self) -> Option<&Scopes> {
        self.own.as_ref()?.declined.as_ref()
    }

    /// Returns when the token expires.
    #[must_use]
    pub fn expires_on(&self) -> Timestamp {
        self.row.life.expires_on
    }

    /// Returns when the token should be refreshed in the background, if the server said so (`refresh_in`).
    #[must_use]
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.row.life.refresh_on
    }

    /// Returns when the token was cached.
    #[must_use]
    pub fn cached_at(&self) -> Timestamp {
        self.row.life.cached_at
    }

    /// Returns the tenant that issued the token.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.row.realm
    }

    /// Returns the ID token that belongs to the token, unparsed: see [`IdToken::parse`](auth_core::IdToken::parse).
    #[must_use]
    pub fn id_token(&self) -> Option<&Secret> {
        let entry = match &self.own {
            Some(own) => &own.id_token,
            None => &self.row.id_token,
        };
        entry.as_ref().map(|entry| &entry.secret)
    }

    /// Returns the account that the token belongs to, as its tenant sees it.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match &self.own {
            Some(own) => own.account.as_deref(),
            None => self.row.account.as_deref(),
        }
    }
}

fn is_same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
