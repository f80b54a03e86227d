//! What the cache answers to a silent request.

mod account_tokens;
mod cached_token;
mod grants;
mod margins;
mod noted_tenant;

use core::time::Duration;

use auth_core::{AccountId, Authority, ClientId, IdToken, RefreshCandidate, Scopes};

pub(crate) use account_tokens::lookup;
pub use cached_token::CachedToken;
pub use grants::{AppQuery, AssertionQuery, GrantLookup};
pub(crate) use grants::{lookup_app, lookup_app_in, lookup_assertion};
pub use margins::Margins;

use crate::basis::RefreshBasis;
use crate::token_kind::TokenKind;

/// Which token of a user is wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query<'a> {
    /// From whom.
    pub authority: &'a Authority,
    /// The id of the authority's tenant, where its name is a domain and a discovery or tokens have told the id. Without
    /// it the cache takes the one that it noted itself, if any.
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
    /// The time since any fixed moment, by a clock that nobody sets (a monotonic one): with it a token ages while the process
    /// runs even if the wall clock is set back. Zero without such a clock.
    pub uptime: Duration,
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
            uptime: Duration::ZERO,
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

/// How to get a new token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refresh {
    /// Why.
    pub reason: RefreshReason,
    /// The refresh tokens to try, in order.
    pub candidates: Vec<RefreshCandidate>,
    /// The stored ID token of the same client and tenant, with which a new one must agree (S-75). While it is not known
    /// which tenant the authority's domain name means, those of every tenant.
    pub id_tokens: Vec<IdToken>,
    /// What the cache holds now. Whoever stores the answer hands it back.
    pub basis: RefreshBasis,
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

impl Lookup {
    /// Whether there is a token to hand out, whatever else should be done.
    pub(crate) const fn serves(&self) -> bool {
        matches!(self, Self::Usable(_) | Self::UsableButRefresh(..))
    }
}

#[cfg(test)]
mod tests;
