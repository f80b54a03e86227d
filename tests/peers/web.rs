//! The example web application at the certified provider, visited with a real browser.

#[path = "../../crates/auth/examples/web/site.rs"]
mod site;

use auth::{Authority, PublicClient, RedirectUri, Scopes};
use serde_json::json;
use site::Site;
use tokio::net::TcpListener;

use crate::provider::Provider;

#[tokio::test]
async fn a_visitor_signs_in_stays_signed_in_and_signs_out() {
    tell(Provider::over_http().await).await;
}

#[tokio::test]
async fn a_pushed_request_is_kept_in_the_session_like_any_other() {
    tell(Provider::with_pushed_requests(true).await).await;
}

async fn tell(provider: Provider) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = PublicClient::builder(provider.client_id()).authority(Authority::oidc(provider.issuer()).unwrap());
    let site = Site {
        app: app.build().unwrap(),
        scopes: Scopes::parse(provider.scope()).unwrap(),
        redirect_uri: RedirectUri::parse(&format!("{address}/signed-in")).unwrap(),
    };
    tokio::spawn(async move { axum::serve(listener, site.router()).await });

    // The provider is at `localhost`, which browsers consider a different site from `127.0.0.1`; the cookie is sent
    // nevertheless.
    let browsed = provider.browse(&format!("{address}/sign-in"), "reload;Sign out").end().await.expect(0).json();
    let pages = browsed["pages"].as_array().unwrap();
    assert_eq!(pages.len(), 2, "{browsed}");
    for page in pages {
        let page = page.as_str().unwrap();
        assert!(page.contains("Signed in as ada@contoso.example") && page.contains("from Cache"), "{page}");
    }
    assert!(browsed["text"].as_str().unwrap().contains("Nobody is signed in."), "{browsed}");
    assert_eq!((&browsed["url"], &browsed["outside"]), (&json!(format!("{address}/")), &json!([])));
    assert_eq!((provider.grants("authorization_code"), provider.grants("refresh_token")), (1, 0));
    provider.stop().await;
}
