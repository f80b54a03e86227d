//! Complete sign-ins over real sockets, with the robot as the user.

#![cfg(feature = "robot")]

mod support;

use auth_emulator::{CredentialKind, Emulator, Endpoint, Fault, GrantType, Robot, RobotError};
use serde_json::Value;
use support::{App, claims_of, parameters};

const SCOPE: &str = "User.Read openid profile offline_access";

#[tokio::test]
async fn a_sign_in_returns_tokens_in_both_response_modes() {
    let emulator = Emulator::start().await.unwrap();
    for mode in ["query", "form_post"] {
        let app = App::open(&emulator.authority()).await;
        let url =
            app.authorization_url(&[("scope", SCOPE), ("response_mode", mode), ("nonce", "n-1"), ("client_info", "1")]);
        let visit = Robot::new().user("grace@contoso.example").visit(&url).await.unwrap();
        assert_eq!((visit.status(), visit.text()), (200, "Done"), "{mode}");

        let arrived = app.arrived();
        assert_eq!(arrived.method, if mode == "query" { "GET" } else { "POST" });
        assert_eq!(arrived.field("state"), "state-1");
        let answer = app.redeem(&arrived.field("code"), &[("client_info", "1")]).await;
        assert_eq!(answer.status, 200, "{mode}: {:?}", answer.json);
        assert_eq!(answer.json["token_type"], "Bearer");
        assert_eq!(answer.json["scope"], "User.Read openid profile");
        assert_eq!(answer.json["expires_in"], 3600);
        assert_eq!(answer.json["client_info"].as_str().unwrap(), arrived.field("client_info"));

        let id_token = claims_of(&answer.json["id_token"]);
        assert_eq!(id_token["iss"], format!("{}/v2.0", emulator.authority()));
        assert_eq!(id_token["aud"], support::CLIENT);
        assert_eq!(id_token["nonce"], "n-1");
        assert_eq!(id_token["preferred_username"], "grace@contoso.example");
        assert_eq!(id_token["oid"], emulator.users()[1].object_id());
        assert_eq!(id_token["tid"], emulator.tenant_id());
        let access_token = claims_of(&answer.json["access_token"]);
        assert_eq!(access_token["scp"], "User.Read");
        assert_ne!(access_token["sub"], id_token["sub"]);
    }
}

#[tokio::test]
async fn a_refresh_rotates_and_the_ledger_counts() {
    let emulator = Emulator::start().await.unwrap();
    let app = App::open(&emulator.authority_for("common")).await;
    Robot::new().visit(&app.authorization_url(&[("scope", SCOPE)])).await.unwrap();
    let code = app.arrived().field("code");
    let first = app.redeem(&code, &[]).await.json;
    let old = first["refresh_token"].as_str().unwrap().to_owned();

    let second = app.refresh(&old, &[("scope", SCOPE)]).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.json["refresh_token"], first["refresh_token"]);
    let third = app.refresh(&old, &[]).await;
    assert_eq!((third.status, &third.json["error"]), (400, &Value::from("invalid_grant")));

    let ledger = emulator.ledger();
    assert_eq!(ledger.count(Endpoint::Authorize), 1);
    assert_eq!(ledger.token_requests(GrantType::AuthorizationCode), 1);
    assert_eq!(ledger.token_requests(GrantType::RefreshToken), 2);
    let redeemed = ledger.redemption_of(&old).unwrap();
    assert_eq!((redeemed.attempts, redeemed.successes), (2, 1));
    assert_eq!(ledger.redemptions(CredentialKind::Code).len(), 1);
    let written = format!("{:?} {emulator:?}", ledger.requests());
    for secret in [code.as_str(), old.as_str(), support::VERIFIER] {
        assert!(!written.contains(secret), "{written}");
    }

    let new = second.json["refresh_token"].as_str().unwrap();
    assert_eq!(emulator.revoke_refresh_tokens("ADA@contoso.example"), 1);
    assert_eq!(app.refresh(new, &[]).await.json["suberror"], "bad_token");
}

