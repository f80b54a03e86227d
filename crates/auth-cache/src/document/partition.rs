//! Partitions: the entries of one account, one application in a tenant, or one assertion.

use std::sync::Arc;

use auth_core::Scopes;

use super::item::{Item, Items};
use super::row::{Row, Rows};
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, RefreshToken};

/// Entries that belong together. Immutable: a writer replaces it.
#[derive(Debug)]
pub(crate) struct Partition {
    /// The name in its [`PartitionKey`](super::PartitionKey).
    pub(crate) name: Arc<str>,
    pub(crate) access_tokens: Items<AccessToken>,
    pub(crate) refresh_tokens: Items<RefreshToken>,
    pub(crate) id_tokens: Items<IdTokenEntry>,
    pub(crate) accounts: Items<AccountEntry>,
    /// Its position in document order.
    pub(crate) number: u64,
    rows: Rows,
}

/// A partition while it is being changed.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) access_tokens: Vec<Arc<Item<AccessToken>>>,
    pub(crate) refresh_tokens: Vec<Arc<Item<RefreshToken>>>,
    pub(crate) id_tokens: Vec<Arc<Item<IdTokenEntry>>>,
    pub(crate) accounts: Vec<Arc<Item<AccountEntry>>>,
    pub(crate) number: u64,
}

impl Partition {
    pub(crate) fn draft(&self) -> Draft {
        Draft {
            access_tokens: self.access_tokens.to_vec(),
            refresh_tokens: self.refresh_tokens.to_vec(),
            id_tokens: self.id_tokens.to_vec(),
            accounts: self.accounts.to_vec(),
            number: self.number,
        }
    }

    /// The first result of `find`, which is called with the rows of the access tokens that may be returned to a request for
    /// `wanted`, best first, and with what the provider declined. Tokens that grant all of the request come before those that
    /// answered the same one with less.
    pub(crate) fn find<'a, T>(
        &'a self,
        wanted: &Scopes,
        find: impl Fn(&'a Arc<Row>, Option<&'a Scopes>) -> Option<T>,
    ) -> Option<T> {
        let rows = || self.rows.that_may_grant(wanted.mask(), &self.access_tokens, &self.id_tokens, &self.accounts);
        let granting = rows().filter(|row| row.scopes.grants(wanted)).find_map(|row| find(row, None));
        granting.or_else(|| rows().find_map(|row| find(row, Some(row.token.declined(wanted)?))))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.access_tokens.is_empty()
            && self.refresh_tokens.is_empty()
            && self.id_tokens.is_empty()
            && self.accounts.is_empty()
    }

    /// How much the partition holds.
    pub(crate) fn size(&self) -> Size {
        fn bytes<E>(items: &Items<E>) -> usize {
            items.iter().map(|item| item.size()).fold(0, usize::saturating_add)
        }
        let access_token_bytes = bytes(&self.access_tokens);
        let sections = [access_token_bytes, bytes(&self.refresh_tokens), bytes(&self.id_tokens), bytes(&self.accounts)];
        let lengths = [self.access_tokens.len(), self.refresh_tokens.len(), self.id_tokens.len(), self.accounts.len()];
        Size {
            entries: lengths.into_iter().fold(0, usize::saturating_add),
            access_tokens: self.access_tokens.len(),
            access_token_bytes,
            bytes: sections.into_iter().fold(0, usize::saturating_add),
        }
    }
}

impl Draft {
    pub(super) fn finish(self, name: Arc<str>) -> Partition {
        Partition {
            name,
            access_tokens: self.access_tokens.into_boxed_slice(),
            refresh_tokens: self.refresh_tokens.into_boxed_slice(),
            id_tokens: self.id_tokens.into_boxed_slice(),
            accounts: self.accounts.into_boxed_slice(),
            number: self.number,
            rows: Rows::default(),
        }
    }
}

/// How much partitions hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) entries: usize,
    pub(crate) access_tokens: usize,
    pub(crate) access_token_bytes: usize,
    pub(crate) bytes: usize,
}

impl Size {
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_sub(other.entries),
            access_tokens: self.access_tokens.saturating_sub(other.access_tokens),
            access_token_bytes: self.access_token_bytes.saturating_sub(other.access_token_bytes),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            access_tokens: self.access_tokens.saturating_add(other.access_tokens),
            access_token_bytes: self.access_token_bytes.saturating_add(other.access_token_bytes),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}
