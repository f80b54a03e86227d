//! A transport without a network.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use auth_core::{Body, TransportError};
use bytes::Bytes;
use http::{Request, Response, Uri};

use crate::transport::Transport;

type Answer = dyn Fn(&Request<Body>) -> Result<Response<Bytes>, TransportError> + Send + Sync;

/// A transport that answers requests from a function and records their URIs. Clones share both.
///
/// ```
/// use auth_http::InMemoryTransport;
///
/// let transport = InMemoryTransport::new(|request| {
///     assert_eq!(request.method(), "POST");
///     Ok(http::Response::new("{}".into()))
/// });
/// assert!(transport.requests().is_empty());
/// ```
#[derive(Clone)]
pub struct InMemoryTransport {
    answer: Arc<Answer>,
    requests: Arc<Mutex<Vec<Uri>>>,
}

impl InMemoryTransport {
    /// Creates a transport that answers each request with the result of `answer`.
    pub fn new(
        answer: impl Fn(&Request<Body>) -> Result<Response<Bytes>, TransportError> + Send + Sync + 'static,
    ) -> Self {
        Self { answer: Arc::new(answer), requests: Arc::default() }
    }

    /// Returns the URIs of the requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Uri> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for InMemoryTransport {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.uri().clone());
        (self.answer)(&request)
    }
}

impl fmt::Debug for InMemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryTransport").field("requests", &self.requests().len()).finish_non_exhaustive()
    }
}
