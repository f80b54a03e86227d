//! Lookup of a user's tokens.

use std::cmp::Reverse;
use std::sync::Arc;

use auth_core::text::same;
use auth_core::{Account, IdToken, RefreshCandidate, Scopes, Timestamp};
use smallvec::SmallVec;

use super::margins::Age;
use super::noted_tenant::noted_tenant_id;
use super::{CachedToken, Lookup, Query, Refresh, RefreshReason};
use crate::basis::RefreshBasis;
use crate::document::{Document, Partition, Row, entries};
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, RefreshToken};
use crate::family::{Family, Whose, is_from_issuer};

/// The maximum number of refresh tokens tried; no honest account has more.
const MOST_CANDIDATES: usize = 64;
/// The maximum number of ID tokens compared with a new one; no honest account is known to more tenants.
const MOST_ID_TOKENS: usize = 64;

/// Answers `query` at the time `now`.
pub(crate) fn lookup(document: &Document, query: &Query<'_>, now: Timestamp) -> Lookup {
    let answer = |partition: &Partition| {
        let tenant_id = query.tenant_id.or_else(|| noted_tenant_id(partition, query.authority));
        Search { document, partition, query, tenant_id, now }.answer()
    };
    document.user(query.account, answer).unwrap_or(Lookup::Nothing)
}

struct Search<'a> {
    document: &'a Document,
    partition: &'a Partition,
    query: &'a Query<'a>,
    /// The ID of the tenant that the authority names by domain, if known.
    tenant_id: Option<&'a str>,
    now: Timestamp,
}

impl<'a> Search<'a> {
    fn answer(&self) -> Lookup {
        let found = if self.query.bypass { None } else { self.best() };
        let Some((row, declined, age)) = found else {
            let refresh =
                self.refresh(if self.query.bypass { RefreshReason::ForceRefreshOrClaims } else { self.miss() });
            return if refresh.candidates.is_empty() { Lookup::Nothing } else { Lookup::MustRefresh(refresh, None) };
        };
        row.used(self.now);
        let cached = self.cached(row, declined);
        let refresh = match age {
            Age::Fresh => return Lookup::Usable(cached),
            Age::Due => self.refresh(RefreshReason::ProactivelyRefreshed),
            Age::Ending | Age::Expired => self.refresh(RefreshReason::Expired),
        };
        match age {
            _ if refresh.candidates.is_empty() => Lookup::Usable(cached),
            Age::Due => Lookup::UsableButRefresh(cached, refresh),
            Age::Fresh | Age::Ending | Age::Expired => Lookup::MustRefresh(refresh, Some(cached)),
        }
    }

    /// Whether it is a token of the wanted kind for this client and tenant, usable or not.
    fn matches(&self, row: &Row) -> bool {
        row.is_kind(&self.query.kind, "")
            && self.is_client(&row.environment, &row.client_id)
            && self.is_realm(&row.realm)
            && self.is_ours(&row.environment, &row.client_id, Some(&row.realm))
    }

    /// The best usable token, and what the provider declined. Ambiguity is never an error.
    fn best(&self) -> Option<(&'a Arc<Row>, Option<&'a Scopes>, Age)> {
        self.partition.find(self.query.scopes, |row, declined| {
            let age = || self.query.margins.age(&row.life, row.time(self.now, self.query.uptime));
            self.matches(row).then(age).filter(|age| age.serves()).map(|age| (row, declined, age))
        })
    }

    fn miss(&self) -> RefreshReason {
        match self.partition.find(self.query.scopes, |row, _| self.matches(row).then_some(())) {
            Some(()) => RefreshReason::Expired,
            None => RefreshReason::NoCachedAccessToken,
        }
    }

    fn refresh(&self, reason: RefreshReason) -> Box<Refresh> {
        let Partition { accounts, refresh_tokens, .. } = self.partition;
        let basis = RefreshBasis::new(self.query.authority, accounts, refresh_tokens, self.now);
        Box::new(Refresh { reason, candidates: self.candidates(), id_tokens: self.stored_id_tokens(), basis })
    }

    /// The refresh tokens of this client's family, then its own, each newest first.
    fn candidates(&self) -> Vec<RefreshCandidate> {
        let family = Family::of(self.document, self.query.authority, self.query.client_id);
        let tokens = entries(&self.partition.refresh_tokens);
        let mut found: SmallVec<[_; 2]> = tokens
            .filter(|token| self.query.authority.is_environment(&token.environment))
            .filter_map(|token| Some((family.may_try(token, self.query.client_id)?, token)))
            .filter(|(_, token)| self.is_ours(&token.environment, &token.client_id, None))
            .take(MOST_CANDIDATES)
            .collect();
        found.sort_by_cached_key(|(whose, token)| (*whose == Whose::Own, Reverse(self.stored_at(token))));
        let candidate =
            |(whose, token): (Whose, &RefreshToken)| RefreshCandidate::new(token.secret.clone(), whose != Whose::Own);
        found.into_iter().map(candidate).collect()
    }

