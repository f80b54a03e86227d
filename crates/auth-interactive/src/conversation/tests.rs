use std::sync::{Arc, LazyLock};

use auth_core::{PendingAuthorization, RedirectUri, ResponseMode};
use proptest::prelude::*;

use super::*;
use crate::expectation::Expectation;
use crate::testing::{pending, pending_at_entra, state_of};

const FORM: ResponseMode = ResponseMode::FormPost;
const QUERY: ResponseMode = ResponseMode::Query;
const HOST: &str = "Host: localhost:8400\r\n";
const TYPE: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

struct SignIn {
    pending: PendingAuthorization,
    state: String,
}

fn sign_in(mode: ResponseMode) -> &'static SignIn {
    static BOTH: LazyLock<[SignIn; 2]> = LazyLock::new(|| {
        [FORM, QUERY].map(|mode| {
            let pending = pending(&RedirectUri::parse("http://localhost:8400/done").unwrap(), mode);
            SignIn { state: state_of(&pending), pending }
        })
    });
    &BOTH[usize::from(mode == QUERY)]
}

/// One sign-in without sockets.
struct Peer {
    rules: Arc<Rules>,
    wait: Wait,
}

impl Peer {
    fn new(mode: ResponseMode) -> Self {
        Self::expecting(Expectation::of(&sign_in(mode).pending).unwrap())
    }

    fn expecting(expectation: Expectation) -> Self {
        let rules = Arc::new(expectation.rules);
        Self { wait: Wait::new(expectation.state, &rules), rules }
    }

    /// The reply to one connection, and whether it ended the wait; `None` while more is read.
    fn connect<'b>(&mut self, pieces: impl IntoIterator<Item = &'b [u8]>) -> Option<(String, Verdict)> {
        let mut conversation = Conversation::new(Arc::clone(&self.rules));
        for piece in pieces {
            let (reply, verdict) = match conversation.feed(piece) {
                Step::Continue(_) => continue,
                Step::Refuse(refusal) => (Reply::refusal(refusal), Verdict::Stray),
                Step::Deliver(arrival) => self.wait.judge(arrival),
            };
            return Some((String::from_utf8(reply.as_bytes().to_vec()).unwrap(), verdict));
        }
        None
    }
}

fn status(reply: &str) -> &str {
    reply.split(' ').nth(1).unwrap()
}

/// `200+` for a request that ends the wait, else the status alone, or `...` when more is awaited.
fn outcome(mode: ResponseMode, request: &[u8]) -> String {
    outcome_of(mode, [request])
}

fn outcome_of<'b>(mode: ResponseMode, pieces: impl IntoIterator<Item = &'b [u8]>) -> String {
    match Peer::new(mode).connect(pieces) {
        None => "...".to_owned(),
        Some((reply, verdict)) => {
            let ended = if matches!(verdict, Verdict::Response(_)) { "+" } else { "" };
            format!("{}{ended}", status(&reply))
        }
    }
}

fn good_body() -> String {
    format!("code=abc&state={}", sign_in(FORM).state)
}

