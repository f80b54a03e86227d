//! Sign-in on another device over real sockets, with the robot as the user.

#![cfg(feature = "robot")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;

use auth_emulator::{CredentialKind, Emulator, Endpoint, Fault, GrantType, Robot, RobotError};
use serde_json::Value;
use support::{App, CLIENT, claims_of, client, post};

const SCOPE: &str = "User.Read openid profile offline_access";
const URN: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The response of the device authorization endpoint found by discovery.
async fn begin(emulator: &Emulator) -> Value {
    let url = format!("{}/v2.0/.well-known/openid-configuration", emulator.authority());
    let text = client().get(url).send().await.unwrap().text().await.unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["grant_types_supported"].as_array().unwrap().contains(&URN.into()));
    let endpoint = document["device_authorization_endpoint"].as_str().unwrap();
    let response = post(&client(), endpoint, &[("client_id", CLIENT), ("scope", SCOPE)]).await.unwrap();
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

#[tokio::test]
async fn a_device_gets_tokens_once_its_user_has_signed_in() {
    // Without a polling interval, so that the test need not wait.
    let emulator = Emulator::builder().device_interval(std::time::Duration::ZERO).start().await.unwrap();
    let app = App::open(&emulator.authority()).await;
    for (grant, robot, error) in [
        (URN, Robot::new().user("grace@contoso.example"), None),
        ("device_code", Robot::new(), None),
        (URN, Robot::new().cancel(), Some("authorization_declined")),
        (URN, Robot::new().decline_consent(), Some("authorization_declined")),
    ] {
        let begun = begin(&emulator).await;
        assert_eq!((&begun["expires_in"], &begun["interval"]), (&Value::from(900), &Value::from(0)));
        assert_eq!(begun["verification_uri"], format!("{}/devicelogin", emulator.base_url()));
        let (device_code, user_code) = (text(&begun, "device_code"), text(&begun, "user_code"));
        assert!(text(&begun, "message").contains(user_code));
        let ask = [("grant_type", grant), ("client_id", CLIENT), ("device_code", device_code)];
        let early = app.token(&ask).await;
        assert_eq!((early.status, text(&early.json, "error")), (400, "authorization_pending"));
        assert_eq!(early.json["error_codes"], serde_json::json!([70_016]));

        let visit = robot.enter_code(text(&begun, "verification_uri"), user_code).await.unwrap();
        let last = if error.is_none() { "Signed in" } else { "Not signed in" };
        assert_eq!((visit.status(), visit.titles().last().unwrap().as_str()), (200, last));
        assert_eq!(visit.titles().first().unwrap(), "Enter code");
        let answer = app.token(&ask).await;
        assert_eq!(answer.json["error"].as_str(), error);
        if error.is_none() {
            let id_token = claims_of(&answer.json["id_token"]);
            assert_eq!((&id_token["aud"], &id_token["nonce"]), (&Value::from(CLIENT), &Value::Null));
            assert!(visit.titles().contains(&"Allow access".to_owned()));
        }
        let redeemed = emulator.ledger().redemption_of(device_code).unwrap();
        assert_eq!((redeemed.attempts, redeemed.successes), (2, error.is_none().into()));
        let written = format!("{:?}", emulator.ledger().requests());
        assert!(!written.contains(device_code) && !written.contains(user_code), "{written}");
    }
    let ledger = emulator.ledger();
    assert_eq!(ledger.token_requests(GrantType::DeviceCode), 8);
    assert_eq!(ledger.redemptions(CredentialKind::DeviceCode).len(), 4);
    assert_eq!(ledger.count(Endpoint::DeviceAuthorization), 4);
    // The page and up to three forms; one fewer after a cancellation.
    assert_eq!(ledger.count(Endpoint::DeviceLogin), 4 * 4 - 1);
}

#[tokio::test]
async fn faults_errors_and_wrong_codes_are_reported() {
    let emulator = Emulator::start().await.unwrap();
    let url = format!("{}/oauth2/v2.0/devicecode", emulator.authority());
    emulator.faults().push(Endpoint::DeviceAuthorization, Fault::oauth("unauthorized_client").aadsts(700_016));
    for (fields, error) in [
        (&[("client_id", CLIENT), ("scope", SCOPE)][..], "unauthorized_client"),
        (&[("scope", SCOPE)], "invalid_request"),
    ] {
        let response = post(&client(), &url, fields).await.unwrap();
        assert_eq!(response.status(), 400);
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(answer["error"], error);
    }
    let page = format!("{}/devicelogin", emulator.base_url());
    let wrong = Robot::new().enter_code(&page, "BBBB-BBBB").await.unwrap_err();
    assert!(matches!(wrong, RobotError::Stuck { status: 400, .. }), "{wrong}");
    let response = client().get(&page).send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.ends_with("form-action 'self'"), "{policy}");
}
