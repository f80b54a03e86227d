//! What the cache answers to a silent request.

use core::time::Duration;

use auth_core::{Account, AccountId, Authority, ClientId, IdToken, RefreshCandidate, Scopes, Secret, Timestamp};

use crate::entries::{AccessToken, AppMetadata, IdTokenEntry};
use crate::index::{Index, Partition};

/// With less time left than this a token is refreshed before it is handed out, if that can be done (S-83).
const REFRESHING: Duration = Duration::from_secs(300);
/// With less time left than this a token is never handed out (S-83).
const SERVING: Duration = Duration::from_secs(30);
/// A token that claims to have been cached later than this from now was written by a wrong clock.
const FUTURE: Duration = Duration::from_secs(300);
/// No honest token lives longer.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Which token is wanted.
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
    /// Whether the access tokens in the cache are to be passed over: a forced refresh, or claims to satisfy.
    pub bypass: bool,
}

impl<'a> Query<'a> {
    /// A query for `scopes` of `account`.
    #[must_use]
    pub fn new(authority: &'a Authority, client_id: &'a ClientId, account: &'a AccountId, scopes: &'a Scopes) -> Self {
        Self { authority, tenant_id: None, client_id, account, scopes, bypass: false }
    }

    fn is_realm(&self, realm: &str) -> bool {
        self.authority.is_realm(realm, self.account, self.tenant_id)
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

/// A token in the cache.
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
    pub realm: String,
    /// The id_token that belongs to it.
    pub id_token: Option<IdToken>,
    /// Whose it is, as seen from that tenant.
    pub account: Option<Account>,
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
    Usable(Box<CachedToken>),
    /// Hand the token out, and refresh it beside.
    UsableButRefresh(Box<CachedToken>, Refresh),
    /// Refresh first. The token, where there is one, may serve when the identity provider is down.
    MustRefresh(Refresh, Option<Box<CachedToken>>),
    /// Nothing that could answer: the user must sign in.
    Nothing,
}

/// Answers `query` at the time `now`.
pub(crate) fn lookup(index: &Index, query: &Query<'_>, now: Timestamp) -> Lookup {
    let Some(partition) = index.partition(query.account.as_str()) else { return Lookup::Nothing };
    let lookup = InPartition { index, partition, query, now };
    let token = if query.bypass { None } else { lookup.best_access_token() };
    let refresh = |reason| Refresh { reason, candidates: lookup.candidates(), id_token: lookup.id_token(None) };
    let Some(token) = token else {
        let reason = if query.bypass { RefreshReason::ForceRefreshOrClaims } else { lookup.miss() };
        let refresh = refresh(reason);
        return if refresh.candidates.is_empty() { Lookup::Nothing } else { Lookup::MustRefresh(refresh, None) };
    };
    let (cached, left) = (Box::new(lookup.cached(token)), now.duration_until(token.expires_on));
    let due = token.refresh_on.is_some_and(|refresh_on| refresh_on <= now);
    if left > REFRESHING && !due {
        return Lookup::Usable(cached);
    }
    let reason = if left > REFRESHING { RefreshReason::ProactivelyRefreshed } else { RefreshReason::Expired };
    let refresh = refresh(reason);
    match refresh {
        refresh if refresh.candidates.is_empty() => Lookup::Usable(cached),
        refresh if left > REFRESHING => Lookup::UsableButRefresh(cached, refresh),
        refresh => Lookup::MustRefresh(refresh, Some(cached)),
    }
}

struct InPartition<'a> {
    index: &'a Index,
    partition: &'a Partition,
    query: &'a Query<'a>,
    now: Timestamp,
}

