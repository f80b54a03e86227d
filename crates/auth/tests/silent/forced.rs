//! Forced refreshes and claims challenges (S-83): never what the cache held before the call began.

use auth::{AuthError, AuthResult, Claims, TokenSource};

use crate::provider::{Gate, Provider, Reply};
use crate::scene::{NOW, Scene, Times, account, kind, scopes};

async fn challenged(scene: &Scene, value: u32) -> Result<AuthResult, AuthError> {
    let claims = Claims::parse(&format!(r#"{{"access_token":{{"nbf":{{"value":"{value}"}}}}}}"#)).unwrap();
    scene.app.acquire_token_silent(&scopes(), Some(&account(0))).claims(claims).send().await
}

#[tokio::test]
async fn forced_calls_at_once_are_one_and_one_after_another_are_two() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    for requests in 1..=3 {
        let results = scene.at_once(100, |scene, _| async move { scene.forced().await.unwrap() }).await;
        assert_eq!(scene.provider.count(), requests);
        let newest = format!("at-rt0.{}", requests - 1);
        assert!(results.iter().all(|result| result.access_token.expose() == newest));
    }
}

#[tokio::test]
async fn a_challenge_is_shared_only_by_calls_with_the_same_claims() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let call = |scene: Scene, number: usize| async move {
        match number % 4 {
            0 => challenged(&scene, 0).await,
            1 => challenged(&scene, 1).await,
            2 => scene.forced().await,
            _ => scene.silent(0).await,
        }
    };
    let results = scene.at_once(40, call).await;
    assert_eq!((scene.provider.count(), scene.provider.most_at_once()), (3, 1));
    for kind in 0..3 {
        let own: Vec<_> = results.iter().skip(kind).step_by(4).map(|result| result.as_ref().unwrap()).collect();
        assert!(own.iter().all(|result| result.access_token.ct_eq(own[0].access_token.expose())), "{kind}");
        assert_eq!(own.iter().filter(|result| result.source == TokenSource::IdentityProvider).count(), 1, "{kind}");
        assert!(!own[0].access_token.ct_eq("old-0"), "{kind}");
    }
}

#[tokio::test]
async fn a_forced_refresh_that_fails_serves_nothing_from_the_cache() {
    let replies: [fn() -> Reply; 4] = [
        || Reply::error("invalid_grant"),
        || Reply::error("invalid_client"),
        || Reply::status(429, &[]),
        || Reply::status(503, &[("retry-after", "9")]),
    ];
    for reply in replies {
        let scene = Scene::new(1, Times::GOOD, Provider::new(move |_| reply())).await;
        for outcome in [scene.forced().await, challenged(&scene, 1).await, scene.forced().await] {
            assert!(outcome.is_err(), "{outcome:?}");
        }
        assert_eq!(kind(&scene.silent(0).await), "Cache");
    }
}

/// Two processes over one store: the second waits for the lock of the first, whose answer comes so many seconds later.
async fn second_process(seconds: u64, challenge: bool) -> (Result<AuthResult, AuthError>, usize) {
    let gate = Gate::closed();
    let shut = gate.clone();
    let first = Scene::new(1, Times::GOOD, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let second = first.elsewhere(&Provider::new(Reply::tokens));
    let call = tokio::spawn({
        let first = first.clone();
        async move { first.forced().await.unwrap() }
    });
    first.provider.has_been_asked(1).await;
    let waiting = tokio::spawn({
        let second = second.clone();
        async move { if challenge { challenged(&second, 1).await } else { second.forced().await } }
    });
    tokio::task::yield_now().await;
    first.wait(seconds);
    gate.open();
    call.await.unwrap();
    (waiting.await.unwrap(), second.provider.count())
}

#[tokio::test]
async fn the_second_look_of_a_forced_refresh_accepts_only_what_was_cached_after_the_call_began() {
    for (seconds, challenge, expected) in [
        (5, false, ("Cache", 0)),
        // Within one second nobody can tell which was first.
        (0, false, ("IdentityProvider", 1)),
        // Nobody can see whether a token satisfies the claims.
        (5, true, ("IdentityProvider", 1)),
    ] {
        let (outcome, requests) = second_process(seconds, challenge).await;
        assert_eq!((kind(&outcome).as_str(), requests), expected, "{seconds} s, challenge {challenge}");
    }
}

#[tokio::test]
async fn a_token_of_a_clock_that_runs_ahead_is_not_taken_for_a_new_one() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let mut document = crate::scene::document(1, Times::GOOD);
    document["AccessToken"]["a0"]["cached_at"] = (NOW + 200).to_string().into();
    scene.write(&document).await;
    assert_eq!(kind(&scene.forced().await), "IdentityProvider");
}
