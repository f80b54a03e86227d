//! The accounts in the cache.

use std::cmp::Reverse;
use std::collections::HashSet;

use auth_core::text::same;
use auth_core::{Account, AccountId, Authority, ClientId, TenantProfile, Timestamp};

use crate::document::{Document, Partition, entries};
use crate::entries::{AccountEntry, IdTokenEntry, RefreshToken};
use crate::family::{Family, has_plausible_id_tokens, is_from_issuer};

/// The accounts of one authority.
#[cfg(test)]
pub(crate) fn accounts(document: &Document, authority: &Authority, client_id: &ClientId) -> Vec<Account> {
    accounts_among(document, std::slice::from_ref(authority), client_id)
}

/// The accounts of each of these authorities, one per home account: most recent sign-in first, then by username.
pub(crate) fn accounts_among(document: &Document, authorities: &[Authority], client_id: &ClientId) -> Vec<Account> {
    let mut accounts = Vec::new();
    for authority in authorities {
        let asked = Asked { authority, client_id, family: Family::of(document, authority, client_id) };
        accounts.extend(document.users().iter().flat_map(|partition| asked.accounts(partition)));
    }
    sort(&mut accounts);
    accounts
}

/// The account with this home account ID.
pub(crate) fn account(
    document: &Document,
    authority: &Authority,
    client_id: &ClientId,
    id: &AccountId,
) -> Option<Account> {
    let asked = Asked { authority, client_id, family: Family::of(document, authority, client_id) };
    let found = document.user(id, |partition| asked.accounts(partition)).unwrap_or_default();
    // Accounts without an ID share a partition.
    found.into_iter().next().filter(|_| !id.as_str().is_empty())
}

/// Sorts accounts by most recent sign-in, then by username.
pub(crate) fn sort(accounts: &mut [Account]) {
    accounts.sort_by_cached_key(|account| {
        let name = (account.username.to_lowercase(), account.home_account_id.as_str().to_owned());
        (Reverse(account.last_sign_in), name)
    });
}

struct Asked<'a> {
    authority: &'a Authority,
    client_id: &'a ClientId,
    family: Family,
}

impl Asked<'_> {
    fn accounts(&self, partition: &Partition) -> Vec<Account> {
        let mut here: Vec<_> =
            entries(&partition.accounts).filter(|entry| self.is_ours(&entry.account, partition)).collect();
        // Accounts without a home account ID share a partition; each is separate.
        if here.first().is_some_and(|entry| entry.account.home_account_id.as_str().is_empty()) {
            return here.into_iter().map(|entry| Account::clone(&entry.account)).collect();
        }
        // Prefer the view of the account that the issuer itself gave, where several share the host, then that of the
        // home tenant.
        here.sort_by_cached_key(|entry| {
            let issued = self.has_id_token(&entry.account, partition, Some(&entry.account.realm));
            (!issued, !is_home(&entry.account, &entry.account.realm))
        });
        here.first().map(|best| self.complete(best, &here, partition)).into_iter().collect()
    }

    /// The account, completed with what its other entries say.
    fn complete(&self, best: &AccountEntry, here: &[&AccountEntry], partition: &Partition) -> Account {
        let mut account = Account::clone(&best.account);
        account.tenant_profiles = profiles(&account, here);
        account.source = here.iter().find_map(|entry| entry.source.as_deref()).map(str::to_owned);
        let mut refresh_tokens = entries(&partition.refresh_tokens)
            .filter(|token: &&RefreshToken| self.authority.is_environment(&token.environment))
            .filter(|token| self.family.may_try(token, self.client_id).is_some())
            .filter(|token| {
                is_from_issuer(
                    self.authority,
                    &account.home_account_id,
                    partition,
                    &token.environment,
                    &token.client_id,
                    None,
                )
            })
            .peekable();
        account.can_refresh = refresh_tokens.peek().is_some();
        let modified = here.iter().filter_map(|entry| entry.last_modification_time).max();
        let refreshed = refresh_tokens.map(|token| token.last_modification_time).max();
        account.last_sign_in = modified.or(refreshed).filter(|time| *time > Timestamp::EPOCH);
        account
    }

    /// Whether the account belongs to this authority. Where several issuers share a host, there must be an ID token of
    /// this one.
    fn is_ours(&self, account: &Account, partition: &Partition) -> bool {
        self.authority.is_environment(&account.environment) && self.has_id_token(account, partition, None)
    }

    /// Whether the issuer gave this client an ID token for the account. Always true where the environment alone tells
    /// whose an entry is.
    fn has_id_token(&self, account: &Account, partition: &Partition, realm: Option<&str>) -> bool {
        let issued = |entry: &IdTokenEntry| {
            self.authority.is_environment(&entry.environment)
                && same(&entry.client_id, self.client_id.as_str())
                && realm.is_none_or(|realm| same(&entry.realm, realm))
                && entry.is_of(self.authority, &account.home_account_id)
        };
        !self.authority.issuer_decides()
            || (has_plausible_id_tokens(partition) && entries(&partition.id_tokens).any(issued))
    }
}

/// One profile for each tenant, from the entries themselves and from the profiles within them.
fn profiles(account: &Account, here: &[&AccountEntry]) -> Vec<TenantProfile> {
    let own = here.iter().map(|entry| {
        let seen = &entry.account;
        profile(account, &seen.realm, &seen.local_account_id, &seen.username, seen.name.as_deref())
    });
    let within = here
        .iter()
        .flat_map(|entry| &entry.profiles)
        .map(|seen| profile(account, &seen.tenant_id, &seen.local_account_id, &seen.username, seen.name.as_deref()));
    let mut known = HashSet::new();
    own.chain(within).filter(|profile| known.insert(profile.tenant_id.to_ascii_lowercase())).collect()
}

fn profile(
    account: &Account,
    tenant_id: &str,
    local_account_id: &str,
    username: &str,
    name: Option<&str>,
) -> TenantProfile {
    let mut profile = TenantProfile::new(tenant_id, local_account_id);
    username.clone_into(&mut profile.username);
    profile.name = name.map(str::to_owned);
    profile.is_home = is_home(account, tenant_id);
    profile
}

fn is_home(account: &Account, tenant_id: &str) -> bool {
    account.home_account_id.home_tenant().is_some_and(|home| same(home, tenant_id))
}

#[cfg(test)]
mod tests;
