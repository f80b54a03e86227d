//! The user flows of a B2C tenant.

use auth::{AuthError, Authority, PublicClient, TokenSource, UiReason};
use serde_json::json;

use crate::provider::{Provider, TENANT_ID, kind, scopes};

const SIGN_IN: &str = "https://contoso.b2clogin.com/contoso.example/b2c_1_signin";
const EDIT: &str = "https://contoso.b2clogin.com/contoso.example/b2c_1_edit";

fn client(provider: &Provider) -> PublicClient {
    // Most policies put no tenant into the token.
    provider.claims(json!({"tid": null, "iss": format!("https://contoso.b2clogin.com/{TENANT_ID}/v2.0/")}));
    provider.client(&Authority::parse(SIGN_IN).unwrap(), |builder| builder)
}

// Account IDs end with the user flow: B2C treats one user as several.
#[tokio::test]
async fn each_user_flow_has_its_own_page_endpoint_and_accounts() {
    let provider = Provider::of("ada-b2c_1_signin");
    let (app, scopes) = (client(&provider), scopes());
    let ada = app.acquire_token_interactive(&scopes).send().await.unwrap();
    let ada = ada.account().unwrap();
    assert_eq!(ada.home_account_id.as_str(), format!("ada-b2c_1_signin.{TENANT_ID}"));

    // The same user edits the profile.
    provider.signs_in("ada-b2c_1_edit");
    let edit = || app.acquire_token_interactive(&scopes).user_flow("B2C_1_Edit");
    let edited = edit().account(ada).send().await.unwrap();
    assert_eq!(edited.account().unwrap().home_account_id.as_str(), format!("ada-b2c_1_edit.{TENANT_ID}"));
    assert!(provider.pages()[1].starts_with(&format!("{EDIT}/oauth2/v2.0/authorize?")));
    assert_eq!(provider.token_urls(), [format!("{SIGN_IN}/oauth2/v2.0/token"), format!("{EDIT}/oauth2/v2.0/token")]);

    // Another user does not.
    provider.signs_in("grace-b2c_1_edit");
    assert!(matches!(edit().account(ada).send().await, Err(AuthError::UserMismatch)));

    let accounts = app.accounts().await.unwrap();
    assert_eq!(accounts.len(), 2);
    assert_eq!(accounts.iter().filter(|account| account.is_of_user_flow("b2c_1_edit")).count(), 1);
    let silent = |user_flow: &str, force: bool| {
        app.acquire_token_silent(&scopes, None).user_flow(user_flow).force_refresh(force).send()
    };
    let found = silent("B2C_1_SignIn", false).await.unwrap();
    assert_eq!((found.source(), &found.account().unwrap().home_account_id), (TokenSource::Cache, &ada.home_account_id));
    provider.signs_in("ada-b2c_1_edit");
    assert_eq!(silent("b2c_1_edit", true).await.unwrap().source(), TokenSource::IdentityProvider);
    assert_eq!(provider.token_urls().last().unwrap(), &format!("{EDIT}/oauth2/v2.0/token"));
    assert_eq!(kind(&silent("b2c_1_reset", false).await.unwrap_err()), "ui no_tokens_found");
    assert!(provider.asked("/token").iter().all(|asked| asked.mailbox.is_none()), "B2C gets no mailbox");
}

#[tokio::test]
async fn a_forgotten_password_leads_to_another_user_flow() {
    let provider = Provider::of("ada-b2c_1_reset");
    let (app, scopes) = (client(&provider), scopes());
    provider.responds("error=access_denied&error_description=AADB2C90118%3A+The+user+has+forgotten+their+password.");
    let sign_in = app.acquire_token_interactive(&scopes).login_hint("ada@contoso.example");
    let Err(AuthError::UiRequired(ui)) = sign_in.send().await else { panic!() };
    assert_eq!((ui.reason, ui.code()), (UiReason::PasswordForgotten, "password_forgotten"));

    provider.responds("code=c");
    let reset = app.acquire_token_interactive(&scopes).user_flow("b2c_1_reset").satisfying(&ui);
    reset.send().await.unwrap();
    let page = provider.pages().pop().unwrap();
    assert!(page.contains("/b2c_1_reset/") && page.contains("login_hint=ada%40contoso.example"), "{page}");
    assert_eq!(provider.token_urls().len(), 1);
}

#[tokio::test]
async fn a_user_who_cancels_is_distinguished_from_one_who_is_refused() {
    let provider = Provider::of("ada-b2c_1_signin");
    let (app, scopes) = (client(&provider), scopes());
    for (response, cancelled) in [
        ("error=access_denied&error_description=AADB2C90091%3A+The+user+has+cancelled", true),
        ("error=access_denied&error_subcode=cancel", true),
        ("error=access_denied&error_description=AADB2C90083", false),
    ] {
        provider.responds(response);
        let Err(AuthError::Server(server)) = app.acquire_token_interactive(&scopes).send().await else { panic!() };
        assert_eq!(server.is_cancelled(), cancelled, "{response}");
    }
    assert!(provider.token_urls().is_empty());
}

#[tokio::test]
async fn user_flows_require_a_b2c_authority() {
    let provider = Provider::of("ada");
    let app = provider.client(&Authority::tenant("common").unwrap(), |builder| builder);
    let refused = app.acquire_token_interactive(&scopes()).user_flow("b2c_1").send().await.unwrap_err();
    assert_eq!(kind(&refused), "config: the authority is not usable: only B2C has user flows");
    assert!(provider.pages().is_empty());
}
