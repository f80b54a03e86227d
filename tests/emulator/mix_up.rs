//! Two providers, one client, and an attacker who mixes up their responses (RFC 9207, RFC 9700 §4.4; S-05, S-06).

use std::time::Duration;

use auth::{AuthError, Authority, Browser, BrowserError, ProtocolError, PublicClient};
use auth_emulator::{Emulator, Endpoint, Fault, HttpFault, Robot};
use auth_tests::browsers::RobotBrowser;
use http::Uri;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::{ADA, CLIENT, scopes};

async fn provider(response_issuer: bool) -> Emulator {
    Emulator::builder().response_issuer(response_issuer).start().await.unwrap()
}

fn issuer(emulator: &Emulator) -> String {
    format!("{}/v2.0", emulator.authority())
}

fn client(authority: Authority, browser: impl Browser + 'static) -> PublicClient {
    PublicClient::builder(CLIENT).authority(authority).browser(browser).build().unwrap()
}

fn by_issuer(emulator: &Emulator) -> Authority {
    Authority::oidc(&issuer(emulator)).unwrap()
}

/// The requests in which a provider could have learned a code.
fn codes(emulators: &[&Emulator]) -> u64 {
    emulators.iter().map(|emulator| emulator.ledger().count(Endpoint::Token)).sum()
}

/// Takes the user to another provider than the requested one, to sign in there in good faith.
struct Detour {
    from: String,
    to: String,
}

impl Detour {
    fn between(asked: &Emulator, other: &Emulator) -> Self {
        Self { from: asked.authority(), to: other.authority() }
    }
}

impl Browser for Detour {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let url = url.to_string();
        assert!(url.starts_with(&self.from), "{url}");
        // It ends at the client, whose page the robot reads: the `state` is right.
        let visit = Robot::new().user(ADA).visit(&url.replace(&self.from, &self.to)).await;
        visit.map(drop).map_err(|error| BrowserError::Other(error.to_string()))
    }
}

/// A client of a provider that responds in the query, where no origin reveals who sent the response.
fn client_by_query(asked: &Emulator, promised: bool, browser: impl Browser + 'static) -> PublicClient {
    let promise = ("authorization_response_iss_parameter_supported", json!(promised));
    let metadata = document(asked, &[("response_modes_supported", json!(["query"])), promise]);
    asked.faults().push(Endpoint::Discovery, metadata);
    client(by_issuer(asked), browser)
}

