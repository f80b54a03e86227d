//! A token response as a change of the document.

mod access_token;
mod grants;
mod made;

use std::collections::HashSet;
use std::sync::Arc;

use auth_core::text::same;
use auth_core::{Account, Authority, ClientId, Tenant, Timestamp, Tokens};

use crate::document::{Document, Draft, Key, NewEntry, Origin, Place, entries, make, put, remove};
use crate::entries::{AccountEntry, AppMetadata, IdTokenEntry, RefreshToken};
use crate::names::{shared, shared_realm};
use crate::pending::Moment;
use crate::token_kind::TokenKind;
use access_token::NewAccessToken;

pub use grants::{AppTokenUpdate, AssertionTokenUpdate};

/// The `account_source` of MSAL for .NET for who signed in on another device.
const BY_DEVICE_CODE: &str = "device_code_flow";
/// So many domain names of a tenant are noted at most.
const MOST_DOMAINS: usize = 8;

/// How much of a response was cached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Nothing: the account is gone.
    Nothing,
    /// The access token: somebody has a later refresh token.
    AccessToken,
    /// All.
    All,
}

/// Tokens of a user that are to be cached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenUpdate {
    /// Who issued them.
    pub authority: Arc<Authority>,
    /// For which client.
    pub client_id: ClientId,
    /// Whose they are.
    pub account: Arc<Account>,
    /// The tokens.
    pub tokens: Arc<Tokens>,
    /// Whether they come from a refresh token rather than from a sign-in. Then an account that was removed meanwhile
    /// stays removed.
    pub refreshed: bool,
    /// Whether the user signed in on another device, with a code.
    pub by_device_code: bool,
}

impl TokenUpdate {
    /// The tokens of a sign-in.
    #[must_use]
    pub fn of_sign_in(
        authority: Arc<Authority>,
        client_id: ClientId,
        account: impl Into<Arc<Account>>,
        tokens: Arc<Tokens>,
    ) -> Self {
        Self { authority, client_id, account: account.into(), tokens, refreshed: false, by_device_code: false }
    }

    /// The tokens of a refresh.
    #[must_use]
    pub fn of_refresh(
        authority: Arc<Authority>,
        client_id: ClientId,
        account: impl Into<Arc<Account>>,
        tokens: Arc<Tokens>,
    ) -> Self {
        Self { authority, client_id, account: account.into(), tokens, refreshed: true, by_device_code: false }
    }

    /// Notes that the user signed in on another device: the account says so, in the word of MSAL for .NET
    /// (`account_source`), until the next sign-in.
    #[must_use]
    pub const fn by_device_code(mut self, by_device_code: bool) -> Self {
        self.by_device_code = by_device_code;
        self
    }

    /// Applies the change to the newest document. `false` when the account is gone and nothing was changed.
    pub(crate) fn apply(&self, document: &Document, moment: Moment) -> bool {
        let id = &self.account.home_account_id;
        if id.as_str().is_empty() {
            return false;
        }
        let done = document.edit(&Place::of_user(id), |partition| self.change(partition, moment));
        if done == Done::All {
            // Always written: other readers use no refresh token of a client that they know nothing of.
            put_app_metadata(document, &self.authority, &self.client_id, self.family());
        }
        done != Done::Nothing
    }

    fn change(&self, partition: &mut Draft, moment: Moment) -> Done {
        let other_issuers = self.other_issuers(partition);
        let is_here = |entry: &AccountEntry| self.authority.is_environment(&entry.account.environment);
        let known = entries(&partition.accounts).any(is_here);
        if self.refreshed && !(known && other_issuers.is_empty()) {
            return Done::Nothing;
        }
        let overtaken = moment == Moment::Again && self.is_overtaken(partition);
        if overtaken && !other_issuers.is_empty() {
            return Done::Nothing;
        }
        self.displace(partition, &other_issuers);
        let realm = self.realm_in(partition);
        let origin = Arc::new(Origin {
            home_account_id: self.account.home_account_id.clone(),
            environment: shared(self.authority.environment()),
            client_id: shared(self.client_id.as_str()),
            authority_type: self.authority.authority_type(),
            tokens: Arc::clone(&self.tokens),
        });
        self.put_access_token(partition, &origin, moment);
        if overtaken {
            return Done::AccessToken;
        }
        self.put_refresh_token(partition, &origin);
        self.put_id_token_and_account(partition, &origin, realm);
        Done::All
    }

