//! Requests to the loopback port: the outcome does not depend on how they are split (P-10), the reply repeats nothing
//! of them (S-21), and only the state in its one right place ends the wait (S-20).

use std::sync::LazyLock;

use auth_core::ResponseMode;
use auth_interactive::Expectation;
use auth_interactive::fuzzing::Peer;

use super::sign_in;

/// `input` is what one connection sends, in which `{state}` is the expected state.
pub(crate) fn holds(input: &[u8]) {
    static BOTH: LazyLock<[(ResponseMode, String, Peer); 2]> = LazyLock::new(|| {
        [ResponseMode::FormPost, ResponseMode::Query].map(|mode| {
            let pending = sign_in::begin(mode);
            let expectation = Expectation::new(&pending).expect("a loopback address with a port");
            (mode, sign_in::state_of(&pending), Peer::expecting(expectation))
        })
    });
    for (mode, state, peer) in &*BOTH {
        check(*mode, state, peer, &sign_in::with_state(input, state));
    }
}

fn check(mode: ResponseMode, state: &str, peer: &Peer, input: &[u8]) {
    let peer = || peer.anew();
    let outcome = peer().connect([input]);
    assert_eq!(peer().connect(input.chunks(1)), outcome, "byte by byte");
    assert_eq!(peer().connect(input.chunks(7)), outcome, "in chunks of seven bytes");
    assert_eq!(peer().connect(input.split_inclusive(|byte| *byte == b'\r')), outcome, "split within line ends");
    let Some((reply, ended)) = outcome else { return };
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).expect("a status line");
    assert!(!reply.contains(state));
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a field");
        match name {
            "Content-Length" => assert!(value == body.len().to_string() || status.starts_with("405 ")),
            "Location" => assert_eq!(value, sign_in::REDIRECT),
            "Allow" => assert!(["GET", "POST"].contains(&value)),
            "Connection" => assert_eq!(value, "close"),
            _ => assert!(FIXED.contains(&name), "{name}"),
        }
    }
    // Every refusal has the same page.
    let first = peer().connect([&b"\n"[..]]).expect("a refusal").0;
    let refused = first.split_once("\r\n\r\n").expect("a head").1;
    let is_fixed = match status {
        "200 OK" => ended,
        "303 See Other" => ended && body.is_empty(),
        _ => !ended && (body == refused || body.is_empty()),
    };
    assert!(is_fixed, "{status}");
    if ended {
        check_ended(mode, state, input);
    }
}

const FIXED: [&str; 6] = [
    "Content-Type",
    "X-Content-Type-Options",
    "Cache-Control",
    "Referrer-Policy",
    "Content-Security-Policy",
    "Cross-Origin-Resource-Policy",
];

fn check_ended(mode: ResponseMode, state: &str, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let (line, fields) = head.split_once("\r\n").expect("a request line");
    let place = match mode {
        ResponseMode::FormPost => {
            assert!(line.starts_with("POST /done HTTP/1."), "{line}");
            body
        }
        ResponseMode::Query => line.strip_prefix("GET /done?").expect("the path"),
    };
    // Verbatim or percent-encoded.
    assert!(place.contains(state) || place.contains('%') || fields.to_lowercase().contains("chunked"));
    let hosts = fields.split("\r\n").filter_map(|field| field.split_once(':'));
    let hosts: Vec<_> = hosts.filter(|(name, _)| name.eq_ignore_ascii_case("host")).collect();
    assert!(matches!(hosts.as_slice(), [(_, value)] if value.trim_matches([' ', '\t']) == "localhost:8400"));
}
