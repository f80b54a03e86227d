//! Over real sockets; the time limits, which need no socket, over pipes with a paused clock.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use auth_core::{AuthorizationResponse, PendingAuthorization, ResponseMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::net::{TcpListener as AsyncListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::connection::{Activity, Heard, hear, say};
use super::reception::MAX_STRAYS;
use super::*;
use crate::conversation::{Refusal, Reply};
use crate::testing::{pending, state_of};

const FORM: ResponseMode = ResponseMode::FormPost;
const QUERY: ResponseMode = ResponseMode::Query;

type Received = Result<AuthorizationResponse, LoopbackError>;

/// A receiver that waits, and what the provider knows of the sign-in.
struct SignIn {
    pending: PendingAuthorization,
    port: u16,
    receiving: JoinHandle<Received>,
}

fn bound(redirect_uri: &str) -> LoopbackReceiver {
    LoopbackReceiver::bind(&RedirectUri::parse(redirect_uri).unwrap()).unwrap()
}

impl SignIn {
    fn start(redirect_uri: &str, mode: ResponseMode) -> Self {
        let receiver = bound(redirect_uri);
        let pending = pending(receiver.redirect_uri(), mode);
        let port = receiver.redirect_uri().port().unwrap();
        let receiving = tokio::spawn(receiver.receive(Expectation::of(&pending).unwrap()));
        Self { pending, port, receiving }
    }

    fn v4(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn v6(&self) -> SocketAddr {
        ([0, 0, 0, 0, 0, 0, 0, 1], self.port).into()
    }

    fn body(&self) -> String {
        format!("code=abc&state={}", state_of(&self.pending))
    }

    fn post(&self, body: &str) -> String {
        let length = body.len();
        let head = format!("POST / HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: {length}\r\n", self.port);
        format!("{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}")
    }

    fn get(&self, target: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port)
    }

    async fn response(self) -> AuthorizationResponse {
        let response = self.receiving.await.unwrap().unwrap();
        assert!(response.has_state(self.pending.state()));
        response
    }
}

async fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn reply(mut stream: TcpStream) -> String {
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

async fn talk(address: SocketAddr, request: &str) -> String {
    reply(send(address, request).await).await
}

#[tokio::test]
async fn s14_a_response_is_taken_on_either_family() {
    for v6 in [false, true] {
        let sign_in = SignIn::start("http://localhost", FORM);
        let address = if v6 { sign_in.v6() } else { sign_in.v4() };
        if v6 && TcpStream::connect(address).await.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable) {
            continue;
        }
        let reply = talk(address, &sign_in.post(&sign_in.body())).await;
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("</html>\n"), "{reply}");
        assert!(sign_in.response().await.error().is_none());
    }
}

#[tokio::test]
async fn s20_only_the_right_request_ends_the_wait() {
    let sign_in = SignIn::start("http://127.0.0.1/done", FORM);
    for (request, status) in [
        (sign_in.get("/favicon.ico"), "421"),
        (format!("GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", sign_in.port), "404"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (sign_in.post("code=abc&state=wrong").replace("localhost", "127.0.0.1").replace("POST /", "POST /done"), "400"),
    ] {
        let reply = talk(sign_in.v4(), &request).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{reply}");
    }
    drop(send(sign_in.v4(), "POST /done HT").await);
    let request = sign_in.post(&sign_in.body().replace("code=abc", "error=access_denied"));
    let request = request.replace("localhost", "127.0.0.1").replace("POST /", "POST /done");
    let reply = talk(sign_in.v4(), &request).await;
    assert!(reply.contains("The sign-in was not completed"), "{reply}");
    assert_eq!(sign_in.response().await.error(), Some("access_denied"));
}

#[tokio::test]
async fn s23_silent_peers_starve_nobody() {
    let sign_in = SignIn::start("http://localhost", FORM);
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(sign_in.v4()).await.unwrap());
    }
    let reply = talk(sign_in.v4(), &sign_in.post(&sign_in.body())).await;
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    sign_in.response().await;
}

