//! Sign-in at the certified provider on another device, with a real browser there.

use auth_tests::cache;
use auth_tests::device::Waiting;
use serde_json::json;

use crate::provider::Provider;

const ADA: &str = "ada@contoso.example";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The number of polls that were answered with tokens.
fn granted(provider: &Provider) -> usize {
    let requests = provider.requests();
    requests.iter().filter(|request| request["grant_type"] == GRANT && request["status"] == 200).count()
}

async fn whole_life(provider: Provider) {
    let waiting = Waiting::start(provider.token("--device-code").env("BROWSER", "/bin/false")).await;
    let page = provider.enter_code(&waiting.address, &waiting.user_code).end().await.expect(0).json();
    assert!(page["text"].as_str().unwrap().contains("Sign-in Success"), "{page}");
    assert_eq!(page["outside"], json!([]));
    let token = waiting.end().await.expect(0).json();
    assert_eq!((&token["source"], &token["persisted"]), (&json!("identity_provider"), &json!(true)));
    assert_eq!(token["account"]["username"], ADA);
    assert!(token["scopes"].as_array().unwrap().contains(&json!(provider.scope())), "{token}");
    assert_eq!((granted(&provider), provider.grants("authorization_code")), (1, 0));

    let asked = provider.requests().len();
    let cached = provider.token("--silent").end().await.expect(0).json();
    assert_eq!((&cached["source"], &cached["access_token"]), (&json!("cache"), &token["access_token"]));
    assert_eq!(provider.requests().len(), asked, "the cache answers without any request");

    cache::expire_file(&provider.cache_file());
    let refreshed = provider.token("--silent").end().await.expect(0).json();
    assert_eq!((&refreshed["source"], &refreshed["account"]), (&json!("identity_provider"), &token["account"]));
    assert_eq!((granted(&provider), provider.grants("refresh_token")), (1, 1));
    let accounts = provider.auth("accounts --output json").end().await.expect(0).json();
    assert_eq!(accounts[0]["source"], "device_code_flow");
    provider.stop().await;
}

#[tokio::test]
async fn device_code_silent_and_refresh_over_http() {
    whole_life(Provider::over_http().await).await;
}

#[tokio::test]
async fn device_code_silent_and_refresh_over_https() {
    whole_life(Provider::over_https().await).await;
}