#[tokio::test]
async fn a_response_of_another_provider_is_refused_and_its_code_is_sent_nowhere() {
    for promised in [true, false] {
        let (asked, other) = (provider(true).await, provider(true).await);
        let app = client_by_query(&asked, promised, Detour::between(&asked, &other));
        let outcome = app.acquire_token_interactive(&scopes()).send().await;
        let Err(AuthError::Protocol(error)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(*error, ProtocolError::ResponseIssuer);
        assert_eq!(other.ledger().count(Endpoint::SignIn), 1, "the user did sign in there");
        assert_eq!(codes(&[&asked, &other]), 0);
        assert!(app.accounts().await.unwrap().is_empty());

        // The same providers, unmixed.
        let app = client_by_query(&asked, promised, RobotBrowser::user(ADA));
        app.acquire_token_interactive(&scopes()).send().await.unwrap();
        assert_eq!((codes(&[&asked]), codes(&[&other])), (1, 0));
    }
}

// If a provider promises `iss`, it cannot be left out on the way.
#[tokio::test]
async fn a_response_that_lacks_the_promised_issuer_is_refused() {
    let (asked, silent) = (provider(true).await, provider(false).await);
    let app = client_by_query(&asked, true, Detour::between(&asked, &silent));
    let outcome = app.acquire_token_interactive(&scopes()).send().await;
    let Err(AuthError::Protocol(error)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(*error, ProtocolError::ResponseIssuer);
    assert_eq!(codes(&[&asked, &silent]), 0);
}

// A form reveals its origin, so one of another provider does not even end the wait (S-18).
#[tokio::test]
async fn a_form_of_another_provider_is_ignored() {
    let (asked, other) = (provider(false).await, provider(false).await);
    for (sign_ins, authority) in (1..).zip([by_issuer(&asked), Authority::parse(&asked.authority()).unwrap()]) {
        let app = client(authority, Detour::between(&asked, &other));
        let outcome = app.acquire_token_interactive(&scopes()).timeout(Duration::from_secs(1)).send().await;
        assert!(matches!(outcome, Err(AuthError::Cancelled(_) | AuthError::Browser(_))), "{outcome:?}");
        assert_eq!(other.ledger().count(Endpoint::SignIn), sign_ins, "the user did sign in there");
        assert_eq!(codes(&[&asked, &other]), 0);
    }
}

/// Responds in place of the provider.
struct Impostor {
    response: String,
}

impl Browser for Impostor {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let query: Vec<_> = form_urlencoded::parse(url.query().unwrap().as_bytes()).into_owned().collect();
        let value = |wanted: &str| query.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
        let host = value("redirect_uri").strip_prefix("http://").unwrap().to_owned();
        let body = format!("{}&state={}", self.response, value("state"));
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let port: u16 = host.rsplit(':').next().unwrap().parse().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        Ok(())
    }
}

/// The discovery document of `emulator`, with some members set.
fn document(emulator: &Emulator, changes: &[(&str, Value)]) -> HttpFault {
    let endpoint = |name: &str| format!("{}/oauth2/v2.0/{name}", emulator.authority());
    let mut document = json!({
        "issuer": issuer(emulator),
        "authorization_endpoint": endpoint("authorize"),
        "token_endpoint": endpoint("token"),
        "response_modes_supported": ["form_post"],
    });
    for (name, value) in changes {
        document[*name] = value.clone();
    }
    Fault::status(200).content_type("application/json").body(document.to_string())
}

// S-06: nothing in a response, and nothing that a provider says later, redirects a code.
#[tokio::test]
async fn a_code_goes_to_the_token_endpoint_known_at_the_beginning() {
    let (asked, hostile) = (provider(false).await, provider(false).await);
    let endpoint = format!("{}/oauth2/v2.0/token", hostile.authority());
    let host = hostile.authority().split('/').nth(2).unwrap().to_owned();
    for response in [
        format!("code=c&cloud_instance_host_name={host}"),
        "code=c&cloud_instance_host_name=login.microsoftonline.us".to_owned(),
        format!("code=c&token_endpoint={endpoint}"),
        format!("code=c&client_info=eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ&session_state={endpoint}"),
    ] {
        let before = codes(&[&asked]);
        let app = client(by_issuer(&asked), Impostor { response: response.clone() });
        asked.faults().push(Endpoint::Discovery, document(&asked, &[]));
        // If discovery were repeated while the page is open, it would point elsewhere.
        asked.faults().push(Endpoint::Discovery, document(&asked, &[("token_endpoint", json!(endpoint))]));
        let outcome = app.acquire_token_interactive(&scopes()).send().await;
        // The provider does not know the code, which shows that it was asked.
        let Err(AuthError::Server(error)) = outcome else { panic!("{response}: {outcome:?}") };
        assert_eq!(error.error, "invalid_grant", "{response}");
        assert_eq!((codes(&[&asked]), hostile.ledger().requests().len()), (before + 1, 0), "{response}");
        asked.faults().clear();
    }
}

// The document is checked before the page is shown: one of another issuer gets no further.
#[tokio::test]
async fn a_document_of_another_issuer_ends_the_sign_in() {
    let (asked, hostile) = (provider(true).await, provider(true).await);
    let endpoint = format!("{}/oauth2/v2.0/token", hostile.authority());
    asked.faults().push(
        Endpoint::Discovery,
        document(&asked, &[("issuer", json!(issuer(&hostile))), ("token_endpoint", json!(endpoint))]),
    );
    let app = client(by_issuer(&asked), Detour::between(&asked, &hostile));
    let outcome = app.acquire_token_interactive(&scopes()).send().await;
    assert!(matches!(outcome, Err(AuthError::Protocol(_))), "{outcome:?}");
    assert_eq!(codes(&[&asked, &hostile]), 0);
    assert_eq!(hostile.ledger().requests().len(), 0);
}
