//! Pushed authorization requests (RFC 9126).

use auth::{Authority, PublicClient};
use serde_json::{Value, json};

use crate::provider::{ISSUER, Provider, fields, kind, scopes};

fn client(provider: &Provider, metadata: Value) -> PublicClient {
    provider.metadata(metadata);
    provider.client(&Authority::oidc(ISSUER).unwrap(), |builder| builder)
}

fn offered() -> Value {
    json!({"pushed_authorization_request_endpoint": format!("{ISSUER}/par")})
}

// Whether pushing is required or only offered. No request URI is used twice (S-12).
#[tokio::test]
async fn the_request_is_pushed_if_the_provider_offers_it() {
    for required in [false, true] {
        let provider = Provider::of("ada");
        let mut metadata = offered();
        metadata["require_pushed_authorization_requests"] = json!(required);
        let app = client(&provider, metadata);
        for number in 1..=2 {
            let request =
                app.acquire_token_interactive(&scopes()).login_hint("ada").extra_query_parameter("slice", "a b");
            request.send().await.unwrap();
            let page = provider.pages().pop().unwrap();
            assert_eq!(page, format!("{ISSUER}/authorize?client_id=my-client-id&request_uri=urn%3A{number}"));
        }
        let pushed = provider.asked("/par");
        assert_eq!(pushed.len(), 2);
        assert!(pushed.iter().all(|asked| asked.form["slice"] == "a b" && asked.form["login_hint"] == "ada"));
        assert_ne!(pushed[0].form["state"], pushed[1].form["state"]);
        assert_eq!(
            provider.token_urls(),
            [format!("{ISSUER}/token?slice=a%20b"), format!("{ISSUER}/token?slice=a%20b")]
        );
    }
}

#[tokio::test]
async fn the_url_contains_the_request_if_pushing_is_not_offered() {
    let provider = Provider::of("ada");
    client(&provider, json!({})).acquire_token_interactive(&scopes()).send().await.unwrap();
    let page = provider.pages().pop().unwrap();
    assert!(fields(page.split_once('?').unwrap().1.as_bytes()).contains_key("code_challenge"), "{page}");
}

#[tokio::test]
async fn a_rejected_push_shows_no_page() {
    for (status, body, expected) in [
        (400, json!({"error": "invalid_request"}), "server invalid_request"),
        (401, json!({"error": "invalid_client"}), "server invalid_client"),
        (201, json!({"request_uri": "urn:1"}), "protocol: the pushed authorization response has no expires_in"),
    ] {
        let provider = Provider::of("ada");
        let app = client(&provider, offered());
        provider.answers_push(status, body);
        let refused = app.acquire_token_interactive(&scopes()).send().await.unwrap_err();
        assert_eq!(kind(&refused), expected);
        assert!(provider.pages().is_empty() && provider.token_urls().is_empty());
    }
}

#[tokio::test]
async fn a_provider_that_requires_pushing_but_has_no_endpoint_is_an_error() {
    let provider = Provider::of("ada");
    let app = client(&provider, json!({"require_pushed_authorization_requests": true}));
    let refused = app.acquire_token_interactive(&scopes()).send().await.unwrap_err();
    assert_eq!(kind(&refused), "config: the identity provider offers no pushed authorization requests");
    assert!(provider.pages().is_empty());
}
