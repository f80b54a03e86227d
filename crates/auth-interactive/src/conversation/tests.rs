//! Runs the table without sockets: each row whole, and cut at every byte (P-10).

use std::sync::{Arc, LazyLock};

use auth_core::{RedirectUri, ResponseMode};
use proptest::prelude::*;

use super::*;
use crate::expectation::Expectation;
use crate::fuzzing::Peer;
use crate::testing::table::{CANARY, Caller, Row, Scene, rows};
use crate::testing::{pending, state_of};

const PORT: u16 = 8400;

/// The outcome of one connection: the reply, and whether it ends the wait; `None` while more is awaited.
type Outcome = Option<(String, bool)>;

/// The outcomes of a row whose requests are each split by `cut`.
fn outcomes<'r>(peer: &Peer, row: &'r Row, cut: impl Fn(&'r [u8]) -> Vec<&'r [u8]>) -> Vec<Outcome> {
    let mut peer = peer.anew();
    row.said.iter().map(|(request, _)| peer.connect(cut(request))).collect()
}

fn whole(peer: &Peer, row: &Row) -> Vec<Outcome> {
    outcomes(peer, row, |request| vec![request])
}

/// An outcome, as the table writes it.
fn written(outcome: &Outcome) -> String {
    let Some((reply, ended)) = outcome else { return "...".to_owned() };
    let status = reply.strip_prefix("HTTP/1.1 ").unwrap().split(' ').next().unwrap();
    format!("{status}{}", if *ended { "+" } else { "" })
}

fn callers() -> &'static [Caller] {
    static CALLERS: LazyLock<Vec<Caller>> =
        LazyLock::new(|| Scene::ALL.into_iter().map(|scene| Caller::new(scene, PORT)).collect());
    &CALLERS
}

/// A row, the state that its caller knows, and the wait that it is for.
struct Entry {
    row: Row,
    state: &'static str,
    peer: Arc<Peer>,
}

/// Every row of every scene.
fn table() -> &'static [Entry] {
    static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let of = |caller: &'static Caller| {
            let peer = Arc::new(Peer::expecting(caller.expectation()));
            rows(caller).into_iter().map(move |row| Entry { row, state: &caller.state, peer: Arc::clone(&peer) })
        };
        callers().iter().flat_map(of).collect()
    });
    &TABLE
}

#[test]
fn every_row() {
    for Entry { row, state, peer } in table() {
        let outcomes = whole(peer, row);
        let (written, expected): (Vec<_>, Vec<_>) =
            outcomes.iter().map(written).zip(row.said.iter().map(|(_, outcome)| *outcome)).unzip();
        assert_eq!(written, expected, "{}", row.name);
        for (reply, _) in outcomes.iter().flatten() {
            s21_s25_s26_fixed(reply, state);
            s17_nothing_else(reply);
        }
    }
}

/// Checks that a request which may have come under another name gets no page (S-17).
fn s17_nothing_else(reply: &str) {
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let unnamed = ["414", "421", "431"].into_iter().any(|status| head.starts_with(&format!("HTTP/1.1 {status} ")));
    if unnamed {
        assert!(body.is_empty() && head.contains("\r\nContent-Length: 0\r\n"), "{reply}");
    }
}

