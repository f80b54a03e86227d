//! The limits on size, to the byte (S-22).

use super::caller::{Caller, Row, Scene, TYPE, row};

const MAX_BODY: usize = 64 * 1024;

pub(super) fn rows(caller: &Caller) -> Vec<Row> {
    let line = |length: usize| {
        let usual = caller.get("/", "");
        let rest = length - usual.find("\r\n").unwrap();
        usual.replacen("/", &format!("/{}", "a".repeat(rest)), 1)
    };
    let longest = if caller.scene == Scene::Query { 64 * 1024 } else { 16 * 1024 };
    let headers = |size: usize| {
        let rest = size - caller.host.len() - "X: \r\n\r\n".len();
        caller.get("/x", &format!("X: {}\r\n", "a".repeat(rest)))
    };
    let fields = |count: usize| caller.get("/x", &"X: y\r\n".repeat(count - 1));
    let mut rows = vec![
        row("S-22 longest line", line(longest), "404"),
        row("S-22 longer line", line(longest + 1), "414"),
        row("S-22 an endless line", "a".repeat(longest + 1), "414"),
        row("S-22 most bytes of fields", headers(32 * 1024), "404"),
        row("S-22 more bytes of fields", headers(32 * 1024 + 1), "431"),
        row("S-22 most fields", fields(64), "404"),
        row("S-22 more fields", fields(65), "431"),
    ];
    if caller.scene == Scene::Form {
        let body = |size: usize| {
            let answer = caller.answer();
            format!("{answer}&x={}", "y".repeat(size - answer.len() - "&x=".len()))
        };
        let chunked = |chunks: &str| caller.head(&format!("{TYPE}Transfer-Encoding: chunked\r\n")) + chunks;
        let announced = |length: &str| caller.head(&format!("{TYPE}Content-Length: {length}\r\n"));
        let (whole, half) = (body(MAX_BODY), MAX_BODY / 2);
        let (first, second) = whole.split_at(half);
        let halves = format!("{half:x}\r\n{first}\r\n{half:x}\r\n{second}\r\n");
        rows.extend([
            row("S-22 longest body", caller.post("", &whole), "200+"),
            row("S-22 longer body, as announced", announced("65537"), "413"),
            row("S-22 a length of forty digits", announced(&"9".repeat(40)), "413"),
            row("S-22 longest body in chunks", chunked(&format!("{halves}0\r\n\r\n")), "200+"),
            row("S-22 longer body in chunks", chunked(&format!("{halves}1\r\n")), "413"),
            row("S-22 longer chunk", chunked("10001\r\n"), "413"),
            row("S-22 a size of forty digits", chunked(&format!("{}\r\n", "f".repeat(40))), "413"),
            row("S-22 chunks of one byte", chunked(&"1\r\nx\r\n".repeat(4 * 1024)), "413"),
            row("S-22 an endless extension", chunked(&format!("1;{}", "x".repeat(16 * 1024))), "413"),
            row("S-22 endless trailers", chunked(&format!("0\r\n{}", "x: y\r\n".repeat(4 * 1024))), "413"),
        ]);
    }
    rows
}
