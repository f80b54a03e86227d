//! Forgetting an account.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use auth_core::text::same;
use auth_core::{Account, Authority, ClientId, Timestamp};

use crate::document::{Document, Draft, Item, Partition, PartitionKey, entries, remove};
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, RefreshToken};
use crate::members::Entry;
use crate::pending::Moment;

/// Whose tokens go when an account is forgotten. The entries of the account itself always go, as with every MSAL, under
/// all names of the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemovalScope {
    /// Those of this client. A family of clients keeps its refresh token, with which this client could go on.
    ThisClient,
    /// Those of this client; where the account has a refresh token of a family of clients, those of all clients, as otherwise
    /// the family would sign the user in again. The default, as in MSAL for .NET.
    #[default]
    Family,
    /// Those of all clients that share the store.
    AllClients,
}

/// Forgetting an account, now or when the store works again.
#[derive(Debug)]
pub(crate) struct Removal {
    authority: Authority,
    client_id: ClientId,
    account: Account,
    scope: RemovalScope,
    /// Whether the account had a refresh token of a family.
    is_familys: AtomicBool,
    /// When the user had signed in last, as far as is known.
    signed_in: Mutex<Option<Timestamp>>,
}

impl Removal {
    pub(crate) fn new(authority: Authority, client_id: ClientId, account: Account, scope: RemovalScope) -> Self {
        let signed_in = Mutex::new(account.last_sign_in);
        Self { authority, client_id, account, scope, is_familys: AtomicBool::new(false), signed_in }
    }

    /// Forgets the account and tells whether anything was there. Who sees that a part of it is gone sees nothing of the rest,
    /// of what was got on behalf of it neither (S-87). Where it waited for the store, a later sign-in stays.
    pub(crate) fn apply(&self, document: &Document, moment: Moment) -> bool {
        match moment {
            Moment::First => self.note_sign_in(document),
            Moment::Again if self.is_undone(document) => return false,
            Moment::Again => {}
        }
        let going = self.look(document);
        document.edit_together(|edits| {
            let removed = edits.edit(&self.place(), |partition| going.remove(partition));
            let places = document.assertions(|partition| going.is_on_behalf(partition));
            let on_behalf = places.iter().map(|place| edits.edit(place, |partition| going.remove_on_behalf(partition)));
            on_behalf.fold(removed, usize::saturating_add) > 0
        })
    }

    /// Whether there is something of the account, although it was removed and the user has not signed in since.
    pub(crate) fn finds(&self, document: &Document) -> bool {
        if self.is_undone(document) {
            return false;
        }
        let going = self.look(document);
        document.partition(&self.place(), |partition| going.remove(&mut partition.draft()) > 0).unwrap_or_default()
            || !document.assertions(|partition| going.is_on_behalf(partition)).is_empty()
    }

    fn place(&self) -> PartitionKey {
        PartitionKey::of_user(&self.account.home_account_id)
    }

    /// Whose tokens go. That there was a token of a family counts on when it is gone.
    pub(crate) fn look(&self, document: &Document) -> Going<'_> {
        let is_familys = |token: &RefreshToken| {
            !token.is_bound && !token.family_id.is_empty() && self.authority.is_environment(&token.environment)
        };
        if document.partition(&self.place(), |own| entries(&own.refresh_tokens).any(is_familys)) == Some(true) {
            self.is_familys.store(true, Ordering::Relaxed);
        }
        let all_clients = match self.scope {
            RemovalScope::ThisClient => false,
            RemovalScope::Family => self.is_familys.load(Ordering::Relaxed),
            RemovalScope::AllClients => true,
        };
        Going { removal: self, all_clients }
    }

    fn note_sign_in(&self, document: &Document) {
        let mut signed_in = self.signed_in();
        *signed_in = (*signed_in).max(self.last_sign_in(document));
    }

    /// Whether the user signed in after the removal.
    fn is_undone(&self, document: &Document) -> bool {
        let before = *self.signed_in();
        before.is_some_and(|before| self.last_sign_in(document).is_some_and(|now| now > before))
    }

    /// When the user signed in last, the epoch where the account does not tell; `None` without an account.
    fn last_sign_in(&self, document: &Document) -> Option<Timestamp> {
        let last = |partition: &Partition| {
            let own = entries(&partition.accounts).filter(|entry: &&AccountEntry| self.is_account(&entry.account));
            own.map(AccountEntry::signed_in_at).max()
        };
        document.partition(&self.place(), last).flatten()
    }

    fn is_account(&self, account: &Account) -> bool {
        // Accounts without home account id share a partition, in which there is nothing but accounts.
        let nameless = self.account.home_account_id.as_str().is_empty();
        let local = &self.account.local_account_id;
        self.authority.is_environment(&account.environment)
            && (!nameless || (!local.is_empty() && same(&account.local_account_id, local)))
    }

    fn signed_in(&self) -> MutexGuard<'_, Option<Timestamp>> {
        // A time is whole at any time: poison tells nothing.
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What goes.
pub(crate) struct Going<'a> {
    removal: &'a Removal,
    all_clients: bool,
}

impl Going<'_> {
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

    /// Whether a service got anything of the partition on behalf of the account.
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
        item.entry().is_some_and(|entry| self.is_gone(&entry.environment, &entry.client_id)) && self.is_accounts(item)
    }

    fn is_refresh_token_on_behalf(&self, item: &Item<RefreshToken>) -> bool {
        item.entry().is_some_and(|entry| self.is_refresh_token_gone(entry)) && self.is_accounts(item)
    }

    fn is_id_token_on_behalf(&self, item: &Item<IdTokenEntry>) -> bool {
        item.entry().is_some_and(|entry| self.is_gone(&entry.environment, &entry.client_id)) && self.is_accounts(item)
    }

    /// Whether an entry of an assertion names the account.
    fn is_accounts<E: Entry>(&self, item: &Item<E>) -> bool {
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
