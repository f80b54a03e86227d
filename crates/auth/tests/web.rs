//! A web application's sign-in: begun, kept in a session, resumed by another process, redeemed once (S-04, S-06, S-86).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use auth::{
    Account, AccountId, AuthError, AuthResult, Authority, AuthorizationResponse, Cancelled, Claims, Clock, ConfigError,
    InMemoryTransport, PendingAuthorization, Prompt, ProtocolError, PublicClient, RedirectUri, ResponseMode, Scopes,
    Secret, Timestamp, TokenSource, UiReason, UiRequired,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use serde_json::{Value, json};

const CLIENT: &str = "my-client-id";
const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const NOW: u64 = 1_700_000_000;

/// A clock that the test advances.
#[derive(Clone)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// Several processes of one web application, with one provider.
struct Scene {
    clock: Hand,
    transport: InMemoryTransport,
    /// The nonce that the provider has seen last.
    nonce: Arc<Mutex<String>>,
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Scene {
    fn new() -> Self {
        let nonce = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&nonce);
        let transport = InMemoryTransport::new(move |_| {
            let claims = json!({
                "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "tid": TENANT, "aud": CLIENT,
                "sub": "s", "oid": "u", "preferred_username": "ada@contoso.example", "nonce": *seen.lock().unwrap(),
                "iat": NOW, "exp": NOW + 3600,
            });
            let body = json!({
                "token_type": "Bearer", "access_token": "at", "refresh_token": "rt", "expires_in": 3600,
                "id_token": format!("{}.{}.c2ln", encoded(&json!({"alg": "RS256"})), encoded(&claims)),
                "client_info": encoded(&json!({"uid": "u", "utid": TENANT})),
            });
            let response = Response::builder().header("content-type", "application/json");
            Ok(response.body(body.to_string().into()).unwrap())
        });
        Self { clock: Hand(Arc::new(AtomicU64::new(NOW))), transport, nonce }
    }

    /// A process with an empty cache.
    fn process(&self) -> PublicClient {
        self.client(CLIENT, Authority::tenant("organizations").unwrap())
    }

    fn client(&self, client_id: &str, authority: Authority) -> PublicClient {
        let builder = PublicClient::builder(client_id).authority(authority).transport(self.transport.clone());
        builder.clock(self.clock.clone()).build().unwrap()
    }

    async fn begin(&self, app: &PublicClient) -> PendingAuthorization {
        self.shown(app.authorization_url(&scopes()).redirect_uri(redirect_uri()).send().await.unwrap())
    }

    /// Shows the sign-in page to the user.
    fn shown(&self, pending: PendingAuthorization) -> PendingAuthorization {
        *self.nonce.lock().unwrap() = parameters(&pending)["nonce"].clone();
        pending
    }

    fn requests(&self) -> Vec<String> {
        self.transport.requests().iter().map(ToString::to_string).collect()
    }
}

fn scopes() -> Scopes {
    Scopes::parse("User.Read").unwrap()
}

fn redirect_uri() -> RedirectUri {
    RedirectUri::parse("https://app.example/signed-in").unwrap()
}

fn parameters(pending: &PendingAuthorization) -> HashMap<String, String> {
    form_urlencoded::parse(pending.url().query().unwrap().as_bytes()).into_owned().collect()
}

/// The response to `pending`.
fn response(pending: &PendingAuthorization) -> AuthorizationResponse {
    let state = parameters(pending)["state"].clone();
    AuthorizationResponse::parse(format!("code=c&state={state}").as_bytes()).unwrap()
}

