//! How a broken network and a broken server affect a refresh, the redemption of a code, and a token that is still
//! valid.

use std::time::Duration;

use auth::{AuthError, AuthResult, ProtocolError, TokenSource, TransportFault};
use auth_emulator::{CredentialKind, Emulator, Endpoint, Fault, HttpFault, Rotation};
use auth_tests::cache;

use crate::fixture::Fixture;

/// The outcome of an operation, in brief.
fn kind(outcome: &Result<AuthResult, AuthError>) -> String {
    match outcome {
        Ok(result) => format!("{:?}", result.source()),
        Err(AuthError::Server(server)) => format!("server {}", server.error),
        Err(AuthError::Throttled(throttled)) => format!("throttled {:?}", throttled.retry_after),
        Err(AuthError::Transport(error)) => format!("transport {:?}", error.fault),
        Err(AuthError::Protocol(error)) => match **error {
            ProtocolError::NotJson { status, .. } => format!("not JSON {status}"),
            ProtocolError::UnexpectedRedirect { status, .. } => format!("redirect {status}"),
            _ => "protocol".to_owned(),
        },
        Err(other) => format!("{other:?}"),
    }
}

fn json(body: &str) -> HttpFault {
    Fault::status(200).content_type("application/json").body(body)
}

const GARBAGE: [&str; 12] = [
    "",
    "null",
    "[]",
    "\"text\"",
    "{\"access_tok",
    "{}",
    "\u{feff}{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
    "{\"access_token\":\"a\",\"access_token\":\"b\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
    "{\"access_token\":\"a b\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
    "{\"access_token\":\"a\",\"token_type\":\"mac\",\"expires_in\":3600}",
    "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":-1}",
    "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":3600} x",
];

#[tokio::test]
async fn a_refresh_is_retried_once_and_only_where_that_helps() {
    let elsewhere = Emulator::start().await.unwrap();
    let seconds = Duration::from_secs;
    for (fault, times, expected, requests) in [
        (Fault::from(Fault::status(500)), 1, "IdentityProvider", 2),
        (Fault::status(500).into(), 9, "server service_not_available", 2),
        (Fault::status(503).retry_after(seconds(7)).into(), 9, "throttled Some(7s)", 1),
        (Fault::status(429).into(), 9, "throttled None", 1),
        (Fault::status(429).retry_after(seconds(9_999_999)).into(), 9, "throttled Some(3600s)", 1),
        (Fault::Reset, 1, "IdentityProvider", 2),
        (Fault::Reset, 9, "transport Interrupted", 2),
        (Fault::html("<h1>Hotel</h1>").into(), 9, "not JSON 200", 1),
        (Fault::redirect(elsewhere.authority()).into(), 9, "redirect 307", 1),
        (Fault::status(404).into(), 9, "server not_found", 1),
        (Fault::status(418).into(), 9, "server http_status_not_200", 1),
        (Fault::oauth("invalid_client").with_status(401).into(), 9, "server invalid_client", 1),
        (Fault::oauth("temporarily_unavailable").with_status(503).into(), 1, "IdentityProvider", 2),
    ] {
        let mut fixture = Fixture::expired().await;
        let before = fixture.document().await;
        fixture.emulator.faults().push_times(Endpoint::Token, times, fault.clone());
        let outcome = fixture.silent().await;
        assert_eq!((kind(&outcome).as_str(), fixture.refreshes()), (expected, requests), "{fault:?}");
        if outcome.is_err() {
            assert_eq!(fixture.document().await, before, "{fault:?}");
            fixture.emulator.faults().clear();
            if expected.starts_with("throttled") || expected == "server service_not_available" {
                // The provider is left alone for a while.
                let again = kind(&fixture.silent().await);
                assert!(again.starts_with("throttled Some(") && fixture.refreshes() == requests, "{fault:?}: {again}");
                fixture.restart();
            }
            assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::IdentityProvider, "{fault:?}");
        }
    }
    assert!(elsewhere.ledger().requests().is_empty(), "nothing follows a redirect");
}

