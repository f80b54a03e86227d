//! A minimal application: it opens a loopback receiver, builds authorization URLs, and redeems the codes that arrive.

#![allow(dead_code, reason = "each test program uses only a part of it")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub(crate) const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct App {
    authority: String,
    port: u16,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    client: reqwest::Client,
}

/// A request to the receiver that contained a response.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) method: String,
    headers: Vec<(String, String)>,
    fields: Vec<(String, String)>,
}

impl Arrived {
    /// A field of the response; empty if absent.
    pub(crate) fn field(&self, name: &str) -> String {
        find(&self.fields, name)
    }

    pub(crate) fn header(&self, name: &str) -> String {
        find(&self.headers, name)
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl App {
    pub(crate) async fn open(authority: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let receiver = Router::new().fallback(receive).with_state(Arc::clone(&arrived));
        tokio::spawn(async move { axum::serve(listener, receiver).await });
        Self { authority: authority.into(), port, arrived, client: client() }
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    fn redirect_uri(&self) -> String {
        format!("http://{}/", self.host())
    }

    pub(crate) fn authorization_url(&self, more: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", CLIENT)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", &self.redirect_uri())
            .append_pair("state", "state-1")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(more)
            .finish();
        format!("{}/oauth2/v2.0/authorize?{query}", self.authority)
    }

    /// Takes the first request that arrived.
    pub(crate) fn arrived(&self) -> Arrived {
        self.arrived.lock().unwrap().remove(0)
    }

    pub(crate) async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> Answer {
        let redirect_uri = self.redirect_uri();
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        self.token(&[&fields, more].concat()).await
    }

    pub(crate) async fn refresh(&self, token: &str, more: &[(&str, &str)]) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token)];
        self.token(&[&fields, more].concat()).await
    }

    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let url = format!("{}/oauth2/v2.0/token", self.authority);
        let response = post(&self.client, &url, fields).await.unwrap();
        let status = response.status().as_u16();
        let json = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        Answer { status, json }
    }
}

/// Accepts a response in either mode, and redirects the browser to the bare path.
async fn receive(State(arrived): State<Arc<Mutex<Vec<Arrived>>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 65_536).await.unwrap();
    let text = match parts.uri.query() {
        Some(query) => query.to_owned(),
        None => String::from_utf8(body.to_vec()).unwrap(),
    };
    if text.is_empty() {
        return Html("<title>Receiver</title><p>Done</p>").into_response();
    }
    let text_of = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
    arrived.lock().unwrap().push(Arrived {
        method: parts.method.to_string(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text_of(value))).collect(),
        fields: parameters(&text),
    });
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response()
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([])
        .build()
        .unwrap()
}

pub(crate) async fn post(
    client: &reqwest::Client,
    url: &str,
    fields: &[(&str, &str)],
) -> reqwest::Result<reqwest::Response> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let kind = "application/x-www-form-urlencoded";
    client.post(url).header("content-type", kind).body(body).send().await
}

pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// The claims of a JWT.
pub(crate) fn claims_of(token: &Value) -> Value {
    decode(token.as_str().expect("a token").split('.').nth(1).expect("claims"))
}

/// Base64url JSON.
pub(crate) fn decode(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn find(pairs: &[(String, String)], name: &str) -> String {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
}