#[tokio::test]
async fn s23_the_connection_that_was_idle_for_the_longest_gives_way() {
    let sign_in = SignIn::start("http://localhost", FORM);
    let request = sign_in.post(&sign_in.body());
    let (first, second) = request.split_at(40);
    let mut oldest = TcpStream::connect(sign_in.v4()).await.unwrap();
    // The reply proves that the oldest was accepted before it.
    talk(sign_in.v4(), "nonsense\r\n\r\n").await;
    let mut busy = send(sign_in.v4(), first).await;
    let mut others = Vec::new();
    while others.len() < 31 {
        others.push(TcpStream::connect(sign_in.v4()).await.unwrap());
    }
    assert_eq!(oldest.read(&mut [0]).await.unwrap(), 0, "closed without a word");
    busy.write_all(second.as_bytes()).await.unwrap();
    assert!(reply(busy).await.starts_with("HTTP/1.1 200 OK\r\n"));
    sign_in.response().await;
}

#[tokio::test]
async fn s23_a_flood_is_an_error() {
    let receiver = bound("http://localhost");
    let port = receiver.redirect_uri().port().unwrap();
    let pending = pending(receiver.redirect_uri(), FORM);
    let mut reception = Reception::start(receiver.listeners, Expectation::of(&pending).unwrap()).unwrap();
    reception.seen = MAX_STRAYS;
    let _stray = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert!(matches!(reception.response().await, Err(LoopbackError::Flooded)));
}

#[tokio::test]
async fn s24_success_ends_the_listener_and_a_twin_in_flight_is_a_conflict() {
    let sign_in = SignIn::start("http://localhost", FORM);
    let request = sign_in.post(&sign_in.body());
    let (first, second) = request.split_at(request.len() - 5);
    let mut twin = send(sign_in.v4(), first).await;
    // Whoever comes first through the accept queue is served first: the twin is being read by now.
    talk(sign_in.v4(), "nonsense\r\n\r\n").await;
    let mut winner = send(sign_in.v4(), &request).await;
    let mut status = [0; 12];
    winner.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    let refused = TcpStream::connect(sign_in.v4()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // The winner has not ended its connection yet, so the twin still gets an answer.
    twin.write_all(second.as_bytes()).await.unwrap();
    assert!(reply(twin).await.starts_with("HTTP/1.1 409 "));
    drop(winner);
    sign_in.response().await;
}

#[tokio::test]
async fn s27_a_query_response_is_sent_on_to_the_bare_path() {
    let sign_in = SignIn::start("http://localhost", QUERY);
    let answer = format!("/?{}", sign_in.body());
    let reply = talk(sign_in.v4(), &sign_in.get(&answer)).await;
    let location = format!("\r\nLocation: http://localhost:{}/\r\n", sign_in.port);
    assert!(reply.starts_with("HTTP/1.1 303 See Other\r\n") && reply.contains(&location), "{reply}");
    assert!(talk(sign_in.v4(), &sign_in.get(&answer)).await.starts_with("HTTP/1.1 409 "));
    let reply = talk(sign_in.v4(), &sign_in.get("/")).await;
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    sign_in.response().await;
}

#[tokio::test]
async fn s27_a_browser_that_does_not_follow_is_not_waited_for_long() {
    let sign_in = SignIn::start("http://localhost", QUERY);
    let answer = format!("/?{}", sign_in.body());
    assert!(talk(sign_in.v4(), &sign_in.get(&answer)).await.starts_with("HTTP/1.1 303 "));
    tokio::time::pause();
    let before = Instant::now();
    sign_in.response().await;
    assert!(before.elapsed() <= Duration::from_millis(2100));
}

#[tokio::test]
async fn s29_a_dropped_wait_leaves_no_socket_and_no_task() {
    let sign_in = SignIn::start("http://localhost", FORM);
    let (v4, v6) = (sign_in.v4(), sign_in.v6());
    let mut open = send(v4, "POST / HT").await;
    talk(sign_in.v4(), "nonsense\r\n\r\n").await;
    sign_in.receiving.abort();
    assert!(sign_in.receiving.await.unwrap_err().is_cancelled());
    assert!(!matches!(open.read(&mut [0]).await, Ok(1)));
    // Dropping the set has asked its tasks to end; they do at the next turn of the runtime.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    for address in [v4, v6] {
        let refused = TcpStream::connect(address).await.unwrap_err().kind();
        assert!(matches!(refused, ErrorKind::ConnectionRefused | ErrorKind::AddrNotAvailable), "{refused}");
    }
}

#[tokio::test]
async fn a_fixed_port_can_be_used_again_at_once() {
    let port = bound("http://localhost").redirect_uri().port().unwrap();
    for _ in 0..3 {
        let sign_in = SignIn::start(&format!("http://localhost:{port}"), FORM);
        talk(sign_in.v4(), &sign_in.post(&sign_in.body())).await;
        sign_in.response().await;
    }
}

