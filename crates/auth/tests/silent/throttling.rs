//! When no request is made, and the error of a call without a valid token meanwhile (R-40 to R-42).

use auth::{Claims, Scopes};

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, account, document, kind, scopes};

/// A provider with this response to every request.
async fn answering(times: Times, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Scene {
    Scene::new(2, times, Provider::new(move |_| reply())).await
}

/// The reply, the outcome of the first call, and then: after this many more seconds, the outcome and the number of
/// requests.
type Case = (fn() -> Reply, &'static str, &'static [(u64, &'static str, usize)]);

#[tokio::test(start_paused = true)]
async fn without_a_valid_token_a_failure_is_repeated_from_memory_for_its_time() {
    let date = [("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT")];
    let replies: [Case; 9] = [
        (
            || Reply::status(503, &[("retry-after", "3")]),
            "wait 3",
            &[(0, "wait 3", 0), (2, "wait 1", 0), (1, "wait 3", 1)],
        ),
        (
            || Reply::status(400, &[("retry-after", "30")]),
            "http_status_not_200",
            &[(29, "wait 1", 0), (1, "http_status_not_200", 1)],
        ),
        (|| Reply::status(429, &[("retry-after", "99999")]), "wait 3600", &[(3599, "wait 1", 0), (1, "wait 3600", 1)]),
        (|| Reply::status(429, &[]), "wait 0", &[(0, "wait 60", 0), (59, "wait 1", 0), (1, "wait 0", 1)]),
        (|| Reply::status(500, &[]), "service_not_available", &[(59, "wait 1", 0), (1, "service_not_available", 2)]),
        (|| Reply::error("invalid_grant"), "invalid_grant", &[(119, "invalid_grant", 0), (1, "invalid_grant", 1)]),
        (
            || Reply::error("interaction_required"),
            "interaction_required",
            &[(119, "interaction_required", 0), (1, "interaction_required", 1)],
        ),
        (|| Reply::error("invalid_client"), "invalid_client", &[(0, "invalid_client", 1), (1, "invalid_client", 1)]),
        (Reply::no_connection, "Connect", &[(0, "Connect", 2), (1, "Connect", 2)]),
    ];
    for (reply, first, then) in replies {
        let scene = answering(Times::EXPIRED, reply).await;
        assert_eq!(kind(&scene.silent(0).await), first);
        for (after, expected, requests) in then {
            let before = scene.provider.count();
            scene.wait(*after);
            let outcome = scene.silent(0).await;
            assert_eq!((kind(&outcome).as_str(), scene.provider.count() - before), (*expected, *requests), "{first}");
        }
    }
    // `Retry-After` as a date.
    let scene = answering(Times::EXPIRED, move || Reply::status(429, &date)).await;
    assert_eq!((kind(&scene.silent(0).await), kind(&scene.silent(0).await)), ("wait 60".into(), "wait 60".into()));
    assert_eq!(scene.provider.count(), 1);
    // Setting the clock back ends the pause; it never lengthens it.
    scene.set_back(10_000);
    scene.silent(0).await.unwrap_err();
    assert_eq!(scene.provider.count(), 2);
}

#[tokio::test]
async fn a_failure_does_not_block_another_account_scope_claim_or_tenant() {
    for code in ["busy", "invalid_grant"] {
        let scene = answering(Times::EXPIRED, move || match code {
            "busy" => Reply::status(429, &[("retry-after", "60")]),
            code => Reply::error(code),
        });
        let scene = scene.await;
        let elsewhere = scene.at("bbbbcccc-1111-dddd-2222-eeee3333ffff");
        let more = Scopes::parse("Mail.Read").unwrap();
        let claims = Claims::parse("{}").unwrap();
        let ada = account(0);
        for round in 0..2 {
            for (number, outcome) in [
                scene.silent(0).await,
                scene.silent(1).await,
                scene.app.acquire_token_silent(&more, Some(&ada)).send().await,
                scene.app.acquire_token_silent(&scopes(), Some(&ada)).claims(claims.clone()).send().await,
                elsewhere.silent(0).await,
            ]
            .into_iter()
            .enumerate()
            {
                assert!(outcome.is_err(), "{code} {round} {number}: {outcome:?}");
            }
            assert_eq!(scene.provider.count(), 5, "{code}: each makes one request");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_not_repeated_from_memory_if_forced_or_if_something_has_changed() {
    let refused = || answering(Times::EXPIRED, || Reply::error("invalid_grant"));
    // A forced refresh makes a request.
    let scene = refused().await;
    scene.silent(0).await.unwrap_err();
    for requests in 2..=3 {
        assert_eq!((kind(&scene.forced().await), scene.provider.count()), ("invalid_grant".into(), requests));
    }
    assert_eq!((kind(&scene.silent(0).await), scene.provider.count()), ("invalid_grant".into(), 3));
    // Another program has signed in: there is a new refresh token.
    let mut signed_in = document(2, Times::EXPIRED);
    signed_in["RefreshToken"]["r0"]["secret"] = "new".into();
    scene.write(&signed_in).await;
    scene.silent(0).await.unwrap_err();
    assert_eq!(scene.provider.asked().pop().unwrap().refresh_token, "new");
    // The account is removed and comes back.
    let scene = refused().await;
    scene.silent(0).await.unwrap_err();
    assert!(scene.app.remove_account(&account(0)).await.unwrap());
    assert_eq!(kind(&scene.silent(0).await), "no_tokens_found");
    scene.write(&document(2, Times::EXPIRED)).await;
    scene.silent(0).await.unwrap_err();
    assert_eq!(scene.provider.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_sign_in_a_refusal_lasts_only_until_its_retry_after() {
    let provider = Provider::new(|asked| match asked.refresh_token.as_str() {
        "rt0" => Reply::json(400, &[("retry-after", "3")], r#"{"error":"invalid_grant"}"#),
        _ => Reply::tokens(asked),
    });
    let scene = Scene::new(1, Times::EXPIRED, provider).await;
    assert_eq!(kind(&scene.silent(0).await), "invalid_grant");
    assert_eq!(kind(&scene.forced().await), "invalid_grant");
    let mut signed_in = document(1, Times::EXPIRED);
    signed_in["RefreshToken"]["r0"]["secret"] = "new".into();
    scene.write(&signed_in).await;
    for (after, expected, requests) in [(0, "wait 3", 1), (2, "wait 1", 1), (1, "IdentityProvider", 2)] {
        scene.wait(after);
        assert_eq!((kind(&scene.silent(0).await).as_str(), scene.provider.count()), (expected, requests));
    }
    // Without a sign-in, the refusal is repeated for two minutes, unless the call is forced.
    scene.write(&document(1, Times::EXPIRED)).await;
    let again = scene.elsewhere(&scene.provider);
    for (after, expected, requests) in [(0, "invalid_grant", 3), (3, "invalid_grant", 3), (116, "invalid_grant", 3)] {
        again.wait(after);
        assert_eq!((kind(&again.silent(0).await).as_str(), again.provider.count()), (expected, requests));
    }
    assert_eq!((kind(&again.forced().await).as_str(), again.provider.count()), ("invalid_grant", 4));
}

#[tokio::test]
async fn a_forced_call_also_respects_retry_after() {
    let scene = answering(Times::GOOD, || Reply::status(503, &[("retry-after", "60")])).await;
    for _ in 0..3 {
        assert_eq!(kind(&scene.forced().await), "wait 60");
    }
    assert_eq!((scene.provider.count(), kind(&scene.silent(0).await)), (1, "Cache".into()));
}

#[tokio::test]
async fn a_successful_refresh_ends_the_pauses_of_its_token() {
    let provider = Provider::new(|asked| match asked.number {
        0 => Reply::error("invalid_grant"),
        _ => Reply::tokens(asked),
    });
    let scene = Scene::new(1, Times::EXPIRED, provider).await;
    assert_eq!(kind(&scene.silent(0).await), "invalid_grant");
    assert_eq!(kind(&scene.forced().await), "IdentityProvider");
    assert_eq!(kind(&scene.silent(0).await), "Cache");
}

#[tokio::test]
async fn a_call_that_waited_for_its_turn_respects_a_pause_that_began_meanwhile() {
    let gate = crate::provider::Gate::closed();
    let shut = gate.clone();
    let scene = answering(Times::EXPIRED, move || Reply::status(503, &[("retry-after", "60")]).when(&shut)).await;
    // Separate requests for the same token.
    let call = |scene: Scene, number: usize| async move {
        let (wanted, ada) = (scopes(), account(0));
        let request = scene.app.acquire_token_silent(&wanted, Some(&ada));
        kind(&request.extra_query_parameter("slice", number.to_string()).send().await)
    };
    let opener = scene.provider.clone();
    tokio::spawn(async move {
        opener.has_been_asked(1).await;
        gate.open();
    });
    assert_eq!(scene.at_once(5, call).await, ["wait 60"; 5]);
    assert_eq!(scene.provider.count(), 1);
}
