//! A provider in memory, which is also the browser of a user who signs in there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use auth::{
    AuthError, Browser, BrowserError, InMemoryTransport, MemoryStorage, PublicClient, PublicClientBuilder, Scopes,
};
use auth::{Authority, Body};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response, Uri};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const TENANT_ID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
pub(crate) const ISSUER: &str = "https://idp.example";

pub(crate) type Fields = BTreeMap<String, String>;

/// The provider. Clones share its state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provider(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The response parameters besides the state.
    response: String,
    /// The ID of the user who signs in, without the tenant.
    uid: String,
    /// Additional claims of the ID token.
    claims: Value,
    /// Additional members of the metadata.
    metadata: Value,
    /// The response to a pushed request, if not a request URI.
    push: Option<(u16, Value)>,
    /// The origin of the page that posts the response, if not that of the authorization endpoint.
    posts_from: Option<String>,
    pages: Vec<String>,
    asked: Vec<Asked>,
    nonce: String,
}

/// A request of the client.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) url: String,
    pub(crate) form: Fields,
    pub(crate) mailbox: Option<String>,
}

impl Provider {
    /// A provider at which the user with this ID signs in.
    pub(crate) fn of(uid: &str) -> Self {
        let provider = Self::default();
        provider.signs_in(uid);
        provider.responds("code=c");
        provider
    }

    /// Sets who signs in from now on.
    pub(crate) fn signs_in(&self, uid: &str) {
        self.0.lock().unwrap().uid = uid.to_owned();
    }

    /// Sets the response parameters from now on, besides the state.
    pub(crate) fn responds(&self, response: &str) {
        self.0.lock().unwrap().response = response.to_owned();
    }

    /// Sets the web origin of the page that posts the response from now on.
    pub(crate) fn posts_from(&self, origin: &str) {
        self.0.lock().unwrap().posts_from = Some(origin.to_owned());
    }

    pub(crate) fn claims(&self, claims: Value) {
        self.0.lock().unwrap().claims = claims;
    }

    pub(crate) fn metadata(&self, metadata: Value) {
        self.0.lock().unwrap().metadata = metadata;
    }

    pub(crate) fn answers_push(&self, status: u16, body: Value) {
        self.0.lock().unwrap().push = Some((status, body));
    }

    /// The URLs shown to the user.
    pub(crate) fn pages(&self) -> Vec<String> {
        self.0.lock().unwrap().pages.clone()
    }

    /// The requests to URLs with this ending.
    pub(crate) fn asked(&self, end: &str) -> Vec<Asked> {
        let asked = |asked: &&Asked| asked.url.split('?').next().unwrap().ends_with(end);
        self.0.lock().unwrap().asked.iter().filter(asked).cloned().collect()
    }

    /// The URLs of the token requests.
    pub(crate) fn token_urls(&self) -> Vec<String> {
        self.asked("/token").into_iter().map(|asked| asked.url).collect()
    }

    /// A client of this provider.
    pub(crate) fn client(
        &self,
        authority: &Authority,
        configure: impl FnOnce(PublicClientBuilder) -> PublicClientBuilder,
    ) -> PublicClient {
        let provider = self.clone();
        let transport = InMemoryTransport::new(move |request| Ok(provider.answer(request)));
        let builder = PublicClient::builder("my-client-id").authority(authority.clone()).storage(MemoryStorage::new());
        configure(builder.transport(transport).browser(self.clone())).build().unwrap()
    }

    fn answer(&self, request: &Request<Body>) -> Response<Bytes> {
        let state = &mut *self.0.lock().unwrap();
        let url = request.uri().clone();
        let mailbox = request.headers().get("x-anchormailbox").map(|value| value.to_str().unwrap().to_owned());
        state.asked.push(Asked { url: url.to_string(), form: fields(request.body().as_bytes()), mailbox });
        let (status, body) = match url.path().rsplit('/').next().unwrap() {
            "openid-configuration" => (200, state.configuration()),
            "par" => state.push.take().unwrap_or_else(|| {
                let number = state.asked.iter().filter(|asked| asked.url.ends_with("/par")).count();
                (201, json!({"request_uri": format!("urn:{number}"), "expires_in": 60}))
            }),
            "token" => (200, state.tokens(url.host().unwrap())),
            _ => (404, json!({"error": "not_found"})),
        };
        let response = Response::builder().status(status).header("content-type", "application/json");
        response.body(body.to_string().into()).unwrap()
    }

