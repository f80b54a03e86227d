//! A valid token is returned throughout an outage, and requests to the provider are limited (S-83, R-30 to R-32).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, kind};

/// A tenant's domain name. Its tokens are cached under the tenant ID, as in MSAL.
const DOMAIN: &str = "contoso.example";
const CONFIGURATION: &str = "/openid-configuration";
const TOKEN: &str = "/token";

async fn outage(times: Times, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Scene {
    Scene::new(1, times, Provider::new(move |_| reply())).await
}

impl Scene {
    /// Calls after this many more seconds, gets the cached token, and returns how many requests that made.
    async fn served_after(&self, seconds: u64) -> usize {
        let before = self.provider.count();
        self.wait(seconds);
        let result = self.silent(0).await.unwrap();
        assert_eq!(result.access_token().expose(), "old-0");
        self.app.close().await;
        self.provider.count() - before
    }
}

type Failure = (fn() -> Reply, &'static str);

/// What the provider replies, and the outcome of a call without a valid token.
const FAILURES: [Failure; 8] = [
    (Reply::no_connection, "Connect"),
    (|| Reply::status(500, &[]), ""),
    (|| Reply::status(503, &[("retry-after", "5")]), ""),
    (|| Reply::status(429, &[]), ""),
    (|| Reply::error("invalid_client"), "invalid_client"),
    (|| Reply::error("unauthorized_client"), "unauthorized_client"),
    (|| Reply::error("invalid_grant"), "invalid_grant"),
    (|| Reply::error("interaction_required"), "interaction_required"),
];

#[tokio::test(start_paused = true)]
async fn the_pause_after_a_failed_refresh_is_half_a_minute_and_doubles() {
    for times in [Times::DUE, Times { expires: 250, refresh: None }] {
        let outage = outage(times, || Reply::status(500, &[])).await;
        // Each attempt is one request and one retry.
        for (after, requests) in [(0, 2), (0, 0), (29, 0), (1, 2), (30, 0), (29, 0), (1, 2)] {
            assert_eq!(outage.served_after(after).await, requests, "after {after} s more");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_request_is_made_before_retry_after() {
    let outage = outage(Times { expires: 290, refresh: None }, || Reply::status(429, &[("retry-after", "120")])).await;
    for (after, requests) in [(0, 1), (60, 0), (59, 0), (1, 1)] {
        assert_eq!(outage.served_after(after).await, requests, "after {after} s more");
    }
}

#[tokio::test(start_paused = true)]
async fn simultaneous_calls_share_one_failure() {
    let outage = outage(Times { expires: 250, refresh: None }, || Reply::status(500, &[])).await;
    let outcomes = outage.at_once(50, |scene, _| async move { kind(&scene.silent(0).await) }).await;
    assert!(outcomes.iter().all(|kind| kind == "Cache"), "{outcomes:?}");
    assert_eq!(outage.provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_returned_throughout_any_outage_until_it_expires() {
    for (reply, expected) in FAILURES {
        let outage = outage(Times { expires: 3600, refresh: Some(300) }, reply).await;
        let (mut second, mut requests) = (0, 0);
        // Until the last second in which the token is returned.
        while second < 3600 - 31 {
            let step = (3600 - 31 - second).min(7);
            second += step;
            requests += outage.served_after(step).await;
        }
        // After 30 s, 1, 2, 4 and 8 min, then every 10 min, each with one retry at most.
        assert!((4..=24).contains(&requests), "{requests}");
        outage.wait(1);
        let outcome = outage.silent(0).await;
        assert!(outcome.is_err(), "a token is not returned in its last 30 s");
        // Only now does a call fail. If the server is busy, the error depends on the last attempt.
        let kind = kind(&outcome);
        assert!(expected.is_empty() || kind == expected, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_requested_at_once_unless_the_server_is_busy() {
    for (reply, requests) in [
        (Reply::no_connection as fn() -> Reply, 2),
        (|| Reply::status(500, &[]), 0),
        (|| Reply::error("invalid_client"), 1),
        // That the user must sign in is remembered for two minutes.
        (|| Reply::error("invalid_grant"), 0),
    ] {
        let outage = outage(Times { expires: 40, refresh: None }, reply).await;
        outage.served_after(0).await;
        let before = outage.provider.count();
        outage.wait(11);
        assert!(outage.silent(0).await.is_err(), "no token is valid");
        assert_eq!(outage.provider.count() - before, requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_during_its_refresh_is_not_returned() {
    let gate = crate::provider::Gate::closed();
    let shut = gate.clone();
    let outage = outage(Times { expires: 40, refresh: None }, move || Reply::error("invalid_client").when(&shut)).await;
    let call = tokio::spawn({
        let outage = outage.clone();
        async move { outage.silent(0).await }
    });
    outage.provider.has_been_asked(1).await;
    outage.wait(11);
    gate.open();
    assert_eq!(kind(&call.await.unwrap()), "invalid_client");
}

// the issued tokens tell which tenant a domain name is, so no request is needed for that.
#[tokio::test(start_paused = true)]
async fn with_a_domain_name_a_token_is_returned_without_the_provider() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let provider = Provider::new(move |asked| match asked.path.ends_with(TOKEN) && !is_down.load(Ordering::SeqCst) {
        true => Reply::tokens_of(asked, "login.microsoftonline.com", "s0"),
        false => Reply::no_connection(),
    });
    let scene = Scene::new(1, Times::EXPIRED, provider).await.at(DOMAIN);
    assert_eq!(kind(&scene.silent(0).await), "IdentityProvider");
    down.store(true, Ordering::SeqCst);
    let before = scene.provider.count();
    for _ in 0..3 {
        let served = scene.at_once(20, |scene, _| async move { kind(&scene.silent(0).await) }).await;
        assert!(served.iter().all(|kind| kind == "Cache"), "{served:?}");
        scene.wait(60);
    }
    // Another process finds the tenant noted in the cache.
    let other = scene.at(DOMAIN);
    let served = other.at_once(20, |scene, _| async move { kind(&scene.silent(0).await) }).await;
    assert!(served.iter().all(|kind| kind == "Cache"), "{served:?}");
    assert_eq!(scene.provider.count(), before, "no request at all");
    // A forced call requests a token and nothing else.
    assert_eq!(kind(&scene.forced().await), "Connect");
    assert_eq!(scene.provider.count_at(CONFIGURATION), 2, "once, with one retry, before the first token");
}

// S-41: calls that wait for discovery share its failure, which is remembered for half a minute.
#[tokio::test(start_paused = true)]
async fn with_a_domain_name_simultaneous_calls_share_one_failed_discovery() {
    let scene = outage(Times::GOOD, Reply::no_connection).await.at(DOMAIN);
    for (after, discoveries) in [(0, 2), (0, 2), (29, 2), (1, 4), (29, 4)] {
        scene.wait(after);
        let failed = scene.at_once(20, |scene, _| async move { kind(&scene.silent(0).await) }).await;
        assert!(failed.iter().all(|kind| kind == "Connect"), "{failed:?}");
        assert_eq!(scene.provider.count_at(CONFIGURATION), discoveries, "after {after} s more");
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_domain_name_a_token_is_found_once_discovery_succeeds() {
    let provider = Provider::new(|asked| match asked.number {
        0 | 1 => Reply::no_connection(),
        _ if asked.path.ends_with(TOKEN) => Reply::no_connection(),
        _ => Reply::document("login.microsoftonline.com"),
    });
    let scene = Scene::new(1, Times::GOOD, provider).await.at(DOMAIN);
    assert_eq!(kind(&scene.silent(0).await), "Connect");
    scene.wait(30);
    assert_eq!(kind(&scene.silent(0).await), "Cache");
    assert_eq!(scene.provider.count_at(CONFIGURATION), 3);
}
