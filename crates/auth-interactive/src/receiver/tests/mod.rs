//! The requirements on the listener, S-13…S-30, tried over real sockets. The rows about bytes are shared with the tests
//! of the conversation, so that both must give the same replies. Time limits are tried with a paused clock.

mod bound;
mod ending;
mod limits;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::thread;

use auth_core::AuthorizationResponse;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::fuzzing::Peer;
use crate::testing::table::{Caller, Row, Scene, rows};

/// A trial over sockets: the requirement and its subject, and the code.
type Trial = (&'static str, fn() -> Pin<Box<dyn Future<Output = ()>>>);

type Received = Result<AuthorizationResponse, LoopbackError>;

/// A receiver that waits, and its caller.
struct SignIn {
    caller: Caller,
    port: u16,
    receiving: JoinHandle<Received>,
}

/// A bound receiver that does not wait yet, and its caller.
fn bound(scene: Scene) -> (LoopbackReceiver, Caller) {
    let receiver = LoopbackReceiver::bind(&scene.redirect_uri()).unwrap();
    let caller = Caller::new(scene, receiver.redirect_uri().port().unwrap());
    (receiver, caller)
}

impl SignIn {
    fn start(scene: Scene) -> Self {
        let (receiver, caller) = bound(scene);
        Self::with(receiver, caller)
    }

    fn with(receiver: LoopbackReceiver, caller: Caller) -> Self {
        let port = receiver.redirect_uri().port().unwrap();
        let receiving = tokio::spawn(receiver.receive(caller.expectation()));
        Self { caller, port, receiving }
    }

    fn v4(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn v6(&self) -> SocketAddr {
        ([0, 0, 0, 0, 0, 0, 0, 1], self.port).into()
    }

    /// An address on which it certainly listens.
    fn address(&self) -> SocketAddr {
        if self.caller.scene == Scene::V6 { self.v6() } else { self.v4() }
    }

    async fn talk(&self, request: &str) -> String {
        reply(send(self.address(), request).await).await
    }

    /// Sends the response as a browser does, which follows to the bare path.
    async fn answer(&self) {
        let reply = self.talk(&self.caller.response()).await;
        if self.caller.scene == Scene::Query {
            assert!(reply.starts_with("HTTP/1.1 303 "), "{reply}");
            self.follow().await;
        } else {
            assert!(reply.starts_with("HTTP/1.1 200 ") && reply.ends_with("</html>\n"), "{reply}");
        }
    }

    async fn follow(&self) {
        let reply = self.talk(&self.caller.get("/done", "")).await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    }

    async fn response(self) -> AuthorizationResponse {
        let response = self.receiving.await.unwrap().unwrap();
        assert!(response.has_state(self.caller.pending.state()));
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

/// Whether this machine has IPv6; `tests/network` has machines without it.
fn has_v6() -> bool {
    LoopbackReceiver::bind(&Scene::V6.redirect_uri()).is_ok()
}

fn trials() -> impl Iterator<Item = Trial> {
    bound::TRIALS.iter().chain(limits::TRIALS).chain(ending::TRIALS).copied()
}

/// Runs rows in parallel, each on a thread and a runtime of its own.
fn all_hold<'t, R: Future<Output = ()>>(rows: impl Iterator<Item = (&'t str, impl FnOnce() -> R + Send)>) {
    let failed: Vec<_> = thread::scope(|scope| {
        let run = |row: Box<dyn FnOnce() -> R + Send>| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async { row().await })
        };
        let rows: Vec<_> = rows.map(|(name, row)| (name, scope.spawn(move || run(Box::new(row))))).collect();
        rows.into_iter().filter_map(|(name, row)| row.join().is_err().then_some(name)).collect()
    });
    assert!(failed.is_empty(), "see the panics above: {failed:?}");
}

#[test]
fn every_trial() {
    all_hold(trials());
}

#[test]
fn every_row_about_bytes() {
    let scenes = Scene::ALL.into_iter().filter(|scene| *scene != Scene::V6 || has_v6());
    let all = scenes.flat_map(|scene| {
        let rows = rows(&Caller::new(scene, 1));
        rows.into_iter().enumerate().map(move |(index, row)| (row.name, move || try_row(scene, index)))
    });
    for rows in all.collect::<Vec<_>>().chunks(32) {
        all_hold(rows.iter().map(|(name, row)| (*name, row)));
    }
}

/// Runs a row over sockets. Each reply is the one that the conversation alone gives, and a refused request leaves the
/// wait as it was: the response that follows is accepted (S-20).
async fn try_row(scene: Scene, index: usize) {
    let sign_in = SignIn::start(scene);
    let Row { name, said } = rows(&sign_in.caller).swap_remove(index);
    let mut alone = Peer::expecting(sign_in.caller.expectation());
    let mut ended = false;
    let mut landed = scene != Scene::Query;
    for (request, outcome) in said {
        let mut stream = TcpStream::connect(sign_in.address()).await.unwrap();
        stream.write_all(&request).await.unwrap();
        if outcome == "..." {
            stream.shutdown().await.unwrap();
        }
        let reply = reply(stream).await;
        let status = outcome.trim_end_matches(['+', '.']);
        assert_eq!(reply.split(' ').nth(1).unwrap_or_default(), status, "{name}: {reply}");
        assert_eq!(reply, alone.connect([request.as_slice()]).unwrap_or_default().0, "{name}");
        ended |= outcome.ends_with('+');
        landed |= status == "200";
    }
    if !ended {
        assert!(!sign_in.receiving.is_finished(), "{name}");
        sign_in.answer().await;
    } else if !landed {
        sign_in.follow().await;
    }
    sign_in.response().await;
}

#[test]
fn every_requirement_has_a_row() {
    let of_bytes = Scene::ALL.into_iter().flat_map(|scene| rows(&Caller::new(scene, 1))).map(|row| row.name);
    let requirement = |name: &'static str| name.split_once(' ').unwrap().0;
    let covered: BTreeSet<_> = of_bytes.chain(trials().map(|(name, _)| name)).map(requirement).collect();
    let wanted: Vec<_> = (13..=30).map(|number| format!("S-{number}")).collect();
    assert_eq!(covered.into_iter().collect::<Vec<_>>(), wanted);
}