fn post(head: &str, body: &str) -> String {
    format!("POST /done HTTP/1.1\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn get(target: &str, head: &str) -> String {
    format!("GET {target} HTTP/1.1\r\n{head}\r\n")
}

/// The target of a good response by query.
fn answer() -> String {
    format!("/done?code=abc&state={}", sign_in(QUERY).state)
}

#[test]
fn form_post_requests_one_by_one() {
    let body = good_body();
    let head = format!("{HOST}{TYPE}");
    let state = &sign_in(FORM).state;
    let with = |extra: &str| post(&format!("{head}{extra}"), &body);
    let rows: Vec<(&str, String, &str)> = vec![
        ("S-20 the response", with(""), "200+"),
        ("S-20 a refusal with the state", post(&head, &format!("error=access_denied&state={state}")), "200+"),
        ("S-20 neither code nor error", post(&head, &format!("state={state}")), "200+"),
        ("S-20 no state", post(&head, "code=abc"), "400"),
        ("S-20 an error without state", post(&head, "error=access_denied"), "400"),
        ("S-20 a wrong state", post(&head, &format!("code=abc&state={}", "x".repeat(43))), "400"),
        ("S-20 the state twice", post(&head, &format!("{body}&state={state}")), "400"),
        ("S-09 the code twice", post(&head, &format!("{body}&code=def")), "400"),
        ("S-20 an empty body", post(&head, ""), "400"),
        ("S-16 get", get("/done", HOST), "405"),
        ("S-16 put", with("").replacen("POST", "PUT", 1), "405"),
        ("S-16 lower case", with("").replacen("POST", "post", 1), "405"),
        ("S-16 head", get("/done", HOST).replacen("GET", "HEAD", 1), "405"),
        ("S-18 options", get("/done", HOST).replacen("GET", "OPTIONS", 1), "405"),
        ("S-18 options elsewhere", get("/", HOST).replacen("GET", "OPTIONS", 1), "405"),
        ("S-16 favicon", get("/favicon.ico", HOST), "404"),
        ("S-16 root", with("").replacen("/done", "/", 1), "404"),
        ("S-16 a slash more", with("").replacen("/done", "/done/", 1), "404"),
        ("S-16 encoded path", with("").replacen("/done", "/%64one", 1), "404"),
        ("S-16 dots", with("").replacen("/done", "/x/../done", 1), "404"),
        ("S-16 upper case", with("").replacen("/done", "/Done", 1), "404"),
        ("S-16 a query", with("").replacen("/done", "/done?x=1", 1), "404"),
        ("S-16 absolute form", with("").replacen("/done", "http://localhost:8400/done", 1), "404"),
        ("S-16 fragment", with("").replacen("/done", "/done#x", 1), "400"),
        ("S-16 http/1.0", with("").replacen("HTTP/1.1", "HTTP/1.0", 1), "200+"),
        ("S-16 http/2", with("").replacen("HTTP/1.1", "HTTP/2.0", 1), "400"),
        ("S-16 http/0.9", "GET /done\r\n\r\n".to_owned(), "400"),
        ("S-16 tls", "\u{16}\u{3}\u{1}".to_owned(), "400"),
        ("S-17 no host", post(TYPE, &body), "421"),
        ("S-17 two hosts", with(HOST), "421"),
        ("S-17 another name", post(&format!("Host: evil.example:8400\r\n{TYPE}"), &body), "421"),
        ("S-17 another port", post(&format!("Host: localhost:8401\r\n{TYPE}"), &body), "421"),
        ("S-17 no port", post(&format!("Host: localhost\r\n{TYPE}"), &body), "421"),
        ("S-17 not as registered", post(&format!("Host: 127.0.0.1:8400\r\n{TYPE}"), &body), "421"),
        ("S-17 a dot", post(&format!("Host: localhost.:8400\r\n{TYPE}"), &body), "421"),
        ("S-17 before all else", get("/favicon.ico", "Host: evil.example:8400\r\n"), "421"),
        ("S-18 null origin", with("Origin: null\r\n"), "200+"),
        ("S-18 own origin", with("Origin: https://idp.example\r\n"), "200+"),
        ("S-18 foreign origin", with("Origin: https://evil.example\r\n"), "403"),
        ("S-18 scheme of origin", with("Origin: http://idp.example\r\n"), "403"),
        ("S-18 two origins", with("Origin: null\r\nOrigin: null\r\n"), "400"),
        ("S-18 navigation", with("Sec-Fetch-Mode: navigate\r\n"), "200+"),
        ("S-18 fetch", with("Sec-Fetch-Mode: no-cors\r\n"), "403"),
        ("S-19 no type", post(HOST, &body), "415"),
        ("S-19 text", post(&format!("{HOST}Content-Type: text/plain\r\n"), &body), "415"),
        ("S-19 two types", with(TYPE), "400"),
        ("S-19 charset", with("").replacen("urlencoded", "urlencoded; charset=UTF-8", 1), "200+"),
        ("S-19 other charset", with("").replacen("urlencoded", "urlencoded; charset=utf-7", 1), "415"),
        ("S-19 prefix", with("").replacen("urlencoded", "urlencoded-x", 1), "415"),
        ("S-22 no length", format!("POST /done HTTP/1.1\r\n{head}\r\n{body}"), "411"),
        ("S-22 chunked", format!("POST /done HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "411"),
        ("S-22 both", with("Transfer-Encoding: chunked\r\n"), "400"),
        ("S-22 gzip", format!("POST /done HTTP/1.1\r\n{head}Transfer-Encoding: gzip\r\n\r\n"), "400"),
        ("S-22 two lengths", with("Content-Length: 1\r\n"), "400"),
        ("S-22 signed length", format!("POST /done HTTP/1.1\r\n{head}Content-Length: +1\r\n\r\na"), "400"),
        ("S-22 huge length", format!("POST /done HTTP/1.1\r\n{head}Content-Length: {}\r\n\r\n", "9".repeat(40)), "413"),
        ("S-22 longest body", post(&head, &format!("{body}&x={}", "y".repeat(65536 - body.len() - 3))), "200+"),
        ("S-22 longer body", format!("POST /done HTTP/1.1\r\n{head}Content-Length: 65537\r\n\r\n"), "413"),
        ("S-22 pipelined", with("") + &with(""), "200+"),
        ("S-22 bare lf", with("").replacen("\r\n", "\n", 1), "400"),
        ("S-22 bare cr", with("").replacen("\r\n", "\r", 1), "400"),
        ("S-22 obs-fold", with("X: a\r\n b\r\n"), "400"),
        ("S-22 nul", with("X: a\0b\r\n"), "400"),
        ("S-22 leading line", format!("\r\n{}", with("")), "400"),
        ("S-22 space before colon", with("X : a\r\n"), "400"),
        ("S-22 line without colon", with("nonsense\r\n"), "400"),
        ("S-22 two spaces", with("").replacen(' ', "  ", 1), "400"),
        ("incomplete head", "POST /done HTTP/1.1\r\nHost: loc".to_owned(), "..."),
        ("incomplete body", with("").strip_suffix(|_| true).unwrap().to_owned(), "..."),
    ];
    for (name, request, expected) in rows {
        assert_eq!(outcome(FORM, request.as_bytes()), expected, "{name}");
    }
}

#[test]
fn query_requests_one_by_one() {
    let (answer, state) = (answer(), &sign_in(QUERY).state);
    let rows: Vec<(&str, String, &str)> = vec![
        ("S-27 the response", get(&answer, HOST), "303+"),
        ("S-27 a refusal", get(&format!("/done?error=access_denied&state={state}"), HOST), "303+"),
        ("S-27 bare path too early", get("/done", HOST), "400"),
        ("S-20 no state", get("/done?code=abc", HOST), "400"),
        ("S-20 empty query", get("/done?", HOST), "400"),
        ("S-20 the state twice", get(&format!("{answer}&state={state}"), HOST), "400"),
        ("S-16 post", get(&answer, HOST).replacen("GET", "POST", 1), "405"),
        ("S-16 favicon", get("/favicon.ico", HOST), "404"),
        ("S-16 absolute form", get(&format!("http://localhost:8400{answer}"), HOST), "404"),
        ("S-17 another name", get(&answer, "Host: evil.example\r\n"), "421"),
        ("S-18 image", get(&answer, &format!("{HOST}Sec-Fetch-Mode: no-cors\r\n")), "403"),
        ("S-18 navigation", get(&answer, &format!("{HOST}Sec-Fetch-Mode: navigate\r\n")), "303+"),
        ("S-22 a body", get(&answer, &format!("{HOST}Content-Length: 1\r\n")), "400"),
        ("S-22 an empty body", get(&answer, &format!("{HOST}Content-Length: 0\r\n")), "303+"),
    ];
    for (name, request, expected) in rows {
        assert_eq!(outcome(QUERY, request.as_bytes()), expected, "{name}");
    }
}

#[test]
fn s22_limits_hold_to_the_byte() {
    let line = |mode: ResponseMode, length: usize| {
        let method = if mode == FORM { "POST" } else { "GET" };
        let around = format!("{method} / HTTP/1.1").len();
        format!("{method} /{} HTTP/1.1\r\n{HOST}\r\n", "a".repeat(length - around))
    };
    assert_eq!(outcome(FORM, line(FORM, 16 * 1024).as_bytes()), "404");
    assert_eq!(outcome(FORM, line(FORM, 16 * 1024 + 1).as_bytes()), "414");
    assert_eq!(outcome(QUERY, line(QUERY, 64 * 1024).as_bytes()), "404");
    assert_eq!(outcome(QUERY, line(QUERY, 64 * 1024 + 1).as_bytes()), "414");

    let headers = |size: usize| {
        let filler = size - HOST.len() - "X: \r\n\r\n".len();
        get("/x", &format!("{HOST}X: {}\r\n", "a".repeat(filler)))
    };
    assert_eq!(outcome(FORM, headers(32 * 1024).as_bytes()), "404");
    assert_eq!(outcome(FORM, headers(32 * 1024 + 1).as_bytes()), "431");

    let fields = |count: usize| get("/x", &format!("{HOST}{}", "X: y\r\n".repeat(count - 1)));
    assert_eq!(outcome(FORM, fields(64).as_bytes()), "404");
    assert_eq!(outcome(FORM, fields(65).as_bytes()), "431");
}

#[test]
fn s24_the_second_response_is_a_conflict() {
    let mut peer = Peer::new(FORM);
    let request = post(&format!("{HOST}{TYPE}"), &good_body());
    let (_, verdict) = peer.connect([request.as_bytes()]).unwrap();
    assert!(matches!(verdict, Verdict::Response(_)));
    let (reply, verdict) = peer.connect([request.as_bytes()]).unwrap();
    assert!(reply.starts_with("HTTP/1.1 409 Conflict\r\n") && matches!(verdict, Verdict::Stray));
}

#[test]
fn s27_the_bare_path_is_answered_once() {
    for (answer, title) in [
        (answer(), "Return to the application"),
        (answer().replace("code=abc", "error=access_denied"), "The sign-in was not completed"),
    ] {
        let mut peer = Peer::new(QUERY);
        let (reply, _) = peer.connect([get(&answer, HOST).as_bytes()]).unwrap();
        assert!(
            reply.contains("\r\nLocation: http://localhost:8400/done\r\n")
                && reply.contains("\r\nContent-Length: 0\r\n")
        );
        let (reply, verdict) = peer.connect([get("/favicon.ico", HOST).as_bytes()]).unwrap();
        assert!(reply.starts_with("HTTP/1.1 404 ") && matches!(verdict, Verdict::Stray));
        let (reply, verdict) = peer.connect([get(&answer, HOST).as_bytes()]).unwrap();
        assert!(reply.starts_with("HTTP/1.1 409 ") && matches!(verdict, Verdict::Stray));
        let (reply, verdict) = peer.connect([get("/done", HOST).as_bytes()]).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200 ") && matches!(verdict, Verdict::Landed));
        assert!(reply.contains(&format!("<title>{title}</title>")));
        let (reply, _) = peer.connect([get("/done", HOST).as_bytes()]).unwrap();
        assert!(reply.starts_with("HTTP/1.1 400 "));
    }
}

#[test]
fn s18_the_hosts_of_entra_and_those_that_the_application_names_may_post() {
    let pending = pending_at_entra(&RedirectUri::parse("http://localhost:8400/done").unwrap());
    let body = format!("code=abc&state={}", state_of(&pending));
    for (origin, expected) in [
        ("https://login.microsoftonline.com", "200"),
        ("https://login.live.com", "200"),
        ("https://pages.example", "200"),
        ("null", "200"),
        ("https://login.microsoftonline.us", "403"),
        ("https://login.microsoftonline.com.evil.example", "403"),
        ("http://login.microsoftonline.com", "403"),
        ("https://login.microsoftonline.com:8443", "403"),
    ] {
        let expectation = Expectation::of(&pending).unwrap().with_origin("https://pages.example");
        let request = post(&format!("{HOST}{TYPE}Origin: {origin}\r\n"), &body);
        let (reply, _) = Peer::expecting(expectation).connect([request.as_bytes()]).unwrap();
        assert_eq!(status(&reply), expected, "{origin}");
    }
}

#[test]
fn s17_the_default_port_may_be_left_out() {
    let pending = pending(&RedirectUri::parse("http://127.0.0.1:80/done").unwrap(), QUERY);
    let target = format!("/done?code=abc&state={}", state_of(&pending));
    for (host, expected) in [("127.0.0.1", "303"), ("127.0.0.1:80", "303"), ("localhost", "421"), ("[::1]:80", "421")] {
        let mut peer = Peer::expecting(Expectation::of(&pending).unwrap());
        let (reply, _) = peer.connect([get(&target, &format!("Host: {host}\r\n")).as_bytes()]).unwrap();
        assert_eq!(status(&reply), expected, "{host}");
    }
}

#[test]
fn s25_every_reply_has_the_same_strict_headers() {
    let modes = [FORM, QUERY];
    let mut replies: Vec<Reply> = vec![Reply::page(crate::pages::wrong_request()), Reply::see_other("/done")];
    replies.extend(modes.map(|mode| Reply::refusal(Refusal::MethodNotAllowed(mode))));
    replies.extend([Refusal::BadRequest, Refusal::Timeout, Refusal::Misdirected].map(Reply::refusal));
    for reply in replies {
        let text = String::from_utf8(reply.as_bytes().to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "Content-Type: text/html; charset=utf-8",
            "X-Content-Type-Options: nosniff",
            "Cache-Control: no-store",
            "Referrer-Policy: no-referrer",
            "Cross-Origin-Resource-Policy: same-origin",
            "Connection: close",
            &format!("Content-Length: {}", body.len()),
        ] {
            assert!(head.split("\r\n").any(|found| found == line), "{line} in {head}");
        }
        let policy = head.split("\r\n").find_map(|line| line.strip_prefix("Content-Security-Policy: ")).unwrap();
        let (before, rest) = policy.split_once("'sha256-").unwrap();
        assert_eq!(before, "default-src 'none'; style-src ");
        assert!(rest.ends_with("='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{rest}");
        assert!(!head.contains("Access-Control"));
    }
    let head = String::from_utf8(Reply::refusal(Refusal::HeadNotAllowed(FORM)).as_bytes().to_vec()).unwrap();
    assert!(head.ends_with("\r\n\r\n") && head.contains("\r\nAllow: POST\r\n"));
}

#[test]
fn s21_nothing_of_a_request_is_echoed() {
    let canary = "canary<script>";
    let mark = |text: &str| text.replace("MARK", canary);
    let state = &sign_in(FORM).state;
    for request in [
        post(
            &format!("{HOST}{TYPE}X-MARK: MARK\r\n"),
            &mark(&format!("error=MARK&error_description=MARK&state={state}")),
        ),
        mark("GET /MARK HTTP/1.1\r\nHost: localhost:8400\r\n\r\n"),
        mark("MARK /done HTTP/1.1\r\nHost: localhost:8400\r\n\r\n"),
        mark("GET /done HTTP/1.1\r\nHost: MARK\r\n\r\n"),
    ] {
        let (reply, _) = Peer::new(FORM).connect([request.as_bytes()]).unwrap();
        assert!(!reply.contains("canary") && !reply.contains(state), "{reply}");
    }
}

#[test]
fn a_spare_connection_is_told_from_a_slow_one() {
    let mut conversation = Conversation::new(Peer::new(FORM).rules);
    assert!(conversation.is_silent());
    assert!(matches!(conversation.feed(b"P"), Step::Continue(Part::Head)));
    assert!(!conversation.is_silent());
    let head = format!("OST /done HTTP/1.1\r\n{HOST}{TYPE}Content-Length: 9\r\n\r\n");
    assert!(matches!(conversation.feed(head.as_bytes()), Step::Continue(Part::Body)));
    assert!(!conversation.is_silent());
}

fn requests() -> Vec<(ResponseMode, Vec<u8>)> {
    let head = format!("{HOST}{TYPE}");
    let body = good_body();
    let texts = [
        (FORM, post(&head, &body)),
        (FORM, post(&head, "code=abc&state=wrong")),
        (FORM, post(&head, &body) + "trailing"),
        (FORM, post(&head, &body).replacen("\r\n", "\n", 1)),
        (FORM, post(&format!("{head}X: a\r\n b\r\n"), &body)),
        (FORM, get("/favicon.ico", HOST)),
        (FORM, post(&head, &body).split_at(100).0.to_owned()),
        (QUERY, get(&answer(), HOST)),
        (QUERY, get("/done", "Host: evil\r\n")),
    ];
    texts.into_iter().map(|(mode, text)| (mode, text.into_bytes())).collect()
}

#[test]
fn p10_the_verdict_is_the_same_at_every_split() {
    for (mode, request) in requests() {
        let whole = outcome(mode, &request);
        for at in 0..=request.len() {
            let (first, second) = request.split_at(at);
            assert_eq!(outcome_of(mode, [first, second]), whole, "split at {at}");
        }
        assert_eq!(outcome_of(mode, request.chunks(1)), whole, "byte by byte");
    }
}

proptest! {
    /// P-10: mutated requests, cut into random pieces.
    #[test]
    fn p10_the_verdict_does_not_depend_on_the_pieces(
        which in 0_usize..9,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let (mode, mut request) = requests().swap_remove(which);
        for (place, byte) in changes {
            let place = place.index(request.len());
            request[place] = byte;
        }
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(request.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([request.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let pieces: Vec<&[u8]> = starts.zip(ends).map(|(start, end)| &request[start..end]).collect();
        prop_assert_eq!(outcome_of(mode, pieces), outcome(mode, &request));
    }

    /// S-59: no input panics, and noise never ends a wait.
    #[test]
    fn noise_never_ends_a_wait(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(!outcome(FORM, &noise).ends_with('+'));
        prop_assert!(!outcome(QUERY, &noise).ends_with('+'));
    }
}
