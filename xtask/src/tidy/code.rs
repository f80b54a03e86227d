//! Rust source text as tokens, without comments and literals, so that rules do not match prose.

/// A word, a `::`, or one other character, with its line number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) text: String,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut scanner = Scanner { rest: text, line: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = scanner.next_token() {
        tokens.push(token);
    }
    tokens
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
}

impl Scanner<'_> {
    fn next_token(&mut self) -> Option<Token> {
        loop {
            let first = self.rest.chars().next()?;
            if let Some(length) = comment(self.rest).or_else(|| literal(self.rest)) {
                self.skip(length);
            } else if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else {
                return Some(self.take(word(self.rest).unwrap_or_else(|| first.len_utf8())));
            }
        }
    }

    fn take(&mut self, length: usize) -> Token {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        Token { line: self.line, text: text.to_owned() }
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }
}

/// The length of the word or `::` that `text` starts with.
fn word(text: &str) -> Option<usize> {
    if text.starts_with("::") {
        return Some(2);
    }
    let end = text.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(text.len());
    (end > 0).then_some(end)
}

/// The length of the comment that `text` starts with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut depth = 0_usize;
    let mut length = 0;
    while let Some(rest) = text.get(length..) {
        if rest.starts_with("/*") {
            depth += 1;
            length += 2;
        } else if depth == 0 {
            return None;
        } else if rest.starts_with("*/") {
            depth -= 1;
            length += 2;
            if depth == 0 {
                return Some(length);
            }
        } else {
            match rest.chars().next() {
                Some(next) => length += next.len_utf8(),
                None => return Some(length),
            }
        }
    }
    None
}

/// The length of the string or character that `text` starts with, including its prefix (`b`, `c`, `r#`) and quotes.
fn literal(text: &str) -> Option<usize> {
    let unprefixed = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - unprefixed.len();
    if prefix > 1 {
        return None;
    }
    let quoted = raw_string(unprefixed).or_else(|| match unprefixed.chars().next()? {
        '"' => Some(closing(unprefixed, '"')),
        '\'' => character(unprefixed),
        _ => None,
    })?;
    Some(prefix + quoted)
}

fn raw_string(text: &str) -> Option<usize> {
    let after_r = text.strip_prefix('r')?;
    let after_hashes = after_r.trim_start_matches('#');
    let hashes = after_r.len() - after_hashes.len();
    let body = after_hashes.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

/// A character, not a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut inside = text.chars().skip(1);
    let first = inside.next()?;
    (first == '\\' || inside.next() == Some('\'')).then(|| closing(text, '\''))
}

/// The length up to and including the closing quote.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, next) in text.char_indices().skip(1) {
        if next == quote && !escaped {
            return at + next.len_utf8();
        }
        escaped = next == '\\' && !escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_skipped() {
        assert_eq!(words("a /* b /* c */ d */ e // f\n/// g\nh"), ["a", "e", "h"]);
        assert_eq!(words(r##"f("std::net \" x", r#"a " b"#, b"x", br"\", c"y") g"##).join(" "), "f ( , , , , ) g");
    }

    #[test]
    fn characters_are_literals_and_lifetimes_are_not() {
        assert_eq!(words(r"x('\'', '\\', 'a', b'b') &'a str").join(" "), "x ( , , , ) & ' a str");
    }

    #[test]
    fn identifiers_that_begin_like_a_literal_are_identifiers() {
        assert_eq!(words("r#type bytes crate::result rb"), ["r", "#", "type", "bytes", "crate", "::", "result", "rb"]);
    }

    #[test]
    fn lines_are_counted_across_skipped_text() {
        let found = tokens("a\n/*\n*/ \"\n\" b");
        assert_eq!(found.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn an_unclosed_literal_ends_with_the_file() {
        assert_eq!(words("a \"b"), ["a"]);
        assert_eq!(words("a /* b"), ["a"]);
    }
}
