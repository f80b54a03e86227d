//! The events that an application receives.

use auth::{AuthError, Event, UiReason};

use crate::provider::{Provider, Reply};
use crate::scene::{Heard, Scene, Times, account, kind};

/// The events since the last call, in a word each.
fn take(heard: &Heard) -> Vec<String> {
    let word = |event| match event {
        Event::RefreshFailed { account: id, error, .. } => {
            assert_eq!(id, account(0).home_account_id);
            kind(&Err(error))
        }
        Event::InteractionHint { account: id, ui } => {
            assert_eq!((id, ui.reason), (account(0).home_account_id, UiReason::Server));
            format!("hint: {}", ui.code())
        }
        Event::ClockSkew { delta } => format!("{delta} s"),
        other => format!("{other:?}"),
    };
    heard.lock().unwrap().drain(..).map(word).collect()
}

async fn answering(times: Times, reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Scene, Heard) {
    Scene::new(1, times, Provider::new(move |_| reply())).await.listening()
}

const ENDING: Times = Times { expires: 250, refresh: None };

type Failure = (fn() -> Reply, &'static str);

const FAILURES: [Failure; 7] = [
    (Reply::no_connection, "Connect"),
    (|| Reply::status(500, &[]), "service_not_available"),
    (|| Reply::status(429, &[("retry-after", "5")]), "wait 5"),
    (|| Reply::status(200, &[]), "Protocol(Missing { message: \"token response\", name: \"token_type\" })"),
    (|| Reply::error("invalid_client"), "invalid_client"),
    (|| Reply::error("invalid_grant"), "hint: invalid_grant"),
    (|| Reply::error("interaction_required"), "hint: interaction_required"),
];

// One event per failed refresh, not one per call that got the cached token instead.
#[tokio::test(start_paused = true)]
async fn a_failed_refresh_of_a_valid_token_is_reported_once() {
    for times in [Times::DUE, ENDING] {
        for (reply, expected) in FAILURES {
            let (scene, heard) = answering(times, reply).await;
            let outcomes = scene.at_once(20, |scene, _| async move { kind(&scene.silent(0).await) }).await;
            assert_eq!(outcomes, ["Cache"; 20], "{expected}");
            scene.app.close().await;
            assert_eq!(take(&heard), [expected]);
            // No retry and no event during the pause; both after it.
            scene.silent(0).await.unwrap();
            scene.app.close().await;
            assert_eq!(take(&heard), [""; 0], "{expected}");
            scene.wait(120);
            scene.silent(0).await.unwrap();
            scene.app.close().await;
            assert_eq!(take(&heard), [expected]);
        }
    }
}

// A caller that gets the error needs no event.
#[tokio::test(start_paused = true)]
async fn an_error_that_a_call_returns_is_not_also_an_event() {
    for (reply, expected) in FAILURES {
        let (scene, heard) = answering(Times::EXPIRED, reply).await;
        let outcome = kind(&scene.silent(0).await);
        assert!(expected == outcome || expected == format!("hint: {outcome}"), "{outcome}");
        assert_eq!(take(&heard), [""; 0], "{expected}");
        let (scene, heard) = answering(Times::GOOD, reply).await;
        scene.forced().await.unwrap_err();
        assert_eq!(take(&heard), [""; 0], "{expected}");
    }
}

// first the hint, then the token until it expires, then the error that the hint announced.
#[tokio::test(start_paused = true)]
async fn the_hint_announces_the_error_that_follows_when_the_token_expires() {
    let (scene, heard) = answering(Times { expires: 3600, refresh: Some(300) }, || Reply::error("invalid_grant")).await;
    scene.wait(10);
    assert_eq!(scene.silent(0).await.unwrap().access_token().expose(), "old-0");
    scene.app.close().await;
    let event = heard.lock().unwrap().pop().unwrap();
    let Event::InteractionHint { ui: hint, .. } = event else { panic!("{event:?}") };
    assert_eq!((hint.code(), hint.login_hint.as_deref()), ("invalid_grant", Some("u0@contoso.example")));
    scene.wait(3600 - 40);
    let Err(AuthError::UiRequired(ui)) = scene.silent(0).await else { panic!("the token has expired") };
    assert_eq!((ui.code(), ui.reason, &ui.login_hint), (hint.code(), hint.reason, &hint.login_hint));
}

#[tokio::test]
async fn an_interrupted_refresh_is_reported() {
    let (scene, heard) = answering(ENDING, || panic!("on purpose")).await;
    assert_eq!(kind(&scene.silent(0).await), "Cache");
    assert_eq!(take(&heard), ["Cancelled(CutOff)"]);
}

#[tokio::test]
async fn clock_skew_is_reported_once_per_change() {
    const SAME: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const LATER: &str = "Tue, 14 Nov 2023 23:13:20 GMT";
    let provider = Provider::new(|asked| Reply::tokens(asked).at(if asked.number < 2 { SAME } else { LATER }));
    let (scene, heard) = Scene::new(1, Times::GOOD, provider).await.listening();
    for (wait, expected) in
        [(0, None), (300, None), (0, Some("3300 s")), (20, None), (3280, None), (301, Some("-301 s"))]
    {
        scene.wait(wait);
        scene.forced().await.unwrap();
        assert_eq!(take(&heard), expected.into_iter().collect::<Vec<_>>(), "{wait}");
    }
    // A cache hit makes no request, so it reports nothing.
    scene.silent(0).await.unwrap();
    assert_eq!((take(&heard), scene.provider.count()), (Vec::new(), 6));
    // The date of an error response counts, too.
    let (scene, heard) = answering(Times::EXPIRED, || Reply::error("invalid_grant").at(LATER)).await;
    assert_eq!(kind(&scene.silent(0).await), "invalid_grant");
    assert_eq!(take(&heard), ["3600 s"]);
}
