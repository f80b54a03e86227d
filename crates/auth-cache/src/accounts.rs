//! Which accounts the cache knows, and forgetting one.

use auth_core::{Account, Authority, ClientId, IdToken};

use crate::document::{Document, Members, Section};
use crate::entries::IdTokenEntry;
use crate::index::{Index, Partition};

/// The accounts of `authority`, one for each home account, by username.
pub(crate) fn accounts(index: &Index, authority: &Authority, client_id: &ClientId) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    for partition in index.partitions() {
        let mut here: Vec<_> =
            partition.accounts.iter().filter(|account| is_ours(account, partition, authority, client_id)).collect();
        // The picture that the issuer itself gave, where several share the host.
        here.sort_by_key(|account| !has_id_token(partition, authority, client_id, Some(&account.realm)));
        let mut here = here.into_iter();
        // Accounts without home account id share a partition; each is its own.
        if partition.accounts.first().is_some_and(|account| account.home_account_id.as_str().is_empty()) {
            accounts.extend(here.cloned());
        } else if let Some(first) = here.next() {
            let home = |account: &&Account| {
                account.home_account_id.home_tenant().is_some_and(|tenant| tenant.eq_ignore_ascii_case(&account.realm))
            };
            let picture = if home(&first) { first } else { here.find(home).unwrap_or(first) };
            accounts.push(picture.clone());
        }
    }
    let name = |account: &Account| (account.username.to_lowercase(), account.home_account_id.as_str().to_owned());
    accounts.sort_by_cached_key(name);
    accounts
}

/// Whether the account is this authority's. Where several issuers share a host, an id_token of the issuer must be there.
fn is_ours(account: &Account, partition: &Partition, authority: &Authority, client_id: &ClientId) -> bool {
    authority.is_environment(&account.environment)
        && (!authority.issuer_decides() || has_id_token(partition, authority, client_id, None))
}

/// Whether the issuer gave this client an id_token for the account; always, where the environment alone tells whose an
/// entry is.
fn has_id_token(partition: &Partition, authority: &Authority, client_id: &ClientId, realm: Option<&str>) -> bool {
    let issued = |entry: &IdTokenEntry| {
        authority.is_environment(&entry.environment)
            && entry.client_id.eq_ignore_ascii_case(client_id.as_str())
            && realm.is_none_or(|realm| entry.realm.eq_ignore_ascii_case(realm))
            && IdToken::parse(&entry.secret)
                .is_ok_and(|token| token.text("iss").is_some_and(|iss| authority.is_issuer(iss)))
    };
    !authority.issuer_decides() || partition.id_tokens.iter().any(issued)
}

/// Forgets an account for this client under every name of the authority: its tokens, and the account itself as all MSALs
/// do. Other clients' tokens stay. Tells whether anything was there.
pub(crate) fn remove(document: &mut Document, authority: &Authority, client_id: &ClientId, account: &Account) -> bool {
    let is_account = |entry: &Members| {
        let id = entry.lenient("home_account_id");
        let same = if id.is_empty() {
            account.home_account_id.as_str().is_empty()
                && !account.local_account_id.is_empty()
                && entry.lenient("local_account_id").eq_ignore_ascii_case(&account.local_account_id)
        } else {
            id.eq_ignore_ascii_case(account.home_account_id.as_str())
        };
        same && authority.is_environment(&entry.lenient("environment"))
    };
    let is_client = |entry: &Members| entry.lenient("client_id").eq_ignore_ascii_case(client_id.as_str());
    let families: Vec<_> = document
        .entries(Section::AppMetadata)
        .filter(|(_, entry)| is_client(entry) && authority.is_environment(&entry.lenient("environment")))
        .map(|(_, entry)| entry.lenient("family_id"))
        .filter(|family| !family.is_empty())
        .collect();
    let mut removed = 0_usize;
    for section in [Section::AccessToken, Section::RefreshToken, Section::IdToken] {
        let gone = |entry: &Members| {
            let shared = section == Section::RefreshToken && families.contains(&entry.lenient("family_id"));
            is_account(entry) && (is_client(entry) || shared)
        };
        removed = removed.saturating_add(document.remove(section, gone));
    }
    removed = removed.saturating_add(document.remove(Section::Account, is_account));
    removed > 0
}

#[cfg(test)]
mod tests;
