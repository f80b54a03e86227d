//! Where the parts of a form post begin and end (S-22).

use super::caller::{Caller, Row, TYPE, row};

pub(super) fn rows(caller: &Caller) -> Vec<Row> {
    let answer = caller.answer();
    let good = caller.post("", &answer);
    let with = |fields: &str| caller.post(fields, &answer);
    let instead = |old: &str, new: &str| {
        assert!(good.contains(old), "{old}");
        good.replacen(old, new, 1)
    };
    let length = |value: &str| caller.head(&format!("{TYPE}Content-Length: {value}\r\n"));
    let coding = |value: &str| caller.head(&format!("{TYPE}Transfer-Encoding: {value}\r\n"));
    let chunks = |chunks: &str| coding("chunked") + chunks;
    let size = answer.len();
    let whole = format!("{size:x}\r\n{answer}\r\n");
    let (first, second) = answer.split_at(7);
    let rest = second.len();
    vec![
        row("S-22 no length", caller.head(TYPE), "411"),
        row("S-22 two lengths", with("Content-Length: 1\r\n"), "400"),
        row("S-22 the same length twice", with(&format!("Content-Length: {size}\r\n")), "400"),
        row("S-22 a list of lengths", length("1, 1"), "400"),
        row("S-22 signed length", length("+1") + "a", "400"),
        row("S-22 no digits", length(""), "400"),
        row("S-22 hexadecimal length", length("0x1") + "a", "400"),
        row("S-22 length and chunks", with("Transfer-Encoding: chunked\r\n"), "400"),
        row("S-22 one chunk", chunks(&format!("{whole}0\r\n\r\n")), "200+"),
        row("S-22 two chunks", chunks(&format!("7\r\n{first}\r\n{rest:X}\r\n{second}\r\n0\r\n\r\n")), "200+"),
        row("S-22 a chunk with an extension", chunks(&format!("{size:x} ;a=\"b\"\r\n{answer}\r\n0\r\n\r\n")), "200+"),
        row("S-22 a trailer", chunks(&format!("{whole}000\r\nX: y\r\n\r\n")), "200+"),
        row("S-22 no chunk", chunks("0\r\n\r\n"), "400"),
        row("S-22 an empty size", chunks("\r\n"), "400"),
        row("S-22 a size that is no number", chunks("x\r\n"), "400"),
        row("S-22 a size with a sign", chunks("+1\r\na\r\n"), "400"),
        row("S-22 a size and a word", chunks("1 a\r\na\r\n"), "400"),
        row("S-22 a chunk longer than its size", chunks("1\r\nab\r\n0\r\n\r\n"), "400"),
        row("S-22 a chunk that ends in lf", chunks(&format!("{size:x}\n{answer}\r\n0\r\n\r\n")), "400"),
        row("S-22 a chunk with nul", chunks("1;\0\r\na\r\n"), "400"),
        row("S-22 chunks in http/1.0", chunks(&whole).replacen("HTTP/1.1", "HTTP/1.0", 1), "400"),
        row("S-22 incomplete chunks", chunks(&whole), "..."),
        row("S-22 gzip", coding("gzip"), "400"),
        row("S-22 gzip and chunks", coding("gzip, chunked"), "400"),
        row("S-22 two codings", coding("chunked\r\nTransfer-Encoding: chunked"), "400"),
        row("S-22 a coding with a control character", coding("\x0bchunked"), "400"),
        row("S-22 pipelined", good.clone() + &good, "200+"),
        row("S-22 bare lf", instead("\r\n", "\n"), "400"),
        row("S-22 bare lf at the end", instead("\r\n\r\n", "\r\n\n"), "400"),
        row("S-22 bare cr", instead("\r\n", "\r"), "400"),
        row("S-22 obs-fold", with("X: a\r\n b\r\n"), "400"),
        row("S-22 obs-fold with a tab", with("X: a\r\n\tb\r\n"), "400"),
        row("S-22 folded from the first field", instead("Host", " Host"), "400"),
        row("S-22 nul in a field", with("X: a\0b\r\n"), "400"),
        row("S-22 nul in a name", with("X\0: a\r\n"), "400"),
        row("S-22 nul in the path", instead("/done", "/do\0ne"), "400"),
        row("S-22 non-ascii in the path", instead("/done", "/d\u{f6}ne"), "400"),
        row("S-22 non-ascii in a field", with("X: \u{f6}\r\n"), "200+"),
        row("S-22 delete", with("X: \x7f\r\n"), "400"),
        row("S-22 leading line", format!("\r\n{good}"), "400"),
        row("S-22 space before colon", with("X : a\r\n"), "400"),
        row("S-22 no name", with(": a\r\n"), "400"),
        row("S-22 line without colon", with("nonsense\r\n"), "400"),
        row("S-22 two spaces", instead(" ", "  "), "400"),
        row("S-22 incomplete head", "POST /done HTTP/1.1\r\nHost: loc", "..."),
        row("S-22 incomplete body", good.split_at(good.len() - 1).0, "..."),
    ]
}
