//! A response by query, and the redirect to the bare path (S-16…S-22, S-27).

use super::caller::{CANARY, Caller, Row, row};

pub(super) fn rows(caller: &Caller) -> Vec<Row> {
    let state = &caller.state;
    let good = format!("/done?{}", caller.answer());
    let get = |target: &str| caller.get(target, "");
    let with = |fields: &str| caller.get(&good, fields);
    let in_turn = |name, said: &[(&str, &'static str)]| Row {
        name,
        said: said.iter().map(|(target, outcome)| (get(target).into_bytes(), *outcome)).collect(),
    };
    let refusal = format!("/done?error=access_denied&state={state}");
    vec![
        row("S-16 post", get(&good).replacen("GET", "POST", 1), "405"),
        row("S-16 a response by form post", caller.post("", &caller.answer()), "405"),
        row("S-16 favicon", get("/favicon.ico"), "404"),
        row("S-16 absolute form", get(&format!("http://localhost:8400{good}")), "404"),
        row("S-17 another name", get(&good).replacen("localhost", "evil.example", 1), "421"),
        row("S-18 image", with("Sec-Fetch-Mode: no-cors\r\n"), "403"),
        row("S-18 navigation", with("Sec-Fetch-Mode: navigate\r\n"), "303+"),
        row("S-20 the response", get(&good), "303+"),
        row("S-20 a refusal", get(&refusal), "303+"),
        row("S-20 no state", get("/done?code=abc"), "400"),
        row("S-20 empty query", get("/done?"), "400"),
        row("S-20 the state twice", get(&format!("{good}&state={state}")), "400"),
        row("S-21 the error of the provider", get(&format!("/done?error={CANARY}&state={state}")), "303+"),
        row("S-22 a body", with("Content-Length: 1\r\n"), "400"),
        row("S-22 chunks", with("Transfer-Encoding: chunked\r\n"), "400"),
        row("S-22 an empty body", with("Content-Length: 0\r\n"), "303+"),
        row("S-25 a redirect", get(&good), "303+"),
        row("S-27 the bare path too early", get("/done"), "400"),
        in_turn("S-27 the bare path", &[(&good, "303+"), ("/done", "200")]),
        in_turn("S-27 the bare path after a refusal", &[(&refusal, "303+"), ("/done", "200")]),
        in_turn(
            "S-27 other requests do not interfere",
            &[(&good, "303+"), ("/favicon.ico", "404"), ("/done?", "400"), ("/done", "200")],
        ),
        in_turn("S-24 the response again", &[(&good, "303+"), (&good, "409"), (&refusal, "409"), ("/done", "200")]),
    ]
}
