//! When only the user can help: refused refreshes, and the sign-ins that follow.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::{AuthError, Cancelled, Classification, Prompt, Scopes, SignInError, TokenSource, UiReason};
use auth_emulator::{Emulator, Endpoint, Fault, Robot};
use auth_tests::browsers::{Broken, Nobody, RobotBrowser};
use auth_tests::cache;
use serde_json::Value;

use crate::fixture::{ADA, Fixture, GRACE, scopes};

const CHALLENGE: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;

#[tokio::test]
async fn a_refused_refresh_needs_the_user_and_says_why() {
    let mut fixture = Fixture::expired().await;
    let before = fixture.document().await;
    for (error, suberror, class) in [
        ("invalid_grant", None, Classification::None),
        ("invalid_grant", Some("bad_token"), Classification::None),
        ("invalid_grant", Some("token_expired"), Classification::None),
        ("invalid_grant", Some("basic_action"), Classification::BasicAction),
        ("invalid_grant", Some("additional_action"), Classification::AdditionalAction),
        ("invalid_grant", Some("message_only"), Classification::MessageOnly),
        ("invalid_grant", Some("consent_required"), Classification::ConsentRequired),
        ("invalid_grant", Some("user_password_expired"), Classification::UserPasswordExpired),
        ("interaction_required", Some("basic_action"), Classification::BasicAction),
        ("interaction_required", None, Classification::None),
    ] {
        let refusal = Fault::oauth(error).aadsts(50_076).claims(CHALLENGE);
        let refusal = match suberror {
            Some(suberror) => refusal.suberror(suberror),
            None => refusal,
        };
        fixture.emulator.faults().push(Endpoint::Token, refusal);
        let ui = fixture.ui_required().await;
        assert_eq!((ui.reason, ui.code(), ui.classification()), (UiReason::Server, error, class));
        assert_eq!(ui.claims.as_deref(), Some(CHALLENGE), "{suberror:?}");
        assert_eq!(ui.login_hint.as_deref(), Some(ADA));
        let server = ui.server.as_ref().unwrap();
        assert_eq!((server.suberror.as_deref(), server.error_codes.as_slice()), (suberror, &[50_076][..]));
        assert_eq!(fixture.document().await, before, "a refusal deletes nothing");
        // For two minutes the same refusal is returned without a request.
        assert_eq!(fixture.ui_required().await, ui);
        fixture.restart();
    }
    assert_eq!(fixture.refreshes(), 10, "a refusal is not retried");
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::IdentityProvider);
}

#[tokio::test]
async fn an_administrator_revokes_and_the_user_signs_in_again() {
    let fixture = Fixture::expired().await;
    assert_eq!(fixture.emulator.revoke_refresh_tokens(ADA), 1);
    let ui = fixture.ui_required().await;
    assert_eq!(ui.code(), "invalid_grant");
    let request = fixture.client.acquire_token_interactive(&scopes()).satisfying(&ui);
    request.send().await.unwrap();
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::Cache);
    // The sign-in clears the remembered refusal, for every token of the account.
    cache::expire(&fixture.storage).await;
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::IdentityProvider);
}

#[tokio::test]
async fn satisfying_passes_on_claims_login_hint_and_correlation_id() {
    let fixture = Fixture::expired().await;
    fixture.emulator.faults().push(Endpoint::Token, Fault::oauth("interaction_required").claims(CHALLENGE));
    let ui = fixture.ui_required().await;
    let request = fixture.client.acquire_token_interactive(&scopes()).satisfying(&ui);
    let result = request.send().await.unwrap();
    assert_eq!(result.correlation_id(), ui.correlation_id);
    let asked = fixture.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    let sent: Value = serde_json::from_str(asked.parameter("claims").unwrap()).unwrap();
    assert_eq!(sent, serde_json::from_str::<Value>(CHALLENGE).unwrap());
    assert_eq!(asked.parameter("login_hint"), Some(ADA));
    let redeemed = fixture.emulator.ledger().requests_to(Endpoint::Token).pop().unwrap();
    let id = ui.correlation_id.to_string();
    assert_eq!(redeemed.header("client-request-id"), Some(id.as_str()));
    // In one call as well.
    fixture.emulator.faults().push(Endpoint::Token, Fault::oauth("interaction_required").claims(CHALLENGE));
    cache::expire(&fixture.storage).await;
    fixture.client.acquire_token(&scopes()).send().await.unwrap();
    let asked = fixture.emulator.ledger().requests_to(Endpoint::Authorize).pop().unwrap();
    assert_eq!(asked.parameter("claims").map(serde_json::from_str::<Value>).unwrap().unwrap(), sent);
}

