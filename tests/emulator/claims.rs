//! Claims challenges of an API, and client capabilities.

use std::time::Duration;

use auth::{AuthError, AuthResult, Claims, ClaimsChallenge, ConfigError, PublicClient, TokenSource, UiReason};
use auth_emulator::{Endpoint, Fault};
use auth_tests::browsers::RobotBrowser;
use auth_tests::{cache, jwt};
use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use serde_json::{Value, json};

use crate::fixture::{ADA, CLIENT, Fixture, scopes};

/// The challenge of an API that answers 401 because a session was revoked:
/// `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`.
const CHALLENGE: &str = "Bearer realm=\"\", authorization_uri=\"https://login.example/authorize\", error=\"insufficient_claims\", \
    claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ==\"";

fn challenge() -> Claims {
    let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, CHALLENGE.parse().unwrap())]);
    ClaimsChallenge::from_headers(&headers).unwrap().claims
}

/// The client of the fixture, with a capability.
fn capable(fixture: &Fixture) -> PublicClient {
    PublicClient::builder(CLIENT)
        .authority(auth::Authority::parse(&fixture.emulator.authority()).unwrap())
        .storage(fixture.storage.clone())
        .browser(RobotBrowser::user(ADA))
        .capabilities(["cp1"])
        .build()
        .unwrap()
}

/// The `claims` of the last request to an endpoint.
fn sent(fixture: &Fixture, endpoint: Endpoint) -> Value {
    let asked = fixture.emulator.ledger().requests_to(endpoint).pop().unwrap();
    asked.parameter("claims").map_or(Value::Null, |claims| serde_json::from_str(claims).unwrap())
}

fn capabilities(result: &AuthResult) -> Value {
    jwt::claims(result.access_token().expose())["xms_cc"].clone()
}

#[tokio::test]
async fn a_challenge_bypasses_the_cache_and_its_token_replaces_the_cached_one() {
    let fixture = Fixture::start().await;
    let client = capable(&fixture);
    let alone = json!({"access_token": {"xms_cc": {"values": ["cp1"]}}});
    let first = client.acquire_token(&scopes()).send().await.unwrap();
    assert_eq!((sent(&fixture, Endpoint::Authorize), sent(&fixture, Endpoint::Token)), (alone.clone(), alone.clone()));
    assert_eq!(capabilities(&first), json!(["cp1"]));
    let wanted = scopes();
    let silent = || client.acquire_token_silent(&wanted, first.account());
    assert_eq!(silent().send().await.unwrap().source(), TokenSource::Cache, "capabilities do not bypass the cache");

    let satisfied = silent().claims(challenge()).send().await.unwrap();
    assert_eq!((satisfied.source(), fixture.refreshes()), (TokenSource::IdentityProvider, 1));
    assert_eq!(capabilities(&satisfied), json!(["cp1"]));
    let both = json!({"access_token": {"nbf": {"essential": true, "value": "1"}, "xms_cc": {"values": ["cp1"]}}});
    assert_eq!(sent(&fixture, Endpoint::Token), both);
    let next = silent().send().await.unwrap();
    assert_eq!(next.source(), TokenSource::Cache);
    assert!(next.access_token().ct_eq(satisfied.access_token().expose()), "the refused token is gone");

    // Without capabilities none are sent.
    cache::expire(&fixture.storage).await;
    assert_eq!(capabilities(&fixture.silent().await.unwrap()), Value::Null);
    assert_eq!(sent(&fixture, Endpoint::Token), Value::Null);
}

