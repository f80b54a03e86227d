//! The public API contains no types of reqwest, except in one constructor of `auth-http`.

use std::collections::BTreeSet;

use super::code::Token;
use super::finding::Finding;
use super::paths::{Role, paths};
use super::sources::{Source, closing};

const FOREIGN: &str = "reqwest";
const ADAPTER: &str = "crates/auth-http/src/reqwest";

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let (adapter, others): (Vec<_>, Vec<_>) = sources
        .iter()
        .filter(|source| source.path.starts_with("crates/"))
        .partition(|source| source.path.starts_with(ADAPTER));
    let outside = others.into_iter().flat_map(|source| {
        exposed(source).map(|line| {
            let message =
                "a public item names reqwest, which only one constructor of auth-http may do; take a `Transport` instead";
            Finding::new(&source.path, line, message)
        })
    });
    let places = adapter.into_iter().flat_map(|source| exposed(source).map(|line| (source.path.as_str(), line)));
    let surplus = places.skip(1).map(|(path, line)| {
        Finding::new(path, line, "a second public item that names reqwest; only the one constructor may")
    });
    outside.chain(surplus).collect()
}

/// The lines of the public items that name the foreign crate.
fn exposed(source: &Source) -> impl Iterator<Item = usize> {
    let mut names = BTreeSet::from([FOREIGN.to_owned()]);
    for path in paths(&source.shipped) {
        if let Role::Import { name } = path.role
            && path.segments.first().is_some_and(|first| first == FOREIGN)
        {
            names.insert(name);
        }
    }
    let tokens = source.shipped.as_slice();
    (0..tokens.len()).filter_map(move |at| {
        let item = public_item(tokens, at)?;
        let line = item.first()?.line;
        item.iter().any(|token| names.contains(&token.text)).then_some(line)
    })
}

/// The public part of the item that starts at `at`: a signature, the type of a field, the variants of an enum.
fn public_item(tokens: &[Token], at: usize) -> Option<&[Token]> {
    let item = tokens.get(at..)?;
    let (first, rest) = item.split_first()?;
    if first.is("impl") && starts_item(tokens, at) {
        return until(item, &["{"]);
    }
    if !first.is("pub") || rest.first()?.is("(") {
        return None;
    }
    match rest.first()?.text.as_str() {
        "struct" | "union" | "mod" => None,
        "enum" => {
            let head = until(item, &["{", ";"])?.len();
            let body = closing(item.get(head..)?, "{", "}")?;
            item.get(..head + body)
        }
        "async" | "const" | "extern" | "fn" | "static" | "trait" | "type" | "unsafe" | "use" => {
            until(item, &["{", ";"])
        }
        _ => until(item, &[",", "}", ";"]),
    }
}

fn starts_item(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    before.is_none_or(|before| ["}", ";", "]", "{", "unsafe"].contains(&before.text.as_str()))
}

fn until<'a>(tokens: &'a [Token], ends: &[&str]) -> Option<&'a [Token]> {
    let end = tokens.iter().position(|token| ends.contains(&token.text.as_str()))?;
    tokens.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&[Source::new(path, text)]).len()
    }

    #[test]
    fn public_items_that_name_reqwest_are_found() {
        for text in [
            "pub fn new(client: reqwest::Client) -> Self {}",
            "pub async fn new(a: A,\n client: reqwest::Client) {}",
            "use reqwest::{Client, Url}; pub fn new(client: &Client);",
            "pub use reqwest::Client;",
            "pub type Client = reqwest::Client;",
            "pub struct A { pub client: Option<reqwest::Client> }",
            "pub struct A(pub reqwest::Client);",
            "pub enum Error { Http(reqwest::Error) }",
            "impl From<reqwest::Error> for Error {}",
        ] {
            assert_eq!(found("crates/auth/src/a.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn private_items_are_accepted() {
        for text in [
            "pub struct A(reqwest::Client);",
            "pub struct A { client: reqwest::Client }",
            "pub(crate) fn new(client: reqwest::Client) {}",
            "pub fn new() -> Self { Self(reqwest::Client::new()) }",
            "fn f() -> impl Fn() { reqwest::get() }",
        ] {
            assert_eq!(found("crates/auth/src/a.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn the_adapter_may_have_one_constructor() {
        let one = "pub fn with_client(client: reqwest::Client) -> Self {}";
        assert_eq!(found("crates/auth-http/src/reqwest.rs", one), 0);
        assert_eq!(
            found(
                "crates/auth-http/src/reqwest/mod.rs",
                &format!("{one} pub fn client(&self) -> &reqwest::Client {{}}")
            ),
            1
        );
    }
}
