//! A transport over reqwest with rustls.

mod last_url;
mod proxy;
mod timeouts;

use core::fmt;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;
use std::error::Error as _;
use std::sync::OnceLock;

use auth_core::{Body, TransportError, TransportFault};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use tokio::time::{Instant, Sleep, sleep};

use crate::transport::Transport;
use last_url::LastUrl;
pub use timeouts::Timeouts;

/// The maximum size of a body, in bytes (S-53).
const MAX_BODY: usize = 1024 * 1024;
/// The maximum size of all headers, in bytes (S-53).
const MAX_HEAD: usize = 64 * 1024;
/// The farthest ahead that the timer of a request is set.
const TICK: Duration = Duration::from_secs(10);

/// How long an idle connection is kept: less than by servers, many of which close it after five seconds. If a
/// connection is closed while a code is being sent, the code may have been used, and is not sent again.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// A transport over [reqwest](https://docs.rs/reqwest): TLS by rustls, no redirects, no cookies, limited size and time.
///
/// Honours `HTTPS_PROXY` and `NO_PROXY`, except for addresses of this machine, which are never reached through a proxy.
/// `SSL_CERT_FILE` adds trusted roots where the platform's verifier reads it. Plain `http` is accepted only for this
/// machine.
///
/// ```
/// let transport = auth_http::ReqwestTransport::new();
/// ```
pub struct ReqwestTransport {
    builder: Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>,
    remote: OnceLock<reqwest::Client>,
    loopback: OnceLock<reqwest::Client>,
    timeouts: Timeouts,
    last_url: LastUrl,
}

impl ReqwestTransport {
    /// Creates a transport with reqwest's default settings. Trusted roots are loaded with the first request.
    #[must_use]
    pub fn new() -> Self {
        Self::with(reqwest::Client::builder)
    }

    /// Creates a transport with the application's settings, such as additional trusted roots. Whatever the builder
    /// says, redirects stay off and time limits on; [`with_timeouts`](Self::with_timeouts) changes the limits.
    ///
    /// ```
    /// use auth_http::ReqwestTransport;
    ///
    /// let transport = ReqwestTransport::with(|| reqwest::Client::builder().https_only(true));
    /// ```
    pub fn with(builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        Self {
            builder: Box::new(builder),
            remote: OnceLock::new(),
            loopback: OnceLock::new(),
            timeouts: Timeouts::default(),
            last_url: LastUrl::default(),
        }
    }

    /// Replaces the default [`Timeouts`] (S-54).
    ///
    /// ```
    /// use std::time::Duration;
    /// use auth_http::{ReqwestTransport, Timeouts};
    ///
    /// let mut timeouts = Timeouts::default();
    /// timeouts.connect = Duration::from_secs(3);
    /// let transport = ReqwestTransport::new().with_timeouts(timeouts);
    /// ```
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    fn client(&self, uri: &Uri) -> Result<&reqwest::Client, TransportError> {
        let refuse = |detail: String| TransportError::before_send(TransportFault::Connect, host_of(uri), detail);
        let loopback = is_loopback(uri);
        if uri.scheme_str() != Some("https") && !loopback {
            return Err(refuse("plain http is accepted only for addresses of this machine; use https".to_owned()));
        }
        let slot = if loopback { &self.loopback } else { &self.remote };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let mut builder = (self.builder)()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http2_max_header_list_size(MAX_HEAD as u32)
            .pool_idle_timeout(POOL_IDLE)
            .connect_timeout(self.timeouts.connect);
        if loopback {
            builder = builder.no_proxy();
        } else {
            proxy::check_environment().map_err(refuse)?;
        }
        let client = builder.build().map_err(|error| refuse(innermost(&error)))?;
        Ok(slot.get_or_init(|| client))
    }

    fn converted(&self, request: Request<Body>) -> Result<reqwest::Request, TransportError> {
        let (head, body) = request.into_parts();
        let invalid = |detail| TransportError::before_send(TransportFault::Connect, host_of(&head.uri), detail);
        let url = self.last_url.convert(&head.uri).map_err(invalid)?;
        let mut converted = reqwest::Request::new(head.method, url);
        *converted.headers_mut() = head.headers;
        *converted.body_mut() = Some(body.into_bytes().into());
        Ok(converted)
    }
}

impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        let uri = request.uri().clone();
        let client = self.client(&uri)?;
        let request = self.converted(request)?;
        let begun = Instant::now();
        let (times, mut timer) = (&self.timeouts, pin!(sleep(TICK)));
        let answer = within(begun, times.head, timer.as_mut(), client.execute(request)).await;
        let answer = answer.ok_or_else(|| stalled(&uri, format!("no answer in {:?}", times.head)))?;
        let mut answer = answer.map_err(|error| failure(&uri, &error, !error.is_connect()))?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = core::mem::take(answer.headers_mut());
        let head = response.headers().iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
        if head.fold(0, usize::saturating_add) > MAX_HEAD {
            return Err(TransportError::after_send(
                TransportFault::TooLarge,
                host_of(&uri),
                "more than 64 KiB of headers",
            ));
        }
        *response.body_mut() = body(&uri, answer, begun, timer, times).await?;
        Ok(response)
    }
}

async fn body(
    uri: &Uri,
    mut answer: reqwest::Response,
    begun: Instant,
    mut timer: Pin<&mut Sleep>,
    times: &Timeouts,
) -> Result<Bytes, TransportError> {
    let too_large = || TransportError::after_send(TransportFault::TooLarge, host_of(uri), "more than 1 MiB");
    let announced = answer.content_length();
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    // The time until the head arrived says nothing about the rate.
    let head_at = Instant::now();
    let (mut body, mut now) = (Bytes::new(), head_at);
    loop {
        let left = times.whole.saturating_sub(now.saturating_duration_since(begun));
        let chunk = within(now, left.min(times.idle), timer.as_mut(), answer.chunk()).await;
        let chunk = chunk.ok_or_else(|| match left < times.idle {
            true => stalled(uri, format!("no complete answer in {:?}", times.whole)),
            false => stalled(uri, format!("no further bytes in {:?}", times.idle)),
        })?;
        let Some(chunk) = chunk.map_err(|error| failure(uri, &error, true))? else {
            return Ok(body);
        };
        if body.len().saturating_add(chunk.len()) > MAX_BODY {
            return Err(too_large());
        }
        body = joined(body, chunk);
        now = Instant::now();
        let is_complete = announced == Some(body.len() as u64);
        if !is_complete && times.is_too_slow(body.len(), now.saturating_duration_since(head_at)) {
            return Err(stalled(uri, format!("less than {} bytes/s", times.slowest)));
        }
    }
}

/// Most bodies are one chunk, which need not be copied.
fn joined(start: Bytes, chunk: Bytes) -> Bytes {
    if start.is_empty() {
        return chunk;
    }
    let mut whole = BytesMut::from(start);
    whole.extend_from_slice(&chunk);
    whole.freeze()
}

/// Returns the output of `work`, or `None` after `patience`, counted from `begun`. All waits share one timer, which is
/// set forward when it fires: a new timer would wake the runtime if none is running or the last one fires later.
async fn within<F: Future>(
    begun: Instant,
    patience: Duration,
    mut timer: Pin<&mut Sleep>,
    work: F,
) -> Option<F::Output> {
    if let Some(end) = begun.checked_add(patience).filter(|end| *end < timer.deadline()) {
        timer.as_mut().reset(end);
    }
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(output) = work.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        while timer.as_mut().poll(context).is_ready() {
            let left = patience.saturating_sub(begun.elapsed());
            let Some(next) = Instant::now().checked_add(left.min(TICK)).filter(|_| !left.is_zero()) else {
                return Poll::Ready(None);
            };
            timer.as_mut().reset(next);
        }
        Poll::Pending
    })
    .await
}

fn stalled(uri: &Uri, detail: String) -> TransportError {
    TransportError::after_send(TransportFault::Timeout, host_of(uri), detail)
}

fn failure(uri: &Uri, error: &reqwest::Error, sent: bool) -> TransportError {
    let fault = if error.is_timeout() {
        TransportFault::Timeout
    } else if is_untrusted(error) {
        TransportFault::Untrusted
    } else if sent {
        TransportFault::Interrupted
    } else {
        TransportFault::Connect
    };
    let failed = if sent { TransportError::after_send } else { TransportError::before_send };
    failed(fault, host_of(uri), innermost(error))
}

/// The innermost cause, which is the most specific and contains no URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(error) = cause {
        text = Some(error.to_string());
        cause = error.source();
    }
    let text = text.unwrap_or_else(|| "the request could not be created".to_owned());
    auth_core::text::stripped(&text, 300)
}

/// Whether the certificate was rejected, which rustls reports as invalid data.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData)
            && error.to_string().contains("certificate")
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn is_loopback(uri: &Uri) -> bool {
    matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn host_of(uri: &Uri) -> String {
    uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default()
}

impl Default for ReqwestTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReqwestTransport")
    }
}

#[cfg(test)]
mod tests;
