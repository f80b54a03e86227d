//! How a wait ends (S-24, S-27…S-29).

use std::time::Duration;

use tokio::io::duplex;
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::{Instant, pause};

use super::super::connection::say;
use super::*;
use crate::conversation::{Refusal, Reply};

pub(super) const TRIALS: &[Trial] = &[
    ("S-24 success closes the port, and a twin in flight is a conflict", || Box::pin(twin_in_flight())),
    ("S-24 of two responses at once, both are answered", || Box::pin(twins_at_once())),
    ("S-27 the wait for a browser that does not follow is short", || Box::pin(does_not_follow())),
    ("S-27 a browser that follows late is refused", || Box::pin(follows_late())),
    ("S-28 excess bytes do not reset the connection", || Box::pin(too_much())),
    ("S-28 our side closes at once, the connection when the peer closes", || Box::pin(half_close())),
    ("S-28 the wait for a peer that does not close is short", || Box::pin(does_not_close())),
    ("S-29 a dropped wait leaves no socket and no task", || Box::pin(dropped())),
];

async fn twin_in_flight() {
    let sign_in = SignIn::start(Scene::Form);
    let request = sign_in.caller.response();
    let (first, second) = request.split_at(request.len() - 5);
    let mut twin = send(sign_in.v4(), first).await;
    // Connections are served in the order of arrival: the twin is being read by now.
    sign_in.talk("nonsense\r\n\r\n").await;
    let mut winner = send(sign_in.v4(), &request).await;
    let mut status = [0; 12];
    winner.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    let refused = TcpStream::connect(sign_in.v4()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // The winner has not closed its connection yet, so the twin still gets a reply.
    twin.write_all(second.as_bytes()).await.unwrap();
    assert!(reply(twin).await.starts_with("HTTP/1.1 409 "));
    drop(winner);
    sign_in.response().await;
}

/// As after a double click: both requests are there, and the first peer does not cost the second its reply by leaving.
async fn twins_at_once() {
    for _ in 0..20 {
        let (receiver, caller) = bound(Scene::Form);
        let address = ([127, 0, 0, 1], receiver.redirect_uri().port().unwrap()).into();
        let request = caller.response();
        let twins = [send(address, &request).await, send(address, &request).await];
        let sign_in = SignIn::with(receiver, caller);
        let [first, second] = twins.map(|twin| tokio::spawn(reply(twin)));
        let replies = [first.await.unwrap(), second.await.unwrap()];
        for status in ["HTTP/1.1 200 ", "HTTP/1.1 409 "] {
            assert!(replies.iter().any(|reply| reply.starts_with(status)), "{replies:?}");
        }
        sign_in.response().await;
    }
}

async fn does_not_follow() {
    let sign_in = SignIn::start(Scene::Query);
    assert!(sign_in.talk(&sign_in.caller.response()).await.starts_with("HTTP/1.1 303 "));
    pause();
    let before = Instant::now();
    sign_in.response().await;
    assert!(before.elapsed() <= Duration::from_millis(2100));
}

async fn follows_late() {
    let sign_in = SignIn::start(Scene::Query);
    assert!(sign_in.talk(&sign_in.caller.response()).await.starts_with("HTTP/1.1 303 "));
    pause();
    let address = sign_in.v4();
    sign_in.response().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

/// Closing a socket with unread bytes would reset the connection.
async fn too_much() {
    let sign_in = SignIn::start(Scene::Form);
    let request = sign_in.caller.response() + &"x".repeat(200_000);
    assert!(sign_in.talk(&request).await.starts_with("HTTP/1.1 200 OK\r\n"));
    sign_in.response().await;
}

async fn half_close() {
    pause();
    let (mut peer, ours) = duplex(64 * 1024);
    let before = Instant::now();
    let saying = tokio::spawn(say(ours, Reply::refusal(Refusal::NotFound)));
    let mut reply = String::new();
    peer.read_to_string(&mut reply).await.unwrap();
    assert!(reply.ends_with("</html>\n") && !saying.is_finished(), "{reply}");
    drop(peer);
    saying.await.unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
}

async fn does_not_close() {
    pause();
    let (_peer, ours) = duplex(64 * 1024);
    let before = Instant::now();
    say(ours, Reply::refusal(Refusal::NotFound)).await;
    assert_eq!(before.elapsed().as_secs(), 1, "the drain");

    let (_peer, ours) = duplex(16);
    let before = Instant::now();
    say(ours, Reply::refusal(Refusal::NotFound)).await;
    assert_eq!(before.elapsed().as_secs(), 2, "the write");
}

async fn dropped() {
    let sign_in = SignIn::start(Scene::Form);
    let (v4, v6) = (sign_in.v4(), sign_in.v6());
    let mut open = send(v4, "POST / HT").await;
    sign_in.talk("nonsense\r\n\r\n").await;
    sign_in.receiving.abort();
    assert!(sign_in.receiving.await.unwrap_err().is_cancelled());
    assert!(!matches!(open.read(&mut [0]).await, Ok(1)));
    // Dropping the set aborts its tasks; they end when the runtime next polls them.
    for _ in 0..10 {
        yield_now().await;
    }
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    for address in [v4, v6] {
        let refused = TcpStream::connect(address).await.unwrap_err().kind();
        assert!(matches!(refused, ErrorKind::ConnectionRefused | ErrorKind::AddrNotAvailable), "{refused}");
    }
}
