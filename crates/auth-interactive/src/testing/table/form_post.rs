//! A response by form post: method, path, host, origin, type and state (S-16…S-21, S-25, S-26).

use super::caller::{CANARY, Caller, Row, TYPE, row};

pub(super) fn rows(caller: &Caller) -> Vec<Row> {
    let (state, answer) = (&caller.state, caller.answer());
    let good = caller.post("", &answer);
    let body = |body: &str| caller.post("", body);
    let with = |fields: &str| caller.post(fields, &answer);
    let instead = |old: &str, new: &str| {
        assert!(good.contains(old), "{old}");
        good.replacen(old, new, 1)
    };
    let to = |path: &str| instead("/done", path);
    let typed = |value: &str| instead(TYPE.trim_end(), &format!("Content-Type: {value}"));
    let elsewhere = |path: &str, fields: &str| caller.get(path, fields).replacen("localhost", "evil.example", 1);
    let form = "application/x-www-form-urlencoded";
    vec![
        row("S-16 get", caller.get("/done", ""), "405"),
        row("S-16 a response by query", caller.get(&format!("/done?{answer}"), ""), "405"),
        row("S-16 put", instead("POST", "PUT"), "405"),
        row("S-16 lower case", instead("POST", "post"), "405"),
        row("S-16 head", instead("POST", "HEAD"), "405"),
        row("S-16 favicon", caller.get("/favicon.ico", ""), "404"),
        row("S-16 root", to("/"), "404"),
        row("S-16 a trailing slash", to("/done/"), "404"),
        row("S-16 encoded path", to("/%64one"), "404"),
        row("S-16 dots", to("/x/../done"), "404"),
        row("S-16 upper case", to("/Done"), "404"),
        row("S-16 a query", to("/done?x=1"), "404"),
        row("S-16 absolute form", to("http://localhost:8400/done"), "404"),
        row("S-16 fragment", to("/done#x"), "400"),
        row("S-16 http/1.0", instead("HTTP/1.1", "HTTP/1.0"), "200+"),
        row("S-16 http/2", instead("HTTP/1.1", "HTTP/2.0"), "400"),
        row("S-16 http/0.9", "GET /done\r\n\r\n", "400"),
        row("S-16 tls", *b"\x16\x03\x01", "400"),
        row("S-16 http/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
        row("S-17 no host", instead(&caller.host, ""), "421"),
        row("S-17 two hosts", with(&caller.host), "421"),
        row("S-17 another name", instead("localhost", "evil.example"), "421"),
        row("S-17 a longer name", instead("localhost", "localhost.evil.example"), "421"),
        row("S-17 another port", instead(&caller.host, "Host: localhost:1\r\n"), "421"),
        row("S-17 no port", instead(&caller.host, "Host: localhost\r\n"), "421"),
        row("S-17 not as registered", instead("localhost", "127.0.0.1"), "421"),
        row("S-17 a dot", instead("localhost", "localhost."), "421"),
        row("S-17 a user", instead("localhost", "a@localhost"), "421"),
        row("S-17 checked first", elsewhere("/favicon.ico", ""), "421"),
        row("S-17 a long line from another name", elsewhere(&format!("/{}", "a".repeat(17 * 1024)), ""), "414"),
        row("S-17 many fields from another name", elsewhere("/", &"X: y\r\n".repeat(65)), "431"),
        row("S-18 no origin", good.clone(), "200+"),
        row("S-18 null origin", with("Origin: null\r\n"), "200+"),
        row("S-18 own origin", with("Origin: https://idp.example\r\n"), "200+"),
        row("S-18 an origin that the application added", with("Origin: https://pages.example\r\n"), "200+"),
        row("S-18 foreign origin", with("Origin: https://evil.example\r\n"), "403"),
        row("S-18 scheme of origin", with("Origin: http://idp.example\r\n"), "403"),
        row("S-18 port of origin", with("Origin: https://idp.example:8443\r\n"), "403"),
        row("S-18 the origin of the port itself", with("Origin: http://localhost:8400\r\n"), "403"),
        row("S-18 two origins", with("Origin: null\r\nOrigin: null\r\n"), "400"),
        row("S-18 navigation", with("Sec-Fetch-Mode: navigate\r\n"), "200+"),
        row("S-18 fetch", with("Sec-Fetch-Mode: no-cors\r\n"), "403"),
        row("S-18 fetch with cors", with("Sec-Fetch-Mode: cors\r\n"), "403"),
        row("S-18 options", instead("POST", "OPTIONS"), "405"),
        row("S-18 options elsewhere", caller.get("/", "").replacen("GET", "OPTIONS", 1), "405"),
        row("S-18 a preflight", caller.get("/done", PREFLIGHT).replacen("GET", "OPTIONS", 1), "405"),
        row("S-19 no type", instead(TYPE, ""), "415"),
        row("S-19 text", typed("text/plain"), "415"),
        row("S-19 another form", typed("multipart/form-data; boundary=x"), "415"),
        row("S-19 prefix", typed(&format!("{form}-x")), "415"),
        row("S-19 two types", with(TYPE), "400"),
        row("S-19 charset", typed(&format!("{form}; charset=UTF-8")), "415"),
        row("S-19 other charset", typed(&format!("{form}; charset=utf-7")), "415"),
        row("S-19 an empty parameter", typed(&format!("{form};")), "415"),
        row("S-20 the response", good.clone(), "200+"),
        row("S-20 a refusal with the state", body(&format!("error=access_denied&state={state}")), "200+"),
        row("S-20 neither code nor error", body(&format!("state={state}")), "200+"),
        row("S-20 no state", body("code=abc"), "400"),
        row("S-20 an error without state", body("error=access_denied"), "400"),
        row("S-20 a wrong state", body(&format!("code=abc&state={}", "x".repeat(43))), "400"),
        row("S-20 a state cut short", body(answer.split_at(answer.len() - 1).0), "400"),
        row("S-20 the state twice", body(&format!("{answer}&state={state}")), "400"),
        row("S-20 the code twice (S-09)", body(&format!("{answer}&code=def")), "400"),
        row("S-20 an empty body", body(""), "400"),
        row("S-21 the error of the provider", body(&format!("error={CANARY}&state={state}")), "200+"),
        row("S-21 a field", with(&format!("X-{CANARY}: {CANARY}\r\n")), "200+"),
        row("S-21 a path", to(&format!("/{CANARY}")), "404"),
        row("S-21 a method", instead("POST", CANARY), "405"),
        row("S-21 a host", instead("localhost", CANARY), "421"),
        row("S-21 an origin", with(&format!("Origin: https://{CANARY}\r\n")), "403"),
        row("S-25 a page", good.clone(), "200+"),
        row("S-25 a refusal", caller.get("/favicon.ico", ""), "404"),
        row("S-26 a script in the answer", body(&format!("error=a&error_description=<script>&state={state}")), "200+"),
    ]
}

const PREFLIGHT: &str = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\
                         Access-Control-Request-Private-Network: true\r\n";

/// The origins that may post at Entra: the hosts of the cloud, that of personal accounts, those that the application
/// added.
pub(super) fn origins(caller: &Caller) -> Vec<Row> {
    let from = |name, origin: &str, outcome| {
        row(name, caller.post(&format!("Origin: {origin}\r\n"), &caller.answer()), outcome)
    };
    vec![
        from("S-18 Entra", "https://login.microsoftonline.com", "200+"),
        from("S-18 personal accounts", "https://login.live.com", "200+"),
        from("S-18 an origin that the application added", "https://pages.example", "200+"),
        from("S-18 a hidden origin", "null", "200+"),
        from("S-18 another cloud", "https://login.microsoftonline.us", "403"),
        from("S-18 a longer host", "https://login.microsoftonline.com.evil.example", "403"),
        from("S-18 another scheme", "http://login.microsoftonline.com", "403"),
        from("S-18 another port", "https://login.microsoftonline.com:8443", "403"),
    ]
}

/// The right host if an IP address is registered.
pub(super) fn hosts(caller: &Caller) -> Vec<Row> {
    let host = |name: &str| caller.response().replacen(caller.scene.host(), name, 1);
    let mut rows = vec![row("S-17 the address", caller.response(), "200+")];
    for name in ["localhost", "127.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]", "127.0.0.2", "127.1", "2130706433"] {
        if name != caller.scene.host() {
            rows.push(row("S-17 another spelling", host(name), "421"));
        }
    }
    rows
}
