//! The tokens of a user.

use std::cmp::Reverse;
use std::sync::Arc;

use auth_core::text::same;
use auth_core::{Account, IdToken, RefreshCandidate, Timestamp};

use super::margins::Age;
use super::{CachedToken, Lookup, Query, Refresh, RefreshReason};
use crate::document::{Document, Partition, Row, entries};
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, RefreshToken};
use crate::family::{Family, Whose, is_issued};

/// Answers `query` at the time `now`.
pub(crate) fn lookup(document: &Document, query: &Query<'_>, now: Timestamp) -> Lookup {
    let answer = |partition: &Partition| Asked { document, partition, query, now }.answer();
    document.user(query.account, answer).unwrap_or(Lookup::Nothing)
}

struct Asked<'a> {
    document: &'a Document,
    partition: &'a Partition,
    query: &'a Query<'a>,
    now: Timestamp,
}

impl<'a> Asked<'a> {
    fn answer(&self) -> Lookup {
        let found = if self.query.bypass { None } else { self.best() };
        let Some((row, age)) = found else {
            let refresh =
                self.refresh(if self.query.bypass { RefreshReason::ForceRefreshOrClaims } else { self.miss() });
            return if refresh.candidates.is_empty() { Lookup::Nothing } else { Lookup::MustRefresh(refresh, None) };
        };
        row.token.used(self.now);
        let cached = self.cached(row);
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

    /// The tokens of this client and tenant that grant the scopes, usable or not.
    fn matching(&self) -> impl Iterator<Item = &'a Row> {
        let wanted = self.query.scopes.mask();
        self.partition.rows().iter().filter(move |row| {
            if !row.mask.may_grant(wanted) {
                return false;
            }
            let token = &*row.token;
            token.scopes.grants(self.query.scopes)
                && token.is_kind(&self.query.kind)
                && token.is_got_with("")
                && self.is_client(&token.environment, &token.client_id)
                && self.is_realm(&token.realm)
                && self.is_ours(&token.environment, &token.client_id, Some(&token.realm))
        })
    }

    /// Among several the one that lives longest, then the one that grants least: never an error.
    fn best(&self) -> Option<(&'a Row, Age)> {
        self.matching()
            .map(|row| (row, self.query.margins.age(&row.token, self.now)))
            .filter(|(_, age)| age.serves())
            .max_by_key(|(row, _)| (row.token.expires_on, Reverse(row.token.scopes.len())))
    }

    fn miss(&self) -> RefreshReason {
        if self.matching().next().is_some() { RefreshReason::Expired } else { RefreshReason::NoCachedAccessToken }
    }

    fn refresh(&self, reason: RefreshReason) -> Box<Refresh> {
        Box::new(Refresh { reason, candidates: self.candidates(), id_token: self.stored_id_token() })
    }

    /// This client's own refresh tokens, after those of its family, newest first.
    fn candidates(&self) -> Vec<RefreshCandidate> {
        let family = Family::of(self.document, self.query.authority, self.query.client_id);
        let tokens = entries(&self.partition.refresh_tokens);
        let mut found: Vec<_> = tokens
            .filter(|token| self.query.authority.is_environment(&token.environment))
            .filter_map(|token| Some((family.may_try(token, self.query.client_id)?, token)))
            .filter(|(_, token)| self.is_ours(&token.environment, &token.client_id, None))
            .collect();
        found.sort_by_cached_key(|(whose, token)| (*whose == Whose::Own, Reverse(self.stored_at(token))));
        let candidate =
            |(whose, token): (Whose, &RefreshToken)| RefreshCandidate::new(token.secret.clone(), whose != Whose::Own);
        found.into_iter().map(candidate).collect()
    }

    /// When a refresh token was stored. Where its entry does not tell, as those of MSAL Node, it came with the newest access
    /// token of its client.
    fn stored_at(&self, token: &RefreshToken) -> Timestamp {
        if token.last_modification_time > Timestamp::EPOCH {
            return token.last_modification_time;
        }
        let beside = |access_token: &&AccessToken| {
            same(&access_token.environment, &token.environment) && same(&access_token.client_id, &token.client_id)
        };
        let access_tokens = entries(&self.partition.access_tokens).filter(beside);
        access_tokens.map(|access_token| access_token.cached_at).max().unwrap_or_default()
    }

    fn is_client(&self, environment: &str, client_id: &str) -> bool {
        same(client_id, self.query.client_id.as_str()) && self.query.authority.is_environment(environment)
    }

    fn is_realm(&self, realm: &str) -> bool {
        self.query.authority.is_realm(realm, self.query.account, self.query.tenant_id)
    }

    fn id_tokens(&self) -> impl Iterator<Item = &'a IdTokenEntry> {
        entries(&self.partition.id_tokens)
    }

    fn is_ours(&self, environment: &str, client_id: &str, realm: Option<&str>) -> bool {
        is_issued(self.query.authority, self.partition, environment, client_id, realm)
    }

    /// The id_token of this client that belongs to an access token.
    fn id_token(&self, row: &'a Row) -> Option<&'a IdTokenEntry> {
        let beside = row.id_token.as_deref();
        if let Some(entry) = beside.filter(|entry| !self.query.authority.issuer_decides() || self.has_issued(entry)) {
            return Some(entry);
        }
        let realm = &*row.token.realm;
        self.find_id_token(|own| same(own, realm))
            .or_else(|| self.single_realm().and_then(|()| self.find_id_token(|own| self.is_realm(own))))
    }

    /// The stored id_token of the tenant that is asked for.
    fn stored_id_token(&self) -> Option<IdToken> {
        self.find_id_token(|own| self.is_realm(own))?.parse()
    }

    fn find_id_token(&self, fits: impl Fn(&str) -> bool) -> Option<&'a IdTokenEntry> {
        self.id_tokens().find(|entry| {
            fits(&entry.realm)
                && self.is_client(&entry.environment, &entry.client_id)
                && (!self.query.authority.issuer_decides() || self.has_issued(entry))
        })
    }

    /// Where there is one realm only, libraries differ in what they write as such, even between the tokens of one answer.
    fn single_realm(&self) -> Option<()> {
        self.query.authority.has_single_realm().then_some(())
    }

    fn has_issued(&self, entry: &IdTokenEntry) -> bool {
        entry.issuer().is_some_and(|iss| self.query.authority.is_issuer(iss))
    }

    fn cached(&self, row: &'a Row) -> CachedToken {
        CachedToken::of(
            &row.token,
            self.id_token(row).map(|entry| entry.secret.clone()),
            self.account(row).map(Arc::clone),
        )
    }

    /// The account as that tenant sees it, else as any does.
    fn account(&self, row: &'a Row) -> Option<&'a Arc<Account>> {
        if let Some(account) = &row.account {
            return Some(account);
        }
        let realm = &*row.token.realm;
        let all = || entries(&self.partition.accounts);
        let here = |entry: &&AccountEntry| self.query.authority.is_environment(&entry.account.environment);
        let of_realm = |entry: &&AccountEntry| same(&entry.account.realm, realm);
        let found = all().filter(of_realm).find(here).or_else(|| all().find(here));
        found.map(|entry| &entry.account)
    }
}
