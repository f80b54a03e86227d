//! Removing an account.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use auth_core::text::same;
use auth_core::{Account, Authority, ClientId, Timestamp};

use crate::document::{Document, Draft, Item, Partition, PartitionKey, entries, remove};
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, RefreshToken};
use crate::members::Entry;
use crate::pending::Moment;

/// Whose tokens are removed along with an account. The entries of the account itself are always removed, under all
/// names of the cloud, as in every MSAL.
///
/// ```
/// use auth_cache::{RemovalScope, StorageError, TokenCache};
/// use auth_core::{Account, Authority, ClientId};
///
/// async fn sign_out_everywhere(
///     cache: &TokenCache,
///     authority: &Authority,
///     client_id: &ClientId,
///     account: &Account,
/// ) -> Result<bool, StorageError> {
///     cache.remove_account(authority, client_id, account, RemovalScope::AllClients).await
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemovalScope {
    /// Those of this client. It leaves the refresh token of a family of clients, which this client could still use.
    ThisClient,
    /// Those of this client; if the account has a refresh token of a family of clients, those of all clients, as the
    /// family would otherwise sign the user in again. The default, as in MSAL for .NET.
    #[default]
    Family,
    /// Those of all clients that share the store.
    AllClients,
}

/// The removal of an account, now or when the store works again.
#[derive(Debug)]
pub(crate) struct Removal {
    authority: Authority,
    client_id: ClientId,
    account: Account,
    scope: RemovalScope,
    /// Whether the account had a refresh token of a family.
    had_family_token: AtomicBool,
    /// When the user had last signed in, if that is known.
    signed_in: Mutex<Option<Timestamp>>,
}

impl Removal {
    pub(crate) fn new(authority: Authority, client_id: ClientId, account: Account, scope: RemovalScope) -> Self {
        let signed_in = Mutex::new(account.last_sign_in);
        Self { authority, client_id, account, scope, had_family_token: AtomicBool::new(false), signed_in }
    }

    /// Removes the account and returns whether anything was there. A reader that sees part of it gone sees none of the
    /// rest, including what was acquired on its behalf (S-87). If the removal had to wait for the store, a later
    /// sign-in stays.
    pub(crate) fn apply(&self, document: &Document, moment: Moment) -> bool {
        match moment {
            Moment::First => self.note_sign_in(document),
            Moment::Again if self.is_undone(document) => return false,
            Moment::Again => {}
        }
        let selection = self.select(document);
        document.edit_together(|edits| {
            let removed = edits.edit(&self.key(), |partition| selection.remove(partition));
            let keys = document.assertion_keys(|partition| selection.is_on_behalf(partition));
            let on_behalf = keys.iter().map(|key| edits.edit(key, |partition| selection.remove_on_behalf(partition)));
            on_behalf.fold(removed, usize::saturating_add) > 0
        })
    }

    /// Whether anything of the account is there, although it was removed and the user has not signed in since.
    pub(crate) fn finds(&self, document: &Document) -> bool {
        if self.is_undone(document) {
            return false;
        }
        let selection = self.select(document);
        document.partition(&self.key(), |partition| selection.remove(&mut partition.draft()) > 0).unwrap_or_default()
            || !document.assertion_keys(|partition| selection.is_on_behalf(partition)).is_empty()
    }

    fn key(&self) -> PartitionKey {
        PartitionKey::user(&self.account.home_account_id)
    }

