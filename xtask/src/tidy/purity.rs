//! `auth-core` does no I/O: its sources use no clocks, files, sockets, environment, processes, threads or async.
//!
//! Its `clippy.toml` forbids the same; this rule also covers the tests.

use super::finding::Finding;
use super::paths::paths;
use super::sources::Source;

const FOLDER: &str = "crates/auth-core/";
const MODULES: [&str; 6] = ["env", "fs", "net", "os", "process", "thread"];
const CLOCKS: [&str; 2] = ["Instant", "SystemTime"];
const ASYNC: [&str; 2] = ["async", "await"];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().filter(|source| source.path.starts_with(FOLDER)).flat_map(check_one).collect()
}

fn check_one(source: &Source) -> Vec<Finding> {
    let finding = |line, message: String| Finding::new(&source.path, line, message);
    let modules = [&source.shipped, &source.tests].into_iter().flat_map(|tokens| paths(tokens)).filter_map(|path| {
        let [first, second, ..] = path.segments.as_slice() else { return None };
        let named = first == "std" && MODULES.contains(&second.as_str());
        named.then(|| {
            finding(
                path.line,
                format!("uses `std::{second}`, but auth-core does no I/O; take the value as an argument"),
            )
        })
    });
    let clocks = source.all().filter(|token| CLOCKS.contains(&token.text.as_str())).map(|token| {
        finding(
            token.line,
            format!("uses `{}`, but auth-core has no clock; take a `Timestamp` as an argument", token.text),
        )
    });
    let asynchronous = source.all().filter(|token| ASYNC.contains(&token.text.as_str())).map(|token| {
        finding(token.line, format!("uses `{}`, but auth-core does not wait; return what to send as data", token.text))
    });
    modules.chain(clocks).chain(asynchronous).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&[Source::new(path, text)]).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn files_sockets_clocks_and_async_are_found() {
        for (text, word) in [
            ("use std::net::TcpStream;", "`std::net`"),
            ("use std::{fmt, fs};", "`std::fs`"),
            ("fn f() { std::env::var(\"A\"); }", "`std::env`"),
            ("use std::thread;", "`std::thread`"),
            ("use std::time::SystemTime;", "`SystemTime`"),
            ("fn f() -> Instant;", "`Instant`"),
            ("#[cfg(test)] mod tests { async fn f() {} }", "`async`"),
            ("fn f() { g().await }", "`await`"),
        ] {
            let found = found("crates/auth-core/src/a.rs", text);
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].starts_with("crates/auth-core/src/a.rs:1: ") && found[0].contains(word), "{found:?}");
        }
    }

    #[test]
    fn prose_addresses_and_other_crates_are_accepted() {
        assert!(
            found("crates/auth-core/src/a.rs", "//! No `std::fs`.\nuse core::net::IpAddr; use std::fmt;").is_empty()
        );
        assert!(found("crates/auth-http/src/a.rs", "use std::time::Instant;").is_empty());
    }
}
