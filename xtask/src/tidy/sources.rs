//! The Rust files of the workspace, each split into shipped code and tests.

use std::fs;
use std::path::Path;

use super::code::{self, Token};
use crate::failure::{Failure, Result};

/// A Rust file.
pub(super) struct Source {
    /// Its path relative to the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// The tokens compiled into the crate.
    pub(super) shipped: Vec<Token>,
    /// What is under `#[cfg(test)]`, or in a file or folder named `tests`.
    pub(super) tests: Vec<Token>,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let tokens = code::tokens(&text);
        let (shipped, tests) = if is_test_file(&path) { (Vec::new(), tokens) } else { split(tokens) };
        Self { path, text, shipped, tests }
    }

    /// The shipped tokens, then those of the tests.
    pub(super) fn all(&self) -> impl Iterator<Item = &Token> {
        self.shipped.iter().chain(&self.tests)
    }
}

/// The folders with Rust sources, without the build output in `fuzz`.
const FOLDERS: [&str; 6] = ["bench", "crates", "fuzz/fuzz_targets", "fuzz/properties", "tests", "xtask"];

/// Every Rust file in those folders, sorted by path.
pub(super) fn read(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        collect(root, &root.join(folder), &mut sources)?;
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Failure::file("list", folder))? {
        let path = entry.map_err(Failure::file("list", folder))?.path();
        if path.is_dir() {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).map_err(Failure::file("read", &path))?;
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            sources.push(Source::new(relative, text));
        }
    }
    Ok(())
}

fn is_test_file(path: &str) -> bool {
    path.trim_end_matches(".rs").split('/').any(|part| part == "tests")
}

/// Separates the items under `#[cfg(test)]`.
fn split(tokens: Vec<Token>) -> (Vec<Token>, Vec<Token>) {
    let (mut shipped, mut tests) = (Vec::new(), Vec::new());
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if let Some(length) = test_item(rest) {
            let (item, after) = rest.split_at(length);
            tests.extend_from_slice(item);
            rest = after;
        } else {
            shipped.push(first.clone());
            rest = after;
        }
    }
    (shipped, tests)
}

/// The number of tokens of the test-only item that `tokens` starts with.
fn test_item(tokens: &[Token]) -> Option<usize> {
    let attribute = attribute(tokens)?;
    let words = tokens.get(..attribute)?;
    let says = |word: &str| words.iter().any(|token| token.is(word));
    if !(says("cfg") && says("test")) || says("not") {
        return None;
    }
    let mut length = attribute;
    while let Some(more) = tokens.get(length..).and_then(self::attribute) {
        length += more;
    }
    let item = tokens.get(length..)?;
    let mut depth = 0_usize;
    for (at, token) in item.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            ";" => {}
            _ => continue,
        }
        if depth == 0 {
            return Some(length + at + 1);
        }
    }
    Some(tokens.len())
}

/// The number of tokens of the attribute that `tokens` starts with.
fn attribute(tokens: &[Token]) -> Option<usize> {
    let [hash, open, ..] = tokens else { return None };
    if !(hash.is("#") && open.is("[")) {
        return None;
    }
    closing(tokens.get(1..)?, "[", "]").map(|length| length + 1)
}

/// The number of tokens from the bracket that `tokens` starts with up to and including the matching one.
pub(super) fn closing(tokens: &[Token], open: &str, close: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is(open) {
            depth += 1;
        } else if token.is(close) {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(text: &str) -> String {
        let source = Source::new("crates/a/src/lib.rs", text);
        source.shipped.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn test_items_are_separated() {
        assert_eq!(
            shipped("fn a() {} #[cfg(test)] #[path = \"x\"] mod tests { fn b() { {} } } fn c() {}"),
            "fn a ( ) { } fn c ( ) { }"
        );
        assert_eq!(shipped("#[cfg(test)] mod tests; fn a();"), "fn a ( ) ;");
        assert_eq!(shipped("#[cfg(all(test, unix))] use b::c; d"), "d");
    }

    #[test]
    fn other_items_are_shipped() {
        assert_eq!(shipped("#[cfg(not(test))] use b;"), "# [ cfg ( not ( test ) ) ] use b ;");
        assert_eq!(shipped("#[cfg(unix)] use b;"), "# [ cfg ( unix ) ] use b ;");
    }

    #[test]
    fn files_and_folders_named_tests_are_tests() {
        for path in ["crates/a/src/b/tests.rs", "crates/a/tests/b.rs", "tests/lib.rs"] {
            assert!(Source::new(path, "fn a() {}").shipped.is_empty(), "{path}");
        }
        assert!(!Source::new("xtask/src/test.rs", "fn a() {}").shipped.is_empty());
    }
}
