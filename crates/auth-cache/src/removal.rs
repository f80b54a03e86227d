//! Forgetting an account.

use std::collections::HashSet;

use auth_core::text::same;
use auth_core::{Account, Authority, ClientId};

use crate::document::{Document, Draft, Place, entries, remove};
use crate::entries::{AppMetadata, RefreshToken};
use crate::family::Family;

/// Whose tokens go when an account is forgotten. The entries of the account itself always go, as with every MSAL, under
/// all names of the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemovalScope {
    /// Those of this client. A family of clients keeps its refresh token, with which this client could go on.
    ThisClient,
    /// Those of this client and of every client of its family; for a client that is in none, its own. The default, as
    /// otherwise the family would sign the user in again.
    #[default]
    Family,
    /// Those of all clients that share the store.
    AllClients,
}

/// Forgets an account and tells whether anything was there. Nobody sees a part of its tokens; those that were got on behalf
/// of it lie elsewhere, and go after them.
pub(crate) fn remove_account(
    document: &Document,
    authority: &Authority,
    client_id: &ClientId,
    account: &Account,
    scope: RemovalScope,
) -> bool {
    let family = Family::of(document, authority, client_id);
    let common = document.common();
    let clients = entries(&common.app_metadata)
        .filter(|app: &&AppMetadata| scope == RemovalScope::Family && family.has(&app.family_id))
        .filter(|app| authority.is_environment(&app.environment))
        .map(|app| app.client_id.to_ascii_lowercase())
        .chain([client_id.as_str().to_ascii_lowercase()])
        .collect();
    let removal = Removal { authority, account, family, clients, scope };
    let place = Place::User(account.home_account_id.folded().into());
    let removed = document.edit(&place, |partition| removal.apply(partition));
    let on_behalf = document
        .assertions()
        .into_iter()
        .map(|place| document.edit(&place, |partition| removal.apply_on_behalf(partition)));
    on_behalf.fold(removed, usize::saturating_add) > 0
}

struct Removal<'a> {
    authority: &'a Authority,
    account: &'a Account,
    family: Family,
    /// In folded letters.
    clients: HashSet<String>,
    scope: RemovalScope,
}

impl Removal<'_> {
    fn apply(&self, partition: &mut Draft) -> usize {
        // Accounts without home account id share a partition, in which there is nothing but accounts.
        let nameless = self.account.home_account_id.as_str().is_empty();
        let is_account = |account: &Account| {
            let local = &self.account.local_account_id;
            self.authority.is_environment(&account.environment)
                && (!nameless || (!local.is_empty() && same(&account.local_account_id, local)))
        };
        [
            remove(&mut partition.access_tokens, |entry| self.is_gone(&entry.environment, &entry.client_id)),
            remove(&mut partition.refresh_tokens, |entry| self.is_refresh_token_gone(entry)),
            remove(&mut partition.id_tokens, |entry| self.is_gone(&entry.environment, &entry.client_id)),
            remove(&mut partition.accounts, |entry| is_account(&entry.account)),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// What a service got on behalf of the account.
    fn apply_on_behalf(&self, partition: &mut Draft) -> usize {
        let id = self.account.home_account_id.as_str();
        if id.is_empty() {
            return 0;
        }
        let before = partition.access_tokens.len();
        partition.access_tokens.retain(|item| {
            let of_account = item.members().is_some_and(|members| same(&members.lenient("home_account_id"), id));
            !(of_account && item.entry().is_some_and(|entry| self.is_gone(&entry.environment, &entry.client_id)))
        });
        before.saturating_sub(partition.access_tokens.len())
    }

    fn is_refresh_token_gone(&self, token: &RefreshToken) -> bool {
        let gone = self.is_gone(&token.environment, &token.client_id);
        let shared = || self.family.has(&token.family_id) && self.authority.is_environment(&token.environment);
        match self.scope {
            RemovalScope::ThisClient => gone && token.family_id.is_empty(),
            RemovalScope::Family => gone || shared(),
            RemovalScope::AllClients => gone,
        }
    }

    fn is_gone(&self, environment: &str, client_id: &str) -> bool {
        self.authority.is_environment(environment)
            && (self.scope == RemovalScope::AllClients || self.clients.contains(&client_id.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests;
