//! The paths (`std::fs::read`, `crate::a::{b, c}`) in a piece of code, with `use` trees expanded.

use super::code::Token;

/// A path, and where and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedPath {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
    pub(super) role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// In an expression, a type or a signature.
    Inline,
    /// `use`, which brings the name into scope.
    Import { name: String },
    /// `pub use`, with any visibility.
    Export { name: String },
}

pub(super) fn paths(tokens: &[Token]) -> Vec<NamedPath> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.is("use") && tokens.get(at + 1).is_some_and(|next| !next.is("<")) {
            let public =
                at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|t| t.is("pub") || t.is(")"));
            let mut tree = Tree { tokens, at: at + 1, public, found: &mut found };
            tree.read(&[]);
            at = tree.at;
        } else if token.is_word() && starts_path(tokens, at) {
            let segments = inline(tokens, at);
            at += segments.len() * 2 - 1;
            found.push(NamedPath { line: token.line, segments, role: Role::Inline });
        } else {
            at += 1;
        }
    }
    found
}

/// Whether this word comes before `::` and begins a path.
fn starts_path(tokens: &[Token], at: usize) -> bool {
    tokens.get(at + 1).is_some_and(|next| next.is("::")) && tokens.get(at + 2).is_some_and(Token::is_word)
}

fn inline(tokens: &[Token], start: usize) -> Vec<String> {
    let mut segments = Vec::new();
    let mut at = start;
    while let Some(word) = tokens.get(at).filter(|token| token.is_word()) {
        segments.push(word.text.clone());
        if !tokens.get(at + 1).is_some_and(|next| next.is("::")) {
            break;
        }
        at += 2;
    }
    segments
}

/// Reads one `use` tree.
struct Tree<'a> {
    tokens: &'a [Token],
    at: usize,
    public: bool,
    found: &'a mut Vec<NamedPath>,
}

impl Tree<'_> {
    fn read(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        while let Some(token) = self.tokens.get(self.at) {
            if token.is("::") {
                self.at += 1;
            } else if token.is("{") {
                self.at += 1;
                return self.list(&segments);
            } else if token.is_word() || token.is("*") {
                segments.push(token.text.clone());
                self.at += 1;
                if !self.tokens.get(self.at).is_some_and(|next| next.is("::")) {
                    return self.leaf(token.line, segments);
                }
            } else {
                return;
            }
        }
    }

    /// `a, b::c, …}`, after the opening brace.
    fn list(&mut self, prefix: &[String]) {
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "}" => {
                    self.at += 1;
                    return;
                }
                "," => self.at += 1,
                ";" => return,
                _ => {
                    let before = self.at;
                    self.read(prefix);
                    if self.at == before {
                        self.at += 1;
                    }
                }
            }
        }
    }

    fn leaf(&mut self, line: usize, mut segments: Vec<String>) {
        // `a::{self}` means `a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        let mut name = segments.last().cloned().unwrap_or_default();
        if self.tokens.get(self.at).is_some_and(|next| next.is("as")) {
            name = self.tokens.get(self.at + 1).map(|token| token.text.clone()).unwrap_or_default();
            self.at += 2;
        }
        let role = if self.public { Role::Export { name } } else { Role::Import { name } };
        self.found.push(NamedPath { line, segments, role });
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::tokens;
    use super::*;

    fn named(text: &str) -> Vec<String> {
        paths(&tokens(text)).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn use_trees_are_expanded() {
        assert_eq!(
            named("use std::{fs, net::{self, TcpStream as T}, io::*}; use ::a::b;"),
            ["std::fs", "std::net", "std::net::TcpStream", "std::io::*", "a::b"]
        );
    }

    #[test]
    fn paths_in_code_are_found() {
        assert_eq!(
            named("fn f(a: std::net::IpAddr) { crate::b::c::<d::E>(); g() }"),
            ["std::net::IpAddr", "crate::b::c", "d::E"]
        );
    }

    #[test]
    fn roles_distinguish_imports_from_exports() {
        let roles = paths(&tokens("use a::B; pub use c::D as E; pub(crate) use f::G; h::i();"));
        let names = |name: &str| name.to_owned();
        assert_eq!(
            roles.into_iter().map(|path| path.role).collect::<Vec<_>>(),
            [
                Role::Import { name: names("B") },
                Role::Export { name: names("E") },
                Role::Export { name: names("G") },
                Role::Inline,
            ]
        );
    }

    #[test]
    fn a_broken_use_does_not_hang() {
        assert_eq!(named("use {a::b, = c::d; use"), ["a::b", "c::d"]);
    }
}
