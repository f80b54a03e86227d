//! Updates: how token responses change the document.

mod access_token;
mod grants;
mod made;

use std::collections::HashSet;
use std::sync::Arc;

use auth_core::text::same;
use auth_core::{Account, Authority, ClientId, Secret, Tenant, Timestamp, Tokens};

use crate::basis::RefreshBasis;
use crate::document::{Document, Draft, Key, NewEntry, Origin, PartitionKey, entries, make, put, remove};
use crate::entries::{AccountEntry, AppMetadata, IdTokenEntry, RefreshToken};
use crate::names::{shared, shared_realm};
use crate::pending::Moment;
use crate::token_kind::TokenKind;
use access_token::NewAccessToken;

pub use grants::{AppTokenUpdate, AssertionTokenUpdate};

/// The `account_source` of a sign-in on another device, as in MSAL for .NET.
const BY_DEVICE_CODE: &str = "device_code_flow";
/// The maximum number of domain names noted for a tenant.
const MOST_DOMAINS: usize = 8;

/// How much of a response was cached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Nothing: the account is gone, or a newer sign-in or token takes precedence.
    Nothing,
    /// Only the access token: there is a newer refresh token.
    AccessToken,
    /// Everything.
    All,
}

/// A user's tokens, to be cached.
///
/// ```
/// use auth_cache::{StorageError, TokenCache, TokenUpdate};
/// use auth_core::{Account, Authority, ClientId, Tokens};
/// use std::sync::Arc;
///
/// async fn signed_in(
///     cache: &TokenCache,
///     authority: Arc<Authority>,
///     client_id: ClientId,
///     tokens: Tokens,
/// ) -> Result<bool, StorageError> {
///     let Some(account) = Account::from_tokens(&tokens, &authority) else {
///         return Ok(false); // the response does not say who signed in
///     };
///     let mut update = TokenUpdate::from_sign_in(authority, client_id, account, Arc::new(tokens));
///     update.by_device_code = true;
///     cache.store(update).await
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenUpdate {
    /// The authority that issued them.
    pub authority: Arc<Authority>,
    /// The client they were issued to.
    pub client_id: ClientId,
    /// The account they belong to.
    pub account: Arc<Account>,
    /// The tokens.
    pub tokens: Arc<Tokens>,
    /// What was cached when their refresh began; `None` for a sign-in.
    pub basis: Option<RefreshBasis>,
    /// Whether the request ignored cached access tokens ([`Query::bypass`](crate::Query::bypass)). Those that grant the
    /// requested scopes count as rejected, and are removed.
    pub bypass: bool,
    /// Whether the user signed in on another device, with a device code. The account says so until the next sign-in
    /// (`account_source`, as in MSAL for .NET).
    pub by_device_code: bool,
}

impl TokenUpdate {
    /// Creates an update with the tokens of a sign-in, which replace those in the cache.
    #[must_use]
    pub fn from_sign_in(
        authority: Arc<Authority>,
        client_id: ClientId,
        account: impl Into<Arc<Account>>,
        tokens: Arc<Tokens>,
    ) -> Self {
        let account = account.into();
        Self { authority, client_id, account, tokens, basis: None, bypass: false, by_device_code: false }
    }

    /// Creates an update with the tokens of a refresh that began with this [`Refresh::basis`](crate::Refresh::basis).
    /// An account that was removed meanwhile stays removed, and a newer refresh token stays.
    #[must_use]
    pub fn from_refresh(
        authority: Arc<Authority>,
        client_id: ClientId,
        account: impl Into<Arc<Account>>,
        tokens: Arc<Tokens>,
        basis: RefreshBasis,
    ) -> Self {
        Self { basis: Some(basis), ..Self::from_sign_in(authority, client_id, account, tokens) }
    }

    /// Applies the update to the latest document. Returns `false` if nothing was cached.
    pub(crate) fn apply(&self, document: &Document, moment: Moment) -> bool {
        let id = &self.account.home_account_id;
        if id.as_str().is_empty() {
            return false;
        }
        let done = document.edit(&PartitionKey::user(id), |partition| self.change(partition, moment));
        if done == Done::All {
            // Always written: other libraries ignore the refresh tokens of a client without metadata.
            put_app_metadata(document, &self.authority, &self.client_id, self.family());
        }
        done != Done::Nothing
    }

