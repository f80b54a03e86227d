//! Many simultaneous calls make one request per token, whatever happens to the callers.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use auth::{AuthError, Cancelled, RefreshReason, Scopes, TokenSource};

use crate::provider::{Gate, Provider, Reply};
use crate::scene::{Scene, Times, account, kind, scopes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_make_one_request() {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(1, Times::EXPIRED, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let opener = scene.provider.clone();
    tokio::spawn(async move {
        opener.has_been_asked(1).await;
        gate.open();
    });
    let results = scene.at_once(10_000, |scene, _| async move { scene.silent(0).await.unwrap() }).await;
    assert_eq!(scene.provider.count(), 1);
    assert!(results.iter().all(|result| result.access_token().expose() == "at-rt0.0"));
    let fresh = results.iter().filter(|result| result.source() == TokenSource::IdentityProvider);
    assert_eq!(fresh.count(), 1, "only the first call reports the identity provider as its source");
    assert_eq!(scene.refresh_token(0).await, "rt0.0");
}

#[tokio::test]
async fn each_account_makes_one_request_and_a_hung_one_delays_no_other() {
    const ACCOUNTS: usize = 1000;
    let gate = Gate::closed();
    let shut = gate.clone();
    let provider = Provider::new(move |asked| match asked.refresh_token.as_str() {
        "rt0" => Reply::tokens(asked).when(&shut),
        _ => Reply::tokens(asked),
    });
    let scene = Scene::new(ACCOUNTS, Times::EXPIRED, provider).await;
    let hung = tokio::spawn({
        let scene = scene.clone();
        async move { scene.silent(0).await }
    });
    scene.provider.has_been_asked(1).await;
    let others = |scene: Scene, number: usize| async move { scene.silent(1 + number % (ACCOUNTS - 1)).await.unwrap() };
    let results = scene.at_once(2 * (ACCOUNTS - 1), others).await;
    assert_eq!((results.len(), scene.provider.count()), (2 * (ACCOUNTS - 1), ACCOUNTS));
    // A cache hit completes at the first poll.
    let hit = pin!(scene.silent(1));
    let Poll::Ready(hit) = hit.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("a cache hit must not wait")
    };
    assert_eq!(hit.unwrap().source(), TokenSource::Cache);
    assert!(!hung.is_finished());
    gate.open();
    assert_eq!(kind(&hung.await.unwrap()), "IdentityProvider");
    assert_eq!(scene.provider.count(), ACCOUNTS);
}

/// A refresh survives its callers: `end` stops the one that began it.
async fn the_refresh_survives(end: impl AsyncFn(tokio::task::JoinHandle<()>)) {
    for followed in [true, false] {
        let gate = Gate::closed();
        let shut = gate.clone();
        let scene = Scene::new(1, Times::EXPIRED, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
        let call = |scene: Scene| async move { drop(scene.silent(0).await) };
        let first = tokio::spawn(call(scene.clone()));
        scene.provider.has_been_asked(1).await;
        let follower = followed.then(|| {
            tokio::spawn({
                let scene = scene.clone();
                async move { scene.silent(0).await.unwrap() }
            })
        });
        tokio::task::yield_now().await;
        end(first).await;
        gate.open();
        if let Some(follower) = follower {
            assert_eq!(follower.await.unwrap().access_token().expose(), "at-rt0.0");
        }
        scene.app.close().await;
        assert_eq!((scene.refresh_token(0).await.as_str(), scene.provider.count()), ("rt0.0", 1));
        assert_eq!(scene.silent(0).await.unwrap().source(), TokenSource::Cache);
    }
}

#[tokio::test]
async fn an_aborted_caller_does_not_stop_the_refresh() {
    the_refresh_survives(async |first| {
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
    })
    .await;
}

#[tokio::test]
async fn callers_dropped_at_any_point_leave_one_request_and_its_token() {
    for polls in 0..4 {
        let scene = Scene::new(1, Times::EXPIRED, Provider::new(Reply::tokens)).await;
        for _ in 0..3 {
            let mut call = Box::pin(scene.silent(0));
            for _ in 0..polls {
                if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        scene.app.close().await;
        let expected = usize::from(polls > 0);
        assert_eq!(scene.provider.count(), expected, "dropped after {polls} polls");
        scene.silent(0).await.unwrap();
        assert_eq!((scene.provider.count(), scene.refresh_token(0).await.as_str()), (1, "rt0.0"));
    }
}

#[tokio::test]
async fn a_caller_that_panics_does_not_affect_the_others() {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(1, Times::EXPIRED, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let calls: Vec<_> = (0..9)
        .map(|number| {
            let scene = scene.clone();
            tokio::spawn(async move {
                let result = scene.silent(0).await;
                assert_ne!(number, 3, "on purpose");
                result.unwrap().access_token().expose().to_owned()
            })
        })
        .collect();
    scene.provider.has_been_asked(1).await;
    gate.open();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.ok(), (number != 3).then(|| "at-rt0.0".to_owned()), "{number}");
    }
    assert_eq!((scene.provider.count(), scene.refresh_token(0).await.as_str()), (1, "rt0.0"));
}

#[tokio::test]
async fn a_transport_that_panics_leaves_no_caller_waiting() {
    let provider = Provider::new(|asked| {
        assert!(asked.number > 1, "on purpose");
        Reply::tokens(asked)
    });
    let scene = Scene::new(1, Times::EXPIRED, provider).await;
    for outcome in scene.at_once(20, |scene, _| async move { scene.silent(0).await }).await {
        assert!(matches!(outcome, Err(AuthError::Cancelled(Cancelled::CutOff))), "{outcome:?}");
    }
    assert_eq!(scene.provider.count(), 2, "one more request at most");
    assert_eq!(scene.silent(0).await.unwrap().source(), TokenSource::IdentityProvider);
}

#[tokio::test]
async fn calls_share_an_error_and_the_next_call_makes_a_new_request() {
    for code in ["invalid_client", "unauthorized_client"] {
        let provider = Provider::new(move |asked| match asked.number {
            0 | 1 => Reply::error(code),
            _ => Reply::tokens(asked),
        });
        let scene = Scene::new(1, Times::EXPIRED, provider).await;
        for requests in 1..=2 {
            let outcomes = scene.at_once(100, |scene, _| async move { scene.silent(0).await }).await;
            assert!(outcomes.iter().all(|outcome| kind(outcome) == code));
            assert_eq!(scene.provider.count(), requests);
        }
        assert_eq!(kind(&scene.silent(0).await), "IdentityProvider");
    }
}

#[tokio::test]
async fn different_requests_of_one_account_take_turns_with_the_newest_refresh_token() {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(1, Times::EXPIRED, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let scene = scene.lockless();
    let opener = scene.provider.clone();
    tokio::spawn(async move {
        opener.has_been_asked(1).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gate.open();
    });
    let call = |scene: Scene, number: usize| async move {
        let scopes = Scopes::parse(["User.Read", "Mail.Read", "Files.Read"][number % 3]).unwrap();
        scene.app.acquire_token_silent(&scopes, Some(&account(0))).send().await.unwrap()
    };
    let results = scene.at_once(30, call).await;
    assert_eq!((results.len(), scene.provider.most_at_once()), (30, 1));
    let redeemed: Vec<_> = scene.provider.asked().into_iter().map(|asked| asked.refresh_token).collect();
    assert_eq!(redeemed, ["rt0", "rt0.0", "rt0.1"], "no refresh token is redeemed twice");
}

#[tokio::test]
async fn a_call_for_fewer_scopes_checks_the_cache_again_before_its_request() {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(1, Times::EXPIRED, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let more = tokio::spawn({
        let scene = scene.clone();
        async move {
            let scopes = Scopes::parse("Mail.Read User.Read").unwrap();
            scene.app.acquire_token_silent(&scopes, Some(&account(0))).send().await.unwrap()
        }
    });
    scene.provider.has_been_asked(1).await;
    let less = tokio::spawn({
        let scene = scene.clone();
        async move { scene.silent(0).await.unwrap() }
    });
    tokio::task::yield_now().await;
    gate.open();
    let (more, less) = (more.await.unwrap(), less.await.unwrap());
    assert_eq!((more.access_token().expose(), less.source()), (less.access_token().expose(), TokenSource::Cache));
    assert_eq!(scene.provider.count(), 1);
}

#[tokio::test]
async fn a_proactive_refresh_happens_once_and_in_the_background() {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(1, Times::DUE, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    for _ in 0..2 {
        let results = scene.at_once(100, |scene, _| async move { scene.silent(0).await.unwrap() }).await;
        let ahead = (TokenSource::Cache, RefreshReason::ProactivelyRefreshed);
        assert!(results.iter().all(|result| (result.source(), result.refresh_reason()) == ahead));
        assert!(results.iter().all(|result| result.access_token().expose() == "old-0"));
    }
    scene.provider.has_been_asked(1).await;
    gate.open();
    scene.app.close().await;
    let refreshed = scene.silent(0).await.unwrap();
    assert_eq!(refreshed.access_token().expose(), "at-rt0.0");
    assert_eq!(refreshed.refresh_reason(), RefreshReason::NotApplicable);
    assert_eq!(scene.provider.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn close_waits_half_a_minute_at_most_and_the_client_remains_usable() {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(2, Times::DUE, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    let begun = tokio::time::Instant::now();
    scene.app.close().await;
    assert_eq!(begun.elapsed().as_secs(), 0, "no refresh is running");
    scene.silent(0).await.unwrap();
    scene.provider.has_been_asked(1).await;
    scene.app.close().await;
    assert_eq!(begun.elapsed().as_secs(), 30);
    scene.silent(1).await.unwrap();
    scene.provider.has_been_asked(2).await;
    let (app, again) = (scene.app.clone(), scene.elsewhere(&scene.provider));
    drop(scene);
    gate.open();
    app.close().await;
    assert_eq!((again.refresh_token(0).await, again.refresh_token(1).await), ("rt0.0".into(), "rt1.1".into()));
    assert_eq!(
        app.acquire_token_silent(&scopes(), Some(&account(0))).send().await.unwrap().source(),
        TokenSource::Cache
    );
}

#[test]
fn a_refresh_whose_runtime_shuts_down_is_repeated_by_a_waiting_call() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let never = Gate::closed();
    let provider = Provider::new(move |asked| match asked.number {
        0 => Reply::tokens(asked).when(&never),
        _ => Reply::tokens(asked),
    });
    let first = runtime();
    let scene = first.block_on(async {
        let scene = Scene::new(1, Times::EXPIRED, provider).await;
        let call = scene.clone();
        tokio::spawn(async move { drop(call.silent(0).await) });
        scene.provider.has_been_asked(1).await;
        scene
    });
    let second = runtime();
    let follower = second.spawn({
        let scene = scene.clone();
        async move { scene.silent(0).await }
    });
    second.block_on(tokio::task::yield_now());
    drop(first);
    assert_eq!(kind(&second.block_on(follower).unwrap()), "IdentityProvider");
    assert_eq!(scene.provider.count(), 2);
}
