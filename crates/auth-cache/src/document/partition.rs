//! The unit of everything: what belongs to one account, one application in a tenant, or one assertion.

use std::sync::{Arc, OnceLock};

use super::item::{Item, Items};
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, RefreshToken};

/// What belongs together. Nobody changes it; a writer replaces it.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    pub(crate) access_tokens: Items<AccessToken>,
    pub(crate) refresh_tokens: Items<RefreshToken>,
    pub(crate) id_tokens: Items<IdTokenEntry>,
    pub(crate) accounts: Items<AccountEntry>,
    /// Which one it is in the order of the document.
    pub(crate) number: u64,
    beside: OnceLock<Box<[Beside]>>,
}

/// Which entries belong to an access token, as far as their texts are the same: nearly always, and found once.
#[derive(Clone, Copy, Debug)]
struct Beside {
    id_token: Option<usize>,
    account: Option<usize>,
}

/// A partition that is being changed.
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

    /// The id_token of the same client, environment and realm as the access token at `position`.
    pub(crate) fn id_token_beside(&self, position: usize) -> Option<&IdTokenEntry> {
        self.id_tokens.get(self.beside(position)?.id_token?)?.entry()
    }

    /// The account of the same environment and realm as the access token at `position`.
    pub(crate) fn account_beside(&self, position: usize) -> Option<&AccountEntry> {
        self.accounts.get(self.beside(position)?.account?)?.entry()
    }

    fn beside(&self, position: usize) -> Option<&Beside> {
        let find = |item: &Arc<Item<AccessToken>>| {
            let token = item.entry();
            let id_token = token.and_then(|token| {
                let same = |entry: &IdTokenEntry| {
                    (&entry.environment, &entry.client_id, &entry.realm)
                        == (&token.environment, &token.client_id, &token.realm)
                };
                self.id_tokens.iter().position(|item| item.entry().is_some_and(same))
            });
            let account = token.and_then(|token| {
                let same = |entry: &AccountEntry| {
                    (&*entry.account.environment, &*entry.account.realm) == (&*token.environment, &*token.realm)
                };
                self.accounts.iter().position(|item| item.entry().is_some_and(same))
            });
            Beside { id_token, account }
        };
        self.beside.get_or_init(|| self.access_tokens.iter().map(find).collect()).get(position)
    }

    /// How much there is.
    pub(crate) fn size(&self) -> Size {
        fn bytes<E>(items: &Items<E>) -> usize {
            items.iter().map(|item| item.size()).fold(0, usize::saturating_add)
        }
        let sections =
            [bytes(&self.access_tokens), bytes(&self.refresh_tokens), bytes(&self.id_tokens), bytes(&self.accounts)];
        let lengths = [self.access_tokens.len(), self.refresh_tokens.len(), self.id_tokens.len(), self.accounts.len()];
        Size {
            entries: lengths.into_iter().fold(0, usize::saturating_add),
            access_tokens: self.access_tokens.len(),
            bytes: sections.into_iter().fold(0, usize::saturating_add),
        }
    }
}

impl Draft {
    pub(crate) fn finish(self) -> Partition {
        Partition {
            access_tokens: self.access_tokens.into_boxed_slice(),
            refresh_tokens: self.refresh_tokens.into_boxed_slice(),
            id_tokens: self.id_tokens.into_boxed_slice(),
            accounts: self.accounts.into_boxed_slice(),
            number: self.number,
            beside: OnceLock::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.access_tokens.is_empty()
            && self.refresh_tokens.is_empty()
            && self.id_tokens.is_empty()
            && self.accounts.is_empty()
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) entries: usize,
    pub(crate) access_tokens: usize,
    pub(crate) bytes: usize,
}

impl Size {
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_sub(other.entries),
            access_tokens: self.access_tokens.saturating_sub(other.access_tokens),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            access_tokens: self.access_tokens.saturating_add(other.access_tokens),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}
