//! The options of the sign-in page, and what the token request contains besides the code.

use std::time::Duration;

use auth::{AuthError, Authority, Clock as _, Prompt, ResponseMode, Scopes, SystemClock, TokenSource};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use crate::provider::{Provider, TENANT_ID, fields, kind, scopes};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn every_option_reaches_the_page_through_both_requests() {
    for in_one_call in [false, true] {
        let provider = Provider::of("ada");
        let app = provider.client(&Authority::tenant("common").unwrap(), |builder| builder);
        provider.claims(json!({"auth_time": SystemClock.now().as_unix_seconds()}));
        let (wanted, extra) = (scopes(), Scopes::parse("Mail.Read").unwrap());
        macro_rules! wishes {
            ($request:expr) => {
                $request
                    .prompt(Prompt::Login)
                    .login_hint("ada@contoso.example")
                    .domain_hint("contoso.example")
                    .extra_scopes_to_consent(extra)
                    .max_age(HOUR)
                    .acr_values("gold silver")
                    .ui_locales("nb en")
                    .response_mode(ResponseMode::Query)
                    .extra_query_parameter("slice", "test")
                    .send()
                    .await
            };
        }
        let result = match in_one_call {
            true => wishes!(app.acquire_token(&wanted)),
            false => wishes!(app.acquire_token_interactive(&wanted)),
        };
        result.unwrap();
        let page = provider.pages().pop().unwrap();
        let query = fields(page.split_once('?').unwrap().1.as_bytes());
        for (name, value) in [
            ("prompt", "login"),
            ("login_hint", "ada@contoso.example"),
            ("domain_hint", "contoso.example"),
            ("scope", "User.Read Mail.Read openid profile offline_access"),
            ("max_age", "3600"),
            ("acr_values", "gold silver"),
            ("ui_locales", "nb en"),
            ("response_mode", "query"),
            ("slice", "test"),
        ] {
            assert_eq!(query[name], value);
        }
        let redeemed = provider.asked("/token").pop().unwrap();
        assert_eq!(redeemed.form["scope"], "User.Read openid profile offline_access");
        assert_eq!(redeemed.mailbox.as_deref(), Some("upn:ada@contoso.example"));
    }
}

// The cache does not record when or how the user signed in.
#[tokio::test]
async fn max_age_and_acr_values_bypass_the_cache() {
    let provider = Provider::of("ada");
    let app = provider.client(&Authority::tenant("common").unwrap(), |builder| builder);
    provider.claims(json!({"auth_time": SystemClock.now().as_unix_seconds()}));
    let wanted = scopes();
    let request = || app.acquire_token(&wanted);
    for (request, expected) in [
        (request(), TokenSource::IdentityProvider),
        (request(), TokenSource::Cache),
        (request().prompt(Prompt::Login), TokenSource::Cache),
        (request().max_age(HOUR), TokenSource::IdentityProvider),
        (request().acr_values("gold"), TokenSource::IdentityProvider),
    ] {
        assert_eq!(request.send().await.unwrap().source(), expected);
    }
    assert_eq!(provider.pages().len(), 3);
}

// A call that waited for another sign-in must still ask for its extra consent.
#[tokio::test]
async fn extra_scopes_to_consent_always_show_the_page() {
    let provider = Provider::of("ada");
    let app = provider.client(&Authority::tenant("common").unwrap(), |builder| builder);
    let (wanted, extra) = (scopes(), Scopes::parse("Mail.Read").unwrap());
    let Err(AuthError::UiRequired(ui)) = app.acquire_token_silent(&wanted, None).send().await else { panic!() };
    let request = || app.acquire_token_interactive(&wanted).satisfying(&ui);
    let consent = || request().extra_scopes_to_consent(extra.clone());
    let (one, two, three) = tokio::join!(consent().send(), consent().send(), request().send());
    let sources = [one, two, three].map(|result| result.unwrap().source());
    assert_eq!(sources, [TokenSource::IdentityProvider, TokenSource::IdentityProvider, TokenSource::Cache]);
    assert_eq!(provider.pages().len(), 2);
}

#[tokio::test]
async fn the_mailbox_is_that_of_the_user_who_signed_in() {
    let provider = Provider::of(TENANT_ID);
    let app = provider.client(&Authority::tenant("common").unwrap(), |builder| builder);
    let info = BASE64_URL_SAFE_NO_PAD.encode(json!({"uid": TENANT_ID, "utid": TENANT_ID}).to_string());
    provider.responds(&format!("code=c&client_info={info}"));
    app.acquire_token_interactive(&scopes()).login_hint("grace@contoso.example").send().await.unwrap();
    let redeemed = provider.asked("/token").pop().unwrap();
    assert_eq!(redeemed.mailbox, Some(format!("oid:{TENANT_ID}@{TENANT_ID}")));
}

// S-74
#[tokio::test]
async fn a_sign_in_older_than_max_age_is_rejected() {
    let now = || SystemClock.now().as_unix_seconds();
    for (auth_time, skew, accepted) in [
        (json!(now()), 300, true),
        (json!(now() - 3600 - 200), 300, true),
        (json!(now() - 3600 - 400), 300, false),
        (json!(now() - 3600 - 400), 600, true),
        (json!(now() - 3600 - 100), 0, false),
        (json!(null), 300, false),
    ] {
        let provider = Provider::of("ada");
        let skew = Duration::from_secs(skew);
        let app = provider.client(&Authority::tenant("common").unwrap(), |builder| builder.clock_skew(skew));
        provider.claims(json!({"auth_time": auth_time}));
        let outcome = app.acquire_token_interactive(&scopes()).max_age(HOUR).send().await;
        assert_eq!(outcome.is_ok(), accepted, "{auth_time} {skew:?}");
        assert_eq!(app.accounts().await.unwrap().len(), usize::from(accepted));
    }
}

#[tokio::test]
async fn invalid_options_show_no_page() {
    let provider = Provider::of("ada");
    let app = provider.client(&Authority::tenant("common").unwrap(), |builder| builder);
    let request = || app.acquire_token_interactive(&scopes());
    for (request, expected) in [
        (
            request().extra_scopes_to_consent(Scopes::parse("my-client-id").unwrap()),
            "config: the client id is not a scope that a user can consent to",
        ),
        (
            request().extra_query_parameter("domain_hint", "x"),
            "config: the extra query parameter domain_hint is reserved by the protocol; leave it out",
        ),
        (
            request().extra_query_parameter("slice", "x").extra_query_parameter("slice", "y"),
            "config: the parameter slice would appear twice in the request",
        ),
    ] {
        assert_eq!(kind(&request.send().await.unwrap_err()), expected);
    }
    assert!(provider.pages().is_empty());
    let unusual = auth::PublicClient::builder("c").clock_skew(Duration::from_secs(601)).build();
    assert!(unusual.is_err());
}