#[tokio::test]
async fn a_client_outside_the_family_tries_its_refresh_token_once() {
    let family = "fa111111-0000-4000-8000-000000000001";
    let fixture = Fixture::of(Emulator::builder().family_client(family)).await;
    let sign_in = |id: &str| {
        auth::PublicClient::builder(id)
            .authority(auth::Authority::parse(&fixture.emulator.authority()).unwrap())
            .storage(fixture.storage.clone())
            .browser(RobotBrowser::user(ADA))
            .build()
            .unwrap()
    };
    let member = sign_in(family);
    member.acquire_token_interactive(&scopes()).send().await.unwrap();
    for _ in 0..3 {
        let outcome = fixture.silent().await;
        assert!(matches!(outcome, Err(AuthError::UiRequired(_))), "{outcome:?}");
    }
    assert!(fixture.refreshes() <= 1, "tried once at most: {}", fixture.refreshes());
    cache::expire(&fixture.storage).await;
    let again = member.acquire_token_silent(&scopes(), None).send().await.unwrap();
    assert_eq!(again.source(), TokenSource::IdentityProvider, "the family's token is still cached");
}

#[tokio::test]
async fn a_client_mismatch_counts_as_no_token() {
    let fixture = Fixture::expired().await;
    fixture.emulator.faults().push(Endpoint::Token, Fault::oauth("invalid_grant").suberror("client_mismatch"));
    let ui = fixture.ui_required().await;
    assert_eq!(ui.reason, UiReason::NoTokensFound);
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::IdentityProvider);
}

#[tokio::test]
async fn a_user_other_than_the_requested_account_is_refused_and_nothing_is_cached() {
    let fixture = Fixture::signed_in().await;
    let before = fixture.document().await;
    let client = fixture.with_browser(RobotBrowser::user(GRACE));
    let ada = fixture.account().await;
    for request in [
        client.acquire_token_interactive(&scopes()).account(&ada),
        client.acquire_token_interactive(&scopes()).login_hint(GRACE).account(&ada),
    ] {
        let ended = request.send().await;
        assert!(matches!(ended, Err(AuthError::UserMismatch)), "{ended:?}");
        assert_eq!(fixture.document().await, before);
    }
    // A login hint does not restrict who may sign in.
    let result = client.acquire_token_interactive(&scopes()).login_hint(ADA).send().await.unwrap();
    assert_eq!(result.account().unwrap().username, GRACE);
    let ui = fixture.ui_required().await;
    assert_eq!(ui.reason, UiReason::MultipleAccounts, "no account is chosen");
}

#[tokio::test]
async fn a_user_who_cancels_or_declines_is_a_refusal_and_nothing_is_redeemed() {
    for robot in [Robot::new().cancel(), Robot::new().decline_consent()] {
        let fixture = Fixture::start().await;
        let client = fixture.with_browser(RobotBrowser::of(robot));
        match client.acquire_token_interactive(&scopes()).send().await {
            Err(AuthError::Server(server)) => assert_eq!(server.error, "access_denied"),
            other => panic!("{other:?}"),
        }
        assert_eq!(fixture.codes(), 0);
        assert!(fixture.document().await.is_null());
    }
}

#[tokio::test]
async fn a_sign_in_that_is_not_finished_is_cancelled_and_frees_its_port() {
    let fixture = Fixture::start().await;
    let client = fixture.with_browser(Nobody);
    let redirect_uri = free_port();
    let request = || {
        let request = client.acquire_token_interactive(&scopes()).timeout(Duration::from_secs(1));
        request.redirect_uri(redirect_uri.clone())
    };
    for _ in 0..2 {
        match request().send().await {
            Err(AuthError::Cancelled(Cancelled::TimedOut(time))) => assert_eq!(time.as_secs(), 1),
            other => panic!("{other:?}"),
        }
    }
}

/// A redirect URI with a port that was free a moment ago.
fn free_port() -> auth::RedirectUri {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://localhost:{}", free.local_addr().unwrap().port());
    auth::RedirectUri::parse(&uri).unwrap()
}

