//! Pushed authorization requests (RFC 9126) at the certified provider, offered and required.

use auth_tests::cache;
use serde_json::json;

use crate::provider::Provider;

#[tokio::test]
async fn a_pushed_sign_in_works_like_any_other() {
    for required in [false, true] {
        let provider = Provider::with_pushed_requests(required).await;
        // A pushed request is not changed on the way: the provider issues a refresh token only if it may ask for
        // consent.
        let token = provider.token("--prompt consent --login-hint ada").end().await.expect(0).json();
        assert_eq!(token["source"], "identity_provider");
        assert_eq!(token["account"]["username"], "ada@contoso.example");
        let pushed = |request: &&serde_json::Value| request["path"] == "/contoso/request";
        let pushes: Vec<_> = provider.requests().iter().filter(pushed).cloned().collect();
        assert_eq!(pushes.len(), 1, "required: {required}");
        assert_eq!((&pushes[0]["method"], &pushes[0]["status"]), (&json!("POST"), &json!(201)));
        assert_eq!(provider.grants("authorization_code"), 1);

        cache::expire_file(&provider.cache_file());
        let refreshed = provider.token("--silent").end().await.expect(0).json();
        assert_eq!((&refreshed["source"], &refreshed["account"]), (&json!("identity_provider"), &token["account"]));
        assert_eq!(provider.requests().iter().filter(pushed).count(), 1, "only a sign-in pushes its request");
        provider.stop().await;
    }
}
