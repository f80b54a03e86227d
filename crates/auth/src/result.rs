//! What the caller gets.

use core::fmt;
use std::sync::Arc;

use auth_cache::{CachedToken, RefreshReason, StorageError};
use auth_core::{Account, Authority, CorrelationId, IdToken, Scopes, Secret, Timestamp, Tokens};

use crate::timing::Durations;

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// The cache; no token request was made.
    Cache,
    /// The identity provider.
    IdentityProvider,
}

/// A token and what is known of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthResult {
    /// The access token. Send it as `Authorization: Bearer …`, show it to nobody.
    pub access_token: Secret,
    /// The type of the token, as it stands before it in the header: `Bearer`.
    pub token_type: &'static str,
    /// When it expires.
    pub expires_on: Timestamp,
    /// When it will be refreshed ahead of that, where the server advised it.
    pub refresh_on: Option<Timestamp>,
    /// What it grants.
    pub scopes: Scopes,
    /// What was asked for and is not granted.
    pub declined_scopes: Scopes,
    /// Whose it is.
    pub account: Option<Account>,
    /// In which tenant it was issued.
    pub tenant_id: Option<String>,
    /// The account's id in that tenant: `oid`, else `sub`.
    pub unique_id: Option<String>,
    /// The id_token with its claims, unverified by signature.
    pub id_token: Option<IdToken>,
    /// Where it came from.
    pub source: TokenSource,
    /// Why the identity provider was asked.
    pub refresh_reason: RefreshReason,
    /// How long the call took.
    pub durations: Durations,
    /// The id of the call, for the identity provider's support.
    pub correlation_id: CorrelationId,
    /// Whether the token is in the store that the application gave.
    pub persisted: bool,
    /// Why it is not, where the store failed.
    pub persistence_error: Option<StorageError>,
}

impl AuthResult {
    pub(crate) fn from_cache(token: CachedToken, authority: &Authority, wanted: &Scopes, call: Call) -> Self {
        let id_token = token.id_token.and_then(|raw| IdToken::parse(&raw).ok());
        Self {
            access_token: token.access_token,
            token_type: "Bearer",
            expires_on: token.expires_on,
            refresh_on: token.refresh_on,
            declined_scopes: wanted.without_oidc().difference(&token.scopes),
            scopes: token.scopes,
            account: token.account.map(Arc::unwrap_or_clone),
            tenant_id: tenant_id(id_token.as_ref(), authority, &token.realm),
            unique_id: id_token.as_ref().and_then(IdToken::local_account_id).map(str::to_owned),
            id_token,
            source: TokenSource::Cache,
            refresh_reason: RefreshReason::NotApplicable,
            durations: call.durations,
            correlation_id: call.correlation_id,
            persisted: call.persisted,
            persistence_error: None,
        }
    }

    pub(crate) fn from_tokens(tokens: &Tokens, account: Option<Account>, authority: &Authority, call: Call) -> Self {
        let tenant_id = tenant_id(tokens.id_token.as_ref(), authority, tokens.realm(authority));
        Self {
            declined_scopes: tokens.declined_scopes(),
            tenant_id,
            unique_id: tokens.id_token.as_ref().and_then(IdToken::local_account_id).map(str::to_owned),
            access_token: tokens.access_token.clone(),
            token_type: "Bearer",
            expires_on: tokens.expires_on,
            refresh_on: tokens.refresh_on,
            scopes: tokens.granted_scopes.clone(),
            account,
            id_token: tokens.id_token.clone(),
            source: TokenSource::IdentityProvider,
            refresh_reason: call.refresh_reason,
            durations: call.durations,
            correlation_id: call.correlation_id,
            persisted: call.persisted,
            persistence_error: call.persistence_error,
        }
    }
}

/// What a call knows beside the tokens.
pub(crate) struct Call {
    pub(crate) refresh_reason: RefreshReason,
    pub(crate) durations: Durations,
    pub(crate) correlation_id: CorrelationId,
    pub(crate) persisted: bool,
    pub(crate) persistence_error: Option<StorageError>,
}

/// The tenant that the id_token names, else the one under which the token is filed. Where there is one only, others may
/// have filed it under something else, such as its policy.
fn tenant_id(id_token: Option<&IdToken>, authority: &Authority, realm: &str) -> Option<String> {
    let named = id_token.and_then(|token| token.text("tid"));
    let filed = authority.tenant_name().map(|only| if authority.has_single_realm() { only.as_str() } else { realm });
    let filed = filed.filter(|realm| !realm.is_empty());
    named.or(filed).map(str::to_owned)
}

impl fmt::Debug for AuthResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthResult")
            .field("expires_on", &self.expires_on)
            .field("scopes", &self.scopes)
            .field("source", &self.source)
            .field("refresh_reason", &self.refresh_reason)
            .field("correlation_id", &self.correlation_id)
            .field("persisted", &self.persisted)
            .finish_non_exhaustive()
    }
}