#[tokio::test]
async fn a_challenge_or_a_forced_refresh_never_falls_back_to_the_cache() {
    let seconds = Duration::from_secs;
    for (fault, times) in [
        (Fault::from(Fault::status(500)), 2),
        (Fault::status(503).retry_after(seconds(60)).into(), 1),
        (Fault::status(429).into(), 1),
        (Fault::Reset, 2),
        (Fault::html("<h1>Hotel</h1>").into(), 1),
        (Fault::oauth("invalid_client").with_status(401).into(), 1),
        (Fault::oauth("invalid_grant").into(), 1),
    ] {
        let mut fixture = Fixture::signed_in().await;
        // A token with an hour left, one that would serve during an outage, and one that is refreshed in the
        // background.
        for (expires, due) in [(3_600, 3_600), (200, 3_600), (3_600, -301)] {
            // Before a retry the transport waits; the token that would serve is enough there.
            if times > 1 && expires > 200 {
                continue;
            }
            fixture.set_time("expires_on", cache::now() + expires).await;
            fixture.set_time("refresh_on", cache::now().saturating_add_signed(due)).await;
            for (claims, force) in [(Some(challenge()), false), (None, true)] {
                let what = format!("{fault:?}, {expires} {due}, {claims:?}, {force}");
                fixture.emulator.faults().push_times(Endpoint::Token, times, fault.clone());
                // Each with a client that remembers no failure.
                fixture.restart();
                let wanted = scopes();
                let before = fixture.refreshes();
                let mut request = fixture.client.acquire_token_silent(&wanted, None).force_refresh(force);
                if let Some(claims) = claims {
                    request = request.claims(claims);
                }
                let outcome = request.send().await;
                assert!(outcome.is_err(), "{what}: {outcome:?}");
                assert_eq!(fixture.refreshes() - before, times as u64, "{what}");
                assert_eq!(fixture.emulator.faults().pending(Endpoint::Token), 0, "{what}");
            }
        }
        // A plain call is served.
        fixture.set_time("expires_on", cache::now() + 3_600).await;
        fixture.set_time("refresh_on", cache::now() + 3_600).await;
        assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::Cache, "{fault:?}");
    }
}

#[tokio::test]
async fn a_challenge_that_needs_the_user_reaches_the_sign_in_with_all_claims() {
    let fixture = Fixture::signed_in().await;
    let client = capable(&fixture);
    let account = fixture.account().await;
    let refusal =
        Fault::oauth("interaction_required").claims(r#"{"access_token":{"acrs":{"value":"c1"},"nbf":{"x":1}}}"#);
    let (of_api, own) = (json!({"essential": true, "value": "1"}), json!({"values": ["cp1"]}));
    let of_both = json!({"essential": true, "value": "1", "x": 1});
    for (refusal, expected) in [
        (Some(refusal), json!({"acrs": {"value": "c1"}, "nbf": of_both, "xms_cc": own})),
        (Some(Fault::oauth("invalid_grant")), json!({"nbf": of_api, "xms_cc": own})),
        (None, json!({"nbf": of_api, "xms_cc": own})),
    ] {
        match refusal {
            Some(refusal) => fixture.emulator.faults().push(Endpoint::Token, refusal),
            None => assert!(client.remove_account(&account).await.unwrap()),
        }
        let outcome = client.acquire_token_silent(&scopes(), Some(&account)).claims(challenge()).send().await;
        let Err(AuthError::UiRequired(ui)) = outcome else { panic!("{outcome:?}") };
        let request = client.acquire_token_interactive(&scopes()).account(&account).satisfying(&ui);
        let result = request.send().await.unwrap();
        assert_eq!(capabilities(&result), json!(["cp1"]));
        for endpoint in [Endpoint::Authorize, Endpoint::Token] {
            assert_eq!(sent(&fixture, endpoint), json!({"access_token": expected}), "{endpoint:?}");
        }
    }
}

#[tokio::test]
async fn the_claims_are_kept_when_no_account_is_signed_in() {
    let fixture = Fixture::start().await;
    let outcome = fixture.client.acquire_token_silent(&scopes(), None).claims(challenge()).send().await;
    let Err(AuthError::UiRequired(ui)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((ui.reason, ui.claims.as_deref()), (UiReason::NoTokensFound, Some(challenge().as_str())));
    fixture.client.acquire_token(&scopes()).claims(challenge()).send().await.unwrap();
    assert_eq!(sent(&fixture, Endpoint::Authorize)["access_token"]["nbf"]["value"], "1");
}

#[test]
fn a_capability_that_cannot_be_sent_is_a_configuration_error() {
    for capability in ["", "c p", "é"] {
        let built = PublicClient::builder(CLIENT).capabilities([capability]).build();
        assert_eq!(built.err(), Some(ConfigError::Capability), "{capability:?}");
    }
}
