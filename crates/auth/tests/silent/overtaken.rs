//! A late response does not overwrite what was stored meanwhile (R-24).

use crate::provider::{Gate, Provider, Reply};
use crate::scene::{NOW, Scene, Times, document};

/// What is stored after a proactive refresh that began before another program's sign-in and ended after it.
async fn after_a_late_answer(seconds: u64) -> (String, String) {
    let gate = Gate::closed();
    let shut = gate.clone();
    let scene = Scene::new(1, Times::DUE, Provider::new(move |asked| Reply::tokens(asked).when(&shut))).await;
    assert_eq!(scene.silent(0).await.unwrap().access_token().expose(), "old-0");
    scene.provider.has_been_asked(1).await;
    scene.wait(seconds);
    let mut signed_in = document(1, Times::GOOD);
    signed_in["RefreshToken"]["r0"]["secret"] = "rt-signed-in".into();
    signed_in["AccessToken"]["a0"]["secret"] = "at-signed-in".into();
    signed_in["AccessToken"]["a0"]["cached_at"] = (NOW + seconds).to_string().into();
    scene.write(&signed_in).await;
    gate.open();
    scene.app.close().await;
    (scene.silent(0).await.unwrap().access_token().expose().to_owned(), scene.refresh_token(0).await)
}

#[tokio::test]
async fn a_late_refresh_does_not_replace_the_tokens_of_a_newer_sign_in() {
    let new = ("at-signed-in".to_owned(), "rt-signed-in".to_owned());
    assert_eq!(after_a_late_answer(15).await, new);
}

// Even if the rejected token grants more scopes and expires later than its replacement.
#[tokio::test]
async fn a_rejected_token_is_not_returned_again() {
    let claims = || auth::Claims::parse(r#"{"access_token":{"nbf":{"value":"1"}}}"#).unwrap();
    for challenged in [false, true] {
        let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
        let mut stored = document(1, Times { expires: 28 * 3600, refresh: None });
        stored["AccessToken"]["a0"]["target"] = "User.Read Mail.Read".into();
        scene.write(&stored).await;
        assert_eq!(scene.silent(0).await.unwrap().access_token().expose(), "old-0");
        let (wanted, ada) = (crate::scene::scopes(), crate::scene::account(0));
        let request = scene.app.acquire_token_silent(&wanted, Some(&ada));
        let request = if challenged { request.claims(claims()) } else { request.force_refresh(true) };
        assert_eq!(request.send().await.unwrap().access_token().expose(), "at-rt0.0");
        assert_eq!(scene.silent(0).await.unwrap().access_token().expose(), "at-rt0.0");
        assert_eq!(scene.provider.count(), 1);
    }
}