    /// The parameters of an authorization request, which may have been pushed.
    fn parameters(&self, url: &Uri) -> Fields {
        let query = fields(url.query().unwrap().as_bytes());
        let Some(name) = query.get("request_uri") else { return query };
        assert_eq!(query.keys().collect::<Vec<_>>(), ["client_id", "request_uri"]);
        let number: usize = name.strip_prefix("urn:").unwrap().parse().unwrap();
        self.asked("/par")[number - 1].form.clone()
    }
}

impl State {
    fn configuration(&self) -> Value {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "response_modes_supported": ["form_post"],
        });
        merge(&mut document, &self.metadata);
        document
    }

    fn tokens(&self, host: &str) -> Value {
        let (number, now) = (self.asked.len(), auth::Clock::now(&auth::SystemClock).as_unix_seconds());
        let issuer = match host {
            "idp.example" => ISSUER.to_owned(),
            host => format!("https://{host}/{TENANT_ID}/v2.0"),
        };
        let mut claims = json!({
            "iss": issuer, "sub": self.uid, "aud": "my-client-id", "tid": TENANT_ID, "nonce": self.nonce,
            "exp": now + 3600, "iat": now, "preferred_username": "ada@contoso.example",
        });
        merge(&mut claims, &self.claims);
        let segment = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        json!({
            "token_type": "Bearer", "expires_in": 3600, "scope": "User.Read",
            "access_token": format!("at-{number}"), "refresh_token": format!("rt-{number}"),
            "id_token": format!("{}.{}.c2ln", segment(&json!({"alg": "RS256"})), segment(&claims)),
            "client_info": segment(&json!({"uid": self.uid, "utid": TENANT_ID})),
        })
    }
}

impl Browser for Provider {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let asked = self.parameters(url);
        let own = format!("https://{}", url.authority().unwrap());
        let (response, origin) = {
            let state = &mut *self.0.lock().unwrap();
            state.pages.push(url.to_string());
            state.nonce.clone_from(&asked["nonce"]);
            let response = format!("{}&state={}", state.response, asked["state"]);
            (response, state.posts_from.clone().unwrap_or(own))
        };
        deliver(&asked["redirect_uri"], &asked["response_mode"], &origin, &response).await
    }
}

/// Sends a response to a loopback redirect URI, as a browser does from a page of this origin.
async fn deliver(redirect_uri: &str, mode: &str, origin: &str, response: &str) -> Result<(), BrowserError> {
    let host = redirect_uri.strip_prefix("http://").unwrap();
    let port = host.rsplit(':').next().unwrap().parse().unwrap();
    let request = match mode {
        "form_post" => format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nSec-Fetch-Mode: navigate\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{response}",
            response.len()
        ),
        _ => format!("GET /?{response} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    };
    let mut page = said(port, &request).await;
    if page.starts_with("HTTP/1.1 303 ") {
        page = said(port, &format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
    }
    // Only this status ends the sign-in.
    let status = page.lines().next().unwrap();
    if status.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(BrowserError::Other(status.to_owned())) }
}

/// The reply of the loopback port to a request.
async fn said(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}

pub(crate) fn fields(encoded: &[u8]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(encoded) {
        assert!(fields.insert(name.to_string(), value.into_owned()).is_none(), "{name} twice");
    }
    fields
}

fn merge(base: &mut Value, over: &Value) {
    for (name, value) in over.as_object().into_iter().flatten() {
        base[name] = value.clone();
    }
}

pub(crate) fn scopes() -> Scopes {
    Scopes::parse("User.Read").unwrap()
}

/// Describes an error in a word or two, for tables.
pub(crate) fn kind(error: &AuthError) -> String {
    match error {
        AuthError::UiRequired(ui) => format!("ui {}", ui.code()),
        AuthError::Server(server) => format!("server {}", server.error),
        AuthError::Config(error) => format!("config: {error}"),
        AuthError::Protocol(error) => format!("protocol: {error}"),
        other => other.to_string(),
    }
}
