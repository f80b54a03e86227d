//! A sign-in on another device, from the code to the cache, with time passed in (S-69).
#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is wrong")]

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use auth::{
    Account, AccountId, AuthError, Authority, Cancelled, Clock, InMemoryTransport, PublicClient, Scopes, Timestamp,
    TokenSource, TransportError, TransportFault,
};
use http::Response;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Tokio's paused time as the clock.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000).saturating_add(self.0.elapsed())
    }
}

type Answer = Result<(u16, Value), ()>;

fn code() -> Answer {
    Ok((
        200,
        json!({
            "device_code": "dc", "user_code": "WDJB-MJHT", "verification_uri": "https://microsoft.example/devicelogin",
            "expires_in": 900, "interval": 5, "message": "Open the page.",
        }),
    ))
}

/// An unsigned ID token of ada@contoso.example for this client.
const ID_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9.",
    "eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vYWFhYWJiYmItMDAwMC1jY2NjLTExMTEtZGRkZDIy",
    "MjJlZWVlL3YyLjAiLCJzdWIiOiJzIiwiYXVkIjoibXktY2xpZW50LWlkIiwiZXhwIjoxNzAwMDAzNjAwLCJpYXQiOjE3MDAw",
    "MDAwMDAsInRpZCI6ImFhYWFiYmJiLTAwMDAtY2NjYy0xMTExLWRkZGQyMjIyZWVlZSIsIm9pZCI6InUiLCJwcmVmZXJyZWRf",
    "dXNlcm5hbWUiOiJhZGFAY29udG9zby5leGFtcGxlIn0",
    ".c2ln"
);

fn tokens() -> Answer {
    let client_info = "eyJ1aWQiOiJ1IiwidXRpZCI6ImFhYWFiYmJiLTAwMDAtY2NjYy0xMTExLWRkZGQyMjIyZWVlZSJ9";
    Ok((
        200,
        json!({
            "token_type": "Bearer", "access_token": "at", "refresh_token": "rt", "expires_in": 3600,
            "scope": "User.Read", "client_info": client_info, "id_token": ID_TOKEN,
        }),
    ))
}

fn refusal(error: &str) -> Answer {
    Ok((400, json!({ "error": error })))
}

fn client(answers: Vec<Answer>) -> (PublicClient, InMemoryTransport) {
    let answers = Arc::new(Mutex::new(answers.into_iter()));
    let transport = InMemoryTransport::new(move |_| match answers.lock().unwrap().next().unwrap() {
        Err(()) => Err(TransportError::after_send(TransportFault::Timeout, "login.microsoftonline.com", "")),
        Ok((status, body)) => {
            let response = Response::builder().status(status).header("content-type", "application/json");
            Ok(response.body(body.to_string().into()).unwrap())
        }
    });
    let authority = Authority::tenant("organizations").unwrap();
    let builder = PublicClient::builder("my-client-id").authority(authority).transport(transport.clone());
    (builder.clock(Paused(Instant::now())).build().unwrap(), transport)
}

fn paths(transport: &InMemoryTransport) -> Vec<String> {
    transport.requests().iter().map(|uri| uri.path().rsplit('/').next().unwrap().to_owned()).collect()
}

