//! Tokens that a confidential client gets by a grant which it can repeat without the user: its own, and those on behalf of a
//! user. They lie in partitions of their own, which no query of a user's tokens can reach (S-81, S-84).

use std::sync::LazyLock;
use std::time::Duration;

use auth_core::text::same;
use auth_core::{AccountId, Authority, ClientId, Scopes, Timestamp};

use super::margins::{Age, Margins};
use super::{CachedToken, RefreshReason};
use crate::assertion::Assertion;
use crate::document::{Document, Partition, PartitionKey, Row};
use crate::token_kind::TokenKind;

/// Which token of an application itself is wanted (client credentials, managed identity).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppQuery<'a> {
    /// From whom.
    pub authority: &'a Authority,
    /// The id of the authority's tenant, where its name is a domain and a discovery has told the id.
    pub tenant_id: Option<&'a str>,
    /// For which client.
    pub client_id: &'a ClientId,
    /// For which scopes.
    pub scopes: &'a Scopes,
    /// Which kind of token; by default a plain Bearer token.
    pub kind: TokenKind<'a>,
    /// Whether the tokens in the cache are to be passed over: a forced refresh, or claims to satisfy.
    pub bypass: bool,
    /// How much time a token must have left.
    pub margins: Margins,
    /// As in [`Query::uptime`](super::Query::uptime).
    pub uptime: Duration,
}

impl<'a> AppQuery<'a> {
    /// A query for `scopes` of the client itself.
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

/// Which token on behalf of a user is wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AssertionQuery<'a> {
    /// On behalf of whom: the assertion that stands for the user.
    pub assertion: &'a Assertion,
    /// Everything else, as for an application's own token.
    pub app: AppQuery<'a>,
}

impl<'a> AssertionQuery<'a> {
    /// A query for a token that was got with `assertion`.
    #[must_use]
    pub const fn new(assertion: &'a Assertion, app: AppQuery<'a>) -> Self {
        Self { assertion, app }
    }
}

/// The answer to an [`AppQuery`] or [`AssertionQuery`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must act on each")]
pub enum GrantLookup {
    /// Hand the token out.
    Usable(CachedToken),
    /// Hand the token out, and ask for a new one beside.
    UsableButRefresh(CachedToken),
    /// Ask for a new one, for this reason. The token, where there is one, may serve when the identity provider is down.
    MustRequest(RefreshReason, Option<CachedToken>),
}

impl GrantLookup {
    /// Of two answers the higher one is better.
    const fn rank(&self) -> u8 {
        match self {
            Self::Usable(_) => 4,
            Self::UsableButRefresh(_) => 3,
            Self::MustRequest(_, Some(_)) => 2,
            Self::MustRequest(RefreshReason::Expired, None) => 1,
            Self::MustRequest(_, None) => 0,
        }
    }

    /// Whether there is a token to hand out, whatever else should be done.
    pub(crate) const fn serves(&self) -> bool {
        matches!(self, Self::Usable(_) | Self::UsableButRefresh(_))
    }

    /// The better one; of equal ones this.
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

/// What one of the [realms](AppQuery::realms) answers.
pub(crate) fn lookup_app_in(
    document: &Document,
    query: &AppQuery<'_>,
    realm: &str,
    now: Timestamp,
) -> Option<GrantLookup> {
    // The partition's key says the client and the realm of all that is in it.
    document.app(query.client_id.as_str(), realm, |partition| query.answer(partition, "", |_| true, now))
}

pub(crate) fn lookup_assertion(document: &Document, query: &AssertionQuery<'_>, now: Timestamp) -> GrantLookup {
    let place = PartitionKey::of_assertion(query.assertion);
    static NOBODY: LazyLock<AccountId> = LazyLock::new(|| AccountId::new(""));
    let app = &query.app;
    let is_wanted = |row: &Row| same(&row.client_id, app.client_id.as_str()) && app.is_realm(&row.realm, &NOBODY);
    let answer = |partition: &Partition| app.answer(partition, query.assertion.as_str(), is_wanted, now);
    document.partition(&place, answer).unwrap_or_else(|| query.app.nothing())
}

impl<'a> AppQuery<'a> {
    /// Where the token may be, best first: libraries differ in what they write as the realm of one and the same tenant.
    pub(crate) fn realms(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let realms =
            [Some(self.authority.realm(None)), self.tenant_id, self.authority.has_single_realm().then_some("")];
        let is_first = move |position: usize, realm: &str| {
            !realms.iter().take(position).any(|earlier| earlier.is_some_and(|text| same(text, realm)))
        };
        let realms = realms.into_iter().enumerate().filter_map(|(position, realm)| Some((position, realm?)));
        realms.filter(move |(position, realm)| is_first(*position, realm)).map(|(_, realm)| realm)
    }

    /// The answer where nothing is found.
    pub(crate) fn nothing(&self) -> GrantLookup {
        GrantLookup::MustRequest(self.miss(), None)
    }

    fn miss(&self) -> RefreshReason {
        if self.bypass { RefreshReason::ForceRefreshOrClaims } else { RefreshReason::NoCachedAccessToken }
    }

    /// The answer from `partition`, of tokens that were got with `assertion`, or with none if it is empty.
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
        let matching = partition.rows(self.scopes.mask()).filter(|row| {
            row.scopes.grants(self.scopes)
                && row.is_kind(&self.kind, assertion)
                && self.authority.is_environment(&row.environment)
                && is_wanted(row)
        });
        let mut reason = RefreshReason::NoCachedAccessToken;
        let mut aged = matching.map(|row| {
            reason = RefreshReason::Expired;
            (row, self.margins.age(&row.life, row.time(now, self.uptime)))
        });
        let Some((row, age)) = aged.find(|(_, age)| age.serves()) else {
            return GrantLookup::MustRequest(reason, None);
        };
        row.used(now);
        let cached = CachedToken::of(row);
        match age {
            Age::Fresh => GrantLookup::Usable(cached),
            Age::Due => GrantLookup::UsableButRefresh(cached),
            Age::Ending | Age::Expired => GrantLookup::MustRequest(RefreshReason::Expired, Some(cached)),
        }
    }

    /// An assertion says itself of which tenant its user is: with a name for many tenants any of them counts.
    fn is_realm(&self, realm: &str, nobody: &AccountId) -> bool {
        let many = || self.authority.tenant_name().is_some_and(|tenant| tenant.is_multi_tenant());
        self.authority.is_realm(realm, nobody, self.tenant_id) || many()
    }
}
