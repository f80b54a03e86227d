//! The traits for sending a request.

use core::future::Future;
use core::pin::Pin;

use auth_core::{Body, TransportError};
use bytes::Bytes;
use http::{Request, Response};

/// Sends a request and reads its whole response.
///
/// Requests and responses contain credentials. An implementation
///
/// - must not log bodies,
/// - must not follow redirects (S-49),
/// - must stop when a body exceeds 1 MiB, with [`TransportFault::TooLarge`](auth_core::TransportFault::TooLarge)
///   (S-53),
/// - must give up after a bounded time (S-54), and
/// - must not retry, because [`drive`](crate::drive) knows what may be sent twice (S-57).
///
/// ```
/// use auth_core::{Body, TransportError};
/// use auth_http::Transport;
/// use bytes::Bytes;
///
/// struct Offline;
///
/// impl Transport for Offline {
///     async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Bytes>, TransportError> {
///         let host = request.uri().host().unwrap_or_default();
///         Err(TransportError::before_send(auth_core::TransportFault::Connect, host, "offline"))
///     }
/// }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends `request`.
    ///
    /// # Errors
    /// [`TransportError`] if there is no complete response. It says whether the request may have been sent.
    fn send(&self, request: Request<Body>) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send;
}

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The dyn-compatible form of [`Transport`], implemented for every transport.
///
/// ```
/// use auth_http::{DynTransport, InMemoryTransport};
///
/// let transport: Box<dyn DynTransport> = Box::new(InMemoryTransport::new(|_| Ok(Default::default())));
/// # let _ = transport;
/// ```
pub trait DynTransport: Send + Sync {
    /// See [`Transport::send`].
    ///
    /// # Errors
    /// [`TransportError`] if there is no complete response.
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}

impl<T: Transport> DynTransport for T {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(Transport::send(self, request))
    }
}
