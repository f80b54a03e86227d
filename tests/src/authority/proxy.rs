//! The fake provider for programs: a proxy on the loopback interface that never connects to the network. Every
//! connection through it ends at the provider, over TLS, under the real name of the host.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::FakeAuthority;
use crate::certificates::Certificates;
use crate::program::Run;

/// A running proxy; it stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    root: PathBuf,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy with the provider at these hosts. Creates its certificates in `folder`.
    pub async fn start(authority: FakeAuthority, hosts: &[String], folder: &Path) -> Self {
        let made = Certificates::make(folder, hosts);
        let tls = made.acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, tls.clone(), authority.clone()));
            }
        });
        Self { url, root: made.authority, serving }
    }

    /// Returns the URL of the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the root certificate to trust.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a program use this proxy and trust the provider.
    pub fn before(&self, run: Run) -> Run {
        run.env("HTTPS_PROXY", &self.url).env("SSL_CERT_FILE", &self.root)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Serves one connection. If the client hangs up or does not trust us, the test sees how it reacts.
async fn serve(stream: TcpStream, tls: TlsAcceptor, authority: FakeAuthority) {
    let mut stream = BufReader::new(stream);
    let Some(host) = asked_for(&mut stream).await else { return };
    if stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_err() {
        return;
    }
    let Ok(stream) = tls.accept(stream).await else { return };
    let service = service_fn(|request| answer(request, &host, &authority));
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

/// Reads a `CONNECT` request, and returns its host (RFC 9110 section 9.3.6).
async fn asked_for(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let mut line = String::new();
    while stream.read_line(&mut line).await.ok()? > "\r\n".len() {
        line.clear();
    }
    let target = first.strip_prefix("CONNECT ")?.split(' ').next()?;
    target.strip_suffix(":443").map(str::to_owned)
}

/// Fails, which cuts the connection, where the provider does not answer.
async fn answer(
    request: Request<Incoming>,
    host: &str,
    authority: &FakeAuthority,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("https://{host}{path}").parse().map_err(|_| Cut)?;
    authority.answer(&head.method, &uri, &body).map(|response| response.map(Full::new)).ok_or(Cut)
}

/// Cuts the connection.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the provider is down")
    }
}

impl std::error::Error for Cut {}