    /// Decides whose tokens are removed. A refresh token of a family still counts once it is gone.
    pub(crate) fn select(&self, document: &Document) -> Selection<'_> {
        let is_family_token = |token: &RefreshToken| {
            !token.is_bound && !token.family_id.is_empty() && self.authority.is_environment(&token.environment)
        };
        if document.partition(&self.key(), |own| entries(&own.refresh_tokens).any(is_family_token)) == Some(true) {
            self.had_family_token.store(true, Ordering::Relaxed);
        }
        let all_clients = match self.scope {
            RemovalScope::ThisClient => false,
            RemovalScope::Family => self.had_family_token.load(Ordering::Relaxed),
            RemovalScope::AllClients => true,
        };
        Selection { removal: self, all_clients }
    }

    fn note_sign_in(&self, document: &Document) {
        let mut signed_in = self.signed_in();
        *signed_in = (*signed_in).max(self.last_sign_in(document));
    }

    /// Whether the user has signed in since the removal.
    fn is_undone(&self, document: &Document) -> bool {
        let before = *self.signed_in();
        before.is_some_and(|before| self.last_sign_in(document).is_some_and(|now| now > before))
    }

    /// When the user last signed in; the epoch if the account does not say, `None` without an account.
    fn last_sign_in(&self, document: &Document) -> Option<Timestamp> {
        let last = |partition: &Partition| {
            let own = entries(&partition.accounts).filter(|entry: &&AccountEntry| self.is_account(&entry.account));
            own.map(AccountEntry::signed_in_at).max()
        };
        document.partition(&self.key(), last).flatten()
    }

    fn is_account(&self, account: &Account) -> bool {
        // Accounts without a home account ID share a partition that holds nothing else.
        let nameless = self.account.home_account_id.as_str().is_empty();
        let local = &self.account.local_account_id;
        self.authority.is_environment(&account.environment)
            && (!nameless || (!local.is_empty() && same(&account.local_account_id, local)))
    }

    fn signed_in(&self) -> MutexGuard<'_, Option<Timestamp>> {
        // A time is replaced whole, so poison does not matter.
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries to remove.
pub(crate) struct Selection<'a> {
    removal: &'a Removal,
    all_clients: bool,
}

impl Selection<'_> {
    fn remove(&self, partition: &mut Draft) -> usize {
        [
            remove(&mut partition.access_tokens, |entry| self.is_gone(&entry.environment, &entry.client_id)),
            remove(&mut partition.refresh_tokens, |entry| self.is_refresh_token_gone(entry)),
            remove(&mut partition.id_tokens, |entry| self.is_gone(&entry.environment, &entry.client_id)),
            remove(&mut partition.accounts, |entry| self.removal.is_account(&entry.account)),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// Whether the partition holds anything that a service acquired on behalf of the account.
    fn is_on_behalf(&self, partition: &Partition) -> bool {
        partition.access_tokens.iter().any(|item| self.is_access_token_on_behalf(item))
            || partition.refresh_tokens.iter().any(|item| self.is_refresh_token_on_behalf(item))
            || partition.id_tokens.iter().any(|item| self.is_id_token_on_behalf(item))
    }

    fn remove_on_behalf(&self, partition: &mut Draft) -> usize {
        let count = |partition: &Draft| {
            let lengths = [partition.access_tokens.len(), partition.refresh_tokens.len(), partition.id_tokens.len()];
            lengths.into_iter().fold(0, usize::saturating_add)
        };
        let before = count(partition);
        partition.access_tokens.retain(|item| !self.is_access_token_on_behalf(item));
        partition.refresh_tokens.retain(|item| !self.is_refresh_token_on_behalf(item));
        partition.id_tokens.retain(|item| !self.is_id_token_on_behalf(item));
        before.saturating_sub(count(partition))
    }

    fn is_access_token_on_behalf(&self, item: &Item<AccessToken>) -> bool {
        item.entry().is_some_and(|entry| self.is_gone(&entry.environment, &entry.client_id)) && self.names_account(item)
    }

    fn is_refresh_token_on_behalf(&self, item: &Item<RefreshToken>) -> bool {
        item.entry().is_some_and(|entry| self.is_refresh_token_gone(entry)) && self.names_account(item)
    }

    fn is_id_token_on_behalf(&self, item: &Item<IdTokenEntry>) -> bool {
        item.entry().is_some_and(|entry| self.is_gone(&entry.environment, &entry.client_id)) && self.names_account(item)
    }

    /// Whether an entry of an assertion names the account.
    fn names_account<E: Entry>(&self, item: &Item<E>) -> bool {
        let id = self.removal.account.home_account_id.as_str();
        !id.is_empty() && item.members().is_some_and(|members| same(&members.lenient("home_account_id"), id))
    }

    fn is_refresh_token_gone(&self, token: &RefreshToken) -> bool {
        let is_kept = self.removal.scope == RemovalScope::ThisClient && !token.family_id.is_empty();
        !is_kept && self.is_gone(&token.environment, &token.client_id)
    }

    fn is_gone(&self, environment: &str, client_id: &str) -> bool {
        self.removal.authority.is_environment(environment)
            && (self.all_clients || same(client_id, self.removal.client_id.as_str()))
    }
}

#[cfg(test)]
mod tests;