#[tokio::test]
async fn a_browser_that_fails_ends_the_sign_in_at_once() {
    let fixture = Fixture::start().await;
    let client = fixture.with_browser(Broken);
    match client.acquire_token_interactive(&scopes()).send().await {
        Err(AuthError::Browser(error)) => {
            assert!(matches!(*error, SignInError::Browser(_)) && error.to_string().contains("the screen is broken"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_sign_ins_at_once_do_not_interfere() {
    let fixture = Fixture::start().await;
    let (ada, grace) = (RobotBrowser::user(ADA), RobotBrowser::user(GRACE));
    let (first, second) = (fixture.with_browser(ada.clone()), fixture.with_browser(grace.clone()));
    let sign_in = |client: &auth::PublicClient| client.acquire_token_interactive(&scopes()).send();
    let (first, second) = tokio::join!(sign_in(&first), sign_in(&second));
    assert_eq!(first.unwrap().account().unwrap().username, ADA);
    assert_eq!(second.unwrap().account().unwrap().username, GRACE);
    assert_ne!(ada.urls(), grace.urls());
    let names: Vec<_> = fixture.client.accounts().await.unwrap().into_iter().map(|account| account.username).collect();
    assert_eq!(BTreeSet::from_iter(names), BTreeSet::from([ADA, GRACE].map(str::to_owned)));
}

#[tokio::test]
async fn prompt_none_that_needs_a_page_says_so() {
    let fixture = Fixture::start().await;
    let none = || fixture.client.acquire_token_interactive(&scopes()).prompt(Prompt::None).send();
    match none().await {
        Err(AuthError::UiRequired(ui)) => {
            assert_eq!((ui.reason, ui.code()), (UiReason::NoPromptFailed, "login_required"));
            assert_eq!(ui.classification(), Classification::PromptNeverFailed);
        }
        other => panic!("{other:?}"),
    }
    fixture.sign_in().await.unwrap();
    none().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_does_not_cost_the_token() {
    let fixture = Fixture::start().await;
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let storage = auth::FileStorage::at(in_the_way.join("tokens.json")).unwrap();
    let client = crate::fixture::client(&fixture.emulator, storage, RobotBrowser::user(ADA));
    let result = client.acquire_token_interactive(&scopes()).send().await.unwrap();
    assert!(!result.persisted());
    let error = result.persistence_error().unwrap();
    assert!(error.to_string().contains("tokens.json"), "{error}");
    assert_eq!(std::fs::read(&in_the_way).unwrap(), b"");
}

#[tokio::test]
async fn scopes_without_consent_require_the_user() {
    let fixture = Fixture::signed_in().await;
    let more = Scopes::parse("Calendars.Read").unwrap();
    match fixture.client.acquire_token_silent(&more, None).send().await {
        Err(AuthError::UiRequired(ui)) => assert_eq!(ui.code(), "invalid_grant"),
        other => panic!("{other:?}"),
    }
    fixture.client.acquire_token_interactive(&more).send().await.unwrap();
    let cached = fixture.client.acquire_token_silent(&more, None).send().await.unwrap();
    assert_eq!(cached.source(), TokenSource::Cache);
    assert_eq!(fixture.silent().await.unwrap().source(), TokenSource::Cache);
}

#[tokio::test]
async fn other_clients_do_not_see_the_tokens_of_this_one() {
    let fixture = Fixture::signed_in().await;
    let other = auth::PublicClient::builder("another")
        .authority(auth::Authority::parse(&fixture.emulator.authority()).unwrap())
        .storage(fixture.storage.clone())
        .build()
        .unwrap();
    let account = fixture.account().await;
    let outcome = other.acquire_token_silent(&scopes(), Some(&account)).send().await;
    assert!(matches!(outcome, Err(AuthError::UiRequired(_))), "{outcome:?}");
    assert_eq!(fixture.refreshes(), 0);
    // An emulator on another port is another provider.
    let elsewhere = Emulator::start().await.unwrap();
    let client = crate::fixture::client(&elsewhere, fixture.storage.clone(), Nobody);
    let outcome = client.acquire_token_silent(&scopes(), Some(&account)).send().await;
    assert!(matches!(outcome, Err(AuthError::UiRequired(_))), "{outcome:?}");
    assert!(elsewhere.ledger().requests().is_empty(), "no refresh token goes to another provider");
}
