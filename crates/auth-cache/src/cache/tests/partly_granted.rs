//! Requests of which the provider granted only a part.

use std::time::Duration;

use auth_core::{Timestamp, Tokens};

use super::*;
use crate::lookup::{CachedToken, GrantLookup};

/// The answer to a request for `requested` that grants `granted`; the access token is `secret`.
fn answer(requested: &str, granted: &str, secret: &str, now: Timestamp) -> Tokens {
    let answer = [("access_token", json!(secret)), ("scope", json!(granted))];
    tokens(&entra(T), requested, &[&sign_in(&entra(T), T, "ada"), &answer[..]].concat(), now)
}

async fn store_answer(cache: &TokenCache, tokens: Tokens, bypass: bool) {
    let account = account_of(&tokens, &entra(T));
    let mut update = TokenUpdate::from_sign_in(Arc::new(entra(T)), client(), account, Arc::new(tokens));
    update.bypass = bypass;
    cache.store(update).await.unwrap();
}

/// The token for `wanted`, and what was declined; empty if there is none to be served.
async fn served(cache: &TokenCache, wanted: &str, now: Timestamp) -> [String; 2] {
    let (authority, client, wanted) = (entra(T), client(), scopes(wanted));
    let account = AccountId::new(format!("ada.{T}"));
    match cache.lookup(&Query::new(&authority, &client, &account, &wanted), now).await.unwrap() {
        Lookup::Usable(token) => [token.access_token().expose().to_owned(), declined(&token)],
        _ => Default::default(),
    }
}

fn declined(token: &CachedToken) -> String {
    token.declined_scopes().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn the_token_answers_the_same_request_again_and_no_other() {
    let cache = TokenCache::in_memory();
    store_answer(&cache, answer("A B", "A", "at", NOW), false).await;
    for (wanted, expected) in [
        ("A B", ["at", "B"]),
        ("openid b a", ["at", "B"]),
        ("A", ["at", ""]),
        ("B", ["", ""]),
        ("A B C", ["", ""]),
        ("A C", ["", ""]),
    ] {
        assert_eq!(served(&cache, wanted, NOW).await, expected, "{wanted}");
    }
    let end = NOW.saturating_add(Duration::from_secs(3600));
    assert_eq!(served(&cache, "A B", end).await, ["", ""], "once expired, the provider is asked for all of it again");
}

#[tokio::test]
async fn a_token_that_grants_all_is_preferred() {
    let later = NOW.saturating_add(Duration::from_secs(600));
    let cache = TokenCache::in_memory();
    store_answer(&cache, answer("A B", "A B", "all", NOW), false).await;
    store_answer(&cache, answer("A B", "A", "part", later), false).await;
    assert_eq!(served(&cache, "A B", later).await, ["all", ""]);
    let end = NOW.saturating_add(Duration::from_secs(3600));
    assert_eq!(served(&cache, "A B", end).await, ["part", "B"], "when the other has expired");
}

#[tokio::test]
async fn a_forced_refresh_replaces_the_token_that_answered_the_request() {
    let cache = TokenCache::in_memory();
    store_answer(&cache, answer("A B", "A", "at", NOW), false).await;
    store_answer(&cache, answer("A B", "C", "new", NOW), true).await;
    assert_eq!(served(&cache, "A", NOW).await, ["", ""]);
    assert_eq!(served(&cache, "A B", NOW).await, ["new", "A B"]);
}

#[tokio::test]
async fn the_process_that_asked_remembers_it_over_a_reload() {
    let store = Arc::new(MemoryStorage::default());
    let [cache, other] = [(); 2].map(|()| TokenCache::from_shared(Arc::clone(&store) as Arc<dyn DynStorage>));
    store_answer(&cache, answer("A B", "A", "at", NOW), false).await;
    assert_eq!(served(&other, "A B", NOW).await, ["", ""], "another process asks for itself");
    store_answer(&other, answer("X", "X", "x", NOW), false).await;
    assert_eq!(served(&cache, "A B", NOW).await, ["at", "B"]);
    assert_eq!(served(&cache, "X", NOW).await, ["x", ""]);
}

#[tokio::test]
async fn tokens_of_applications_are_remembered_too() {
    let cache = TokenCache::in_memory();
    let answer = [("scope", json!("A"))];
    let update = AppTokenUpdate::new(Arc::new(entra(T)), client(), Arc::new(tokens(&entra(T), "A B", &answer, NOW)));
    cache.store_app(update).await.unwrap();
    let (authority, client) = (entra(T), client());
    for (wanted, expected) in [("A B", Some("B")), ("A", Some("")), ("B", None)] {
        let wanted = scopes(wanted);
        let found = match cache.lookup_app(&AppQuery::new(&authority, &client, &wanted), NOW).await.unwrap() {
            GrantLookup::Usable(token) => Some(declined(&token)),
            _ => None,
        };
        assert_eq!(found.as_deref(), expected, "{wanted}");
    }
}
