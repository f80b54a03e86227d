//! The one loop that performs the I/O of a flow.

use auth_core::{Body, Error, Flow, Input, Replay, Step, TransportError};
use bytes::Bytes;
use http::{Request, Response};

use crate::clock::Clock;
use crate::retry;
use crate::transport::DynTransport;

/// Drives `flow` to its end over `transport`.
///
/// # Errors
/// What the flow ends with: see [`Flow::step`].
///
/// ```
/// use auth_core::{Application, Authority, ClientId, CorrelationId, OneStep, OpenIdConfiguration, RequestContext};
/// use auth_http::{InMemoryTransport, SystemClock, drive};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let transport = InMemoryTransport::new(|_request| {
///     let body = r#"{"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/a","token_endpoint":"https://idp.example/t"}"#;
///     Ok(http::Response::builder().header("content-type", "application/json").body(body.into()).unwrap())
/// });
/// let id = CorrelationId::generate(&mut rand::rngs::SysRng)?;
/// let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), id);
/// let exchange = OpenIdConfiguration::new(context, &Authority::oidc("https://idp.example")?)?;
/// let provider = drive(&mut OneStep::new(exchange), &transport, &SystemClock).await?;
/// assert_eq!(provider.metadata.token_endpoint(), "https://idp.example/t");
/// # Ok::<(), auth_core::Error>(()) }).unwrap();
/// ```
pub async fn drive<F: Flow>(flow: &mut F, transport: &dyn DynTransport, clock: &dyn Clock) -> Result<F::Output, Error> {
    loop {
        let now = clock.now();
        match flow.step(now)? {
            Step::Done(output) => return Ok(output),
            Step::Wait { until } => tokio::time::sleep(now.duration_until(until)).await,
            Step::Send { request, replay } => {
                let input = match send(transport, request, replay).await {
                    Ok(response) => Input::Response(response),
                    Err(error) => Input::Failed(error),
                };
                flow.handle(clock.now(), input)?;
            }
        }
    }
}

async fn send(
    transport: &dyn DynTransport,
    request: Request<Body>,
    replay: Replay,
) -> Result<Response<Bytes>, TransportError> {
    let outcome = transport.send(request.clone()).await;
    if !retry::is_worth_it(replay, &outcome) {
        return outcome;
    }
    tracing::debug!(target: "auth_http", host = request.uri().host(), "no usable answer; trying once more");
    tokio::time::sleep(retry::pause()).await;
    transport.send(request).await
}

#[cfg(test)]
mod tests;
