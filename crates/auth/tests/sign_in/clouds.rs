//! S-06: users whose home is in another Entra cloud.

use auth::{AuthResult, Authority, InMemoryTransport, PublicClient, TokenSource};

use crate::provider::{Provider, kind, scopes};

const PUBLIC: &str = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token";
const GOVERNMENT: &str = "https://login.microsoftonline.us/organizations/oauth2/v2.0/token";

fn client(provider: &Provider, multi_cloud: bool) -> PublicClient {
    let authority = Authority::tenant("organizations").unwrap();
    provider.client(&authority, |builder| builder.multi_cloud_support(multi_cloud))
}

async fn sign_in(app: &PublicClient) -> AuthResult {
    app.acquire_token_interactive(&scopes()).send().await.unwrap()
}

#[tokio::test]
async fn the_account_and_its_tokens_belong_to_the_users_own_cloud() {
    let provider = Provider::of("ada");
    let app = client(&provider, true);
    provider.responds("code=c&cloud_instance_host_name=login.microsoftonline.us");
    provider.posts_from("https://login.microsoftonline.us");
    let signed_in = sign_in(&app).await;
    assert!(provider.pages()[0].starts_with("https://login.microsoftonline.com/organizations/"));
    assert!(provider.pages()[0].contains("&instance_aware=true"));
    assert_eq!(provider.token_urls(), [GOVERNMENT]);
    assert_eq!(signed_in.account().unwrap().environment, "login.microsoftonline.us");

    // A user of the public cloud is not affected.
    provider.signs_in("grace");
    provider.posts_from("https://login.microsoftonline.com");
    provider.responds("code=c&cloud_instance_host_name=login.microsoftonline.com");
    assert_eq!(sign_in(&app).await.account().unwrap().environment, "login.windows.net");
    assert_eq!(provider.token_urls(), [GOVERNMENT, PUBLIC]);
    let accounts = app.accounts().await.unwrap();
    assert_eq!(accounts.len(), 2);

    let scopes = scopes();
    for account in &accounts {
        let found = app.acquire_token_silent(&scopes, Some(account)).send().await.unwrap();
        assert_eq!((found.source(), &found.account().unwrap().environment), (TokenSource::Cache, &account.environment));
    }
    let ada = accounts.iter().find(|account| account.environment == "login.microsoftonline.us").unwrap();
    provider.signs_in("ada");
    let refreshed = app.acquire_token_silent(&scopes, Some(ada)).force_refresh(true).send().await.unwrap();
    assert_eq!(refreshed.source(), TokenSource::IdentityProvider);
    let url = provider.token_urls().pop().unwrap();
    assert!(url.starts_with("https://login.microsoftonline.us/"), "{url}");

    assert!(app.remove_account(ada).await.unwrap());
    assert_eq!(app.accounts().await.unwrap().len(), 1);
    let gone = app.acquire_token_silent(&scopes, Some(ada)).send().await.unwrap_err();
    assert_eq!(kind(&gone), "ui no_tokens_found");
}

#[tokio::test]
async fn without_multi_cloud_support_the_code_is_redeemed_where_the_sign_in_began() {
    for host in ["login.microsoftonline.us", "evil.example"] {
        let provider = Provider::of("ada");
        provider.responds(&format!("code=c&cloud_instance_host_name={host}"));
        let signed_in = sign_in(&client(&provider, false)).await;
        assert!(!provider.pages()[0].contains("instance_aware"));
        assert_eq!(
            (provider.token_urls(), signed_in.account().unwrap().environment.as_str()),
            (vec![PUBLIC.to_owned()], "login.windows.net")
        );
    }
}

#[tokio::test]
async fn without_multi_cloud_support_another_cloud_cannot_post_the_response() {
    let provider = Provider::of("ada");
    provider.posts_from("https://login.microsoftonline.us");
    let refused = client(&provider, false).acquire_token_interactive(&scopes()).send().await.unwrap_err();
    assert!(kind(&refused).contains("403"), "{refused:?}");
    assert!(provider.token_urls().is_empty());
}

#[tokio::test]
async fn an_unknown_cloud_gets_no_code() {
    let provider = Provider::of("ada");
    provider.responds("code=c&cloud_instance_host_name=evil.example");
    let refused = client(&provider, true).acquire_token_interactive(&scopes()).send().await.unwrap_err();
    assert_eq!(kind(&refused), "protocol: the authorization response has an unusable cloud_instance_host_name");
    assert!(provider.token_urls().is_empty());
}

#[test]
fn multi_cloud_support_requires_an_entra_authority() {
    for (authority, accepted) in [
        (Authority::tenant("common").unwrap(), true),
        (Authority::oidc("https://idp.example").unwrap(), false),
        (Authority::parse("https://contoso.b2clogin.com/contoso.example/b2c_1").unwrap(), false),
        (Authority::parse("https://contoso.ciamlogin.com").unwrap(), false),
    ] {
        let silence = InMemoryTransport::new(|_| Ok(http::Response::default()));
        let client = PublicClient::builder("c").authority(authority.clone()).transport(silence);
        assert_eq!(client.multi_cloud_support(true).build().is_ok(), accepted, "{authority}");
    }
}
