//! A token that still works is served through an outage, and the provider is left in peace meanwhile (S-83, R-30 to R-32).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, kind};

/// A tenant by its domain name. Tokens are filed under its id, as MSAL does.
const DOMAIN: &str = "contoso.example";
const CONFIGURATION: &str = "/openid-configuration";
const TOKEN: &str = "/token";

async fn outage(times: Times, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Scene {
    Scene::new(1, times, Provider::new(move |_| reply())).await
}

impl Scene {
    /// Asks after so many seconds more, gets the cached token, and tells how many requests that made.
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

/// What the provider replies, and what a caller without a token is told then.
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
async fn a_failed_refresh_is_not_tried_again_for_half_a_minute_and_then_for_longer() {
    for times in [Times::DUE, Times { expires: 250, refresh: None }] {
        let outage = outage(times, || Reply::status(500, &[])).await;
        // Each try is one request and its one repetition.
        for (after, requests) in [(0, 2), (0, 0), (29, 0), (1, 2), (30, 0), (29, 0), (1, 2)] {
            assert_eq!(outage.served_after(after).await, requests, "after {after} s more");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_names_a_time_is_left_alone_until_then() {
    let outage = outage(Times { expires: 290, refresh: None }, || Reply::status(429, &[("retry-after", "120")])).await;
    for (after, requests) in [(0, 1), (60, 0), (59, 0), (1, 1)] {
        assert_eq!(outage.served_after(after).await, requests, "after {after} s more");
    }
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_failure() {
    let outage = outage(Times { expires: 250, refresh: None }, || Reply::status(500, &[])).await;
    let outcomes = outage.at_once(50, |scene, _| async move { kind(&scene.silent(0).await) }).await;
    assert!(outcomes.iter().all(|kind| kind == "Cache"), "{outcomes:?}");
    assert_eq!(outage.provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_served_through_any_outage_until_it_expires() {
    for (reply, expected) in FAILURES {
        let outage = outage(Times { expires: 3600, refresh: Some(300) }, reply).await;
        let (mut second, mut requests) = (0, 0);
        // From 1 s to 55 min, and to the last second that is served.
        while second < 3600 - 31 {
            let step = (3600 - 31 - second).min(7);
            second += step;
            requests += outage.served_after(step).await;
        }
        // 30 s, 1, 2, 4, 8 min, then every 10, each with one repetition at most.
        assert!((4..=24).contains(&requests), "{requests}");
        outage.wait(1);
        let outcome = outage.silent(0).await;
        assert!(outcome.is_err(), "30 s before its end a token is not served");
        // Only now anybody hears of it, the user too. Where the server is busy that depends on the last try.
        let kind = kind(&outcome);
        assert!(expected.is_empty() || kind == expected, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_serves_no_more_is_asked_for_at_once_unless_the_server_is_busy() {
    for (reply, requests) in [
        (Reply::no_connection as fn() -> Reply, 2),
        (|| Reply::status(500, &[]), 0),
        (|| Reply::error("invalid_client"), 1),
        // The user must sign in: that is known for two minutes.
        (|| Reply::error("invalid_grant"), 0),
    ] {
        let outage = outage(Times { expires: 40, refresh: None }, reply).await;
        outage.served_after(0).await;
        let before = outage.provider.count();
        outage.wait(11);
        assert!(outage.silent(0).await.is_err(), "nothing is left to serve");
        assert_eq!(outage.provider.count() - before, requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_during_its_refresh_is_not_served_after_it() {
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

// the tokens that it issued tell which tenant a domain name means. Nobody has to be asked for that.
#[tokio::test(start_paused = true)]
async fn at_a_domain_name_a_token_is_served_without_the_provider() {
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
    // Another process finds noted which tenant it was.
    let other = scene.at(DOMAIN);
    let served = other.at_once(20, |scene, _| async move { kind(&scene.silent(0).await) }).await;
    assert!(served.iter().all(|kind| kind == "Cache"), "{served:?}");
    assert_eq!(scene.provider.count(), before, "no network at all");
    // A forced call asks for a token, and for nothing else.
    assert_eq!(kind(&scene.forced().await), "Connect");
    assert_eq!(scene.provider.count_at(CONFIGURATION), 2, "once, with its repetition, before any token came");
}

// S-41: those who wait for an answer share its failure, and it is believed for half a minute.
#[tokio::test(start_paused = true)]
async fn at_a_domain_name_many_callers_share_one_failed_discovery() {
    let scene = outage(Times::GOOD, Reply::no_connection).await.at(DOMAIN);
    for (after, discoveries) in [(0, 2), (0, 2), (29, 2), (1, 4), (29, 4)] {
        scene.wait(after);
        let failed = scene.at_once(20, |scene, _| async move { kind(&scene.silent(0).await) }).await;
        assert!(failed.iter().all(|kind| kind == "Connect"), "{failed:?}");
        assert_eq!(scene.provider.count_at(CONFIGURATION), discoveries, "after {after} s more");
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_domain_name_a_token_is_found_once_discovery_answers() {
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
