//! An identity provider for the accounts of one fixture, under the names of the real providers. It answers discovery,
//! its token endpoint behaves as a query demands, and it records every token request.
//!
//! [`FakeAuthority`] is a [`Transport`] for the library; [`proxy`] serves it over TLS to programs.

pub mod proxy;

mod discovery;
mod documents;
mod tokens;

use std::sync::{Arc, Mutex};

use auth::{Body, Transport, TransportError, TransportFault};
use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use serde_json::{Value, json};

use crate::fixtures::{Fixture, Network};
use documents::{Documents, RefreshToken};

pub use tokens::{new_access_token, new_refresh_token};

/// The provider. Clones share its state.
#[derive(Clone, Debug)]
pub struct FakeAuthority {
    documents: Arc<Documents>,
    network: Network,
    /// The provider's clock, in Unix seconds.
    now: u64,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug)]
struct Seen {
    valid: Vec<RefreshToken>,
    tokens: Vec<TokenRequest>,
    strays: Vec<String>,
}

/// A request to a token endpoint.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The URL of the endpoint.
    pub url: String,
    form: Vec<(String, String)>,
}

impl TokenRequest {
    /// Returns the value of a parameter, which must not be sent twice; empty if it was not sent.
    pub fn value(&self, name: &str) -> &str {
        let mut values = self.form.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = values.next().unwrap_or_default();
        assert_eq!(values.next(), None, "{name} is sent twice");
        value
    }
}

impl FakeAuthority {
    /// Creates a provider for the accounts in a cache.
    pub fn new(fixture: &Fixture, network: Network) -> Self {
        let documents = Documents::of(fixture);
        let seen = Seen { valid: documents.refresh_tokens.clone(), tokens: Vec::new(), strays: Vec::new() };
        let now = fixture.meta.made_at;
        Self { documents: Arc::new(documents), network, now, seen: Arc::new(Mutex::new(seen)) }
    }

    /// Returns the token requests so far.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.seen.lock().unwrap().tokens.clone()
    }

    /// Asserts that there were no requests that the provider does not know.
    #[track_caller]
    pub fn assert_no_strays(&self) {
        let strays = &self.seen.lock().unwrap().strays;
        assert!(strays.is_empty(), "the provider does not know {strays:?}");
    }

    /// Returns the answer; `None` if the connection must be cut.
    pub(crate) fn answer(&self, method: &Method, uri: &Uri, body: &[u8]) -> Option<Response<Bytes>> {
        let (host, path) = (uri.host().unwrap_or_default(), uri.path());
        let found = match *method {
            Method::GET => discovery::answer(&self.documents, host, path),
            Method::POST if path.trim_end_matches('/').ends_with("/token") => return self.token(uri, body),
            _ => None,
        };
        Some(found.map_or_else(
            || {
                self.seen.lock().unwrap().strays.push(format!("{method} {uri}"));
                reply(404, &json!({"error": "not_found"}))
            },
            |document| reply(200, &document),
        ))
    }

    fn token(&self, uri: &Uri, body: &[u8]) -> Option<Response<Bytes>> {
        let form: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
        let request = TokenRequest { url: uri.to_string(), form };
        let count = {
            let requests = &mut self.seen.lock().unwrap().tokens;
            requests.push(request.clone());
            requests.len()
        };
        match self.network {
            Network::Down => None,
            Network::Forbid => Some(reply(400, &json!({"error": "nobody_may_ask"}))),
            Network::Unavailable => Some(reply(503, &json!({"error": "temporarily_unavailable"}))),
            Network::InvalidGrant => Some(reply(400, &tokens::refusal())),
            Network::Answer => Some(match self.refresh(uri, &request, count) {
                Some(tokens) => reply(200, &tokens),
                None => reply(400, &tokens::refusal()),
            }),
        }
    }

    /// Returns new tokens for a refresh token that was issued before, and replaces that.
    fn refresh(&self, uri: &Uri, request: &TokenRequest, number: usize) -> Option<Value> {
        if request.value("grant_type") != "refresh_token" {
            return None;
        }
        let valid = &mut self.seen.lock().unwrap().valid;
        let redeemed = valid.iter_mut().find(|token| token.secret == request.value("refresh_token"))?;
        let tokens = tokens::answer(&self.documents, uri, request, redeemed, number, self.now)?;
        redeemed.secret = new_refresh_token(number);
        Some(tokens)
    }
}

impl Transport for FakeAuthority {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        let answer = self.answer(request.method(), request.uri(), request.body().as_bytes());
        let host = request.uri().host().unwrap_or_default();
        answer.ok_or_else(|| TransportError::before_send(TransportFault::Connect, host, "no answer"))
    }
}

fn reply(status: u16, document: &Value) -> Response<Bytes> {
    let response = Response::builder().status(status).header("content-type", "application/json; charset=utf-8");
    response.body(document.to_string().into()).unwrap()
}
