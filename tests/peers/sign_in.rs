//! Sign-in at the certified provider with a real browser.

use auth::{AuthError, Authority, IdToken, PublicClient, Secret};
use auth_tests::{cache, certificates};
use serde_json::json;

use crate::provider::Provider;

const ADA: &str = "ada@contoso.example";

/// The whole life of a sign-in.
async fn tell(provider: Provider) {
    let ended = provider.token("").end().await.expect(0);
    let token = ended.json();
    assert_eq!(token["source"], "identity_provider");
    assert_eq!((&token["token_type"], &token["persisted"]), (&json!("Bearer"), &json!(true)));
    assert_eq!(token["account"]["username"], ADA);
    assert!(token["account"]["home_account_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(token["scopes"].as_array().unwrap().contains(&json!(provider.scope())), "{token}");
    assert_eq!(token["id_token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!((provider.grants("authorization_code"), provider.grants("refresh_token")), (1, 0));
    let page = provider.page();
    assert!(page["text"].as_str().unwrap().contains("Return to the application"), "{page}");
    assert!(!page["url"].as_str().unwrap().contains("code="), "no code stays in the address bar");
    assert_eq!(page["outside"], json!([]), "the page loads nothing from elsewhere");

    let asked = provider.requests().len();
    for line in ["", "--silent", "--account ADA@contoso.example --silent"] {
        let cached = provider.token(line).end().await.expect(0).json();
        assert_eq!(cached["source"], "cache");
        assert_eq!(cached["access_token"], token["access_token"]);
    }
    let accounts = provider.auth("accounts --output json").end().await.expect(0).json();
    assert_eq!(accounts.as_array().map(Vec::len), Some(1));
    for (name, value) in token["account"].as_object().unwrap() {
        assert_eq!(accounts[0][name], *value);
    }
    assert_eq!(provider.requests().len(), asked, "the cache answers without any request");

    let mut old = cache::secrets(&cache::read_file(&provider.cache_file()), "RefreshToken");
    for refreshes in 1..=2 {
        cache::expire_file(&provider.cache_file());
        let refreshed = provider.token("--silent").end().await.expect(0).json();
        assert_eq!(refreshed["source"], "identity_provider");
        assert_eq!(refreshed["account"], token["account"]);
        assert_eq!(provider.grants("refresh_token"), refreshes);
        let new = cache::secrets(&cache::read_file(&provider.cache_file()), "RefreshToken");
        assert_eq!(new.len(), 1);
        assert_ne!(new, old, "the rotated token is saved");
        old = new;
    }
    assert_eq!(provider.grants("authorization_code"), 1);

    let logout = provider.auth("logout --all --output json").end().await.expect(0).json();
    assert_eq!(logout, json!({"removed": 1}));
    let gone = provider.token("--silent").end().await.expect(3).json();
    assert_eq!(gone["error"], "no_tokens_found");
    provider.stop().await;
}

#[tokio::test]
async fn the_signature_of_an_id_token_is_checked_with_the_published_keys() {
    let provider = Provider::over_http().await;
    let token = provider.token("").end().await.expect(0).json();
    let token = token["id_token"].as_str().unwrap();
    let app = PublicClient::builder(provider.client_id()).authority(Authority::oidc(provider.issuer()).unwrap());
    let app = app.build().unwrap();
    let good = IdToken::parse(&Secret::new(token.to_owned())).unwrap();
    app.verify_signature(&good).await.unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let swapped: String = signature.chars().rev().collect();
    let forged = IdToken::parse(&Secret::new(format!("{input}.{swapped}"))).unwrap();
    assert!(matches!(app.verify_signature(&forged).await, Err(AuthError::Protocol(_))));
    provider.stop().await;
}

#[tokio::test]
async fn sign_in_silent_refresh_and_logout_over_http() {
    tell(Provider::over_http().await).await;
}

#[tokio::test]
async fn sign_in_silent_refresh_and_logout_over_https() {
    tell(Provider::over_https().await).await;
}

#[tokio::test]
async fn an_untrusted_certificate_is_exit_5_with_the_reason() {
    let provider = Provider::over_https().await;
    let stranger = certificates::stranger(provider.home.path());
    let ended = provider.token("").env("SSL_CERT_FILE", stranger).end().await.expect(5);
    let error = ended.json();
    assert_eq!(error["error"], "network_not_available");
    assert!(error["error_description"].as_str().unwrap().contains("certificate"), "{error}");
    assert_eq!(provider.requests().len(), 0);
    provider.stop().await;
}

#[tokio::test]
async fn a_cached_token_is_served_while_the_provider_is_down() {
    let provider = Provider::over_https().await;
    let token = provider.token("").end().await.expect(0).json();
    let (cached, expired) = (provider.token("--silent"), provider.token("--silent"));
    let file = provider.cache_file();
    let _home = provider.stop().await;
    assert_eq!(cached.end().await.expect(0).json()["access_token"], token["access_token"]);
    cache::expire_file(&file);
    assert_eq!(expired.end().await.expect(5).json()["error"], "network_not_available");
}
