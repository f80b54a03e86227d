//! A sign-in whose browser is a plain socket, for tests in private networks: `loopback REDIRECT_URI [HELD…]`.
//!
//! It first listens at each address `HELD`, then receives an answer at the redirect URI, and prints the result in one
//! line: `PORT FAMILY…`, the families on which the port answered, or `error: why`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this program is only for tests")]

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::Mutex;

use auth::{Browser, BrowserError};
use auth_core::{
    Application, Authority, AuthorizationRequest, ClientId, CorrelationId, PendingAuthorization, RedirectUri,
    RequestContext, Scopes, Timestamp,
};
use auth_interactive::{Expectation, LoopbackReceiver, sign_in};
use http::Uri;
use rand::rngs::SysRng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// Tries both families, as a browser does for `localhost`, and sends the response to the last one that answered.
struct Sockets {
    port: u16,
    state: String,
    families: Mutex<Vec<&'static str>>,
}

impl Browser for Sockets {
    async fn open(&self, _: &Uri) -> Result<(), BrowserError> {
        let mut last = None;
        for (family, address) in [("IPv4", IpAddr::V4(Ipv4Addr::LOCALHOST)), ("IPv6", IpAddr::V6(Ipv6Addr::LOCALHOST))]
        {
            if let Ok(stream) = connect(address, self.port).await {
                self.families.lock().unwrap().push(family);
                last = Some(stream);
            }
        }
        let mut stream = last.ok_or_else(|| BrowserError::Other("no one is listening".to_owned()))?;
        let body = format!("code=abc&state={}", self.state);
        let head = format!("POST / HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: {}\r\n", self.port, body.len());
        let request = format!("{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        Ok(())
    }
}

/// Connects from a fixed port, because the system may have no other left.
async fn connect(address: IpAddr, port: u16) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind((address, 50_000).into())?;
    socket.connect((address, port).into()).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut words = std::env::args().skip(1);
    let redirect_uri = RedirectUri::parse(&words.next().expect("a redirect URI")).unwrap();
    let _held: Vec<_> = words.map(|address| TcpListener::bind(address).unwrap()).collect();
    let result = receive(&redirect_uri).await.unwrap_or_else(|error| format!("error: {error}"));
    let mut stdout = io::stdout();
    writeln!(stdout, "{result}").unwrap();
}

async fn receive(redirect_uri: &RedirectUri) -> Result<String, Box<dyn std::error::Error>> {
    let receiver = LoopbackReceiver::bind(redirect_uri)?;
    let port = receiver.redirect_uri().port().unwrap();
    let pending = begin(receiver.redirect_uri());
    let query = pending.url().query().unwrap();
    let state = query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap().to_owned();
    let browser = Sockets { port, state, families: Mutex::default() };
    sign_in(&browser, receiver, pending.url(), Expectation::new(&pending)?).await?;
    Ok(format!("{port} {}", browser.families.into_inner()?.join(" ")))
}

fn begin(redirect_uri: &RedirectUri) -> PendingAuthorization {
    let application = Application::new(ClientId::new("my-client-id").unwrap());
    let context = RequestContext::new(application, CorrelationId::generate(&mut SysRng).unwrap());
    let metadata = Authority::tenant("common").unwrap().metadata().unwrap();
    let scopes = Scopes::parse("User.Read").unwrap();
    AuthorizationRequest::new(context, metadata, redirect_uri.clone(), scopes).begin(&mut SysRng, NOW).unwrap()
}
