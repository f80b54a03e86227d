//! An Entra host whose aliases only instance discovery knows: entries cached under one name are found under the other
//! (S-39).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth::{AuthError, Authority};
use serde_json::Value;

use crate::provider::{Provider, Reply};
use crate::scene::{ENVIRONMENT, Scene, TENANT, Times, account, document, kind, scopes};

const HOST: &str = "login.private.example";
/// The name used in caches.
const PREFERRED: &str = "sts.private.example";
const INSTANCE: &str = "/discovery/instance";

/// A new process at the host, with one account in the cache, and a switch that turns instance discovery off.
async fn private_cloud(tenant: &str) -> (Scene, Arc<AtomicBool>) {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let provider = Provider::new(move |asked| match asked.path.as_str() {
        path if path.ends_with(INSTANCE) && is_down.load(Ordering::SeqCst) => Reply::no_connection(),
        path if path.ends_with(INSTANCE) => Reply::cloud(&[HOST, PREFERRED]),
        path if path.ends_with("/openid-configuration") => Reply::document(HOST),
        _ => Reply::tokens_of(asked, HOST, "s0"),
    });
    let scene = Scene::new(0, Times::GOOD, provider).await;
    let stored: Value =
        serde_json::from_str(&document(1, Times::GOOD).to_string().replace(ENVIRONMENT, PREFERRED)).unwrap();
    scene.write(&stored).await;
    (scene.of(Authority::parse(&format!("https://{HOST}/{tenant}")).unwrap()), down)
}

/// Makes the named call, which looks into the cache, and returns its outcome.
async fn look(scene: &Scene, what: &str) -> String {
    let wanted = scopes();
    match what {
        "account" => kind(&scene.silent(0).await),
        "hint" => kind(&scene.app.acquire_token_silent(&wanted, None).login_hint("u0").send().await),
        "nobody" => kind(&scene.app.acquire_token_silent(&wanted, None).send().await),
        "forced" => kind(&scene.forced().await),
        "list" => scene.app.accounts().await.unwrap().len().to_string(),
        "name" => scene.app.account("u0").await.unwrap().is_some().to_string(),
        "id" => scene.app.account(&format!("u0.{TENANT}")).await.unwrap().is_some().to_string(),
        "sign-out" => scene.app.remove_account(&account(0)).await.unwrap().to_string(),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn entries_cached_under_another_name_are_found_after_a_restart() {
    for (what, found, not_found) in [
        ("account", "Cache", "no_tokens_found"),
        ("hint", "Cache", "no_account_for_login_hint"),
        ("nobody", "Cache", "no_tokens_found"),
        ("forced", "IdentityProvider", "no_tokens_found"),
        ("list", "1", "0"),
        ("name", "true", "false"),
        ("id", "true", "false"),
        ("sign-out", "true", "false"),
    ] {
        for tenant in [TENANT, "contoso.example"] {
            let (scene, down) = private_cloud(tenant).await;
            down.store(true, Ordering::SeqCst);
            for (after, asked) in [(0, 2), (0, 2), (29, 2), (1, 4)] {
                scene.wait(after);
                assert_eq!(look(&scene, what).await, not_found, "{what} at {tenant}");
                assert_eq!(scene.provider.count_at(INSTANCE), asked, "{what} at {tenant}: once, with one retry");
            }
            down.store(false, Ordering::SeqCst);
            scene.wait(30);
            assert_eq!(look(&scene, what).await, found, "{what} at {tenant}");
            let known = look(&scene, what).await;
            assert_eq!(known == found, what != "sign-out", "{what} at {tenant}: {known}");
            assert_eq!(scene.provider.count_at(INSTANCE), 5, "{what} at {tenant}: asked only once more");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_learns_the_names_checks_the_cache_before_it_shows_a_page() {
    let (scene, down) = private_cloud(TENANT).await;
    down.store(true, Ordering::SeqCst);
    let Err(AuthError::UiRequired(ui)) = scene.silent(0).await else { panic!("nothing is found yet") };
    down.store(false, Ordering::SeqCst);
    let sign_in = || scene.app.acquire_token_interactive(&scopes()).account(&account(0));
    assert_eq!(kind(&sign_in().satisfying(&ui).send().await), "Cache");
    assert!(matches!(sign_in().send().await, Err(AuthError::Browser(_))), "a plain interactive call shows the page");
    let (scene, _) = private_cloud(TENANT).await;
    let by_device_code = scene.app.acquire_token_by_device_code(&scopes()).account(&account(0));
    assert_eq!(kind(&by_device_code.satisfying(&ui).send(|_| panic!("a code")).await), "Cache");
}