#[tokio::test]
async fn a_lost_response_to_a_refresh_is_recovered_if_the_old_token_is_still_valid() {
    for (rotation, fault) in [
        (Rotation::Overlap, Fault::LoseAnswer),
        (Rotation::None, Fault::LoseAnswer),
        (Rotation::Overlap, Fault::TruncateBody),
    ] {
        let fixture = Fixture::of(Emulator::builder().rotation(rotation)).await;
        fixture.sign_in().await.unwrap();
        cache::expire(&fixture.storage).await;
        fixture.emulator.faults().push(Endpoint::Token, fault);
        fixture.silent().await.unwrap();
        assert_eq!(fixture.refreshes(), 2);
    }
    // If it is not, the user signs in again.
    let fixture = Fixture::expired().await;
    fixture.emulator.faults().push(Endpoint::Token, Fault::LoseAnswer);
    assert_eq!(fixture.ui_required().await.code(), "invalid_grant");
    assert_eq!(fixture.refreshes(), 2);
}

#[tokio::test]
async fn garbage_instead_of_tokens_is_an_error_and_not_cached() {
    let fixture = Fixture::expired().await;
    let before = fixture.document().await;
    for body in GARBAGE {
        fixture.emulator.faults().push(Endpoint::Token, json(body));
        let outcome = fixture.silent().await;
        assert!(matches!(outcome, Err(AuthError::Protocol(_))), "{body:?}: {outcome:?}");
        assert_eq!(fixture.document().await, before, "{body:?}");
    }
    let huge = format!("{{\"access_token\":\"{}\"}}", "a".repeat(1 << 20));
    fixture.emulator.faults().push(Endpoint::Token, json(&huge));
    assert_eq!(kind(&fixture.silent().await), format!("transport {:?}", TransportFault::TooLarge));
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::IdentityProvider);
}

#[tokio::test]
async fn a_code_is_never_sent_twice() {
    let elsewhere = Emulator::start().await.unwrap();
    for (fault, expected) in [
        (Fault::LoseAnswer, "transport Interrupted"),
        (Fault::TruncateBody, "transport Interrupted"),
        (Fault::Reset, "transport Interrupted"),
        (Fault::status(500).into(), "server service_not_available"),
        (Fault::status(503).into(), "server service_not_available"),
        (Fault::status(429).into(), "throttled None"),
        (Fault::html("<h1>Hotel</h1>").into(), "not JSON 200"),
        (Fault::redirect(elsewhere.authority()).into(), "redirect 307"),
        (Fault::oauth("invalid_grant").aadsts(54_005).into(), "server invalid_grant"),
    ] {
        let fixture = Fixture::start().await;
        fixture.emulator.faults().push(Endpoint::Token, fault.clone());
        let outcome = fixture.sign_in().await;
        assert_eq!((kind(&outcome).as_str(), fixture.codes()), (expected, 1), "{fault:?}");
        let redeemed = fixture.emulator.ledger().redemptions(CredentialKind::Code);
        assert!(redeemed.iter().all(|seen| seen.attempts == 1), "{fault:?}: {redeemed:?}");
        assert!(fixture.document().await.is_null(), "nothing is cached: {fault:?}");
        fixture.sign_in().await.unwrap();
    }
    for body in GARBAGE {
        let fixture = Fixture::start().await;
        fixture.emulator.faults().push(Endpoint::Token, json(body));
        let outcome = fixture.sign_in().await;
        assert!(matches!(outcome, Err(AuthError::Protocol(_))), "{body:?}: {outcome:?}");
        assert!(fixture.document().await.is_null() && fixture.codes() == 1, "{body:?}");
    }
    assert!(elsewhere.ledger().requests().is_empty());
}

