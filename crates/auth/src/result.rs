//! What the caller gets.

use core::fmt;
use std::sync::{Arc, LazyLock};

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

/// A token and what is known of it. It shares its texts with the cache, so that neither a hit nor a clone copies any.
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
    /// Whose it is.
    pub account: Option<Arc<Account>>,
    /// Where it came from.
    pub source: TokenSource,
    /// Why the identity provider was asked.
    pub refresh_reason: RefreshReason,
    /// Which endpoint of it answered, where one was asked.
    pub token_endpoint: Option<Arc<str>>,
    /// How long the call took; zero where nothing was waited for.
    pub durations: Durations,
    /// The id of the call, for the identity provider's support.
    pub correlation_id: CorrelationId,
    /// Whether the token is in the store that the application gave.
    pub persisted: bool,
    /// Why it is not, where the store failed.
    pub persistence_error: Option<Box<StorageError>>,
    /// As it came; who wants its claims has it read.
    id_token: Option<Secret>,
    /// The tenant under which the token is filed.
    filed: Option<Arc<str>>,
    /// Where something was declined: a token from the cache grants all that was asked for.
    declined: Option<Scopes>,
}

/// What most tokens lack.
static NOTHING_DECLINED: LazyLock<Scopes> = LazyLock::new(Scopes::default);

impl AuthResult {
    /// What was asked for and is not granted; the scopes that OpenID Connect reserves count for nothing here.
    #[must_use]
    pub fn declined_scopes(&self) -> &Scopes {
        self.declined.as_ref().unwrap_or(&NOTHING_DECLINED)
    }

    /// The id_token with its claims, unverified by signature. It is read anew by each call.
    #[must_use]
    pub fn id_token(&self) -> Option<IdToken> {
        IdToken::parse(self.id_token.as_ref()?).ok()
    }

    /// In which tenant the token was issued: the `tid` of the id_token, else the tenant under which the token is filed. It
    /// reads the id_token.
    #[must_use]
    pub fn tenant_id(&self) -> Option<String> {
        let named = self.id_token().and_then(|token| token.text("tid").map(str::to_owned));
        named.or_else(|| self.filed.as_deref().map(str::to_owned))
    }

    /// The account's id in that tenant: `oid` of the id_token, else `sub`. It reads the id_token.
    #[must_use]
    pub fn unique_id(&self) -> Option<String> {
        self.id_token()?.local_account_id().map(str::to_owned)
    }

    /// The token in the cache, which grants all that was asked for.
    #[inline]
    pub(crate) fn from_cache(token: CachedToken, authority: &Authority, call: Call) -> Self {
        Self {
            access_token: token.access_token,
            token_type: "Bearer",
            expires_on: token.expires_on,
            refresh_on: token.refresh_on,
            scopes: token.scopes,
            account: token.account,
            source: TokenSource::Cache,
            refresh_reason: RefreshReason::NotApplicable,
            token_endpoint: None,
            durations: call.durations,
            correlation_id: call.correlation_id,
            persisted: call.persisted,
            persistence_error: None,
            id_token: token.id_token,
            filed: filed(authority, token.realm),
            declined: None,
        }
    }

    pub(crate) fn from_tokens(tokens: &Tokens, account: Option<Account>, authority: &Authority, call: Call) -> Self {
        Self {
            filed: filed(authority, tokens.realm(authority).into()),
            declined: Some(tokens.declined_scopes()).filter(|declined| !declined.is_empty()),
            access_token: tokens.access_token.clone(),
            token_type: "Bearer",
            expires_on: tokens.expires_on,
            refresh_on: tokens.refresh_on,
            scopes: tokens.granted_scopes.clone(),
            account: account.map(Arc::new),
            id_token: tokens.id_token.as_ref().map(|token| token.secret().clone()),
            source: TokenSource::IdentityProvider,
            refresh_reason: call.refresh_reason,
            token_endpoint: call.token_endpoint,
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
    pub(crate) token_endpoint: Option<Arc<str>>,
    pub(crate) durations: Durations,
    pub(crate) correlation_id: CorrelationId,
    pub(crate) persisted: bool,
    pub(crate) persistence_error: Option<Box<StorageError>>,
}

impl Call {
    /// A call that the cache answered without any wait.
    #[inline]
    pub(crate) fn answered_by_cache(correlation_id: CorrelationId, persisted: bool) -> Self {
        let refresh_reason = RefreshReason::NotApplicable;
        Self {
            refresh_reason,
            token_endpoint: None,
            durations: Durations::default(),
            correlation_id,
            persisted,
            persistence_error: None,
        }
    }
}

/// The tenant under which a token is filed. Where there is one only, others may have filed it under something else, such as
/// its policy.
fn filed(authority: &Authority, realm: Arc<str>) -> Option<Arc<str>> {
    let only = authority.tenant_name()?;
    let filed = if authority.has_single_realm() { only.as_str().into() } else { realm };
    Some(filed).filter(|realm| !realm.is_empty())
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
