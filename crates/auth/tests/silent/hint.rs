//! The example of the crate's front page: the account is looked up by name, and the name is the login hint.

use auth::{AuthError, UiReason};

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, scopes};

#[tokio::test]
async fn a_name_never_selects_another_users_token() {
    let scene = Scene::new(1, Times::GOOD, Provider::new(Reply::tokens)).await;
    let wanted = scopes();
    for (name, expected) in [("u0", Ok("old-0")), ("u1", Err(UiReason::NoAccountForLoginHint))] {
        let account = scene.app.account(name).await.unwrap();
        assert_eq!(account.is_some(), expected.is_ok(), "{name}");
        match scene.app.acquire_token_silent(&wanted, account.as_ref()).login_hint(name).send().await {
            Ok(result) => assert_eq!(Ok(result.access_token().expose()), expected, "{name}"),
            Err(AuthError::UiRequired(ui)) => {
                assert_eq!(Err(ui.reason), expected, "{name}");
                assert_eq!(ui.login_hint.as_deref(), Some(name), "the hint reaches the sign-in page");
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
    assert_eq!(scene.provider.count(), 0);
}
