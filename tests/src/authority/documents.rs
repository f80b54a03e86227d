//! What a provider knows about its accounts, taken from the cache that another library wrote.

use serde_json::{Map, Value};

use crate::cache::section;
use crate::fixtures::{App, Fixture, Kind, Person};
use crate::jwt::claims;

/// The entries of a cache, and its description.
#[derive(Debug)]
pub(super) struct Documents {
    /// The hosts at which applications sign users in, under all their names, with the kind of provider.
    hosts: Vec<(String, Kind)>,
    /// The domain names of tenants, with their ids.
    domains: Vec<(String, String)>,
    identities: Vec<Identity>,
    pub(super) refresh_tokens: Vec<RefreshToken>,
}

/// The content of an ID token in the cache.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) home_account_id: String,
    pub(super) client_id: String,
    environment: String,
    pub(super) claims: Map<String, Value>,
}

/// A refresh token that was issued.
#[derive(Clone, Debug)]
pub(super) struct RefreshToken {
    pub(super) home_account_id: String,
    pub(super) family: Option<String>,
    pub(super) secret: String,
}

impl Documents {
    pub(super) fn of(fixture: &Fixture) -> Self {
        let document = fixture.document();
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let identity = |entry: &&Value| Identity {
            home_account_id: text(entry, "home_account_id"),
            client_id: text(entry, "client_id"),
            environment: text(entry, "environment"),
            claims: claims(&text(entry, "secret")).as_object().unwrap().clone(),
        };
        let refresh_token = |entry: &&Value| RefreshToken {
            home_account_id: text(entry, "home_account_id"),
            family: entry["family_id"].as_str().filter(|family| !family.is_empty()).map(str::to_owned),
            secret: text(entry, "secret"),
        };
        let meta = &fixture.meta;
        let apps = meta.steps.iter().map(|step| &step.app).chain(meta.queries.iter().map(|query| &query.app));
        // A domain name in an authority stands for the first tenant of the only account.
        let first = meta.accounts.first().and_then(|account| account.tenants.first());
        let domain = |app: &App| {
            let name = app.authority.split('/').nth(3).filter(|name| name.contains('.'))?;
            Some((name.to_ascii_lowercase(), first?.clone()))
        };
        Self {
            domains: apps.clone().filter_map(domain).collect(),
            hosts: apps.flat_map(|app| names(app, &meta.accounts)).collect(),
            identities: section(&document, "IdToken").iter().map(identity).collect(),
            refresh_tokens: section(&document, "RefreshToken").iter().map(refresh_token).collect(),
        }
    }

    /// Returns the kind of provider at a host.
    pub(super) fn kind(&self, host: &str) -> Option<Kind> {
        self.hosts.iter().find(|(name, _)| name == host).map(|(_, kind)| *kind)
    }

    /// Returns the id of a tenant, given its id or domain name.
    pub(super) fn tenant_id<'a>(&'a self, name: &'a str) -> &'a str {
        let domain = self.domains.iter().find(|(domain, _)| domain.eq_ignore_ascii_case(name));
        domain.map_or(name, |(_, id)| id)
    }

    /// Returns what a client knows about an account in a tenant, or else what is known to other clients or in other
    /// tenants.
    pub(super) fn identity(&self, account: &str, tenant: &str, client_id: &str) -> Option<&Identity> {
        let known = self.identities.iter().filter(|identity| identity.home_account_id == account);
        known.max_by_key(|identity| (identity.is_of(tenant), identity.client_id == client_id))
    }

    /// Returns the issuer of tokens for a tenant, or at a host without tenants, for the host.
    pub(super) fn issuer(&self, host: &str, tenant: &str) -> Option<&str> {
        let known = || self.identities.iter();
        let at_host = || known().find(|identity| identity.environment == host);
        known().find(|identity| identity.is_of(tenant)).or_else(at_host)?.claims.get("iss")?.as_str()
    }
}

/// Returns the host of an application's authority, and its other names.
fn names(app: &App, people: &[Person]) -> Vec<(String, Kind)> {
    let own = app.authority().host().to_owned();
    let others = people.iter().filter(|person| person.environment_any_of.contains(&own));
    let mut names: Vec<_> = others.flat_map(|person| person.environment_any_of.clone()).collect();
    names.push(own);
    names.into_iter().map(|name| (name, app.authority_kind)).collect()
}

impl Identity {
    fn is_of(&self, tenant: &str) -> bool {
        self.claims.get("tid").and_then(Value::as_str) == Some(tenant)
    }
}