fn scopes() -> Scopes {
    Scopes::parse("User.Read").unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_polled_until_the_user_signs_in_and_the_tokens_are_cached() {
    let pending = || refusal("authorization_pending");
    let (app, transport) = client(vec![code(), pending(), refusal("slow_down"), Err(()), tokens()]);
    let (begun, mut shown) = (Instant::now(), Vec::new());
    let show = |code: &auth::DeviceCode| shown.push((code.user_code.clone(), code.verification_uri.to_string()));
    let result = app.acquire_token_by_device_code(&scopes()).send(show).await.unwrap();

    assert_eq!(shown, [("WDJB-MJHT".to_owned(), "https://microsoft.example/devicelogin".to_owned())]);
    assert_eq!(paths(&transport), ["devicecode", "token", "token", "token", "token"]);
    // 5 s, again 5 s, then 10 s after `slow_down`, and 20 s after a response was lost.
    assert_eq!(begun.elapsed().as_secs(), 5 + 5 + 10 + 20);
    assert_eq!((result.access_token().expose(), result.source()), ("at", TokenSource::IdentityProvider));

    let account = app.account("ada@contoso.example").await.unwrap().unwrap();
    assert_eq!(account.source.as_deref(), Some("device_code_flow"));
    let again = app.acquire_token_silent(&scopes(), Some(&account)).send().await.unwrap();
    assert_eq!((again.access_token().expose(), again.source()), ("at", TokenSource::Cache));
}

#[tokio::test(start_paused = true)]
async fn each_failure_ends_the_sign_in_with_its_error() {
    let end = async |answers| match client(answers).0.acquire_token_by_device_code(&scopes()).send(|_| {}).await {
        Err(AuthError::UiRequired(ui)) => format!("ui {}", ui.code()),
        Err(AuthError::Server(error)) => format!("server {}", error.error),
        Err(AuthError::Transport(_)) => "transport".to_owned(),
        other => panic!("{other:?}"),
    };
    for (answers, expected) in [
        (vec![code(), refusal("authorization_declined")], "server authorization_declined"),
        (vec![code(), refusal("expired_token")], "ui expired_token"),
        (vec![refusal("unauthorized_client")], "server unauthorized_client"),
        (vec![Err(()), Err(())], "transport"),
    ] {
        assert_eq!(end(answers).await, expected);
    }
    let forever = std::iter::once(code()).chain((0..200).map(|_| refusal("authorization_pending"))).collect();
    assert_eq!(end(forever).await, "ui code_expired");
}

// S-86: a response that does not identify the user is rejected.
#[tokio::test(start_paused = true)]
async fn only_the_pinned_account_is_accepted() {
    let of_nobody = || Ok((200, json!({"token_type": "Bearer", "access_token": "x", "expires_in": 3600})));
    for (id, answer, accepted) in
        [("u", tokens(), true), ("other", tokens(), false), ("u", of_nobody(), false), ("other", of_nobody(), false)]
    {
        let id = AccountId::new(format!("{id}.aaaabbbb-0000-cccc-1111-dddd2222eeee"));
        let pinned = Account::new(id, "login.windows.net", "ada@contoso.example");
        let (app, _) = client(vec![code(), answer]);
        let ended = app.acquire_token_by_device_code(&scopes()).account(&pinned).send(|_| {}).await;
        match ended {
            Ok(_) => assert!(accepted),
            Err(AuthError::UserMismatch) => assert!(!accepted),
            other => panic!("{other:?}"),
        }
        assert_eq!(app.accounts().await.unwrap().len(), usize::from(accepted));
    }
    let (app, _) = client(vec![code(), of_nobody()]);
    assert!(app.acquire_token_by_device_code(&scopes()).send(|_| {}).await.is_ok(), "no account was pinned");
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_the_application_ends_the_wait() {
    let begun = Instant::now();
    let pending = (0..200).map(|_| refusal("authorization_pending"));
    let (app, _) = client(std::iter::once(code()).chain(pending).collect());
    let limit = Duration::from_secs(30);
    match app.acquire_token_by_device_code(&scopes()).timeout(limit).send(|_| {}).await {
        Err(AuthError::Cancelled(Cancelled::TimedOut(time))) => assert_eq!((time, begun.elapsed()), (limit, limit)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_device_codes_is_an_error_before_any_request() {
    let authority = Authority::parse("https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin").unwrap();
    let transport = InMemoryTransport::new(|_| panic!("no request is expected"));
    let app = PublicClient::builder("c").authority(authority).transport(transport).build().unwrap();
    let error = app.acquire_token_by_device_code(&scopes()).start().await.unwrap_err();
    assert_eq!(error.to_string(), "the identity provider offers no sign-in with a device code");
}

/// Dropping the future stops the polling at once.
#[tokio::test(start_paused = true)]
async fn dropping_the_future_ends_the_sign_in() {
    let (app, transport) = client(vec![code()]);
    {
        let pending = app.acquire_token_by_device_code(&scopes()).start().await.unwrap();
        assert_eq!(pending.code().message.as_deref(), Some("Open the page."));
        let mut waiting = pin!(pending.wait());
        let polled = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await;
        assert!(polled);
    }
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::task::yield_now().await;
    assert_eq!(paths(&transport), ["devicecode"]);
}

/// Of two requests that follow silent ones, only one gets a code; the other finds its tokens in the cache. A request
/// that does not follow a silent one, or has claims, gets its own code.
#[tokio::test(start_paused = true)]
async fn simultaneous_requests_after_silent_calls_share_one_code() {
    let (app, transport) = client(vec![code(), refusal("authorization_pending"), tokens()]);
    let (wanted, shown) = (scopes(), AtomicUsize::new(0));
    let Err(AuthError::UiRequired(ui)) = app.acquire_token_silent(&wanted, None).send().await else { panic!() };
    let call = || {
        let show = |_: &auth::DeviceCode| assert!(shown.fetch_add(1, Ordering::SeqCst) < 2);
        app.acquire_token_by_device_code(&wanted).satisfying(&ui).send(show)
    };
    let (one, two) = tokio::join!(call(), call());
    assert_eq!(one.unwrap().source(), TokenSource::IdentityProvider);
    assert_eq!(two.unwrap().source(), TokenSource::Cache);
    assert_eq!(shown.into_inner(), 1);
    assert_eq!(paths(&transport), ["devicecode", "token", "token"]);

    let (app, transport) = client(vec![code(), code(), tokens(), tokens()]);
    let request = || app.acquire_token_by_device_code(&wanted);
    let (one, two) = tokio::join!(request().satisfying(&ui).send(|_| {}), request().send(|_| {}));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(paths(&transport), ["devicecode", "devicecode", "token", "token"]);

    let (app, transport) = client(vec![code(), tokens(), code(), tokens()]);
    let claims = auth::Claims::parse(r#"{"id_token":{"acr":null}}"#).unwrap();
    let request = || app.acquire_token_by_device_code(&wanted).satisfying(&ui);
    let (one, two) = tokio::join!(request().send(|_| {}), request().claims(claims).send(|_| {}));
    assert_eq!(
        (one.unwrap().source(), two.unwrap().source()),
        (TokenSource::IdentityProvider, TokenSource::IdentityProvider)
    );
    assert_eq!(paths(&transport), ["devicecode", "token", "devicecode", "token"]);
}

/// If the user never comes, the next request gets its turn when the code expires.
#[tokio::test(start_paused = true)]
async fn a_code_that_expires_lets_the_next_request_continue() {
    let (app, _) = client(vec![code(), refusal("authorization_pending"), refusal("expired_token"), code(), tokens()]);
    let wanted = scopes();
    let Err(AuthError::UiRequired(ui)) = app.acquire_token_silent(&wanted, None).send().await else { panic!() };
    let call = || app.acquire_token_by_device_code(&wanted).satisfying(&ui).send(|_| {});
    let (one, two) = tokio::join!(call(), call());
    assert!(matches!(one, Err(AuthError::UiRequired(_))), "{one:?}");
    assert_eq!(two.unwrap().source(), TokenSource::IdentityProvider);
}