    /// When a refresh token was stored. If its entry does not say, as with MSAL Node, assumes that it came with its
    /// client's newest access token.
    fn stored_at(&self, token: &RefreshToken) -> Timestamp {
        if token.last_modification_time > Timestamp::EPOCH {
            return token.last_modification_time;
        }
        let is_same_client = |access_token: &&AccessToken| {
            same(&access_token.environment, &token.environment) && same(&access_token.client_id, &token.client_id)
        };
        let access_tokens = entries(&self.partition.access_tokens).filter(is_same_client);
        access_tokens.map(|access_token| access_token.life.cached_at).max().unwrap_or_default()
    }

    fn is_client(&self, environment: &str, client_id: &str) -> bool {
        same(client_id, self.query.client_id.as_str()) && self.query.authority.is_environment(environment)
    }

    fn is_realm(&self, realm: &str) -> bool {
        self.query.authority.is_realm(realm, self.query.account, self.tenant_id)
    }

    fn is_ours(&self, environment: &str, client_id: &str, realm: Option<&str>) -> bool {
        is_from_issuer(self.query.authority, self.query.account, self.partition, environment, client_id, realm)
    }

    /// This client's ID token that belongs to an access token.
    fn id_token(&self, row: &Row) -> Option<&'a Arc<IdTokenEntry>> {
        let realm = &*row.realm;
        self.find_id_token(|own| same(own, realm))
            .or_else(|| self.single_realm().and_then(|()| self.find_id_token(|own| self.is_realm(own))))
    }

    /// The cached ID token of the requested tenant; those of all tenants while the tenant's ID is unknown.
    fn stored_id_tokens(&self) -> Vec<IdToken> {
        let is_any = self.tenant_id.is_none() && self.query.authority.wants_tenant_id();
        let number = if is_any { MOST_ID_TOKENS } else { 1 };
        let found = self.id_tokens(|own| is_any || self.is_realm(own)).take(number);
        found.filter_map(|entry| entry.parse()).collect()
    }

    fn find_id_token(&self, fits: impl Fn(&str) -> bool) -> Option<&'a Arc<IdTokenEntry>> {
        self.id_tokens(fits).next()
    }

    /// This client's ID tokens in the realms that fit.
    fn id_tokens(&self, fits: impl Fn(&str) -> bool) -> impl Iterator<Item = &'a Arc<IdTokenEntry>> {
        let all = self.partition.id_tokens.iter().filter_map(|item| item.shared().as_ref());
        all.filter(move |entry| {
            fits(&entry.realm) && self.is_client(&entry.environment, &entry.client_id) && self.is_issuer(entry)
        })
    }

    /// Where there is only one realm, libraries differ in how they write it, even among the tokens of one response.
    fn single_realm(&self) -> Option<()> {
        self.query.authority.has_single_realm().then_some(())
    }

    /// Whether an ID token is from the requested issuer, where that matters.
    fn is_issuer(&self, entry: &IdTokenEntry) -> bool {
        let authority = self.query.authority;
        !authority.issuer_decides() || entry.is_of(authority, self.query.account)
    }

    /// The token with its ID token and account, which are nearly always those of its row.
    fn cached(&self, row: &Arc<Row>, declined: Option<&Scopes>) -> CachedToken {
        let own = row.id_token.as_ref().filter(|entry| self.is_issuer(entry));
        let (id_token, account) = (own.or_else(|| self.id_token(row)), self.account(row));
        CachedToken::new(row, id_token, account, declined)
    }

    /// The account as the token's tenant sees it, or else as any tenant does.
    fn account<'r>(&self, row: &'r Row) -> Option<&'r Arc<Account>>
    where
        'a: 'r,
    {
        if let Some(account) = &row.account {
            return Some(account);
        }
        let all = || entries(&self.partition.accounts);
        let here = |entry: &&AccountEntry| self.query.authority.is_environment(&entry.account.environment);
        let of_realm = |entry: &&AccountEntry| same(&entry.account.realm, &row.realm);
        let found = all().filter(of_realm).find(here).or_else(|| all().find(here));
        found.map(|entry| &entry.account)
    }
}
