//! Many callers share one refresh.

use std::time::Duration;

use auth::{AuthError, AuthResult, FileStorage, PublicClient, ReqwestTransport, Storage, TokenSource, Transport};
use auth_emulator::{CredentialKind, Emulator, Endpoint, Fault, GrantType};
use auth_tests::browsers::RobotBrowser;
use auth_tests::cache;
use auth_tests::transports::UreqTransport;

use crate::fixture::{ADA, Fixture, client_over, scopes};

async fn all_at_once(client: &PublicClient, callers: usize) -> Vec<AuthResult> {
    let call = |client: PublicClient| async move { client.acquire_token_silent(&scopes(), None).send().await };
    let calls: Vec<_> = (0..callers).map(|_| tokio::spawn(call(client.clone()))).collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap().unwrap());
    }
    results
}

async fn a_hundred_callers_cost_one_refresh(transport: impl Transport, storage: impl Storage + Clone) {
    let emulator = Emulator::start().await.unwrap();
    let client = client_over(&emulator, transport, storage.clone(), RobotBrowser::user(ADA));
    client.acquire_token_interactive(&scopes()).send().await.unwrap();
    for round in 1..=3 {
        cache::expire(&storage).await;
        let results = all_at_once(&client, 100).await;
        assert_eq!(emulator.ledger().token_requests(GrantType::RefreshToken), round);
        assert!(results.iter().all(|result| result.access_token().ct_eq(results[0].access_token().expose())));
        let fresh = results.iter().filter(|result| result.source() == TokenSource::IdentityProvider);
        assert_eq!(fresh.count(), 1, "only one call reports the provider as its source");
    }
    let redeemed = emulator.ledger().redemptions(CredentialKind::RefreshToken);
    assert!(redeemed.iter().all(|seen| (seen.attempts, seen.successes) == (1, 1)), "{redeemed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_cost_one_refresh_in_memory() {
    a_hundred_callers_cost_one_refresh(ReqwestTransport::new(), auth::MemoryStorage::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_cost_one_refresh_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("tokens.json")).unwrap();
    a_hundred_callers_cost_one_refresh(UreqTransport::default(), storage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_clients_over_one_file_cost_one_refresh() {
    let emulator = Emulator::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("tokens.json")).unwrap();
    let client = || client_over(&emulator, ReqwestTransport::new(), storage.clone(), RobotBrowser::user(ADA));
    client().acquire_token_interactive(&scopes()).send().await.unwrap();
    cache::expire(&storage).await;
    let clients = [client(), client(), client(), client()];
    let calls = clients.each_ref().map(|client| all_at_once(client, 10));
    let [a, b, c, d] = calls;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    let first = &a[0];
    for result in a.iter().chain(&b).chain(&c).chain(&d) {
        assert!(result.access_token().ct_eq(first.access_token().expose()));
    }
    assert_eq!(emulator.ledger().token_requests(GrantType::RefreshToken), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_start_one_refresh_in_the_background() {
    let fixture = Fixture::signed_in().await;
    fixture.set_time("refresh_on", cache::now() - 301).await;
    let results = all_at_once(&fixture.client, 100).await;
    assert!(results.iter().all(|result| result.source() == TokenSource::Cache));
    fixture.client.close().await;
    assert_eq!(fixture.refreshes(), 1);
}

#[tokio::test]
async fn after_a_failed_refresh_the_next_caller_tries_again() {
    let fixture = Fixture::expired().await;
    fixture.emulator.faults().push(Endpoint::Token, Fault::oauth("invalid_client"));
    let (first, second) = tokio::join!(fixture.silent(), fixture.silent());
    for outcome in [first, second] {
        assert!(matches!(&outcome, Err(AuthError::Server(error)) if error.error == "invalid_client"), "{outcome:?}");
    }
    assert_eq!(fixture.refreshes(), 1, "one failure for both");
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::IdentityProvider);
    assert_eq!(fixture.refreshes(), 2);
}

#[tokio::test]
async fn close_waits_for_a_refresh_in_the_background() {
    let fixture = Fixture::signed_in().await;
    let before = cache::secrets(&fixture.document().await, "RefreshToken");
    fixture.set_time("refresh_on", cache::now() - 301).await;
    fixture.emulator.faults().push(Endpoint::Token, Fault::delay(Duration::from_secs(1)));
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::Cache);
    assert_eq!(cache::secrets(&fixture.document().await, "RefreshToken"), before, "still under way");
    fixture.client.close().await;
    assert_ne!(cache::secrets(&fixture.document().await, "RefreshToken"), before, "the rotated token is saved");
    assert_eq!(fixture.refreshes(), 1);
}

#[tokio::test]
async fn a_refresh_completes_and_is_cached_after_its_caller_gave_up() {
    let fixture = Fixture::expired().await;
    fixture.emulator.faults().push(Endpoint::Token, Fault::delay(Duration::from_millis(300)));
    let given_up = tokio::time::timeout(Duration::from_millis(100), fixture.silent()).await;
    assert!(given_up.is_err());
    let before = cache::secrets(&fixture.document().await, "RefreshToken");
    fixture.client.close().await;
    assert_ne!(cache::secrets(&fixture.document().await, "RefreshToken"), before);
    assert_eq!((fixture.silent().await.unwrap().source(), fixture.refreshes()), (TokenSource::Cache, 1));
}
