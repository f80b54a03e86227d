//! Discovery, errors and faults over real sockets.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

use std::time::Duration;

use auth_emulator::{Emulator, Endpoint, Fault, GrantType, StartError};
use serde_json::Value;
use support::{client, post};

async fn get_json(url: &str) -> (u16, Value) {
    let response = client().get(url).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn discovery_names_the_issuer_of_each_tenant() {
    let emulator = Emulator::start().await.unwrap();
    for (tenant, issuer) in [
        (emulator.tenant_id(), emulator.tenant_id()),
        (emulator.tenant_domain(), emulator.tenant_id()),
        (emulator.second_tenant_id(), emulator.second_tenant_id()),
        ("common", "{tenantid}"),
        ("organizations", "{tenantid}"),
        ("consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"),
    ] {
        let authority = emulator.authority_for(tenant);
        let url = format!("{authority}/v2.0/.well-known/openid-configuration");
        let (status, document) = get_json(&url).await;
        assert_eq!(status, 200, "{tenant}");
        assert_eq!(document["issuer"], format!("{}/{issuer}/v2.0", emulator.base_url()), "{tenant}");
        assert_eq!(document["token_endpoint"], format!("{authority}/oauth2/v2.0/token"));
        assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
        let (status, keys) = get_json(document["jwks_uri"].as_str().unwrap()).await;
        assert_eq!((status, &keys["keys"][0]["kty"]), (200, &Value::from("RSA")));
    }
    let url = format!("{}/nowhere.example/v2.0/.well-known/openid-configuration", emulator.base_url());
    let (status, document) = get_json(&url).await;
    assert_eq!((status, &document["error"]), (400, &Value::from("invalid_tenant")));
    assert_eq!(document["error_codes"], serde_json::json!([90_002]));
}

#[tokio::test]
async fn instance_discovery_knows_only_this_host() {
    let emulator = Emulator::start().await.unwrap();
    let url = |endpoint: &str| {
        format!("{}/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}", emulator.base_url())
    };
    let endpoint = format!("{}/oauth2/v2.0/authorize", emulator.authority());
    let (status, document) = get_json(&url(&endpoint)).await;
    assert_eq!(status, 200);
    let host = format!("127.0.0.1:{}", emulator.port());
    assert_eq!(document["metadata"][0]["preferred_cache"], host);
    assert_eq!(
        document["tenant_discovery_endpoint"],
        format!("{}/v2.0/.well-known/openid-configuration", emulator.authority())
    );
    for endpoint in ["https://login.example/common/oauth2/v2.0/authorize", "nonsense"] {
        let (status, document) = get_json(&url(endpoint)).await;
        assert_eq!((status, &document["error"]), (400, &Value::from("invalid_instance")));
    }
}

#[tokio::test]
async fn an_error_contains_the_correlation_id_of_the_request() {
    let emulator = Emulator::start().await.unwrap();
    let id = "7b1f0c5a-58a7-4c0e-9d0b-2d1c3e4f5a6b";
    let response = client()
        .post(format!("{}/oauth2/v2.0/token", emulator.authority()))
        .header("client-request-id", id)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=password&client_id=c")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["client-request-id"], id);
    assert_eq!(response.headers()["cache-control"], "no-store, no-cache");
    let json: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(json["error"], "unsupported_grant_type");
    assert_eq!(json["correlation_id"], id);
    assert!(json["error_description"].as_str().unwrap().starts_with("AADSTS70003: "));
    let requests = emulator.ledger().requests_to(Endpoint::Token);
    assert_eq!(requests[0].error(), Some("unsupported_grant_type"));
    assert_eq!(requests[0].status(), Some(400));
    assert_eq!(requests[0].header("Client-Request-Id"), Some(id));
    assert_eq!(requests[0].parameter("client_id"), Some("c"));
}

#[tokio::test]
async fn bodies_that_are_not_forms_are_rejected() {
    let emulator = Emulator::start().await.unwrap();
    let url = format!("{}/oauth2/v2.0/token", emulator.authority());
    for (kind, body, status) in [
        ("application/json", "{}".to_owned(), 400),
        ("application/x-www-form-urlencoded", "client_id=a&client_id=b".to_owned(), 400),
        ("application/x-www-form-urlencoded", "x".repeat(65_537), 413),
        ("application/x-www-form-urlencoded; charset=utf-8", "a=%FF%00".to_owned(), 400),
    ] {
        let request = client().post(&url).header("content-type", kind).body(body);
        assert_eq!(request.send().await.unwrap().status(), status, "{kind}");
    }
    let foreign = client().get(&url).header("host", "rebound.example").send().await.unwrap();
    assert_eq!(foreign.status(), 421);
}

#[tokio::test]
async fn faults_are_applied_in_order_and_once() {
    let emulator = Emulator::start().await.unwrap();
    let faults = emulator.faults();
    faults.push(Endpoint::Token, Fault::status(503).retry_after(Duration::from_secs(2)));
    faults.push(Endpoint::Token, Fault::html("<h1>Welcome to the hotel</h1>"));
    faults.push(Endpoint::Token, Fault::redirect("http://127.0.0.1:1/"));
    faults.push(
        Endpoint::Token,
        Fault::oauth("invalid_grant").suberror("basic_action").aadsts(50_076).claims("{\"a\":1}"),
    );
    faults.push(Endpoint::Token, Fault::delay(Duration::from_millis(1)));

    let url = format!("{}/oauth2/v2.0/token", emulator.authority());
    let client = client();
    let send = || post(&client, &url, &[("grant_type", "refresh_token")]);

    let busy = send().await.unwrap();
    assert_eq!((busy.status().as_u16(), &busy.headers()["retry-after"]), (503, &"2".parse().unwrap()));
    let portal = send().await.unwrap();
    assert_eq!(portal.headers()["content-type"], "text/html; charset=utf-8");
    assert!(portal.text().await.unwrap().contains("hotel"));
    let redirect = send().await.unwrap();
    assert_eq!(redirect.status(), 307);
    let refusal: Value = serde_json::from_str(&send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(refusal["suberror"], "basic_action");
    assert_eq!(refusal["error_codes"], serde_json::json!([50_076]));
    assert_eq!(refusal["claims"], "{\"a\":1}");
    assert_eq!(send().await.unwrap().status(), 400, "a delay does not change the response");
    assert_eq!(faults.pending(Endpoint::Token), 0);
    assert_eq!(send().await.unwrap().status(), 400);
    let faulted = emulator.ledger().requests().iter().filter(|record| record.faulted()).count();
    assert_eq!(faulted, 5);
}

#[tokio::test]
async fn connections_can_be_cut_before_and_within_the_response() {
    let emulator = Emulator::start().await.unwrap();
    let url = format!("{}/v2.0/.well-known/openid-configuration", emulator.authority());
    for fault in [Fault::Reset, Fault::LoseAnswer] {
        emulator.faults().push(Endpoint::Discovery, fault);
        assert!(client().get(&url).send().await.is_err());
    }
    emulator.faults().push(Endpoint::Discovery, Fault::TruncateBody);
    let response = client().get(&url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "the body ends too early");
    assert_eq!(client().get(&url).send().await.unwrap().status(), 200);
    assert_eq!(emulator.ledger().count(Endpoint::Discovery), 4);
    assert_eq!(emulator.ledger().requests()[0].status(), None);
}

#[tokio::test]
async fn a_shutdown_frees_the_port_at_once() {
    let emulator = Emulator::start().await.unwrap();
    let port = emulator.port();
    let taken = Emulator::builder().port(port).start().await;
    assert!(matches!(taken, Err(StartError::Bind { .. })));

    let url = format!("{}/oauth2/v2.0/token", emulator.authority());
    let ledger = emulator.ledger();
    emulator.faults().push(Endpoint::Token, Fault::delay(Duration::from_secs(3_600)));
    let waiting = tokio::spawn(async move { post(&client(), &url, &[("grant_type", "refresh_token")]).await });
    while ledger.token_requests(GrantType::RefreshToken) == 0 {
        tokio::task::yield_now().await;
    }
    emulator.shutdown().await;
    assert!(waiting.await.unwrap().is_err());

    let again = Emulator::builder().port(port).start().await.unwrap();
    assert_eq!(again.port(), port);
    drop(again);
    assert!(matches!(Emulator::builder().users([]).start().await, Err(StartError::NoUsers)));
}

#[tokio::test]
async fn the_root_page_describes_the_emulator() {
    let emulator = Emulator::start().await.unwrap();
    let response = client().get(emulator.base_url()).send().await.unwrap();
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let text = response.text().await.unwrap();
    assert!(text.contains(&emulator.authority()) && text.contains("ada@contoso.example"));
}