#[tokio::test]
async fn consent_is_remembered_and_cancellation_is_reported() {
    let emulator = Emulator::builder().client_name(support::CLIENT, "Reports").start().await.unwrap();
    let app = App::open(&emulator.authority()).await;
    let url = app.authorization_url(&[("scope", SCOPE)]);

    for robot in [Robot::new().cancel(), Robot::new().decline_consent()] {
        robot.visit(&url).await.unwrap();
        let arrived = app.arrived();
        assert_eq!(arrived.field("error"), "access_denied");
        assert_eq!(arrived.field("error_subcode"), "cancel");
        assert_eq!(arrived.field("state"), "state-1");
    }
    let first = Robot::new().visit(&url).await.unwrap();
    assert_eq!(first.titles(), ["Sign in", "Allow access", "Receiver"]);
    let second = Robot::new().visit(&url).await.unwrap();
    assert_eq!(second.titles(), ["Sign in", "Receiver"]);
    app.arrived();
    app.arrived();

    let silent = app.authorization_url(&[("scope", SCOPE), ("prompt", "none")]);
    Robot::new().visit(&silent).await.unwrap();
    assert!(!app.arrived().field("code").is_empty());
    emulator.forget_consents();
    Robot::new().visit(&silent).await.unwrap();
    assert_eq!(app.arrived().field("error"), "login_required");
}

#[tokio::test]
async fn the_receiver_gets_the_headers_of_a_browser() {
    let emulator = Emulator::start().await.unwrap();
    let app = App::open(&emulator.authority()).await;
    let url = app.authorization_url(&[("scope", "User.Read"), ("response_mode", "form_post")]);
    Robot::new().visit(&url).await.unwrap();
    let arrived = app.arrived();
    assert_eq!(arrived.header("origin"), emulator.base_url());
    assert_eq!(arrived.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(arrived.header("host"), app.host());
    assert_eq!(arrived.header("sec-fetch-mode"), "navigate");
}

#[tokio::test]
async fn the_robot_stops_at_pages_it_cannot_handle() {
    let emulator = Emulator::start().await.unwrap();
    let app = App::open(&emulator.authority()).await;
    let url = app.authorization_url(&[("scope", SCOPE)]);
    let unknown = Robot::new().user("nobody@contoso.example").visit(&url).await;
    assert!(matches!(unknown, Err(RobotError::UnknownUser(_))));

    let elsewhere = url.replace("localhost", "contoso.example");
    let refused = Robot::new().visit(&elsewhere).await.unwrap_err();
    assert_eq!(refused.to_string(), "the robot is stuck at the page 'Sign-in problem' (status 400)");

    emulator.faults().push(Endpoint::Authorize, Fault::redirect("https://contoso.example/x?code=1"));
    emulator.faults().push(Endpoint::Authorize, Fault::redirect("/").with_status(302));
    let stuck = Robot::new().visit(&url).await.unwrap_err();
    assert!(matches!(stuck, RobotError::Stuck { status: 307, .. }), "{stuck}");
    let index = Robot::new().visit(&url).await.unwrap_err();
    assert!(matches!(index, RobotError::Stuck { status: 200, .. }), "{index}");
    assert!(matches!(Robot::new().visit("http://contoso.example/").await, Err(RobotError::NotLoopback(_))));
}

#[tokio::test]
async fn a_requested_error_reaches_the_application() {
    let emulator = Emulator::start().await.unwrap();
    let app = App::open(&emulator.authority()).await;
    emulator.faults().push(Endpoint::Authorize, Fault::oauth("temporarily_unavailable"));
    Robot::new().visit(&app.authorization_url(&[("scope", SCOPE)])).await.unwrap();
    assert_eq!(app.arrived().field("error"), "temporarily_unavailable");
}

#[tokio::test]
async fn a_guest_keeps_the_home_account() {
    let emulator = Emulator::start().await.unwrap();
    let mut seen = Vec::new();
    for tenant in [emulator.tenant_domain(), emulator.second_tenant_id(), "consumers"] {
        let app = App::open(&emulator.authority_for(tenant)).await;
        let url = app.authorization_url(&[("scope", "openid")]);
        Robot::new().visit(&url).await.unwrap();
        let code = app.arrived().field("code");
        let answer = app.redeem(&code, &[("client_info", "1")]).await.json;
        let id_token = claims_of(&answer["id_token"]);
        let account = support::decode(answer["client_info"].as_str().unwrap());
        seen.push((id_token["oid"].clone(), account));
    }
    assert_eq!(seen[0].1, seen[1].1, "the account is the same at home and as a guest");
    assert_ne!(seen[0].0, seen[1].0, "each tenant has its own object ID");
    assert_ne!(seen[0].1, seen[2].1, "a personal account is another account");
}

#[test]
fn parameters_are_read_in_order() {
    assert_eq!(parameters("a=1&b=c+d"), [("a".into(), "1".into()), ("b".into(), "c d".into())]);
}
