//! Token endpoints without a network.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth::{Body, ReqwestTransport, Transport, TransportError};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, Uri};
use tokio::sync::watch;

use crate::generate::{Contents, refresh_token};

/// A transport that panics on a request, because a hit needs no network.
#[derive(Clone, Copy, Debug)]
pub struct Silence;

impl Transport for Silence {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        panic!("unexpected request: {}", request.uri());
    }
}

/// How long an endpoint takes to respond.
#[derive(Clone, Debug)]
pub enum Pause {
    /// No time.
    None,
    /// This time.
    For(Duration),
    /// Until the other end signals.
    Until(watch::Receiver<bool>),
}

/// How many characters of a refresh token are enough to distinguish it from all others.
const DISTINCT: usize = 32;

/// A token endpoint that issues new tokens for each refresh token, and counts requests.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The users, by the first characters of their refresh tokens.
    answers: Arc<HashMap<Vec<u8>, Bytes>>,
    pause: Pause,
    requests: Arc<AtomicU64>,
}

impl Provider {
    /// Creates a provider that knows the first `users` users and responds after a pause.
    #[must_use]
    pub fn new(users: u64, pause: Pause) -> Self {
        let known = (0..users).flat_map(|user| {
            let answer = Bytes::from(Contents::token(user).to_bytes());
            let renewed: serde_json::Value = serde_json::from_slice(&answer).expect("an object");
            let renewed = renewed["refresh_token"].as_str().expect("a refresh token").to_owned();
            [refresh_token(user, false), renewed].map(|token| (token.as_bytes()[..DISTINCT].to_vec(), answer.clone()))
        });
        Self { answers: Arc::new(known.collect()), pause, requests: Arc::default() }
    }

    /// Returns the number of requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns the response to a form, as fast as possible, because this is neither side's work.
    #[must_use]
    pub fn answer(&self, form: &[u8]) -> Bytes {
        const NAME: &[u8] = b"&refresh_token=";
        let start = form.windows(NAME.len()).position(|part| part == NAME).expect("a refresh token") + NAME.len();
        self.answers.get(&form[start..start + DISTINCT]).expect("a refresh token of a known user").clone()
    }
}

impl Transport for Provider {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        match &self.pause {
            Pause::None => {}
            Pause::For(time) => tokio::time::sleep(*time).await,
            Pause::Until(open) => drop(open.clone().wait_for(|open| *open).await.expect("an end that opens")),
        }
        Ok(json(self.answer(request.body().as_bytes())))
    }
}

/// A transport that sends every request to one URL, whatever its own.
#[derive(Debug)]
pub struct Redirected {
    /// The HTTP stack.
    pub inner: ReqwestTransport,
    /// The URL.
    pub url: Uri,
}

impl Transport for Redirected {
    // Cheap, because it is neither side's work: the future is that of the HTTP stack.
    fn send(&self, mut request: Request<Body>) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send {
        *request.uri_mut() = self.url.clone();
        self.inner.send(request)
    }
}

fn json(body: Bytes) -> Response<Bytes> {
    let response = Response::builder().header(CONTENT_TYPE, "application/json").body(body);
    response.expect("a response")
}