#[tokio::test]
async fn s13_s14_the_port_is_held_on_both_families() {
    let receiver = bound("http://localhost");
    let port = receiver.redirect_uri().port().unwrap();
    for text in ["http://localhost", "http://127.0.0.1", "http://[::1]"] {
        let uri = RedirectUri::parse(text).unwrap().with_port(port);
        let has_family = LoopbackReceiver::bind(&uri.with_port(0)).is_ok();
        let error = LoopbackReceiver::bind(&uri).unwrap_err();
        assert!(matches!(error, LoopbackError::PortInUse(taken) if taken == port) || !has_family, "{text}: {error}");
    }
    assert_eq!(AsyncListener::bind(("0.0.0.0", port)).await.unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(receiver);
    drop(bound(&format!("http://localhost:{port}")));
}

#[tokio::test]
async fn s14_a_squatter_on_the_other_family_is_noticed() {
    let Ok(squatter) = AsyncListener::bind(("::1", 0)).await else { return };
    let port = squatter.local_addr().unwrap().port();
    let uri = RedirectUri::parse(&format!("http://localhost:{port}")).unwrap();
    let error = LoopbackReceiver::bind(&uri).unwrap_err();
    assert!(matches!(error, LoopbackError::PortInUse(taken) if taken == port), "{error}");
}

#[test]
fn only_loopback_addresses_are_bound() {
    let uri = RedirectUri::parse("https://app.example/done").unwrap();
    assert!(matches!(LoopbackReceiver::bind(&uri), Err(LoopbackError::NotLoopback)));
}

#[tokio::test]
async fn a_sign_in_for_another_port_is_not_waited_for() {
    let (receiver, other) = (bound("http://localhost"), bound("http://localhost"));
    let pending = pending(other.redirect_uri(), FORM);
    let error = receiver.receive(Expectation::of(&pending).unwrap()).await.unwrap_err();
    assert!(matches!(error, LoopbackError::OtherRedirect));
}

#[tokio::test(start_paused = true)]
async fn s23_the_user_has_five_minutes() {
    let receiver = bound("http://localhost");
    let pending = pending(receiver.redirect_uri(), FORM);
    let before = Instant::now();
    let error = receiver.receive(Expectation::of(&pending).unwrap()).await.unwrap_err();
    assert!(matches!(error, LoopbackError::TimedOut(limit) if limit == Duration::from_secs(300)));
    assert_eq!(before.elapsed().as_secs(), 300);
}

/// How long a peer that sends only this, a part every three seconds, is listened to, in seconds, and what it is told.
async fn listened(parts: &[&str]) -> (u64, Heard) {
    let uri = RedirectUri::parse("http://localhost:8400").unwrap();
    let rules = Arc::new(Expectation::of(&pending(&uri, FORM)).unwrap().rules);
    let (mut peer, mut ours) = duplex(1024);
    let before = Instant::now();
    let activity = Activity::default();
    let trickle = async {
        let mut clock = tokio::time::interval(Duration::from_secs(3));
        for part in parts {
            clock.tick().await;
            peer.write_all(part.as_bytes()).await.unwrap();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        heard = hear(&mut ours, rules, &activity) => (before.elapsed().as_secs(), heard),
        () = trickle => unreachable!(),
    }
}

#[tokio::test(start_paused = true)]
async fn s23_slow_peers_are_not_waited_for() {
    let head = "POST / HTTP/1.1\r\nHost: localhost:8400\r\nContent-Length: 9\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    assert!(matches!(listened(&[]).await, (5, Heard::Gone)));
    assert!(matches!(listened(&["P"]).await, (5, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&["P", "O", "S"]).await, (5, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&[head]).await, (10, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&["", head, "a", "b", "c"]).await, (13, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&[head, "code=", "abcd"]).await, (6, Heard::Arrived(_))));
}

#[tokio::test(start_paused = true)]
async fn s28_a_peer_that_does_not_end_is_not_waited_for() {
    let (_peer, ours) = duplex(64 * 1024);
    let before = Instant::now();
    say(ours, Reply::refusal(Refusal::NotFound)).await;
    assert_eq!(before.elapsed().as_secs(), 1, "the drain");

    let (_peer, ours) = duplex(16);
    let before = Instant::now();
    say(ours, Reply::refusal(Refusal::NotFound)).await;
    assert_eq!(before.elapsed().as_secs(), 2, "the write");
}
