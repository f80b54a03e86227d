//! Lookups: what the cache answers to a silent request.

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

/// A query for a token of a user.
///
/// ```
/// use auth_cache::Query;
/// use auth_core::{AccountId, Authority, ClientId, Scopes};
///
/// let (authority, client_id) = (Authority::tenant("common")?, ClientId::new("my-client-id")?);
/// let (account, scopes) = (AccountId::new("u.t"), Scopes::parse("User.Read")?);
/// let mut query = Query::new(&authority, &client_id, &account, &scopes);
/// query.bypass = true; // a forced refresh
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Query<'a> {
    /// The authority that issues the token.
    pub authority: &'a Authority,
    /// The ID of the authority's tenant, if the authority names it by domain and discovery or tokens have revealed the
    /// ID. By default the cache uses the ID that it has noted itself, if any.
    pub tenant_id: Option<&'a str>,
    /// The client that the token is issued to.
    pub client_id: &'a ClientId,
    /// The user's home account ID.
    pub account: &'a AccountId,
    /// The scopes that the token must grant. Those reserved by OpenID Connect are ignored.
    pub scopes: &'a Scopes,
    /// The kind of token; by default a plain Bearer token.
    pub kind: TokenKind<'a>,
    /// Whether to ignore cached access tokens: for a forced refresh, or to satisfy claims.
    pub bypass: bool,
    /// How much time the token must have left.
    pub margins: Margins,
    /// The time since any fixed moment, from a monotonic clock. With it, a token ages while the process runs even if
    /// the wall clock is set back. Zero without such a clock.
    pub uptime: Duration,
}

impl<'a> Query<'a> {
    /// Queries a token of `account` that grants `scopes`.
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

/// Why a token is requested from the identity provider (MSAL's `CacheRefreshReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshReason {
    /// None is requested: the cache answered.
    NotApplicable,
    /// The caller forced a refresh, or has claims to satisfy.
    ForceRefreshOrClaims,
    /// No cached token grants the scopes.
    NoCachedAccessToken,
    /// The cached token has expired or is about to.
    Expired,
    /// The server advised refreshing the token before it expires (`refresh_in`).
    ProactivelyRefreshed,
}

/// What it takes to refresh a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refresh {
    /// Why a new token is needed.
    pub reason: RefreshReason,
    /// The refresh tokens to try, in order.
    pub candidates: Vec<RefreshCandidate>,
    /// The cached ID token of the same client and tenant, with which a new one must agree (S-75). Those of all tenants
    /// while the authority's tenant is known only by its domain name.
    pub id_tokens: Vec<IdToken>,
    /// What the cache holds now, for [`TokenUpdate::from_refresh`](crate::TokenUpdate::from_refresh).
    pub basis: RefreshBasis,
}

/// The answer to a [`Query`].
///
/// ```
/// use auth_cache::{CachedToken, Lookup};
///
/// /// The token to hand out when the identity provider is down.
/// fn offline(lookup: Lookup) -> Option<CachedToken> {
///     match lookup {
///         Lookup::Usable(token) | Lookup::UsableButRefresh(token, _) => Some(token),
///         Lookup::MustRefresh(_, token) => token,
///         Lookup::Nothing => None,
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each")]
pub enum Lookup {
    /// Hand out the token.
    Usable(CachedToken),
    /// Hand out the token, and refresh it in the background.
    UsableButRefresh(CachedToken, Box<Refresh>),
    /// Refresh first. The token, if any, may be handed out when the identity provider is down.
    MustRefresh(Box<Refresh>, Option<CachedToken>),
    /// Nothing usable: the user must sign in.
    Nothing,
}

impl Lookup {
    /// Whether there is a token to hand out at once.
    pub(crate) const fn serves(&self) -> bool {
        matches!(self, Self::Usable(_) | Self::UsableButRefresh(..))
    }
}

#[cfg(test)]
mod tests;
