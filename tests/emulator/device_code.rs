//! Sign-in on another device through the facade, from the code to the cache, the refresh and the next sign-in.

use std::time::Duration;

use auth::{AuthError, AuthResult, MemoryStorage, PublicClient, ReqwestTransport, TokenSource, Transport, UiReason};
use auth_emulator::{CredentialKind, Emulator, EmulatorBuilder, Endpoint, Fault, GrantType, Robot};
use auth_tests::browsers::{Nobody, RobotBrowser};
use auth_tests::cache;
use auth_tests::transports::UreqTransport;

use crate::fixture::{ADA, Fixture, GRACE, client, client_over, scopes};

/// An emulator that may be polled every second.
fn quick() -> EmulatorBuilder {
    Emulator::builder().device_interval(Duration::from_secs(1))
}

/// The user of the robot signs in on another device.
async fn sign_in(client: &PublicClient, robot: Robot) -> Result<AuthResult, AuthError> {
    let pending = client.acquire_token_by_device_code(&scopes()).start().await?;
    let code = pending.code();
    robot.enter_code(&code.verification_uri.to_string(), &code.user_code).await.unwrap();
    pending.wait().await
}

async fn whole_life(transport: impl Transport) {
    let (emulator, storage) = (quick().start().await.unwrap(), MemoryStorage::new());
    let app = client_over(&emulator, transport, storage.clone(), Nobody);
    let result = sign_in(&app, Robot::new().user(GRACE)).await.unwrap();
    assert_eq!((result.source(), result.persisted()), (TokenSource::IdentityProvider, true));
    assert_eq!(result.account().unwrap().username, GRACE);
    let ledger = emulator.ledger();
    let asked = ledger.requests_to(Endpoint::Token).pop().unwrap();
    assert_eq!(asked.parameter("grant_type"), Some("urn:ietf:params:oauth:grant-type:device_code"));
    let begun = ledger.requests_to(Endpoint::DeviceAuthorization).pop().unwrap();
    assert_eq!(begun.header("client-request-id"), asked.header("client-request-id"), "one call has one id");
    assert!(ledger.redemptions(CredentialKind::DeviceCode).iter().all(|code| code.successes == 1));

    let account = app.accounts().await.unwrap().remove(0);
    assert_eq!(account.source.as_deref(), Some("device_code_flow"));
    let requests = ledger.requests().len();
    let again = app.acquire_token_silent(&scopes(), Some(&account)).send().await.unwrap();
    assert_eq!(again.source(), TokenSource::Cache);
    assert!(again.access_token().ct_eq(result.access_token().expose()));
    assert_eq!(ledger.requests().len(), requests, "the cache answers without a request");
    cache::expire(&storage).await;
    let refreshed = app.acquire_token_silent(&scopes(), Some(&account)).send().await.unwrap();
    assert_eq!(refreshed.source(), TokenSource::IdentityProvider);
    assert_eq!(ledger.token_requests(GrantType::RefreshToken), 1);
    let source = |document: &serde_json::Value| cache::section(document, "Account")[0]["account_source"].clone();
    assert_eq!(source(&cache::read(&storage).await), "device_code_flow", "a refresh is not a sign-in");

    let browser = client(&emulator, storage.clone(), RobotBrowser::user(GRACE));
    browser.acquire_token_interactive(&scopes()).send().await.unwrap();
    assert!(source(&cache::read(&storage).await).is_null());
    emulator.shutdown().await;
}

#[tokio::test]
async fn signed_in_cached_refreshed_and_signed_in_again_over_reqwest() {
    whole_life(ReqwestTransport::new()).await;
}

#[tokio::test]
async fn signed_in_cached_refreshed_and_signed_in_again_over_ureq() {
    whole_life(UreqTransport::default()).await;
}

#[tokio::test]
async fn a_user_who_declines_or_is_not_the_requested_one_leaves_the_cache_unchanged() {
    let fixture = Fixture::of(quick()).await;
    for robot in [Robot::new().cancel(), Robot::new().decline_consent()] {
        match sign_in(&fixture.client, robot).await {
            Err(AuthError::Server(error)) => assert_eq!(error.error, "authorization_declined"),
            other => panic!("{other:?}"),
        }
    }
    assert!(fixture.client.accounts().await.unwrap().is_empty());
    fixture.sign_in().await.unwrap();
    let (ada, before) = (fixture.account().await, fixture.document().await);
    let pending = fixture.client.acquire_token_by_device_code(&scopes()).account(&ada).start().await.unwrap();
    let address = pending.code().verification_uri.to_string();
    Robot::new().user(GRACE).enter_code(&address, &pending.code().user_code).await.unwrap();
    assert!(matches!(pending.wait().await, Err(AuthError::UserMismatch)));
    assert_eq!(fixture.document().await, before);
}

#[tokio::test]
async fn a_code_that_is_not_entered_in_time_requires_the_user() {
    // Once by the clock, and once because the provider says so.
    for (lifetime, fault) in [(1, None), (900, Some(Fault::oauth("expired_token").aadsts(70_020)))] {
        let fixture = Fixture::of(quick().device_code_lifetime(Duration::from_secs(lifetime))).await;
        if let Some(fault) = fault {
            fixture.emulator.faults().push(Endpoint::Token, fault);
        }
        match fixture.client.acquire_token_by_device_code(&scopes()).send(|_| {}).await {
            Err(AuthError::UiRequired(ui)) => assert_eq!(ui.reason, UiReason::CodeExpired),
            other => panic!("{other:?}"),
        }
        assert!(fixture.document().await.is_null());
    }
}

#[tokio::test]
async fn transient_failures_are_survived_and_refusals_are_reported() {
    let fixture = Fixture::of(quick()).await;
    for fault in [Fault::from(Fault::status(503)), Fault::Reset] {
        fixture.emulator.faults().push(Endpoint::Token, fault);
    }
    let result = sign_in(&fixture.client, Robot::new().user(ADA)).await.unwrap();
    assert_eq!(result.account().unwrap().username, ADA);
    assert_eq!(fixture.emulator.ledger().token_requests(GrantType::DeviceCode), 3);
    // A transient error before there is a code is survived, too; a refusal is not.
    fixture.emulator.faults().push(Endpoint::DeviceAuthorization, Fault::status(500));
    assert!(fixture.client.acquire_token_by_device_code(&scopes()).start().await.is_ok());
    fixture.emulator.faults().push(Endpoint::DeviceAuthorization, Fault::oauth("unauthorized_client"));
    match fixture.client.acquire_token_by_device_code(&scopes()).start().await {
        Err(AuthError::Server(error)) => assert_eq!(error.error, "unauthorized_client"),
        other => panic!("{other:?}"),
    }
}