/// Checks what holds for every reply (S-21, S-25, S-26).
fn s21_s25_s26_fixed(reply: &str, state: &str) {
    assert!(!reply.contains(CANARY) && !reply.contains(state) && !reply.contains("<script"), "{reply}");
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n").skip(1);
    let length = format!("Content-Length: {}", body.len());
    for line in [
        "Content-Type: text/html; charset=utf-8",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "Cross-Origin-Resource-Policy: same-origin",
        "Connection: close",
        &length,
    ] {
        // The reply to `HEAD` gives the length of a body that is not sent.
        let found = lines.clone().any(|found| found == line) || (line == length && body.is_empty());
        assert!(found, "{line} in {head}");
    }
    let policy = lines.clone().find_map(|line| line.strip_prefix("Content-Security-Policy: ")).unwrap();
    let (before, rest) = policy.split_once("'sha256-").unwrap();
    assert_eq!(before, "default-src 'none'; style-src ");
    assert!(rest.ends_with("='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{rest}");
    assert!(!lines.any(|line| line.starts_with("Access-Control")));
}

#[test]
fn p10_every_row_is_the_same_at_every_cut() {
    for Entry { row, peer, .. } in table() {
        let uncut = whole(peer, row);
        let longest = row.said.iter().map(|(request, _)| request.len()).max().unwrap();
        // The rows about limits are long: they are cut near both ends, where the lines and limits are, and at some
        // places between.
        let is_tried = |at: &usize| longest < 2048 || *at < 300 || longest - at < 300 || at.is_multiple_of(4099);
        for at in (0..=longest).filter(is_tried) {
            let cut = outcomes(peer, row, |request| <[_; 2]>::from(request.split_at(at.min(request.len()))).to_vec());
            assert_eq!(cut, uncut, "{} cut at {at}", row.name);
        }
        assert_eq!(outcomes(peer, row, |request| request.chunks(1).collect()), uncut, "{} byte by byte", row.name);
    }
}

#[test]
fn s16_a_refusal_of_the_method_names_the_right_one() {
    for caller in callers() {
        let allow = if caller.scene == Scene::Query { "\r\nAllow: GET\r\n" } else { "\r\nAllow: POST\r\n" };
        for method in ["PUT", "HEAD", "OPTIONS"] {
            let request = caller.get("/done", "").replacen("GET", method, 1);
            let (reply, _) = Peer::expecting(caller.expectation()).connect([request.as_bytes()]).unwrap();
            assert!(reply.contains(allow), "{reply}");
            assert_eq!(reply.ends_with("\r\n\r\n"), method == "HEAD", "{reply}");
        }
    }
}

#[test]
fn s17_the_default_port_may_be_omitted() {
    let pending = pending(&RedirectUri::parse("http://127.0.0.1:80/done").unwrap(), ResponseMode::Query);
    let target = format!("/done?code=abc&state={}", state_of(&pending));
    for (host, expected) in [("127.0.0.1", "303+"), ("127.0.0.1:80", "303+"), ("localhost", "421"), ("[::1]:80", "421")]
    {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let outcome = Peer::expecting(Expectation::new(&pending).unwrap()).connect([request.as_bytes()]);
        assert_eq!(written(&outcome), expected, "{host}");
    }
}

#[test]
fn s24_the_second_response_is_a_conflict() {
    for caller in callers().iter().filter(|caller| caller.scene != Scene::Query) {
        let mut peer = Peer::expecting(caller.expectation());
        let request = caller.response();
        let outcomes = [(); 3].map(|()| written(&peer.connect([request.as_bytes()])));
        assert_eq!(outcomes, ["200+", "409", "409"]);
    }
}

#[test]
fn s27_the_bare_path_shows_the_outcome_once() {
    let caller = Caller::new(Scene::Query, PORT);
    for (answer, title) in [
        (caller.response(), "Return to the application"),
        (caller.response().replace("code=abc", "error=access_denied"), "The sign-in was not completed"),
    ] {
        let mut peer = Peer::expecting(caller.expectation());
        let (reply, _) = peer.connect([answer.as_bytes()]).unwrap();
        assert!(reply.contains("\r\nLocation: http://localhost:8400/done\r\n"), "{reply}");
        assert!(reply.ends_with("\r\n\r\n"), "{reply}");
        let visit = caller.get("/done", "");
        let (reply, _) = peer.connect([visit.as_bytes()]).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        assert!(reply.contains(&format!("<title>{title}</title>")), "{reply}");
        assert_eq!(written(&peer.connect([visit.as_bytes()])), "400");
    }
}

#[test]
fn a_silent_connection_is_distinguished_from_a_slow_one() {
    let caller = Caller::new(Scene::Form, PORT);
    let mut conversation = Conversation::new(Peer::expecting(caller.expectation()).rules);
    assert!(conversation.is_silent());
    assert!(matches!(conversation.feed(b"P"), Step::Continue(Part::Head)));
    assert!(!conversation.is_silent());
    let response = caller.response();
    let (rest, _) = response.split_at(response.len() - 1);
    assert!(matches!(conversation.feed(&rest.as_bytes()[1..]), Step::Continue(Part::Body)));
    assert!(!conversation.is_silent());
}

proptest! {
    /// P-10: rows, mutated, cut into random pieces.
    #[test]
    fn p10_the_verdict_does_not_depend_on_the_pieces(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let Entry { row, peer, .. } = which.get(table());
        let mut row = row.clone();
        for (request, _) in &mut row.said {
            for (place, byte) in &changes {
                let place = place.index(request.len());
                request[place] = *byte;
            }
        }
        let cut = |request| {
            let request: &[u8] = request;
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(request.len() + 1)).collect();
            cuts.sort_unstable();
            let ends = cuts.iter().copied().chain([request.len()]);
            let starts = [0].into_iter().chain(cuts.iter().copied());
            starts.zip(ends).map(|(start, end)| &request[start..end]).collect()
        };
        prop_assert_eq!(outcomes(peer, &row, cut), whole(peer, &row));
    }

    /// S-59: no input panics, and noise never ends a wait.
    #[test]
    fn noise_never_ends_a_wait(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        for Entry { peer, .. } in table().iter().step_by(10) {
            let outcome = peer.anew().connect([noise.as_slice()]);
            prop_assert!(!written(&outcome).ends_with('+'));
        }
    }
}
