//! Limits on connections and time, and panics (S-23, S-30).

use std::sync::Arc;
use std::time::Duration;

use tokio::io::duplex;
use tokio::time::{Instant, pause};

use super::super::connection::{Activity, Heard, hear};
use super::super::reception::MAX_STRAYS;
use super::*;
use crate::conversation::Refusal;

pub(super) const TRIALS: &[Trial] = &[
    ("S-23 silent connections before the response", || Box::pin(silent_before())),
    ("S-23 silent connections after the response", || Box::pin(silent_after())),
    ("S-23 silent connections after the response, on several threads", || Box::pin(silent_after_on_threads())),
    ("S-23 the connection that was idle longest gives way", || Box::pin(longest_idle_gives_way())),
    ("S-23 ten thousand stray connections and no more", || Box::pin(flood())),
    ("S-23 slow peers time out", || Box::pin(slow_peers())),
    ("S-23 the wait ends after five minutes", || Box::pin(five_minutes())),
    ("S-23 other requests do not extend the wait", || Box::pin(wait_is_not_extended())),
    ("S-30 a panic ends its connection and nothing else", || Box::pin(panics())),
];

async fn silent_before() {
    let sign_in = SignIn::start(Scene::Form);
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(sign_in.v4()).await.unwrap());
    }
    sign_in.answer().await;
    sign_in.response().await;
}

/// All are in the queue of the system when the wait begins, the response first.
async fn silent_after() {
    for scene in [Scene::Form, Scene::Query] {
        let (receiver, caller) = bound(scene);
        let address = ([127, 0, 0, 1], receiver.redirect_uri().port().unwrap()).into();
        let answer = send(address, &caller.response()).await;
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let sign_in = SignIn::with(receiver, caller);
        let reply = reply(answer).await;
        if scene == Scene::Query {
            assert!(reply.starts_with("HTTP/1.1 303 "), "{reply}");
            sign_in.follow().await;
        } else {
            assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
        }
        sign_in.response().await;
    }
}

async fn silent_after_on_threads() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tried = thread::spawn(move || (0..10).for_each(|_| runtime().block_on(silent_after())));
    tried.join().unwrap();
}

async fn longest_idle_gives_way() {
    let sign_in = SignIn::start(Scene::Form);
    let request = sign_in.caller.response();
    let (first, second) = request.split_at(40);
    let mut oldest = TcpStream::connect(sign_in.v4()).await.unwrap();
    // The reply proves that the oldest was accepted before it.
    sign_in.talk("nonsense\r\n\r\n").await;
    let mut busy = send(sign_in.v4(), first).await;
    let mut others = Vec::new();
    while others.len() < 31 {
        others.push(TcpStream::connect(sign_in.v4()).await.unwrap());
    }
    assert_eq!(oldest.read(&mut [0]).await.unwrap(), 0, "closed without a reply");
    busy.write_all(second.as_bytes()).await.unwrap();
    assert!(reply(busy).await.starts_with("HTTP/1.1 200 OK\r\n"));
    sign_in.response().await;
}

async fn flood() {
    let sign_in = SignIn::start(Scene::Form);
    strays(&sign_in, MAX_STRAYS - 1).await;
    sign_in.answer().await;
    sign_in.response().await;

    let sign_in = SignIn::start(Scene::Form);
    strays(&sign_in, MAX_STRAYS + 1).await;
    let error = sign_in.receiving.await.unwrap().unwrap_err();
    assert!(matches!(error, LoopbackError::Flooded), "{error}");
}

/// Opens and resets `count` connections. Ending them normally would leave ten thousand ports in TIME_WAIT for a minute.
async fn strays(sign_in: &SignIn, count: u32) {
    for _ in 0..count {
        let stray = TcpStream::connect(sign_in.v4()).await.unwrap();
        stray.set_zero_linger().unwrap();
    }
}

/// Sends a part every three seconds, and nothing more. Returns the seconds until the connection was given up, and what
/// was heard.
async fn listened(parts: &[&str]) -> (u64, Heard) {
    let rules = Arc::new(Caller::new(Scene::Form, 8400).expectation().rules);
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

async fn slow_peers() {
    pause();
    let caller = Caller::new(Scene::Form, 8400);
    let response = caller.post("", "code=abcd");
    let head = response.strip_suffix("code=abcd").unwrap();
    let chunked = head.replacen("Content-Length: 9", "Transfer-Encoding: chunked", 1);
    assert!(matches!(listened(&[]).await, (5, Heard::Gone)));
    assert!(matches!(listened(&["P"]).await, (5, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&["P", "O", "S"]).await, (5, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&[head]).await, (10, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&["", head, "a", "b", "c"]).await, (13, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&[&chunked, "1\r\n", "x", "\r\n"]).await, (10, Heard::Refused(Refusal::Timeout))));
    assert!(matches!(listened(&[head, "code=", "abcd"]).await, (6, Heard::Arrived(_))));
}

async fn five_minutes() {
    pause();
    let (receiver, caller) = bound(Scene::Form);
    let before = Instant::now();
    let error = receiver.receive(caller.expectation()).await.unwrap_err();
    assert!(matches!(error, LoopbackError::TimedOut(limit) if limit == Duration::from_secs(300)));
    assert_eq!(before.elapsed().as_secs(), 300);
}

async fn wait_is_not_extended() {
    let (receiver, caller) = bound(Scene::Form);
    let limit = Duration::from_millis(200);
    let port = receiver.redirect_uri().port().unwrap();
    let receiving = tokio::spawn(receiver.receive(caller.expectation().with_timeout(limit)));
    // Until the port is closed.
    while let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await {
        let _ = stream.set_zero_linger();
        let _ = stream.write_all(b"nonsense\r\n\r\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    }
    let error = receiving.await.unwrap().unwrap_err();
    assert!(matches!(error, LoopbackError::TimedOut(after) if after == limit), "{error}");
}

async fn panics() {
    let (receiver, caller) = bound(Scene::Form);
    let port = receiver.redirect_uri().port().unwrap();
    let mut reception = Reception::start(receiver.listeners, caller.expectation()).unwrap();
    for _ in 0..20 {
        reception.spawn(Activity::default(), async { panic!("injected") });
    }
    let sign_in = SignIn {
        port,
        receiving: tokio::spawn(async move {
            let response = reception.response().await?;
            assert_eq!(reception.panics, 20);
            reception.finish().await;
            Ok(response)
        }),
        caller,
    };
    sign_in.answer().await;
    sign_in.response().await;
}
