//! The plain list to compare with.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use auth_core::Timestamp;

use super::{Answer, CLIENTS, REALMS, USERS, user_id};
use crate::removal::RemovalScope;

/// Whose an access token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    User(usize),
    /// By client and realm.
    App(usize, usize),
    Assertion(usize),
}

#[derive(Clone, Debug)]
pub(super) struct AccessToken {
    owner: Owner,
    client: usize,
    realm: usize,
    pub(super) scopes: BTreeSet<&'static str>,
    pub(super) cached_at: Timestamp,
    pub(super) expires_on: Timestamp,
    secret: String,
}

#[derive(Clone, Debug)]
struct RefreshToken {
    user: usize,
    client: usize,
    family: bool,
    time: Timestamp,
    secret: String,
}

#[derive(Clone, Debug)]
pub(super) struct AccountRow {
    user: usize,
    realm: usize,
    signed_in: Option<Timestamp>,
}

/// An account as it is listed: its ID, whether it can be refreshed, the time of its sign-in, its tenants.
type Listed = (String, bool, Option<Timestamp>, BTreeSet<String>);

#[derive(Clone, Debug, Default)]
pub(super) struct List {
    access_tokens: Vec<AccessToken>,
    refresh_tokens: Vec<RefreshToken>,
    /// By user, client and realm.
    pub(super) id_tokens: BTreeSet<(usize, usize, usize)>,
    pub(super) accounts: Vec<AccountRow>,
    /// Whether a client is in the family.
    pub(super) families: BTreeMap<usize, bool>,
}

impl List {
    pub(super) fn put_access_token(&mut self, owner: Owner, answer: Answer, now: Timestamp, number: usize) {
        let scopes = answer.scopes();
        self.access_tokens.retain(|row| {
            let own = row.owner == owner && row.client == answer.client;
            let overlaps = !row.scopes.is_disjoint(&scopes) && !row.scopes.is_superset(&scopes);
            let replaced = row.realm == answer.realm && (row.scopes.is_subset(&scopes) || overlaps);
            !(own && (replaced || row.expires_on <= now))
        });
        if answer.lifetime > 0 {
            let expires_on = now.saturating_add(core::time::Duration::from_secs(answer.lifetime));
            let (client, realm, secret) = (answer.client, answer.realm, format!("at{number}"));
            self.access_tokens.push(AccessToken { owner, client, realm, scopes, cached_at: now, expires_on, secret });
        }
    }

    pub(super) fn sign_in(&mut self, user: usize, answer: Answer, now: Timestamp, number: usize) {
        self.put(user, answer, now, number, true, Some(now));
    }

    pub(super) fn refresh(
        &mut self,
        user: usize,
        answer: Answer,
        now: Timestamp,
        number: usize,
        rotates: bool,
    ) -> bool {
        let known =
            self.accounts.iter().any(|row| row.user == user) || self.refresh_tokens.iter().any(|row| row.user == user);
        if known {
            let mut here = self.accounts.iter().filter(|row| (row.user, row.realm) == (user, answer.realm));
            let signed_in = here.next().and_then(|row| row.signed_in);
            self.put(user, answer, now, number, rotates, signed_in);
        }
        known
    }

    fn put(
        &mut self,
        user: usize,
        answer: Answer,
        now: Timestamp,
        number: usize,
        rotates: bool,
        signed_in: Option<Timestamp>,
    ) {
        let Answer { client, realm, family, .. } = answer;
        self.put_access_token(Owner::User(user), answer, now, number);
        if rotates {
            self.refresh_tokens
                .retain(|row| row.user != user || row.family != family || (!family && row.client != client));
            self.refresh_tokens.push(RefreshToken { user, client, family, time: now, secret: format!("rt{number}") });
        }
        self.id_tokens.insert((user, client, realm));
        self.accounts.retain(|row| (row.user, row.realm) != (user, realm));
        self.accounts.push(AccountRow { user, realm, signed_in });
        self.families.insert(client, family);
    }

    pub(super) fn remove(&mut self, user: usize, client: usize, scope: RemovalScope) -> bool {
        let shared =
            scope == RemovalScope::Family && self.refresh_tokens.iter().any(|row| row.user == user && row.family);
        let all = shared || scope == RemovalScope::AllClients;
        let gone: Vec<_> = (0..CLIENTS.len()).filter(|other| *other == client || all).collect();
        let before = self.rows();
        self.access_tokens.retain(|row| row.owner != Owner::User(user) || !gone.contains(&row.client));
        self.refresh_tokens.retain(|row| {
            let goes = gone.contains(&row.client) && !(row.family && scope == RemovalScope::ThisClient);
            row.user != user || !goes
        });
        self.id_tokens.retain(|(own, client, _)| *own != user || !gone.contains(client));
        self.accounts.retain(|row| row.user != user);
        self.rows() != before
    }

