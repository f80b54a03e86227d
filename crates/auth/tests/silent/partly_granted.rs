//! A request of which the provider grants only a part.

use auth::{Scopes, TokenSource};
use serde_json::json;

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, account};

#[tokio::test]
async fn the_same_request_is_answered_from_the_cache_and_names_what_was_declined() {
    let provider = Provider::new(|_| {
        let body = json!({"token_type": "Bearer", "access_token": "new", "expires_in": 3600, "scope": "User.Read"});
        Reply::json(200, &[], &body.to_string())
    });
    let scene = Scene::new(1, Times::EXPIRED, provider).await;
    let (asked, ada) = (Scopes::parse("User.Read Mail.Read").unwrap(), account(0));
    for source in [TokenSource::IdentityProvider, TokenSource::Cache, TokenSource::Cache] {
        let result = scene.app.acquire_token_silent(&asked, Some(&ada)).send().await.unwrap();
        assert_eq!((result.source(), result.access_token().expose()), (source, "new"));
        assert_eq!(result.declined_scopes().as_str(), "Mail.Read");
    }
    assert_eq!(scene.provider.count(), 1);

    let other = Scopes::parse("Mail.Read").unwrap();
    let result = scene.app.acquire_token_silent(&other, Some(&ada)).send().await.unwrap();
    assert_eq!((result.source(), scene.provider.count()), (TokenSource::IdentityProvider, 2), "another request");
}
