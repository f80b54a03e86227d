//! The discovery requests that precede a sign-in page (S-39…S-44).
#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is wrong")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use auth::{
    AuthError, Authority, Browser, BrowserError, Clock, InMemoryTransport, PublicClient, PublicClientBuilder, Scopes,
    Timestamp, TransportError, TransportFault,
};
use http::{Response, Uri};
use serde_json::{Value, json};

const PRIVATE: &str = "https://login.private.example/contoso.example";
const ISSUER: &str = "https://idp.example";
const DAY: u64 = 24 * 60 * 60;

/// A clock that the test advances.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000 + self.0.load(Ordering::SeqCst))
    }
}

/// A browser that fails with the host of the page.
struct Unshown;

impl Browser for Unshown {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        Err(BrowserError::Other(format!("page of {}", url.host().unwrap())))
    }
}

/// The next response; `None` if the network is down.
type Answer = Option<(u16, Value)>;

struct Client {
    app: PublicClient,
    transport: InMemoryTransport,
    answer: Arc<Mutex<Answer>>,
    clock: Hand,
}

impl Client {
    fn new(authority: Authority, configure: impl FnOnce(PublicClientBuilder) -> PublicClientBuilder) -> Self {
        let (answer, clock) = (Arc::new(Mutex::<Answer>::default()), Hand::default());
        let next = Arc::clone(&answer);
        let transport = InMemoryTransport::new(move |_| match &*next.lock().unwrap() {
            None => Err(TransportError::before_send(TransportFault::Connect, "idp.example", "down")),
            Some((status, body)) => {
                let response = Response::builder().status(*status).header("content-type", "application/json");
                Ok(response.body(body.to_string().into()).unwrap())
            }
        });
        let builder = PublicClient::builder("my-client-id").authority(authority).browser(Unshown);
        let builder = builder.transport(transport.clone()).clock(clock.clone());
        Self { app: configure(builder).build().unwrap(), transport, answer, clock }
    }

    /// The outcome of a sign-in with this response.
    async fn sign_in(&self, answer: Answer) -> String {
        *self.answer.lock().unwrap() = answer;
        let scopes = Scopes::parse("User.Read").unwrap();
        match self.app.acquire_token_interactive(&scopes).send().await.unwrap_err() {
            AuthError::Browser(error) => error.to_string().split(": ").last().unwrap().to_owned(),
            AuthError::Config(_) => "config".to_owned(),
            AuthError::Protocol(_) => "protocol".to_owned(),
            AuthError::Server(error) => format!("server {}", error.error),
            AuthError::Transport(_) => "transport".to_owned(),
            other => other.to_string(),
        }
    }

    fn hosts_asked(&self) -> Vec<String> {
        self.transport.requests().iter().map(|uri| uri.host().unwrap().to_owned()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_the_application_vouches_for_needs_no_instance_discovery() {
    type Configure = fn(PublicClientBuilder) -> PublicClientBuilder;
    for (what, configure, asked) in [
        ("nothing", (|builder| builder) as Configure, true),
        ("another host", |builder| builder.known_authorities(["private.example"]), true),
        ("the host", |builder| builder.known_authorities(["other.example", "Login.Private.example"]), false),
        ("no discovery", |builder| builder.instance_discovery(false), false),
        ("no discovery, then discovery", |builder| builder.instance_discovery(false).instance_discovery(true), true),
    ] {
        let client = Client::new(Authority::parse(PRIVATE).unwrap(), configure);
        let outcome = client.sign_in(Some((400, json!({"error": "invalid_instance"})))).await;
        assert_eq!(outcome, if asked { "config" } else { "page of login.private.example" }, "{what}");
        let hosts: &[&str] = if asked { &["login.microsoftonline.com"] } else { &[] };
        assert_eq!(client.hosts_asked(), hosts, "{what}");
    }
    let wrong = PublicClient::builder("my-client-id").known_authorities([PRIVATE]).build();
    assert!(wrong.is_err(), "a URL is not a host");
}

// S-41: a failed discovery is repeated, and nothing of a rejected response is kept.
#[tokio::test(start_paused = true)]
async fn a_failed_discovery_is_repeated_by_the_next_call() {
    let client = Client::new(Authority::parse(PRIVATE).unwrap(), |builder| builder);
    let cloud = |host: &str| json!({"metadata": [{"aliases": [host], "preferred_cache": host}]});
    for (answer, expected) in [
        (None, "transport"),
        (Some((400, json!({"error": "invalid_instance"}))), "config"),
        (Some((200, cloud("other.example"))), "config"),
        (Some((200, json!({}))), "protocol"),
        (Some((404, json!({"error": "not_here"}))), "server not_here"),
        (Some((200, cloud("login.private.example"))), "page of login.private.example"),
        // Known from now on.
        (None, "page of login.private.example"),
    ] {
        assert_eq!(client.sign_in(answer.clone()).await, expected, "{answer:?}");
    }
    assert!(client.hosts_asked().iter().all(|host| host == "login.microsoftonline.com"));
}

// S-44: metadata remains usable for a week during an outage, but not after an invalid response.
#[tokio::test(start_paused = true)]
async fn metadata_outlasts_an_outage_of_a_week() {
    let good = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://idp.example/token",
    });
    let wrong = json!({"issuer": "https://evil.example"});
    let page = "page of idp.example";
    for (steps, what) in [
        (&[(0, Some(&good), page), (DAY, None, page), (6 * DAY, None, page), (1, None, "transport")][..], "outage"),
        (&[(0, Some(&good), page), (DAY, Some(&wrong), "protocol"), (0, None, "transport")], "wrong answer"),
        (&[(0, Some(&wrong), "protocol"), (0, Some(&good), page), (DAY / 3, None, page)], "wrong, then good"),
    ] {
        let client = Client::new(Authority::oidc(ISSUER).unwrap(), |builder| builder);
        for (index, (after, answer, expected)) in steps.iter().enumerate() {
            client.clock.0.fetch_add(*after, Ordering::SeqCst);
            let answer = answer.map(|document| (200, document.clone()));
            assert_eq!(client.sign_in(answer).await, *expected, "{what}, step {index}");
        }
    }
}