#[tokio::test]
async fn a_token_with_a_few_minutes_left_is_served_while_the_refresh_fails() {
    for (fault, requests) in [
        (Fault::from(Fault::status(500)), 2),
        (Fault::status(503).retry_after(Duration::from_secs(60)).into(), 1),
        (Fault::status(429).into(), 1),
        (Fault::Reset, 2),
    ] {
        let mut fixture = Fixture::signed_in().await;
        fixture.set_time("expires_on", cache::now() + 200).await;
        fixture.emulator.faults().push_times(Endpoint::Token, 9, fault.clone());
        let served = fixture.silent().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!((served.source(), fixture.refreshes()), (TokenSource::Cache, requests), "{fault:?}");
        // A token about to expire is never served.
        fixture.set_time("expires_on", cache::now() + 25).await;
        assert!(fixture.silent().await.is_err(), "{fault:?}");
        fixture.emulator.faults().clear();
        fixture.restart();
        assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::IdentityProvider);
    }
}

#[tokio::test]
async fn a_forced_refresh_that_fails_serves_nothing_from_the_cache() {
    let fixture = Fixture::signed_in().await;
    fixture.emulator.faults().push_times(Endpoint::Token, 2, Fault::status(500));
    let scopes = crate::fixture::scopes();
    let request = fixture.client.acquire_token_silent(&scopes, None);
    assert_eq!(kind(&request.force_refresh(true).send().await), "server service_not_available");
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::Cache);
}

#[tokio::test]
async fn a_refresh_that_is_due_runs_in_the_background_and_its_failure_is_harmless() {
    for fault in [
        Some(Fault::from(Fault::status(500))),
        Some(Fault::Reset),
        Some(Fault::oauth("invalid_client").into()),
        Some(Fault::oauth("invalid_grant").suberror("basic_action").into()),
        Some(json("{").into()),
        None,
    ] {
        let fixture = Fixture::signed_in().await;
        let first = fixture.silent().await.unwrap();
        fixture.set_time("refresh_on", cache::now() - 301).await;
        if let Some(fault) = &fault {
            fixture.emulator.faults().push_times(Endpoint::Token, 2, fault.clone());
        }
        let served = fixture.silent().await.unwrap();
        assert_eq!(served.source(), TokenSource::Cache);
        assert!(served.access_token().ct_eq(first.access_token().expose()), "{fault:?}");
        fixture.client.close().await;
        assert!(fixture.refreshes() > 0, "{fault:?}");
        fixture.emulator.faults().clear();
        let next = fixture.silent().await.unwrap();
        assert_eq!(next.source(), TokenSource::Cache);
        let replaced = !next.access_token().ct_eq(first.access_token().expose());
        assert_eq!(replaced, fault.is_none(), "the new token is served from now on: {fault:?}");
    }
}

#[tokio::test]
async fn the_refresh_time_that_the_server_suggests_is_cached() {
    let fixture = Fixture::of(Emulator::builder().refresh_in(Duration::from_secs(1_200))).await;
    let result = fixture.sign_in().await.unwrap();
    let left = result.refresh_on().unwrap().as_unix_seconds() - cache::now();
    assert!((1_100..=1_200).contains(&left), "{left}");
    assert_eq!(fixture.silent().await.unwrap().refresh_on(), result.refresh_on());
    let document = fixture.document().await;
    let stored = cache::section(&document, "AccessToken")[0]["refresh_on"].as_str().unwrap().to_owned();
    assert_eq!(stored, result.refresh_on().unwrap().as_unix_seconds().to_string());
}

#[tokio::test]
async fn a_failed_discovery_does_not_fail_a_silent_call() {
    let fixture = Fixture::signed_in().await;
    let authority = auth::Authority::parse(&fixture.emulator.authority_for("contoso.example")).unwrap();
    for fault in [Fault::from(Fault::status(500)), Fault::html("hotel").into(), json("{").into()] {
        let client = auth::PublicClient::builder(crate::fixture::CLIENT)
            .authority(authority.clone())
            .storage(fixture.storage.clone())
            .build()
            .unwrap();
        fixture.emulator.faults().push_times(Endpoint::Discovery, 2, fault.clone());
        let outcome = client.acquire_token_silent(&crate::fixture::scopes(), None).send().await;
        // The tenant of the domain name is unknown, so the refresh token is used or the user is needed; discovery never
        // fails the call.
        assert!(matches!(outcome, Ok(_) | Err(AuthError::UiRequired(_))), "{fault:?}: {outcome:?}");
        fixture.emulator.faults().clear();
    }
}
