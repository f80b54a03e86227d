//! Forced refreshes and claims challenges never return what was cached before the call began (S-83).

use auth::{AuthError, AuthResult, Claims, TokenSource};
use auth_cache::BoxFuture;
use serde_json::json;

use crate::provider::{Gate, Provider, Reply, id_token};
use crate::scene::{CLIENT, ENVIRONMENT, NOW, Scene, TENANT, Times, account, document, kind, scopes};

async fn challenged(scene: &Scene, value: u32) -> Result<AuthResult, AuthError> {
    let claims = Claims::parse(&format!(r#"{{"access_token":{{"nbf":{{"value":"{value}"}}}}}}"#)).unwrap();
    scene.app.acquire_token_silent(&scopes(), Some(&account(0))).claims(claims).send().await
}

#[tokio::test]
async fn simultaneous_forced_calls_share_a_request_and_later_ones_make_another() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    for requests in 1..=3 {
        let results = scene.at_once(100, |scene, _| async move { scene.forced().await.unwrap() }).await;
        assert_eq!(scene.provider.count(), requests);
        let newest = format!("at-rt0.{}", requests - 1);
        assert!(results.iter().all(|result| result.access_token().expose() == newest));
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
        assert!(own.iter().all(|result| result.access_token().ct_eq(own[0].access_token().expose())), "{kind}");
        assert_eq!(own.iter().filter(|result| result.source() == TokenSource::IdentityProvider).count(), 1, "{kind}");
        assert!(!own[0].access_token().ct_eq("old-0"), "{kind}");
    }
}

#[tokio::test]
async fn a_failed_forced_refresh_returns_nothing_from_the_cache() {
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

/// Two processes over one store. Two calls of the second wait for the lock of the first, whose response comes five
/// seconds after the early call and at the time of the late one.
async fn second_process(challenge: bool) -> (String, String, usize) {
    let gate = Gate::closed();
    let shut = gate.clone();
    let first = Scene::new(1, Times::GOOD, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let second = first.elsewhere(&Provider::new(Reply::tokens));
    let spawn = |scene: &Scene, challenge: bool| {
        let scene = scene.clone();
        tokio::spawn(async move { kind(&if challenge { challenged(&scene, 1).await } else { scene.forced().await }) })
    };
    let holder = spawn(&first, false);
    first.provider.has_been_asked(1).await;
    let early = spawn(&second, challenge);
    tokio::task::yield_now().await;
    first.wait(5);
    let late = spawn(&second, challenge);
    tokio::task::yield_now().await;
    gate.open();
    assert_eq!(holder.await.unwrap(), "IdentityProvider");
    (early.await.unwrap(), late.await.unwrap(), second.provider.count())
}

#[tokio::test]
async fn the_second_look_of_a_forced_refresh_accepts_only_what_was_cached_after_the_call_began() {
    // A call that began in the same second as the response cannot tell which was first, so it makes a request.
    let forced = ("Cache".to_owned(), "IdentityProvider".to_owned(), 1);
    assert_eq!(second_process(false).await, forced);
    // A cached token does not show which claims it satisfies, so both calls share a request.
    let challenged = ("IdentityProvider".to_owned(), "Cache".to_owned(), 1);
    assert_eq!(second_process(true).await, challenged);
}

/// The outcomes of an unforced refresh, a forced one that begins meanwhile, and a forced one with claims, when the
/// response comes this many seconds later; and the number of requests.
async fn during_an_unforced_refresh(seconds: u64) -> ([String; 3], usize) {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(1, Times::EXPIRED, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let spawn =
        |call: fn(Scene) -> BoxFuture<'static, Result<AuthResult, AuthError>>| tokio::spawn(call(scene.clone()));
    let unforced = spawn(|scene| Box::pin(async move { scene.silent(0).await }));
    scene.provider.has_been_asked(1).await;
    let forced = spawn(|scene| Box::pin(async move { scene.forced().await }));
    let both = spawn(|scene| {
        Box::pin(async move {
            let claims = Claims::parse("{}").unwrap();
            let (wanted, ada) = (scopes(), account(0));
            scene.app.acquire_token_silent(&wanted, Some(&ada)).claims(claims).force_refresh(true).send().await
        })
    });
    tokio::task::yield_now().await;
    scene.wait(seconds);
    gate.open();
    let kinds = [unforced.await, forced.await, both.await].map(|outcome| kind(&outcome.unwrap()));
    (kinds, scene.provider.count())
}

#[tokio::test]
async fn a_forced_call_does_not_join_an_unforced_refresh_nor_a_challenge_any_other_call() {
    let fresh = "IdentityProvider";
    assert_eq!(during_an_unforced_refresh(0).await, ([fresh, fresh, fresh].map(str::to_owned), 3));
    // A token cached after the forced call began is new enough for it.
    assert_eq!(during_an_unforced_refresh(5).await, ([fresh, "Cache", fresh].map(str::to_owned), 2));
}

#[tokio::test]
async fn a_cached_token_with_a_time_in_the_future_does_not_count_as_new() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let mut document = document(1, Times::GOOD);
    document["AccessToken"]["a0"]["cached_at"] = (NOW + 200).to_string().into();
    scene.write(&document).await;
    assert_eq!(kind(&scene.forced().await), "IdentityProvider");
}

// S-75: the stored ID token must match, even in a new process that does not know yet which tenant a domain name is.
#[tokio::test(start_paused = true)]
async fn with_a_domain_name_a_refresh_for_another_subject_is_rejected() {
    const HOST: &str = "login.microsoftonline.com";
    let mut stored = document(1, Times::EXPIRED);
    stored["IdToken"]["i0"] = json!({
        "home_account_id": format!("u0.{TENANT}"), "environment": ENVIRONMENT, "client_id": CLIENT, "realm": TENANT,
        "secret": id_token(HOST, "s0"),
    });
    for (sub, expected) in [("s0", "IdentityProvider"), ("s1", "Protocol(UserMismatch)")] {
        for way in ["forced", "challenged", "silent"] {
            let provider = Provider::new(move |asked| match asked.path.ends_with("/token") {
                true => Reply::tokens_of(asked, HOST, sub),
                false => Reply::no_connection(),
            });
            let scene = Scene::new(0, Times::EXPIRED, provider).await.at("contoso.example");
            scene.write(&stored).await;
            let outcome = match way {
                "forced" => scene.forced().await,
                "challenged" => challenged(&scene, 0).await,
                _ => scene.silent(0).await,
            };
            assert_eq!(kind(&outcome), expected, "{way}, {sub}");
        }
    }
}