    fn change(&self, partition: &mut Draft, moment: Moment) -> Done {
        let other_issuers = self.other_issuers(partition);
        let is_overtaken = self.is_overtaken(partition, moment);
        let mut since = (moment == Moment::Again).then_some(self.tokens.received_at);
        if let Some(basis) = &self.basis {
            let is_before_sign_in = basis.is_before_sign_in(&self.authority, &partition.accounts);
            let is_gone = basis.is_gone(&self.authority, &partition.accounts, &partition.refresh_tokens);
            if is_gone || !other_issuers.is_empty() || (is_overtaken && is_before_sign_in) {
                return Done::Nothing;
            }
            if is_overtaken || is_before_sign_in {
                since = Some(basis.began_at());
            }
        }
        if is_overtaken && !other_issuers.is_empty() {
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
        let is_put = self.put_access_token(partition, &origin, since);
        if is_overtaken {
            return if is_put { Done::AccessToken } else { Done::Nothing };
        }
        self.put_refresh_token(partition, &origin);
        self.put_id_token_and_account(partition, &origin, realm);
        Done::All
    }

    /// Whether the cache has newer tokens. For a refresh: whether a refresh token that it would replace was not there
    /// when it began. For a sign-in that waited for the store: whether, after its tokens arrived, this client or its
    /// family obtained others, or the user signed in.
    fn is_overtaken(&self, partition: &Draft, moment: Moment) -> bool {
        let mut replaced = entries(&partition.refresh_tokens).filter(|entry| self.is_replaced(entry));
        let Some(basis) = &self.basis else {
            let is_later = |time: Timestamp| time > self.tokens.received_at;
            let realm = self.tokens.realm(&self.authority);
            let mut profiles = entries(&partition.accounts).filter(|entry| self.is_profile(&entry.account, realm));
            return moment == Moment::Again
                && (replaced.any(|entry| is_later(entry.last_modification_time))
                    || profiles.any(|entry| is_later(entry.signed_in_at())));
        };
        let is_own = |secret: &Secret| self.tokens.refresh_token.as_ref().is_some_and(|own| own.ct_eq(secret.expose()));
        replaced.any(|entry| !basis.knows(entry) && !is_own(&entry.secret))
    }

    /// The environments, in lower case, in which this account and client have an ID token from another issuer or for
    /// another subject. Where several issuers share a host, only the ID token tells them apart.
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

    /// Removes the tokens of other issuers, so that none is mistaken for one of this issuer or sent to it.
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

    /// The realm of the ID token and account entries. Where there are no tenants, libraries differ in what they write,
    /// so the spelling in the cache stays: the library that wrote it looks for it.
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

    /// Whether a new refresh token would replace this one: this client's, or its family's if it is in one.
    fn is_replaced(&self, entry: &RefreshToken) -> bool {
        let family = self.family();
        match &*entry.family_id {
            _ if entry.is_bound => false,
            "" => family.is_empty() && self.is_client(&entry.environment, &entry.client_id),
            own => own == family && self.authority.is_environment(&entry.environment),
        }
    }

    /// Puts the access token, unless another was cached after `since`. Returns whether it is in the cache now.
    fn put_access_token(&self, partition: &mut Draft, origin: &Arc<Origin>, since: Option<Timestamp>) -> bool {
        let new = NewAccessToken {
            origin,
            authority: &self.authority,
            realm: self.tokens.realm(&self.authority),
            kind: TokenKind::PLAIN,
            assertion: "",
            expires_on: self.tokens.expires_on,
            since,
            bypass: self.bypass,
        };
        new.put(&mut partition.access_tokens)
    }

    /// Puts the refresh token; without a new one, the cached one stays.
    fn put_refresh_token(&self, partition: &mut Draft, origin: &Arc<Origin>) {
        let Some(secret) = &self.tokens.refresh_token else { return };
        make(&mut partition.refresh_tokens, made::refresh_token(origin, secret), origin, |entry| {
            self.is_replaced(entry)
        });
    }

    fn put_id_token_and_account(&self, partition: &mut Draft, origin: &Arc<Origin>, realm: Arc<str>) {
        let Some(token) = &self.tokens.id_token else { return };
        let stored = || entries(&partition.accounts).filter(|entry| self.is_profile(&entry.account, &realm));
        let signed_in = if self.basis.is_some() {
            stored().find_map(|entry| entry.last_modification_time)
        } else {
            Some(self.tokens.received_at)
        };
        let source = if self.by_device_code {
            Some(BY_DEVICE_CODE.into())
        } else {
            // What another program noted as the source stays.
            let noted = stored().find_map(|entry| entry.source.clone());
            noted.filter(|source| self.basis.is_some() || **source != *BY_DEVICE_CODE)
        };
        let local_account_id = token.local_account_id().unwrap_or_default();
        let account = AccountEntry::new(&self.account, &origin.environment, &realm, local_account_id, signed_in);
        let tenant_domains = self.tenant_domains(&realm, stored().find_map(|entry| entry.tenant_domains.as_deref()));
        let account = AccountEntry { source, tenant_domains, ..account };
        make(&mut partition.accounts, account, origin, |entry| self.is_profile(&entry.account, &realm));

        let id_token = IdTokenEntry::new(origin.names(), Arc::clone(&realm), token);
        make(&mut partition.id_tokens, id_token, origin, |entry| {
            self.is_client(&entry.environment, &entry.client_id) && self.authority.is_same_realm(&entry.realm, &realm)
        });
    }

    /// The domain names known to mean the tokens' tenant: the authority's, and those noted before.
    fn tenant_domains(&self, realm: &str, noted: Option<&str>) -> Option<Box<str>> {
        let own = self.authority.tenant_name().filter(|_| self.authority.wants_tenant_id()).map(Tenant::as_str);
        let own = own.filter(|own| !same(own, realm));
        let others = noted.into_iter().flat_map(|noted| noted.split(' ')).filter(|other| own != Some(other));
        let all: Vec<_> = own.into_iter().chain(others).take(MOST_DOMAINS).collect();
        (!all.is_empty()).then(|| all.join(" ").into())
    }

    /// Whether this is the account as seen from the tokens' tenant.
    fn is_profile(&self, account: &Account, realm: &str) -> bool {
        self.authority.is_environment(&account.environment) && self.authority.is_same_realm(&account.realm, realm)
    }
}

/// Notes which family a client is in; an empty one says that it is in none (S-85).
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