    /// Whether this client got tokens for the account, or its family did, or the user signed in, after these tokens came.
    fn is_overtaken(&self, partition: &Draft) -> bool {
        let later = |time: Timestamp| time > self.tokens.received_at;
        let realm = self.tokens.realm(&self.authority);
        entries(&partition.refresh_tokens).any(|entry| {
            let familys = !entry.family_id.is_empty()
                && *entry.family_id == *self.family()
                && self.authority.is_environment(&entry.environment);
            !entry.is_bound
                && (familys || self.is_client(&entry.environment, &entry.client_id))
                && later(entry.last_modification_time)
        }) || entries(&partition.accounts)
            .any(|entry| self.is_picture(&entry.account, realm) && entry.last_modification_time.is_some_and(later))
    }

    /// The environments, in folded letters, in which this account and client have an id_token of another issuer or subject. Where several issuers share
    /// a host, nothing else in an entry tells them apart.
    fn other_issuers(&self, partition: &Draft) -> HashSet<String> {
        if !self.authority.issuer_decides() {
            return HashSet::new();
        }
        let account = &self.account.home_account_id;
        let elsewhere = |entry: &IdTokenEntry| entry.issuer().is_some() && !entry.is_of(&self.authority, account);
        entries(&partition.id_tokens)
            .filter(|entry| self.is_client(&entry.environment, &entry.client_id) && elsewhere(entry))
            .map(|entry| entry.environment.to_ascii_lowercase())
            .collect()
    }

    /// Makes room for this issuer: no token of another one may be taken for its own, or be sent to it.
    fn displace(&self, partition: &mut Draft, environments: &HashSet<String>) {
        if environments.is_empty() {
            return;
        }
        let theirs = |environment: &str, client_id: &str| {
            self.is_client(environment, client_id) && environments.contains(&environment.to_ascii_lowercase())
        };
        remove(&mut partition.access_tokens, |entry| theirs(&entry.environment, &entry.client_id));
        remove(&mut partition.refresh_tokens, |entry| theirs(&entry.environment, &entry.client_id));
        remove(&mut partition.id_tokens, |entry| theirs(&entry.environment, &entry.client_id));
    }

    /// The realm to file the id_token and the account under. Where there are no tenants libraries differ in what they write:
    /// what is there stays, so that whoever wrote it finds it again.
    fn realm_in(&self, partition: &Draft) -> Arc<str> {
        let own = |entry: &&IdTokenEntry| self.is_client(&entry.environment, &entry.client_id);
        let mut stored = entries(&partition.id_tokens).filter(own);
        match stored.next().filter(|_| self.authority.has_free_realm()) {
            Some(entry) => Arc::clone(&entry.realm),
            None => shared_realm(self.tokens.realm(&self.authority)),
        }
    }

    fn family(&self) -> &str {
        self.tokens.family_id.as_deref().unwrap_or_default()
    }

    fn is_client(&self, environment: &str, client_id: &str) -> bool {
        self.authority.is_environment(environment) && same(client_id, self.client_id.as_str())
    }

    fn put_access_token(&self, partition: &mut Draft, origin: &Arc<Origin>, moment: Moment) {
        let new = NewAccessToken {
            origin,
            authority: &self.authority,
            realm: self.tokens.realm(&self.authority),
            kind: TokenKind::PLAIN,
            assertion: "",
            expires_on: self.tokens.expires_on,
            moment,
        };
        new.put(&mut partition.access_tokens);
    }

