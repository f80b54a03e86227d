//! The client with another HTTP stack: a `Transport` over ureq.
//!
//! It uses the emulator: `cargo run -p auth --example ureq_transport`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use auth::{AuthError, Authority, Browser, BrowserError, PublicClient, Scopes, Transport};
use auth::{TransportError, TransportFault};
use auth_emulator::{Emulator, Robot};
use bytes::Bytes;

/// The whole transport.
struct UreqTransport(ureq::Agent);

impl UreqTransport {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(60)));
        Self(config.build().into())
    }
}

impl Transport for UreqTransport {
    async fn send(&self, request: http::Request<auth::Body>) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().authority().map(|host| host.to_string()).unwrap_or_default();
        let failed = move |error: ureq::Error| match error {
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                TransportError::before_send(TransportFault::Connect, host.as_str(), error.to_string())
            }
            error => TransportError::after_send(TransportFault::Interrupted, host.as_str(), error.to_string()),
        };
        let agent = self.0.clone();
        let blocking = tokio::task::spawn_blocking(move || {
            let response = agent.run(request.map(|body| body.as_bytes().to_vec())).map_err(&failed)?;
            let (head, body) = response.into_parts();
            let bytes = body.into_with_config().limit(1024 * 1024).read_to_vec().map_err(&failed)?;
            Ok(http::Response::from_parts(head, bytes.into()))
        });
        blocking.await.unwrap_or_else(|_| {
            Err(TransportError::after_send(TransportFault::Interrupted, "", "the request panicked"))
        })
    }
}

/// Plays the user, so that the example runs unattended.
struct RobotBrowser;

impl Browser for RobotBrowser {
    async fn open(&self, url: &http::Uri) -> Result<(), BrowserError> {
        let visit = Robot::new().visit(&url.to_string()).await;
        visit.map(drop).map_err(|error| BrowserError::Other(error.to_string()))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start().await?;
    let app = PublicClient::builder("ureq-example")
        .authority(Authority::parse(&emulator.authority())?)
        .transport(UreqTransport::new())
        .browser(RobotBrowser)
        .build()?;
    let scopes = Scopes::parse("User.Read")?;

    match app.acquire_token_silent(&scopes, None).send().await {
        Err(AuthError::UiRequired(ui)) => println!("silent: {ui}"),
        other => return Err(format!("the cache should be empty: {other:?}").into()),
    }
    let result = app.acquire_token(&scopes).send().await?;
    println!("interactive: a token for {}", result.scopes());
    let result = app.acquire_token_silent(&scopes, None).send().await?;
    println!("silent: from {:?}", result.source());
    let result = app.acquire_token_silent(&scopes, None).force_refresh(true).send().await?;
    println!("refreshed: from {:?}", result.source());
    Ok(())
}
