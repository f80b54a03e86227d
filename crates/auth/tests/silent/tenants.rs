//! Tokens of another tenant of the same cloud.

use std::sync::Arc;

use auth::{AuthError, Authority, Browser, BrowserError, InMemoryTransport, PublicClient, TokenCache, TokenSource};
use http::Uri;

use crate::provider::{Gate, Provider, Reply};
use crate::scene::{CLIENT, Scene, TENANT, Times, account, document, kind, scopes};

const OTHER: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const THIRD: &str = "ccccdddd-2222-eeee-3333-ffff4444aaaa";

async fn at(scene: &Scene, tenant: &str) -> Result<auth::AuthResult, AuthError> {
    scene.app.acquire_token_silent(&scopes(), Some(&account(0))).tenant_id(tenant).send().await
}

// A refresh token works at every tenant of its account; an access token only at its own.
#[tokio::test(start_paused = true)]
async fn each_tenant_has_its_own_access_tokens() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    for (tenant, source, requests) in [
        (TENANT, TokenSource::Cache, 0),
        ("common", TokenSource::Cache, 0),
        (OTHER, TokenSource::IdentityProvider, 1),
        (OTHER, TokenSource::Cache, 1),
        (THIRD, TokenSource::IdentityProvider, 2),
        (OTHER, TokenSource::Cache, 2),
        (TENANT, TokenSource::Cache, 2),
    ] {
        let result = at(&scene, tenant).await.unwrap();
        assert_eq!((result.source(), scene.provider.count()), (source, requests), "{tenant}");
        assert_eq!(result.access_token().expose() == "old-0", [TENANT, "common"].contains(&tenant), "{tenant}");
    }
    assert_eq!(scene.silent(0).await.unwrap().access_token().expose(), "old-0");
    let asked = scene.provider.asked();
    let asked: Vec<_> = asked.iter().map(|asked| (asked.path.as_str(), asked.refresh_token.as_str())).collect();
    let [other, third] = [OTHER, THIRD].map(|tenant| format!("/{tenant}/oauth2/v2.0/token"));
    assert_eq!(asked, [(other.as_str(), "rt0"), (third.as_str(), "rt0.0")], "each refresh token is redeemed once");
}

// All tenants share a refresh token, so redemptions take turns, but tenants do not share responses.
#[tokio::test(start_paused = true)]
async fn refreshes_for_several_tenants_take_turns_and_are_not_shared() {
    let gate = Gate::closed();
    let shut = gate.clone();
    let provider = Provider::new(move |asked| Reply::tokens(asked).when(&shut));
    let scene = Scene::new(1, Times::EXPIRED, provider).await;
    let calls = scene.at_once(30, |scene, call| async move { at(&scene, [TENANT, OTHER, THIRD][call % 3]).await });
    let (results, ()) = tokio::join!(calls, async {
        scene.provider.has_been_asked(1).await;
        gate.open();
    });
    let mut tokens: Vec<_> = results.iter().map(|result| result.as_ref().unwrap().access_token().expose()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!((tokens.len(), scene.provider.count(), scene.provider.most_at_once()), (3, 3, 1));
}

// Clients that share a cache in memory redeem no refresh token twice, at one tenant or several.
#[tokio::test(start_paused = true)]
async fn clients_that_share_a_cache_take_turns() {
    for (tenants, requests) in [([TENANT, OTHER], 2), ([TENANT, TENANT], 1)] {
        let gate = Gate::closed();
        let shut = gate.clone();
        let provider = Provider::new(move |asked| Reply::tokens(asked).when(&shut));
        let scene = Scene::new(1, Times::EXPIRED, provider).await;
        let cache = Arc::new(TokenCache::in_memory());
        cache.merge_json(document(1, Times::EXPIRED).to_string().as_bytes()).unwrap();
        let scenes = tenants.map(|tenant| scene.keeping(&cache, tenant));
        let calls = scene.at_once(2, |_, call| {
            let scene = scenes[call].clone();
            async move { scene.silent(0).await }
        });
        let (results, ()) = tokio::join!(calls, async {
            scene.provider.has_been_asked(1).await;
            gate.open();
        });
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!((scene.provider.count(), scene.provider.most_at_once()), (requests, 1), "{tenants:?}");
        let asked = scene.provider.asked();
        let used: Vec<_> = asked.iter().map(|asked| asked.refresh_token.as_str()).collect();
        assert_eq!(used, &["rt0", "rt0.0"][..requests], "each refresh token is redeemed once");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_tenant_is_rejected_without_a_request() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    for name in ["", "no tenant", "..", "contoso"] {
        assert!(matches!(at(&scene, name).await, Err(AuthError::Config(_))), "{name}");
        let interactive = scene.app.acquire_token_interactive(&scopes()).tenant_id(name).send().await;
        assert!(matches!(interactive, Err(AuthError::Config(_))), "{name}");
    }
    let network = InMemoryTransport::new(|_| Ok(Default::default()));
    let b2c = Authority::parse("https://contoso.b2clogin.com/contoso.example/b2c_1").unwrap();
    let app = PublicClient::builder(CLIENT).authority(b2c).transport(network.clone()).build().unwrap();
    let outcome = app.acquire_token_silent(&scopes(), Some(&account(0))).tenant_id(OTHER).send().await;
    assert!(matches!(outcome, Err(AuthError::Config(_))), "{}", kind(&outcome));
    assert!(network.requests().is_empty() && scene.provider.count() == 0);
}

/// A browser that fails with the path of the page.
struct Unshown;

impl Browser for Unshown {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        Err(BrowserError::Other(format!("page at {}", url.path())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_goes_to_the_requested_tenant() {
    let network = InMemoryTransport::new(|_| Ok(Default::default()));
    let builder = PublicClient::builder(CLIENT).authority(Authority::tenant(TENANT).unwrap()).browser(Unshown);
    let app = builder.transport(network.clone()).build().unwrap();
    for (named, tenant) in [(Some(OTHER), OTHER), (Some("Contoso.example"), "contoso.example"), (None, TENANT)] {
        let page = format!("page at /{tenant}/oauth2/v2.0/authorize");
        let mut sign_in = app.acquire_token_interactive(&scopes());
        // The same in one call, because nothing is cached.
        let (wanted, mut both) = (scopes(), None);
        if let Some(named) = named {
            sign_in = sign_in.tenant_id(named);
            both = Some(app.acquire_token(&wanted).tenant_id(named).send().await.unwrap_err());
        }
        for error in both.into_iter().chain([sign_in.send().await.unwrap_err()]) {
            assert!(error.to_string().ends_with(&page), "{error}");
        }
    }
    assert!(network.requests().is_empty());
}