    fn rows(&self) -> usize {
        self.access_tokens.len() + self.refresh_tokens.len() + self.id_tokens.len() + self.accounts.len()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for row in &other.access_tokens {
            let same = |own: &AccessToken| {
                own.owner == row.owner && own.client == row.client && own.realm == row.realm && own.scopes == row.scopes
            };
            if !self.access_tokens.iter().any(|own| same(own) && own.cached_at > row.cached_at) {
                self.access_tokens.retain(|own| !same(own));
                self.access_tokens.push(row.clone());
            }
        }
        for row in &other.refresh_tokens {
            let same = |own: &RefreshToken| {
                own.user == row.user && own.family == row.family && (own.family || own.client == row.client)
            };
            if !self.refresh_tokens.iter().any(|own| same(own) && own.time > row.time) {
                self.refresh_tokens.retain(|own| !same(own));
                self.refresh_tokens.push(row.clone());
            }
        }
        for row in &other.accounts {
            let same = |own: &AccountRow| (own.user, own.realm) == (row.user, row.realm);
            if !self.accounts.iter().any(|own| same(own) && own.signed_in > row.signed_in) {
                self.accounts.retain(|own| !same(own));
                self.accounts.push(row.clone());
            }
        }
        self.id_tokens.extend(&other.id_tokens);
        self.families.extend(&other.families);
    }

    /// The token that expires last and, of several, the one with the fewest scopes.
    pub(super) fn best(
        &self,
        owner: &Owner,
        client: usize,
        realm: usize,
        wanted: &str,
        now: Timestamp,
    ) -> Option<&AccessToken> {
        self.access_tokens
            .iter()
            .filter(|row| row.owner == *owner && row.client == client && row.realm == realm)
            .filter(|row| wanted.split(' ').all(|scope| row.scopes.contains(scope)))
            .filter(|row| now.duration_until(row.expires_on).as_secs() > 30)
            .max_by_key(|row| (row.expires_on, Reverse(row.scopes.len())))
    }

    fn usable(&self, user: usize, client: usize) -> Vec<&RefreshToken> {
        let family = self.families.get(&client).copied();
        let mut rows: Vec<_> = self
            .refresh_tokens
            .iter()
            .filter(|row| row.user == user)
            .filter(|row| if row.family { family.unwrap_or(row.client == client) } else { row.client == client })
            .collect();
        rows.sort_by_key(|row| (!row.family, Reverse(row.time)));
        rows
    }

    pub(super) fn candidates(&self, user: usize, client: usize) -> Vec<String> {
        self.usable(user, client).into_iter().map(|row| row.secret.clone()).collect()
    }

    pub(super) fn listed(&self, client: usize) -> Vec<Listed> {
        let mut listed: Vec<_> = (0..USERS.len())
            .filter_map(|user| {
                let rows: Vec<_> = self.accounts.iter().filter(|row| row.user == user).collect();
                let signed_in = rows.iter().filter_map(|row| row.signed_in).max();
                let refreshed = self.usable(user, client).iter().map(|row| row.time).max();
                let realms = rows.iter().map(|row| REALMS[row.realm].to_owned()).collect();
                let id = user_id(user).as_str().to_owned();
                (!rows.is_empty()).then(|| (id, refreshed.is_some(), signed_in.or(refreshed), realms))
            })
            .collect();
        listed.sort_by_key(|(id, _, time, _)| (Reverse(*time), id.clone()));
        listed
    }

    /// Forgets the expired tokens that are no longer in the cache. When they go depends on the last sweep, and a copy
    /// that is merged later brings back what such a token replaced.
    pub(super) fn forget_swept(&mut self, now: Timestamp, left: &[String]) {
        self.access_tokens.retain(|row| row.expires_on > now || left.contains(&row.secret));
    }

    pub(super) fn access_token_secrets(&self) -> Vec<String> {
        self.access_tokens.iter().map(|row| row.secret.clone()).collect()
    }

    pub(super) fn refresh_token_secrets(&self) -> Vec<String> {
        self.refresh_tokens.iter().map(|row| row.secret.clone()).collect()
    }
}
