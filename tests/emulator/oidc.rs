//! The emulator as an OpenID provider that is found by its issuer, through discovery.

use auth::{AuthError, Authority, PublicClient, TokenSource};
use auth_emulator::{Emulator, Endpoint, Fault, HttpFault};
use auth_tests::browsers::RobotBrowser;
use auth_tests::cache;
use serde_json::{Value, json};

use crate::fixture::{ADA, CLIENT, scopes};

fn issuer(emulator: &Emulator) -> String {
    format!("{}/v2.0", emulator.authority())
}

fn client(emulator: &Emulator, storage: auth::MemoryStorage) -> PublicClient {
    PublicClient::builder(CLIENT)
        .authority(Authority::oidc(&issuer(emulator)).unwrap())
        .storage(storage)
        .browser(RobotBrowser::user(ADA))
        .build()
        .unwrap()
}

/// The emulator's discovery document, with a change.
fn metadata(emulator: &Emulator, change: impl FnOnce(&mut Value)) -> HttpFault {
    let endpoint = |name: &str| format!("{}/oauth2/v2.0/{name}", emulator.authority());
    let mut document = json!({
        "issuer": issuer(emulator),
        "authorization_endpoint": endpoint("authorize"),
        "token_endpoint": endpoint("token"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "code_challenge_methods_supported": ["S256"],
    });
    change(&mut document);
    Fault::status(200).content_type("application/json").body(document.to_string())
}

#[tokio::test]
async fn one_discovery_serves_sign_in_refresh_and_cache() {
    let emulator = Emulator::start().await.unwrap();
    let storage = auth::MemoryStorage::new();
    let app = client(&emulator, storage.clone());
    app.acquire_token_interactive(&scopes()).send().await.unwrap();
    let wanted = scopes();
    let silent = || app.acquire_token_silent(&wanted, None).send();
    assert_eq!(silent().await.unwrap().source(), TokenSource::Cache);
    cache::expire(&storage).await;
    assert_eq!(silent().await.unwrap().source(), TokenSource::IdentityProvider);
    assert_eq!(emulator.ledger().count(Endpoint::Discovery), 1);
    app.verify_signature(&silent().await.unwrap().id_token().unwrap()).await.unwrap();
    // After a restart the cache answers without discovery.
    emulator.ledger().clear();
    let again = client(&emulator, storage);
    let found = again.acquire_token_silent(&scopes(), None).send().await.unwrap();
    assert_eq!((found.source(), emulator.ledger().requests().len()), (TokenSource::Cache, 0));
}

#[tokio::test]
async fn untrusted_metadata_ends_the_sign_in_before_a_page_is_shown() {
    let emulator = Emulator::start().await.unwrap();
    let elsewhere = Emulator::start().await.unwrap();
    let set = |name: &'static str, value: Value| metadata(&emulator, move |document| document[name] = value);
    let without = |name: &'static str| {
        metadata(&emulator, move |document| {
            document.as_object_mut().unwrap().remove(name);
        })
    };
    for (what, fault) in [
        ("another issuer", set("issuer", json!(issuer(&elsewhere)))),
        ("an issuer with a trailing slash", set("issuer", json!(format!("{}/", issuer(&emulator))))),
        ("no issuer", without("issuer")),
        ("no token endpoint", without("token_endpoint")),
        ("no authorization endpoint", without("authorization_endpoint")),
        ("a plain http endpoint", set("token_endpoint", json!("http://idp.example/token"))),
        ("an endpoint that is no URL", set("authorization_endpoint", json!("javascript:alert(1)"))),
        ("no PKCE", set("code_challenge_methods_supported", json!(["plain"]))),
        ("no JSON", Fault::html("<h1>Hotel</h1>")),
        ("half of it", Fault::status(200).content_type("application/json").body("{\"issuer\":")),
        ("a redirect", Fault::redirect(format!("{}/.well-known/openid-configuration", issuer(&elsewhere)))),
    ] {
        emulator.faults().push(Endpoint::Discovery, fault);
        let outcome = client(&emulator, auth::MemoryStorage::new()).acquire_token_interactive(&scopes()).send().await;
        assert!(matches!(outcome, Err(AuthError::Protocol(_) | AuthError::Config(_))), "{what}: {outcome:?}");
    }
    assert_eq!(emulator.ledger().count(Endpoint::Authorize), 0);
    assert!(elsewhere.ledger().requests().is_empty());
    let unchanged = metadata(&emulator, |_| ());
    emulator.faults().push(Endpoint::Discovery, unchanged);
    client(&emulator, auth::MemoryStorage::new()).acquire_token_interactive(&scopes()).send().await.unwrap();
}

#[tokio::test]
async fn a_failed_discovery_is_retried_and_not_remembered() {
    let emulator = Emulator::start().await.unwrap();
    let app = client(&emulator, auth::MemoryStorage::new());
    emulator.faults().push_times(Endpoint::Discovery, 2, Fault::status(500));
    let outcome = app.acquire_token_interactive(&scopes()).send().await;
    assert!(matches!(outcome, Err(AuthError::Server(_))), "{outcome:?}");
    assert_eq!(emulator.ledger().count(Endpoint::Discovery), 2);
    app.acquire_token_interactive(&scopes()).send().await.unwrap();
    assert_eq!(emulator.ledger().count(Endpoint::Discovery), 3);
}