impl<'a> InPartition<'a> {
    /// The tokens of this client and tenant that grant the scopes, usable or not.
    fn matching(&self) -> impl Iterator<Item = &'a AccessToken> {
        let wanted = self.query.scopes.without_oidc();
        self.partition.access_tokens.iter().filter(move |token| {
            self.is_client(&token.environment, &token.client_id)
                && self.query.is_realm(&token.realm)
                && token.scopes.contains_all(&wanted)
                && self.is_ours(&token.environment, &token.client_id, Some(&token.realm))
        })
    }

    /// Among several the one that lives longest, then the one that grants least: never an error.
    fn best_access_token(&self) -> Option<&'a AccessToken> {
        self.matching()
            .filter(|token| self.is_usable(token))
            .max_by_key(|token| (token.expires_on, core::cmp::Reverse(token.scopes.iter().len())))
    }

    fn is_usable(&self, token: &AccessToken) -> bool {
        self.now.duration_until(token.expires_on) > SERVING
            && token.expires_on <= self.now.saturating_add(LONGEST)
            && token.cached_at <= self.now.saturating_add(FUTURE)
    }

    fn miss(&self) -> RefreshReason {
        if self.matching().next().is_some() { RefreshReason::Expired } else { RefreshReason::NoCachedAccessToken }
    }

    /// This client's own refresh tokens, after those of its family, newest first.
    fn candidates(&self) -> Vec<RefreshCandidate> {
        let own_notes = |app: &&AppMetadata| self.is_client(&app.environment, &app.client_id);
        let mut notes = self.index.app_metadata().iter().filter(own_notes).peekable();
        // A client of which nothing is noted may try the family tokens that it got itself (S-85).
        let unknown = notes.peek().is_none();
        let family = notes.find(|app| !app.family_id.is_empty());
        let mut found: Vec<_> = self
            .partition
            .refresh_tokens
            .iter()
            .filter(|token| self.query.authority.is_environment(&token.environment))
            .filter_map(|token| {
                let first_hand = self.is_client(&token.environment, &token.client_id);
                let own = first_hand && token.family_id.is_empty();
                let shared = family.is_some_and(|app| app.family_id == token.family_id);
                let candidate = own || shared || (first_hand && unknown);
                (candidate && self.is_ours(&token.environment, &token.client_id, None)).then_some((
                    own,
                    core::cmp::Reverse(token.last_modification_time),
                    token,
                ))
            })
            .collect();
        found.sort_by_key(|(own, newest, _)| (*own, *newest));
        found.into_iter().map(|(own, _, token)| RefreshCandidate::new(token.secret.clone(), !own)).collect()
    }

    fn is_client(&self, environment: &str, client_id: &str) -> bool {
        self.query.authority.is_environment(environment)
            && client_id.eq_ignore_ascii_case(self.query.client_id.as_str())
    }

    fn id_tokens(&self) -> impl Iterator<Item = &'a IdTokenEntry> {
        self.partition.id_tokens.iter().filter(|token| self.is_client(&token.environment, &token.client_id))
    }

    /// Where several issuers share a host, an entry counts only beside an id_token of the issuer that is asked for, and
    /// not beside one of another issuer: then nobody could tell whose it is.
    fn is_ours(&self, environment: &str, client_id: &str, realm: Option<&str>) -> bool {
        if !self.query.authority.issuer_decides() {
            return true;
        }
        let beside = |realm: Option<&str>| {
            let all = self.partition.id_tokens.iter().filter(|entry| {
                entry.environment.eq_ignore_ascii_case(environment)
                    && entry.client_id.eq_ignore_ascii_case(client_id)
                    && realm.is_none_or(|realm| entry.realm.eq_ignore_ascii_case(realm))
            });
            let mut issued = all.filter_map(|entry| Some(self.is_issued(&IdToken::parse(&entry.secret).ok()?)));
            issued.next().map(|first| first && issued.all(|ours| ours))
        };
        beside(realm).or_else(|| self.single_realm().and_then(|()| beside(None))) == Some(true)
    }

    /// The stored id_token of `realm`, or of the tenant that is asked for.
    fn id_token(&self, realm: Option<&str>) -> Option<IdToken> {
        let find = |fits: &dyn Fn(&str) -> bool| {
            self.id_tokens()
                .filter(|entry| fits(&entry.realm))
                .filter_map(|entry| IdToken::parse(&entry.secret).ok())
                .find(|token| !self.query.authority.issuer_decides() || self.is_issued(token))
        };
        match realm {
            Some(realm) => find(&|own| own.eq_ignore_ascii_case(realm))
                .or_else(|| self.single_realm().and_then(|()| find(&|own| self.query.is_realm(own)))),
            None => find(&|own| self.query.is_realm(own)),
        }
    }

    /// Where there is one realm only, libraries differ in what they write as such, even between the tokens of one answer.
    fn single_realm(&self) -> Option<()> {
        self.query.authority.has_single_realm().then_some(())
    }

    fn is_issued(&self, token: &IdToken) -> bool {
        token.text("iss").is_some_and(|iss| self.query.authority.is_issuer(iss))
    }

    fn cached(&self, token: &AccessToken) -> CachedToken {
        let here = |account: &&Account| self.query.authority.is_environment(&account.environment);
        let accounts = || self.partition.accounts.iter().filter(here);
        let account =
            accounts().find(|account| account.realm.eq_ignore_ascii_case(&token.realm)).or_else(|| accounts().next());
        CachedToken {
            access_token: token.secret.clone(),
            scopes: token.scopes.clone(),
            expires_on: token.expires_on,
            refresh_on: token.refresh_on,
            cached_at: token.cached_at,
            realm: token.realm.clone(),
            id_token: self.id_token(Some(&token.realm)),
            account: account.cloned(),
        }
    }
}

#[cfg(test)]
mod tests;