    /// Without a new refresh token the stored one stays.
    fn put_refresh_token(&self, partition: &mut Draft, origin: &Arc<Origin>) {
        let Some(secret) = &self.tokens.refresh_token else { return };
        let family = self.family();
        let same = |entry: &RefreshToken| match &*entry.family_id {
            _ if entry.is_bound => false,
            "" => family.is_empty() && self.is_client(&entry.environment, &entry.client_id),
            own => own == family && self.authority.is_environment(&entry.environment),
        };
        make(&mut partition.refresh_tokens, made::refresh_token(origin, secret), origin, same);
    }

    fn put_id_token_and_account(&self, partition: &mut Draft, origin: &Arc<Origin>, realm: Arc<str>) {
        let Some(token) = &self.tokens.id_token else { return };
        let stored = || entries(&partition.accounts).filter(|entry| self.is_picture(&entry.account, &realm));
        let signed_in = if self.refreshed {
            stored().find_map(|entry| entry.last_modification_time)
        } else {
            Some(self.tokens.received_at)
        };
        let source = if self.by_device_code {
            Some(BY_DEVICE_CODE.into())
        } else {
            // What another program says of how the account came to it stays.
            let noted = stored().find_map(|entry| entry.source.clone());
            noted.filter(|source| self.refreshed || **source != *BY_DEVICE_CODE)
        };
        let local_account_id = token.local_account_id().unwrap_or_default();
        let account = AccountEntry::new(&self.account, &origin.environment, &realm, local_account_id, signed_in);
        let tenant_domains = self.tenant_domains(&realm, stored().find_map(|entry| entry.tenant_domains.as_deref()));
        let account = AccountEntry { source, tenant_domains, ..account };
        make(&mut partition.accounts, account, origin, |entry| self.is_picture(&entry.account, &realm));

        let id_token = IdTokenEntry::new(origin.names(), Arc::clone(&realm), token);
        make(&mut partition.id_tokens, id_token, origin, |entry| {
            self.is_client(&entry.environment, &entry.client_id) && self.authority.is_same_realm(&entry.realm, &realm)
        });
    }

    /// The domain names that are known to mean the tenant of the tokens: the authority's, and those noted before.
    fn tenant_domains(&self, realm: &str, noted: Option<&str>) -> Option<Box<str>> {
        let own = self.authority.tenant_name().filter(|_| self.authority.wants_tenant_id()).map(Tenant::as_str);
        let own = own.filter(|own| !same(own, realm));
        let others = noted.into_iter().flat_map(|noted| noted.split(' ')).filter(|other| own != Some(other));
        let all: Vec<_> = own.into_iter().chain(others).take(MOST_DOMAINS).collect();
        (!all.is_empty()).then(|| all.join(" ").into())
    }

    /// Whether this is the account as seen from the tenant of the tokens.
    fn is_picture(&self, account: &Account, realm: &str) -> bool {
        self.authority.is_environment(&account.environment) && self.authority.is_same_realm(&account.realm, realm)
    }
}

/// Notes which family a client is in, none being a finding too (S-85).
pub(crate) fn put_app_metadata(document: &Document, authority: &Authority, client_id: &ClientId, family: &str) {
    let is_own = |entry: &AppMetadata| {
        same(&entry.client_id, client_id.as_str()) && authority.is_environment(&entry.environment)
    };
    let is_noted = |entry: &AppMetadata| {
        is_own(entry) && &*entry.family_id == family && &*entry.environment == authority.environment()
    };
    {
        let common = document.common();
        let mut notes = entries(&common.app_metadata).filter(|entry| is_own(entry));
        if notes.next().is_some_and(is_noted) && notes.next().is_none() {
            return;
        }
    }
    let entry = NewEntry::new()
        .with("client_id", client_id.as_str())
        .with("environment", authority.environment())
        .with("family_id", family);
    let key = Key::app_metadata(authority.environment(), client_id.as_str());
    document.edit_common(|common| put(&mut common.app_metadata, key, entry, is_own));
}

#[cfg(test)]
mod tests;
