//! Which sockets are bound, and from when on (S-13…S-15).

use std::net::TcpListener;

use socket2::{Domain, SockRef, Socket, Type};

use super::*;

pub(super) const TRIALS: &[Trial] = &[
    ("S-13 a request before the wait is answered", || Box::pin(before_the_wait())),
    ("S-13 a fixed port can be bound again at once", || Box::pin(again_at_once())),
    ("S-14 the response is accepted on either family", || Box::pin(either_family())),
    ("S-14 the port is held on both families", || Box::pin(both_families())),
    ("S-14 a port that is taken on either family is an error", || Box::pin(squatter())),
    ("S-14 an address literal binds nothing else", || Box::pin(address_alone())),
    ("S-15 the port is not shared, and no child inherits it", || Box::pin(not_shared())),
];

/// The system queues connections until the wait begins.
async fn before_the_wait() {
    let (receiver, caller) = bound(Scene::Form);
    let address = ([127, 0, 0, 1], receiver.redirect_uri().port().unwrap()).into();
    let early = send(address, &caller.response()).await;
    let sign_in = SignIn::with(receiver, caller);
    assert!(reply(early).await.starts_with("HTTP/1.1 200 "));
    sign_in.response().await;
}

/// Old connections stay in TIME_WAIT for a minute. Another program may take a port between two sign-ins, so several are
/// tried.
async fn again_at_once() {
    for _ in 0..20 {
        let (receiver, _) = bound(Scene::Form);
        let redirect_uri = receiver.redirect_uri().clone();
        drop(receiver);
        let mut times = 0;
        while times < 3
            && let Ok(receiver) = LoopbackReceiver::bind(&redirect_uri)
        {
            let sign_in = SignIn::with(receiver, Caller::new(Scene::Form, redirect_uri.port().unwrap()));
            sign_in.answer().await;
            sign_in.response().await;
            times += 1;
        }
        if times == 3 {
            return;
        }
    }
    panic!("no port could be bound three times");
}

async fn either_family() {
    for v6 in [false, true] {
        let sign_in = SignIn::start(Scene::Form);
        let address = if v6 && has_v6() { sign_in.v6() } else { sign_in.v4() };
        let reply = reply(send(address, &sign_in.caller.response()).await).await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
        assert!(sign_in.response().await.error().is_none());
    }
}

async fn both_families() {
    let (receiver, _) = bound(Scene::Form);
    let port = receiver.redirect_uri().port().unwrap();
    for scene in [Scene::Form, Scene::V4, Scene::V6] {
        if scene == Scene::V6 && !has_v6() {
            continue;
        }
        let error = LoopbackReceiver::bind(&scene.redirect_uri().with_port(port)).unwrap_err();
        assert!(matches!(error, LoopbackError::PortInUse(taken) if taken == port), "{scene:?}: {error}");
    }
    let everywhere = TcpListener::bind(("0.0.0.0", port)).unwrap_err();
    assert_eq!(everywhere.kind(), ErrorKind::AddrInUse);
}

async fn squatter() {
    for address in ["127.0.0.1", "::1"] {
        if address == "::1" && !has_v6() {
            continue;
        }
        let squatter = TcpListener::bind((address, 0)).unwrap();
        let port = squatter.local_addr().unwrap().port();
        let error = LoopbackReceiver::bind(&Scene::Form.redirect_uri().with_port(port)).unwrap_err();
        assert!(matches!(error, LoopbackError::PortInUse(taken) if taken == port), "{error}");
        assert!(error.to_string().contains("stop it, or use a redirect URI without a port"), "{error}");
        // Another port works, and the squatter keeps its own.
        let (receiver, _) = bound(Scene::Form);
        assert_ne!(receiver.redirect_uri().port(), Some(port));
    }
}

async fn address_alone() {
    let (receiver, _) = bound(Scene::V4);
    let addresses: Vec<_> = receiver.listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    assert_eq!(addresses, [([127, 0, 0, 1], receiver.redirect_uri().port().unwrap()).into()]);
    for text in ["https://app.example/done", "http://localhost.evil.example/", "myapp://done"] {
        let error = RedirectUri::parse(text).map(|uri| LoopbackReceiver::bind(&uri).unwrap_err());
        assert!(error.is_err() || matches!(error, Ok(LoopbackError::NotLoopback)), "{text}: {error:?}");
    }
}

/// On Windows the socket is not exclusive, see `bind::listen`.
async fn not_shared() {
    let (receiver, _) = bound(Scene::Form);
    for listener in &receiver.listeners {
        assert!(listener.local_addr().unwrap().ip().is_loopback());
        #[cfg(unix)]
        assert!(!SockRef::from(listener).reuse_port().unwrap());
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd as _;
            let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", listener.as_raw_fd())).unwrap();
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
            let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
            assert_ne!(flags & 0o2_000_000, 0, "O_CLOEXEC");
        }
        let other = Socket::new(Domain::for_address(listener.local_addr().unwrap()), Type::STREAM, None).unwrap();
        other.set_reuse_address(true).unwrap();
        #[cfg(unix)]
        other.set_reuse_port(true).unwrap();
        assert!(other.bind(&listener.local_addr().unwrap().into()).is_err() || other.listen(1).is_err());
    }
}
