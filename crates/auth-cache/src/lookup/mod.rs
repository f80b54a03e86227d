//! What the cache answers to a silent request.

mod account_tokens;
mod grants;
mod margins;

use std::sync::Arc;

use auth_core::{Account, AccountId, Authority, ClientId, IdToken, RefreshCandidate, Scopes, Secret, Timestamp};

pub(crate) use account_tokens::lookup;
pub use grants::{AppQuery, AssertionQuery, GrantLookup};
pub(crate) use grants::{lookup_app, lookup_assertion};
pub use margins::Margins;

use crate::entries::AccessToken;
use crate::token_kind::TokenKind;

/// Which token of a user is wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query<'a> {
    /// From whom.
    pub authority: &'a Authority,
    /// The id of the authority's tenant, where its name is a domain and a discovery has told the id.
    pub tenant_id: Option<&'a str>,
    /// For which client.
    pub client_id: &'a ClientId,
    /// Of which account.
    pub account: &'a AccountId,
    /// For which scopes; those that OpenID Connect reserves count for nothing here.
    pub scopes: &'a Scopes,
    /// Which kind of token; by default a plain Bearer token.
    pub kind: TokenKind<'a>,
    /// Whether the access tokens in the cache are to be passed over: a forced refresh, or claims to satisfy.
    pub bypass: bool,
    /// How much time a token must have left.
    pub margins: Margins,
}

impl<'a> Query<'a> {
    /// A query for `scopes` of `account`.
    #[must_use]
    pub fn new(authority: &'a Authority, client_id: &'a ClientId, account: &'a AccountId, scopes: &'a Scopes) -> Self {
        Self {
            authority,
            tenant_id: None,
            client_id,
            account,
            scopes,
            kind: TokenKind::PLAIN,
            bypass: false,
            margins: Margins::DEFAULT,
        }
    }
}

/// Why a token is asked of the identity provider (MSAL's `CacheRefreshReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshReason {
    /// It is not: the cache answered.
    NotApplicable,
    /// The caller forced it, or has claims to satisfy.
    ForceRefreshOrClaims,
    /// No token in the cache grants the scopes.
    NoCachedAccessToken,
    /// The token in the cache has expired or is about to.
    Expired,
    /// The server advised to refresh the token ahead of its end.
    ProactivelyRefreshed,
}

/// A token in the cache. It shares everything with the cache; a clone is cheap.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CachedToken {
    /// The access token.
    pub access_token: Secret,
    /// What it grants.
    pub scopes: Scopes,
    /// When it expires.
    pub expires_on: Timestamp,
    /// When it should be refreshed beside its use.
    pub refresh_on: Option<Timestamp>,
    /// When it was cached.
    pub cached_at: Timestamp,
    /// The tenant it was issued in.
    pub realm: Arc<str>,
    /// The id_token that belongs to it, raw: [`IdToken::parse`] reads it.
    pub id_token: Option<Secret>,
    /// Whose it is, as seen from that tenant.
    pub account: Option<Arc<Account>>,
}

impl CachedToken {
    fn of(token: &AccessToken, id_token: Option<Secret>, account: Option<Arc<Account>>) -> Self {
        Self {
            access_token: token.secret.clone(),
            scopes: token.scopes.clone(),
            expires_on: token.expires_on,
            refresh_on: token.refresh_on,
            cached_at: token.cached_at,
            realm: Arc::clone(&token.realm),
            id_token,
            account,
        }
    }
}

/// How to get a new token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refresh {
    /// Why.
    pub reason: RefreshReason,
    /// The refresh tokens to try, in order.
    pub candidates: Vec<RefreshCandidate>,
    /// The stored id_token of the same client and tenant, which a new one must agree with (S-75).
    pub id_token: Option<IdToken>,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each")]
pub enum Lookup {
    /// Hand the token out.
    Usable(CachedToken),
    /// Hand the token out, and refresh it beside.
    UsableButRefresh(CachedToken, Box<Refresh>),
    /// Refresh first. The token, where there is one, may serve when the identity provider is down.
    MustRefresh(Box<Refresh>, Option<CachedToken>),
    /// Nothing that could answer: the user must sign in.
    Nothing,
}

#[cfg(test)]
mod tests;
