//! The front page: the account is looked up by name, and the name goes along with the silent call.

use auth::{AuthError, UiReason};

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, scopes};

#[tokio::test]
async fn nobody_gets_the_token_of_the_only_other_user() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let wanted = scopes();
    for (name, expected) in [("u0", Ok("old-0")), ("u1", Err(UiReason::NoAccountForLoginHint))] {
        let account = scene.app.account(name).await.unwrap();
        assert_eq!(account.is_some(), expected.is_ok(), "{name}");
        match scene.app.acquire_token_silent(&wanted, account.as_ref()).login_hint(name).send().await {
            Ok(result) => assert_eq!(Ok(result.access_token().expose()), expected, "{name}"),
            Err(AuthError::UiRequired(ui)) => {
                assert_eq!(Err(ui.reason), expected, "{name}");
                assert_eq!(ui.login_hint.as_deref(), Some(name), "the sign-in page is told");
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
    assert_eq!(scene.provider.count(), 0);
}
