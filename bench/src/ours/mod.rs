//! The same work done by the workspace: a client over a generated cache.

pub mod provider;

use std::path::Path;

use auth::{
    Account, AccountId, AuthResult, Authority, FileStorage, Limits, PublicClient, Scopes, Timestamp, TokenCache,
    TokenSource, Transport,
};
use auth_cache::{Lookup, Query, RefreshBasis};
use auth_core::ClientId;
use tokio::runtime::{Builder, Runtime};

use crate::generate::{CLIENT, ENVIRONMENT, TENANT, Users, access_token, home_account_id, username};
use crate::limit::now;

/// Three of the five scopes that each token grants.
pub const WANTED: [&str; 3] = ["Calendars.Read", "Files.Read", "User.Read"];

/// The authority of all generated users.
#[must_use]
pub fn authority() -> Authority {
    Authority::tenant(TENANT).expect("a tenant id")
}

/// Three of the five scopes, as our crates represent them.
#[must_use]
pub fn wanted() -> Scopes {
    Scopes::new(WANTED).expect("scopes")
}

/// User `number`, as an application represents it.
#[must_use]
pub fn account(number: u64) -> Account {
    Account::new(AccountId::new(home_account_id(number)), ENVIRONMENT, username(number))
}

/// The first `count` users.
#[must_use]
pub fn accounts(count: u64) -> Vec<Account> {
    (0..count).map(account).collect()
}

/// A cache in memory with these users, without limits.
#[must_use]
pub fn memory(users: &Users) -> TokenCache {
    let cache = TokenCache::in_memory().with_limits(unlimited());
    for part in users.parts() {
        cache.merge_json(&part).expect("a cache document");
    }
    cache
}

/// A cache in a file, without limits.
#[must_use]
pub fn file(path: &Path) -> TokenCache {
    let storage = FileStorage::at(path).expect("a path").with_size_limit(u64::MAX);
    TokenCache::new(storage).with_limits(unlimited())
}

fn unlimited() -> Limits {
    let mut limits = Limits::DEFAULT;
    (limits.document_bytes, limits.document_entries) = (usize::MAX, usize::MAX);
    (limits.bytes, limits.access_tokens) = (usize::MAX, usize::MAX);
    limits
}

/// A client for the generated users.
#[must_use]
pub fn client(cache: TokenCache, transport: impl Transport) -> PublicClient {
    let builder = PublicClient::builder(CLIENT).authority(authority()).cache(cache).transport(transport);
    builder.build().expect("a complete configuration")
}

/// A runtime on the current thread.
#[must_use]
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// What is cached for a user when a refresh begins.
#[must_use]
pub fn basis(runtime: &Runtime, cache: &TokenCache, authority: &Authority, account: &Account) -> RefreshBasis {
    let (client_id, scopes) = (ClientId::new(CLIENT).expect("a client id"), wanted());
    let mut query = Query::new(authority, &client_id, &account.home_account_id, &scopes);
    query.bypass = true;
    match runtime.block_on(cache.lookup(&query, Timestamp::from_unix_seconds(now()))).expect("a file") {
        Lookup::MustRefresh(refresh, None) => refresh.basis,
        _ => panic!("no refresh token"),
    }
}

/// One silent call.
pub async fn silent(app: &PublicClient, scopes: &Scopes, account: &Account) -> AuthResult {
    app.acquire_token_silent(scopes, Some(account)).send().await.expect("a token")
}

/// Checks that the cache returns the right user's token.
///
/// # Panics
/// If the token is not from the cache, or not the user's.
pub async fn check(app: &PublicClient, scopes: &Scopes, number: u64, slim: bool) {
    let result = silent(app, scopes, &account(number)).await;
    assert_eq!(result.source(), TokenSource::Cache, "the token of user {number} is not from the cache");
    assert_eq!(result.access_token().expose(), access_token(number, slim), "not the token of user {number}");
}
