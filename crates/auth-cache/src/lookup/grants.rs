//! Tokens of grants that a confidential client can repeat without the user: its own tokens, and those on behalf of a user.
//! They have partitions of their own, which no query for a user's tokens can reach (S-81, S-84).

use std::sync::LazyLock;
use std::time::Duration;

use auth_core::text::same;
use auth_core::{AccountId, Authority, ClientId, Scopes, Timestamp};

use super::margins::{Age, Margins};
use super::{CachedToken, RefreshReason};
use crate::assertion::Assertion;
use crate::document::{Document, Partition, PartitionKey, Row};
use crate::token_kind::TokenKind;

/// A query for a token of the application itself (client credentials, managed identity).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppQuery<'a> {
    /// The authority that issued it.
    pub authority: &'a Authority,
    /// The ID of the authority's tenant, if the authority names it by a domain and discovery has told the ID.
    pub tenant_id: Option<&'a str>,
    /// The client.
    pub client_id: &'a ClientId,
    /// The scopes that the token must grant.
    pub scopes: &'a Scopes,
    /// The kind of token; by default a plain Bearer token.
    pub kind: TokenKind<'a>,
    /// Whether to ignore cached tokens: a forced refresh, or claims to satisfy.
    pub bypass: bool,
    /// How much lifetime a token must have left.
    pub margins: Margins,
    /// As in [`Query::uptime`](super::Query::uptime).
    pub uptime: Duration,
}

impl<'a> AppQuery<'a> {
    /// A query for a token of the client itself that grants `scopes`.
    #[must_use]
    pub fn new(authority: &'a Authority, client_id: &'a ClientId, scopes: &'a Scopes) -> Self {
        Self {
            authority,
            tenant_id: None,
            client_id,
            scopes,
            kind: TokenKind::PLAIN,
            bypass: false,
            margins: Margins::DEFAULT,
            uptime: Duration::ZERO,
        }
    }
}

/// A query for a token on behalf of a user.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AssertionQuery<'a> {
    /// The assertion that stands for the user.
    pub assertion: &'a Assertion,
    /// Everything else, as for a token of the application itself.
    pub app: AppQuery<'a>,
}

impl<'a> AssertionQuery<'a> {
    /// A query for a token that was obtained with `assertion`.
    #[must_use]
    pub const fn new(assertion: &'a Assertion, app: AppQuery<'a>) -> Self {
        Self { assertion, app }
    }
}

/// The answer to an [`AppQuery`] or an [`AssertionQuery`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each")]
pub enum GrantLookup {
    /// Return the token.
    Usable(CachedToken),
    /// Return the token, and request a new one in the background.
    UsableButRefresh(CachedToken),
    /// Request a new token, for this reason. If the provider is unavailable, the token here may still be returned.
    MustRequest(RefreshReason, Option<CachedToken>),
}

impl GrantLookup {
    /// How good the answer is; higher is better.
    const fn rank(&self) -> u8 {
        match self {
            Self::Usable(_) => 4,
            Self::UsableButRefresh(_) => 3,
            Self::MustRequest(_, Some(_)) => 2,
            Self::MustRequest(RefreshReason::Expired, None) => 1,
            Self::MustRequest(_, None) => 0,
        }
    }

    /// Whether there is a token to return without waiting for a new one.
    pub(crate) const fn serves(&self) -> bool {
        matches!(self, Self::Usable(_) | Self::UsableButRefresh(_))
    }

    /// The better of the two answers; `self` if they are equally good.
    pub(crate) fn or(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.rank() > self.rank() => other,
            _ => self,
        }
    }
}

pub(crate) fn lookup_app(document: &Document, query: &AppQuery<'_>, now: Timestamp) -> GrantLookup {
    query.realms().fold(query.nothing(), |best, realm| best.or(lookup_app_in(document, query, realm, now)))
}

/// The answer from one of the [realms](AppQuery::realms).
pub(crate) fn lookup_app_in(
    document: &Document,
    query: &AppQuery<'_>,
    realm: &str,
    now: Timestamp,
) -> Option<GrantLookup> {
    // The partition's key is the client and the realm of everything in it.
    document.app(query.client_id.as_str(), realm, |partition| query.answer(partition, "", |_| true, now))
}

pub(crate) fn lookup_assertion(document: &Document, query: &AssertionQuery<'_>, now: Timestamp) -> GrantLookup {
    let place = PartitionKey::assertion(query.assertion);
    static NOBODY: LazyLock<AccountId> = LazyLock::new(|| AccountId::new(""));
    let app = &query.app;
    let is_wanted = |row: &Row| same(&row.client_id, app.client_id.as_str()) && app.is_realm(&row.realm, &NOBODY);
    let answer = |partition: &Partition| app.answer(partition, query.assertion.as_str(), is_wanted, now);
    document.partition(&place, answer).unwrap_or_else(|| query.app.nothing())
}

impl<'a> AppQuery<'a> {
    /// The realms under which the token may be stored, best first: libraries write different realms for the same tenant.
    pub(crate) fn realms(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let realms =
            [Some(self.authority.realm(None)), self.tenant_id, self.authority.has_single_realm().then_some("")];
        let is_first = move |position: usize, realm: &str| {
            !realms.iter().take(position).any(|earlier| earlier.is_some_and(|text| same(text, realm)))
        };
        let realms = realms.into_iter().enumerate().filter_map(|(position, realm)| Some((position, realm?)));
        realms.filter(move |(position, realm)| is_first(*position, realm)).map(|(_, realm)| realm)
    }

    /// The answer if nothing is found.
    pub(crate) fn nothing(&self) -> GrantLookup {
        GrantLookup::MustRequest(self.miss(), None)
    }

    fn miss(&self) -> RefreshReason {
        if self.bypass { RefreshReason::ForceRefreshOrClaims } else { RefreshReason::NoCachedAccessToken }
    }

    /// The answer from `partition`, among tokens obtained with `assertion`, or with none if that is empty.
    fn answer(
        &self,
        partition: &Partition,
        assertion: &str,
        is_wanted: impl Fn(&Row) -> bool,
        now: Timestamp,
    ) -> GrantLookup {
        if self.bypass {
            return self.nothing();
        }
        let matches = |row: &Row| {
            row.is_kind(&self.kind, assertion) && self.authority.is_environment(&row.environment) && is_wanted(row)
        };
        let found = partition.find(self.scopes, |row, declined| {
            let age = || self.margins.age(&row.life, row.time(now, self.uptime));
            matches(row).then(age).filter(|age| age.serves()).map(|age| (row, declined, age))
        });
        let Some((row, declined, age)) = found else {
            return match partition.find(self.scopes, |row, _| matches(row).then_some(())) {
                Some(()) => GrantLookup::MustRequest(RefreshReason::Expired, None),
                None => self.nothing(),
            };
        };
        row.used(now);
        let cached = CachedToken::new(row, row.id_token.as_ref(), row.account.as_ref(), declined);
        match age {
            Age::Fresh => GrantLookup::Usable(cached),
            Age::Due => GrantLookup::UsableButRefresh(cached),
            Age::Ending | Age::Expired => GrantLookup::MustRequest(RefreshReason::Expired, Some(cached)),
        }
    }

    /// Whether `realm` is the authority's. An assertion names its user's tenant itself, so with an authority for many tenants
    /// any realm counts.
    fn is_realm(&self, realm: &str, nobody: &AccountId) -> bool {
        let many = || self.authority.tenant_name().is_some_and(|tenant| tenant.is_multi_tenant());
        self.authority.is_realm(realm, nobody, self.tenant_id) || many()
    }
}
