//! Which account a silent call uses without an account, with or without a login hint.

use auth::{AuthError, UiReason};
use serde_json::json;

use crate::provider::{Provider, Reply};
use crate::scene::{Scene, Times, document, kind, scopes};

#[tokio::test]
async fn no_account_is_chosen_from_several() {
    let silent = async |scene: &Scene, hint: Option<&str>| {
        let wanted = scopes();
        let request = scene.app.acquire_token_silent(&wanted, None);
        match hint {
            Some(hint) => request.login_hint(hint).send().await,
            None => request.send().await,
        }
    };
    for (usernames, hint, expected) in [
        (&[][..], None, "no_tokens_found"),
        (&[], Some("ada"), "no_account_for_login_hint"),
        (&["ada"], None, "Cache"),
        (&["ada"], Some("ADA"), "Cache"),
        (&["ada"], Some("grace"), "no_account_for_login_hint"),
        (&["ada", "grace"], None, "multiple_accounts"),
        (&["ada", "grace"], Some("grace"), "Cache"),
        (&["ada", "grace", "Ada"], Some("ada"), "multiple_accounts_for_login_hint"),
        (&["ada", "grace", "Ada"], Some("grace"), "Cache"),
    ] {
        let scene = Scene::new(0, Times::GOOD, Provider::new(Reply::tokens)).await;
        let mut filed = document(usernames.len(), Times::GOOD);
        for (number, username) in usernames.iter().enumerate() {
            filed["Account"][format!("p{number}")]["username"] = json!(username);
        }
        scene.write(&filed).await;
        assert_eq!(kind(&silent(&scene, hint).await), expected, "{usernames:?} {hint:?}");
        if expected == "multiple_accounts_for_login_hint" {
            let Err(AuthError::UiRequired(ui)) = scene.app.account(hint.unwrap()).await else {
                panic!("the name is ambiguous")
            };
            assert_eq!(ui.reason, UiReason::MultipleAccountsForLoginHint);
        }
    }
}
