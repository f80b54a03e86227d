//! Binds the sockets of a redirect URI (S-13…S-15).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::LoopbackError;

/// The attempts to find a port that is free on both families (S-14).
const TRIES: usize = 20;
/// The connections that the system queues until we accept them.
const BACKLOG: i32 = 128;
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// The listeners, and the port that they share.
#[derive(Debug)]
pub(super) struct Bound<L = TcpListener> {
    pub(super) port: u16,
    pub(super) listeners: Vec<L>,
}

/// Binds the addresses of `host` with `listen`, which returns a listener and its port. Port 0 lets the system choose.
pub(super) fn bind<L>(
    host: &str,
    port: u16,
    mut listen: impl FnMut(IpAddr, u16) -> io::Result<(L, u16)>,
) -> Result<Bound<L>, LoopbackError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse if port != 0 => LoopbackError::PortInUse(port),
        _ => LoopbackError::Bind { port, source },
    };
    let mut alone = |address| {
        let (listener, port) = listen(address, port).map_err(failed)?;
        Ok(Bound { port, listeners: vec![listener] })
    };
    match host {
        "127.0.0.1" => return alone(V4),
        "[::1]" => return alone(V6),
        _ => {}
    }
    let mut refused = Vec::new();
    for _ in 0..TRIES {
        let (first, chosen) = match listen(V4, port) {
            Ok(bound) => bound,
            Err(error) if is_missing_family(&error) => {
                let (listener, port) = listen(V6, port).map_err(failed)?;
                return Ok(Bound { port, listeners: vec![listener] });
            }
            Err(error) => return Err(failed(error)),
        };
        match listen(V6, chosen) {
            Ok((second, _)) => return Ok(Bound { port: chosen, listeners: vec![first, second] }),
            Err(error) if is_missing_family(&error) => {
                return Ok(Bound { port: chosen, listeners: vec![first] });
            }
            // The port is taken on the other family, so another is chosen. The first listener is kept until the end, so
            // that the system does not choose its port again.
            Err(error) if port == 0 && error.kind() == io::ErrorKind::AddrInUse => refused.push(first),
            Err(error) => return Err(failed(error)),
        }
    }
    Err(LoopbackError::NoFreePort)
}

/// Opens a listening socket that child processes do not inherit. `SO_REUSEPORT` is never set (S-15).
///
/// Neither is `SO_EXCLUSIVEADDRUSE`, which S-15 requires on Windows: no library offers it without `unsafe`, which is
/// forbidden here. Without it, Windows denies the port to programs of other users, but not to one of the same user that
/// asks to share it. Nothing here is tested on Windows.
pub(super) fn listen(address: IpAddr, port: u16) -> io::Result<(TcpListener, u16)> {
    let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    // `new` makes the socket close-on-exec, or not inheritable on Windows.
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Unix this only allows a fixed port to be bound again while old connections are in TIME_WAIT; a second listener
    // is still refused. On Windows the same option would admit a second listener.
    #[cfg(unix)]
    socket.set_reuse_address(port != 0)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(address, port).into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Whether this machine lacks the address family, or its loopback address.
fn is_missing_family(error: &io::Error) -> bool {
    /// `EAFNOSUPPORT`, which has no kind of its own.
    const UNSUPPORTED_FAMILY: i32 = if cfg!(windows) {
        10047
    } else if cfg!(any(target_os = "linux", target_os = "android")) {
        97
    } else {
        47
    };
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(UNSUPPORTED_FAMILY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> io::Error {
        io::ErrorKind::AddrNotAvailable.into()
    }

    fn in_use() -> io::Error {
        io::ErrorKind::AddrInUse.into()
    }

    #[test]
    fn s14_localhost_holds_both_families_on_one_port() {
        let bound = bind("localhost", 0, |address, port| Ok((address, if port == 0 { 5000 } else { port }))).unwrap();
        assert_eq!((bound.port, bound.listeners), (5000, vec![V4, V6]));
    }

    #[test]
    fn s14_an_address_literal_holds_only_itself() {
        for (host, address) in [("127.0.0.1", V4), ("[::1]", V6)] {
            let bound = bind(host, 0, |address, _| Ok((address, 5000))).unwrap();
            assert_eq!(bound.listeners, [address]);
        }
    }

    #[test]
    fn s14_a_missing_address_family_is_skipped() {
        for absent in [V4, V6] {
            let bound =
                bind("localhost", 0, |address, _| if address == absent { Err(missing()) } else { Ok((address, 5000)) });
            let bound = bound.unwrap();
            assert_eq!(bound.listeners.len(), 1);
            assert_ne!(bound.listeners[0], absent);
        }
        assert!(matches!(
            bind("localhost", 0, |_, _| Err::<((), u16), _>(missing())),
            Err(LoopbackError::Bind { port: 0, .. })
        ));
    }

    #[test]
    fn s14_a_port_that_is_taken_on_one_family_costs_an_attempt() {
        let mut next = 5000;
        let bound = bind("localhost", 0, |address, port| {
            if address == V4 {
                next += 1;
                return Ok((address, next));
            }
            if port == 5003 { Ok((address, port)) } else { Err(in_use()) }
        });
        assert_eq!(bound.unwrap().port, 5003);

        let mut tries = 0;
        let bound = bind("localhost", 0, |address, _| {
            tries += usize::from(address == V4);
            if address == V4 { Ok((address, 5000)) } else { Err(in_use()) }
        });
        assert!(matches!(bound, Err(LoopbackError::NoFreePort)));
        assert_eq!(tries, TRIES);
    }

    #[test]
    fn s14_a_fixed_port_that_is_taken_on_either_family_is_an_error() {
        for taken in [V4, V6] {
            let bound = bind(
                "localhost",
                8400,
                |address, port| {
                    if address == taken { Err(in_use()) } else { Ok((address, port)) }
                },
            );
            assert!(matches!(bound, Err(LoopbackError::PortInUse(8400))));
        }
    }
}
