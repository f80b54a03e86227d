//! The loop that performs the I/O of a flow.

use auth_core::{Error, Flow, Input, Step};

use crate::clock::Clock;
use crate::retry;
use crate::transport::DynTransport;

/// Drives `flow` to its end over `transport`: sends its requests, waits when the flow says so, and repeats a failed
/// request once if the flow allows it (S-57).
///
/// # Errors
/// The error that ends the flow; see [`Flow::step`]. The flow decides whether a failed request is an error.
///
/// ```
/// use auth_core::{Application, Authority, ClientId, CorrelationId, OneStep, OpenIdConfiguration, RequestContext};
/// use auth_http::{InMemoryTransport, SystemClock, drive};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let transport = InMemoryTransport::new(|_request| {
///     let body = r#"{
///         "issuer": "https://idp.example",
///         "authorization_endpoint": "https://idp.example/a",
///         "token_endpoint": "https://idp.example/t"
///     }"#;
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
                let mut outcome = transport.send(request).await;
                // Until `handle` is called, the flow returns the same request again.
                if retry::is_worth_it(replay, &outcome)
                    && let Step::Send { request, .. } = flow.step(clock.now())?
                {
                    let host = request.uri().host();
                    tracing::debug!(target: "auth_http", host, "no usable answer; trying once more");
                    tokio::time::sleep(retry::pause()).await;
                    outcome = transport.send(request).await;
                }
                let input = match outcome {
                    Ok(response) => Input::Response(response),
                    Err(error) => Input::Failed(error),
                };
                flow.handle(clock.now(), input)?;
            }
        }
    }
}

#[cfg(test)]
mod tests;
