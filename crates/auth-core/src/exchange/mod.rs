//! Exchanges: one request, one response.

mod code;
mod configuration;
mod date;
mod device;
mod instance;
mod jwk_set;
mod message;
mod refresh;

pub use code::CodeRedemption;
pub use configuration::{OpenIdConfiguration, Provider};
pub use date::server_time;
pub use device::{DeviceAuthorization, DeviceCode};
pub(crate) use device::{DevicePoll, MAX_INTERVAL};
pub use instance::InstanceDiscovery;
pub use jwk_set::JwkSetRequest;
pub(crate) use message::{Answer, encode_query, judge_created, post};
pub use refresh::{RedemptionRequest, RefreshRedemption};

use bytes::Bytes;

use crate::body::Body;
use crate::error::Error;
use crate::time::Timestamp;

/// One HTTP round trip as data: build the request, send it by any means, and pass the response to
/// [`complete`](Self::complete).
///
/// [`OneStep`](crate::OneStep) turns an exchange into a [`Flow`](crate::Flow) of one step.
///
/// ```
/// use auth_core::{
///     Application, Authority, ClientId, CorrelationId, Exchange, OpenIdConfiguration, RequestContext, Timestamp,
/// };
///
/// let id = CorrelationId::generate(&mut rand::rngs::SysRng)?;
/// let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), id);
/// let exchange = OpenIdConfiguration::new(context, &Authority::oidc("https://idp.example")?)?;
/// assert_eq!(exchange.request().uri(), "https://idp.example/.well-known/openid-configuration");
///
/// let response = http::Response::builder().header("content-type", "application/json").body(br#"{
///     "issuer": "https://idp.example",
///     "authorization_endpoint": "https://idp.example/authorize",
///     "token_endpoint": "https://idp.example/token"
/// }"#.as_slice().into()).unwrap();
/// let provider = exchange.complete(response, Timestamp::from_unix_seconds(1_700_000_000))?;
/// assert_eq!(provider.metadata.token_endpoint(), "https://idp.example/token");
/// # Ok::<(), auth_core::Error>(())
/// ```
pub trait Exchange {
    /// The result of a successful exchange.
    type Output;

    /// Whether the request may be sent again if it got no answer.
    const REPLAY: Replay;

    /// Returns the request, the same each time.
    fn request(&self) -> http::Request<Body>;

    /// Checks the response and returns the result.
    ///
    /// # Errors
    /// [`Error::Protocol`] if the response violates the protocol; [`Error::Server`], [`Error::UiRequired`] or
    /// [`Error::Throttled`] if it is a refusal.
    fn complete(self, response: http::Response<Bytes>, now: Timestamp) -> Result<Self::Output, Error>;
}

/// Whether a request may be sent again (S-57).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must decide for each")]
pub enum Replay {
    /// Never, once a byte of it may have reached the server: it contains a one-time credential.
    Never,
    /// At most once.
    Once,
}

#[cfg(test)]
mod tests;