fn verdict(ended: Result<AuthResult, AuthError>) -> ProtocolError {
    match ended {
        Err(AuthError::Protocol(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_process_can_complete_a_sign_in() {
    let scene = Scene::new();
    let (one, two) = (scene.process(), scene.process());
    let pending = scene.begin(&one).await;
    assert!(scene.requests().is_empty(), "Entra's endpoints are built in");
    let session = pending.to_json();
    let result = two.acquire_token_by_authorization_code(session, response(&pending)).send().await.unwrap();
    assert_eq!((result.source(), result.correlation_id()), (TokenSource::IdentityProvider, pending.correlation_id()));
    assert_eq!(scene.requests(), ["https://login.microsoftonline.com/organizations/oauth2/v2.0/token"]);
    let account = two.account("ada@contoso.example").await.unwrap().unwrap();
    let again = two.acquire_token_silent(&scopes(), Some(&account)).send().await.unwrap();
    assert_eq!(again.source(), TokenSource::Cache);
    // In the same process, the pending sign-in need not be serialized.
    let pending = scene.begin(&one).await;
    let response = response(&pending);
    assert!(one.acquire_token_by_authorization_code(pending, response).send().await.is_ok());
}

#[tokio::test]
async fn the_url_contains_the_options_of_the_request() {
    let (scene, ui) = (Scene::new(), UiRequired::local(UiReason::NoTokensFound, auth_id()));
    let ui = ui.with_claims(&Claims::parse(r#"{"a":1}"#).unwrap()).with_login_hint("ada");
    let app = scene.process();
    let request = app.authorization_url(&scopes()).redirect_uri(redirect_uri()).tenant_id(TENANT);
    let request = request.response_mode(ResponseMode::Query).prompt(Prompt::Login).satisfying(&ui);
    let pending = request.extra_query_parameter("domain_hint_x", "y").send().await.unwrap();
    assert_eq!(pending.url().path(), format!("/{TENANT}/oauth2/v2.0/authorize"));
    let sent = parameters(&pending);
    for (name, value) in [
        ("redirect_uri", "https://app.example/signed-in"),
        ("response_mode", "query"),
        ("prompt", "login"),
        ("login_hint", "ada"),
        ("claims", r#"{"a":1}"#),
        ("domain_hint_x", "y"),
        ("client-request-id", "a1b2c3d4-0000-4000-8000-000000000000"),
    ] {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
    let nowhere = app.authorization_url(&scopes()).send().await;
    assert!(
        matches!(nowhere, Err(AuthError::Config(error)) if matches!(*error, ConfigError::Missing { part: "redirect URI", .. }))
    );
    // A sign-in begun at a tenant ends only there, whatever the session names.
    let pending = scene.shown(pending);
    let kept = pending.to_json();
    let redeem = || app.acquire_token_by_authorization_code(kept.clone(), response(&pending));
    for elsewhere in [redeem(), redeem().tenant_id("contoso.example")] {
        verdict(elsewhere.send().await);
    }
    assert!(scene.requests().is_empty());
    assert!(redeem().tenant_id(TENANT).send().await.is_ok());
    assert_eq!(scene.requests().len(), 1);
    assert!(scene.requests()[0].starts_with(&format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")));
}

fn auth_id() -> auth::CorrelationId {
    auth::CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").unwrap()
}

// A page reloaded while its first request is running takes the same session out twice.
#[tokio::test]
async fn a_sign_in_completed_twice_sends_its_code_once() {
    let scene = Scene::new();
    let app = scene.process();
    let pending = scene.begin(&app).await;
    let kept = pending.to_json();
    let redeem = || app.acquire_token_by_authorization_code(kept.clone(), response(&pending)).send();
    let (one, two) = tokio::join!(redeem(), redeem());
    assert!(one.is_ok());
    assert_eq!(verdict(two), ProtocolError::AlreadyRedeemed);
    assert_eq!(verdict(redeem().await), ProtocolError::AlreadyRedeemed);
    assert_eq!(scene.requests().len(), 1);
}

#[tokio::test]
async fn a_response_that_does_not_match_the_sign_in_sends_no_code() {
    let scene = Scene::new();
    let app = scene.process();
    let (pending, other) = (scene.begin(&app).await, scene.begin(&app).await);
    // Login CSRF: the response of another user's sign-in.
    let ended = app.acquire_token_by_authorization_code(pending, response(&other)).send().await;
    assert_eq!(verdict(ended), ProtocolError::StateMismatch);
    // Another client, another authority, and arbitrary session contents.
    let pending = scene.begin(&app).await;
    let at = |authority| scene.client(CLIENT, Authority::parse(authority).unwrap());
    for stranger in [
        at("https://login.microsoftonline.com/contoso.example"),
        at("https://login.microsoftonline.us/organizations"),
        scene.client("other", Authority::tenant("organizations").unwrap()),
    ] {
        let kept = stranger.acquire_token_by_authorization_code(pending.to_json(), response(&pending)).send().await;
        let begun = scene.begin(&app).await;
        let answer = response(&begun);
        let begun = stranger.acquire_token_by_authorization_code(begun, answer).send().await;
        for ended in [kept, begun] {
            assert!(matches!(verdict(ended), ProtocolError::Invalid { message: "pending authorization", .. }));
        }
    }
    let evil = pending.to_json().expose().replace("login.microsoftonline.com", "evil.example");
    for forged in ["", "{}", "null", &evil] {
        let kept = Secret::new(forged.to_owned());
        verdict(app.acquire_token_by_authorization_code(kept, response(&pending)).send().await);
    }
    assert!(scene.requests().is_empty());
    // None of that has used up the sign-in.
    let pending = scene.shown(pending);
    let answer = response(&pending);
    assert!(app.acquire_token_by_authorization_code(pending, answer).send().await.is_ok());
}

#[tokio::test]
async fn a_sign_in_expires_after_ten_minutes() {
    let scene = Scene::new();
    let app = scene.process();
    let pending = scene.begin(&app).await;
    for (later, in_time) in [(601, false), (600, true)] {
        scene.clock.0.store(NOW + later, Ordering::SeqCst);
        let ended = app.acquire_token_by_authorization_code(pending.to_json(), response(&pending)).send().await;
        match ended {
            Ok(_) => assert!(in_time),
            Err(AuthError::Cancelled(Cancelled::TimedOut(time))) => assert!(!in_time && time.as_secs() == 600),
            other => panic!("{other:?}"),
        }
    }
}

// S-86: someone else's sign-in does not replace the user of the application.
#[tokio::test]
async fn tokens_of_an_account_other_than_the_pinned_one_are_not_cached() {
    let scene = Scene::new();
    let app = scene.process();
    for (id, mine) in [("other", false), ("u", true)] {
        let account = Account::new(AccountId::new(format!("{id}.{TENANT}")), "login.windows.net", "x");
        let pending = scene.begin(&app).await;
        let response = response(&pending);
        let ended = app.acquire_token_by_authorization_code(pending, response).account(&account).send().await;
        match ended {
            Ok(_) => assert!(mine),
            Err(AuthError::UserMismatch) => assert!(!mine),
            other => panic!("{other:?}"),
        }
        assert_eq!(app.accounts().await.unwrap().len(), usize::from(mine));
    }
}

#[tokio::test]
async fn a_refusal_is_a_server_error() {
    let scene = Scene::new();
    let app = scene.process();
    let pending = scene.begin(&app).await;
    let refusal = format!("error=access_denied&state={}", parameters(&pending)["state"]);
    let refusal = AuthorizationResponse::parse(refusal.as_bytes()).unwrap();
    match app.acquire_token_by_authorization_code(pending, refusal).send().await {
        Err(AuthError::Server(error)) => assert_eq!(error.error, "access_denied"),
        other => panic!("{other:?}"),
    }
    assert!(scene.requests().is_empty());
}
