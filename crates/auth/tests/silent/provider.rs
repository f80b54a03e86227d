//! An identity provider in memory, whose responses and their timing the test controls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use auth::{Body, Transport, TransportError, TransportFault};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::scene::{CLIENT, NOW, TENANT};

/// A request to the provider.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The number of requests before this one.
    pub(crate) number: usize,
    /// The path of the endpoint.
    pub(crate) path: String,
    pub(crate) refresh_token: String,
    pub(crate) scope: String,
}

/// A response, and when it is sent.
pub(crate) struct Reply {
    response: Option<Response<Bytes>>,
    gate: Option<Gate>,
}

/// Holds responses back until the test opens it.
#[derive(Clone)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    answer: Box<dyn Fn(&Asked) -> Reply + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
    /// How many requests are in progress for each family of refresh tokens.
    busy: Mutex<HashMap<String, usize>>,
    most_at_once: AtomicUsize,
}

impl Reply {
    /// Tokens, with a refresh token that replaces the redeemed one.
    pub(crate) fn tokens(asked: &Asked) -> Self {
        Self::json(200, &[], &tokens(asked).to_string())
    }

    /// The same with an ID token of the tenant, issued by `host`, for the first account of the scene with this `sub`.
    pub(crate) fn tokens_of(asked: &Asked, host: &str, sub: &str) -> Self {
        let mut body = tokens(asked);
        body["id_token"] = id_token(host, sub).into();
        body["client_info"] = segment(&json!({"uid": "u0", "utid": TENANT})).into();
        Self::json(200, &[], &body.to_string())
    }

    /// The metadata document of the tenant at `host`.
    pub(crate) fn document(host: &str) -> Self {
        let at = |path: &str| format!("https://{host}/{TENANT}/{path}");
        let body = json!({
            "issuer": at("v2.0"), "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
        });
        Self::json(200, &[], &body.to_string())
    }

    /// The instance discovery response for a cloud with these names, the last of which is used in caches.
    pub(crate) fn cloud(aliases: &[&str]) -> Self {
        let body = json!({"metadata": [{"aliases": aliases, "preferred_cache": aliases.last()}]});
        Self::json(200, &[], &body.to_string())
    }

    pub(crate) fn error(code: &str) -> Self {
        Self::json(400, &[], &json!({"error": code}).to_string())
    }

    pub(crate) fn status(status: u16, headers: &[(&str, &str)]) -> Self {
        Self::json(status, headers, "{}")
    }

    pub(crate) fn no_connection() -> Self {
        Self { response: None, gate: None }
    }

    /// The same with a `Date` header.
    pub(crate) fn at(mut self, date: &'static str) -> Self {
        if let Some(response) = &mut self.response {
            response.headers_mut().insert(DATE, HeaderValue::from_static(date));
        }
        self
    }

    pub(crate) fn when(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    pub(crate) fn json(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let response = Response::builder().status(status).header("content-type", "application/json");
        let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
        Self { response: Some(response.body(body.to_owned().into()).unwrap()), gate: None }
    }
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }
}

impl Provider {
    pub(crate) fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            answer: Box::new(answer),
            asked: Mutex::default(),
            busy: Mutex::default(),
            most_at_once: AtomicUsize::new(0),
        }))
    }

    /// How many requests went to paths with this ending.
    pub(crate) fn count_at(&self, end: &str) -> usize {
        self.asked().iter().filter(|asked| asked.path.ends_with(end)).count()
    }

    /// The requests so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }

    /// The highest number of simultaneous requests with refresh tokens of one family.
    pub(crate) fn most_at_once(&self) -> usize {
        self.0.most_at_once.load(Ordering::SeqCst)
    }

    /// Waits until this many requests have arrived.
    pub(crate) async fn has_been_asked(&self, times: usize) {
        while self.count() < times {
            tokio::task::yield_now().await;
        }
    }
}

impl Transport for Provider {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        let form = String::from_utf8(request.body().as_bytes().to_vec()).unwrap();
        let value = |name: &str| {
            let fields = form.split('&').filter_map(|field| field.split_once('='));
            fields.filter(|(own, _)| *own == name).map(|(_, value)| value.to_owned()).next().unwrap_or_default()
        };
        let (refresh_token, scope) = (value("refresh_token"), value("scope"));
        let family = family(&refresh_token).to_owned();
        let asked = {
            let mut all = self.0.asked.lock().unwrap();
            let number = all.len();
            all.push(Asked { number, path: request.uri().path().to_owned(), refresh_token, scope });
            all.last().unwrap().clone()
        };
        {
            let mut busy = self.0.busy.lock().unwrap();
            let now = busy.entry(family.clone()).or_default();
            *now += 1;
            self.0.most_at_once.fetch_max(*now, Ordering::SeqCst);
        }
        let reply = (self.0.answer)(&asked);
        if let Some(gate) = reply.gate {
            gate.0.subscribe().wait_for(|open| *open).await.unwrap();
        }
        *self.0.busy.lock().unwrap().get_mut(&family).unwrap() -= 1;
        let host = request.uri().host().unwrap_or_default();
        reply.response.ok_or_else(|| TransportError::before_send(TransportFault::Connect, host, "no route"))
    }
}

fn tokens(asked: &Asked) -> Value {
    let token = format!("{}.{}", family(&asked.refresh_token), asked.number);
    json!({
        "token_type": "Bearer", "expires_in": 3600, "access_token": format!("at-{token}"),
        "refresh_token": token, "scope": asked.scope.replace('+', " "),
    })
}

/// An ID token of the tenant, issued by `host`.
pub(crate) fn id_token(host: &str, sub: &str) -> String {
    let claims = json!({
        "iss": format!("https://{host}/{TENANT}/v2.0"), "tid": TENANT, "sub": sub, "aud": CLIENT,
        "iat": NOW, "exp": NOW + 24 * 60 * 60, "preferred_username": "u0@contoso.example",
    });
    format!("{}.{}.c2ln", segment(&json!({"alg": "RS256"})), segment(&claims))
}

fn segment(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// What a refresh token and its replacements have in common.
fn family(refresh_token: &str) -> &str {
    refresh_token.split_once('.').map_or(refresh_token, |(family, _)| family)
}
