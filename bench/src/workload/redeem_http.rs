//! W4 over HTTP: the same redemption with its request sent over loopback, against the bare program with the same HTTP
//! client and settings, which sends the same headers.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use auth::{ReqwestTransport, TokenSource};
use auth_core::{
    Application, ClientId, CorrelationId, Exchange as _, RefreshRedemption, RequestContext, Secret, Timestamp,
};
use bytes::{Buf as _, BytesMut};
use http::HeaderMap;
use rand::rngs::SysRng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::generate::{CLIENT, Contents, SCOPES, Users};
use crate::limit::people::People;
use crate::measure::{Effort, compare};
use crate::ours::provider::Redirected;
use crate::ours::{account, authority, client, memory, runtime, wanted};
use crate::row::{Bound, Row, Unit};

/// Measures it with one user in the cache.
#[must_use]
pub fn run(effort: Effort) -> Row {
    let port = serve(Contents::token(0).to_bytes());
    let url = format!("http://127.0.0.1:{port}/token");
    let transport = Redirected { inner: ReqwestTransport::new(), url: url.parse().expect("a URL") };
    let (app, account, scopes) = (client(memory(&Users::first(1)), transport), account(0), wanted());
    let runtime = runtime();
    let redeem =
        async || app.acquire_token_silent(&scopes, Some(&account)).force_refresh(true).send().await.expect("a token");

    let bare = reqwest::Client::builder()
        .default_headers(headers())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(60))
        .no_proxy();
    let (bare, people) = (bare.build().expect("a client"), People::of(&Users::first(1)));
    let home = account.home_account_id.as_str();
    let all = format!("{SCOPES} offline_access openid profile");
    let post = async || {
        let form = people.form(CLIENT, home, &all).expect("a refresh token");
        let request = bare.post(&url).body(form);
        let answer = request.send().await.expect("a response").bytes().await.expect("a complete response");
        people.accept(&answer).expect("a token")
    };

    let first = runtime.block_on(redeem());
    assert_eq!(first.source(), TokenSource::IdentityProvider);
    assert_eq!(&*runtime.block_on(post()), first.access_token().expose());
    let figures = compare(
        effort,
        &mut |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    black_box(redeem().await);
                }
            });
        },
        &mut |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    black_box(post().await);
                }
            });
        },
    );
    Row::compared("W4-HTTP", "1", Unit::Nanoseconds, figures).ratio(Bound::AtMost(1.15))
}

/// The headers of our request, so that both sides' requests take the same time to send and to receive.
fn headers() -> HeaderMap {
    let id = CorrelationId::generate(&mut SysRng).expect("randomness");
    let context = RequestContext::new(Application::new(ClientId::new(CLIENT).expect("a client ID")), id);
    let metadata = authority().metadata().expect("a known authority");
    let refresh_token = Secret::new("token".to_owned());
    let redemption = RefreshRedemption::new(context, metadata, refresh_token, wanted(), Timestamp::default());
    redemption.request().headers().clone()
}

/// Responds to every request with the same body on persistent connections, and returns the port. One thread, which ends
/// with the process, serves all connections: with a thread each, one side's might be scheduled more favourably.
fn serve(body: Vec<u8>) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener that can be polled");
    let port = listener.local_addr().expect("an address").port();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer: Arc<[u8]> = [head.as_bytes(), &body].concat().into();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&answer)));
            }
        });
    });
    port
}

/// As fast as possible, because this is neither side's work.
async fn converse(mut stream: TcpStream, answer: Arc<[u8]>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BytesMut::with_capacity(64 * 1024);
    loop {
        while let Some(length) = length_of(&received).filter(|length| *length <= received.len()) {
            received.advance(length);
            stream.write_all(&answer).await?;
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
}

/// The length of the first request, as soon as its head is complete.
fn length_of(received: &[u8]) -> Option<usize> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(received).expect("a request") else { return None };
    let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = std::str::from_utf8(length.expect("a body").value).expect("a text").parse::<usize>();
    Some(head + length.expect("a length"))
}
