//! The grammar of `WWW-Authenticate` (RFC 9110 §11.6.1).
//!
//! ```text
//! line      = [ challenge ] *( "," [ challenge ] )
//! challenge = token [ 1*SP ( token68 / [ parameter ] *( "," [ parameter ] ) ) ]
//! parameter = token "=" ( token / quoted-string )       with spaces around "="
//! ```
//!
//! A comma separates both challenges and parameters. A token after a comma is a parameter name if `=` follows.

use std::collections::BTreeMap;

/// One challenge of a line.
pub(super) struct Challenge {
    scheme: String,
    parameters: BTreeMap<String, Vec<u8>>,
    /// A parameter is repeated, so its value is unclear.
    ambiguous: bool,
    /// There is a token68 instead of parameters.
    closed: bool,
}

impl Challenge {
    fn new(scheme: String) -> Self {
        Self { scheme, parameters: BTreeMap::new(), ambiguous: false, closed: false }
    }

    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter; `name` is in lower case.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        if self.ambiguous {
            return None;
        }
        str::from_utf8(self.parameters.get(name)?).ok()
    }

    fn add(&mut self, name: &str, value: Vec<u8>) -> Option<()> {
        self.ambiguous |= self.parameters.insert(name.to_ascii_lowercase(), value).is_some();
        (!self.closed).then_some(())
    }
}

/// The challenges of one line; `None` if it violates the grammar anywhere.
pub(super) fn parse(line: &[u8]) -> Option<Vec<Challenge>> {
    let mut rest = Scanner(line);
    let mut challenges = Vec::new();
    loop {
        rest.take_while(|byte| byte == b',' || is_space(byte));
        if rest.0.is_empty() {
            return Some(challenges);
        }
        rest.element(&mut challenges)?;
        rest.spaces();
        if !rest.at_end() {
            return None;
        }
    }
}

/// The remaining input.
#[derive(Clone, Copy)]
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    /// Parses the text between two commas: the start of a challenge, or another parameter of the last one.
    fn element(&mut self, challenges: &mut Vec<Challenge>) -> Option<()> {
        let word = self.token()?;
        let spaced = self.spaces();
        if self.eat(b'=') {
            return challenges.last_mut()?.add(&word, self.value()?);
        }
        let mut challenge = Challenge::new(word);
        if !self.at_end() {
            if !spaced {
                return None;
            }
            if self.token68() {
                challenge.closed = true;
            } else {
                let name = self.token()?;
                self.spaces();
                self.eat(b'=').then_some(())?;
                challenge.add(&name, self.value()?)?;
            }
        }
        challenges.push(challenge);
        Some(())
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        self.spaces();
        if self.eat(b'"') { self.quoted() } else { self.token().map(String::into_bytes) }
    }

    /// Parses a quoted string after its opening quote.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Some(value),
                b'\\' => value.push(self.next().filter(|byte| is_text(*byte))?),
                byte => value.push(Some(byte).filter(|byte| is_text(*byte))?),
            }
        }
    }

    fn token(&mut self) -> Option<String> {
        let token = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if token.is_empty() { None } else { Some(str::from_utf8(token).ok()?.to_owned()) }
    }

    /// Skips a token68; `false` if there is none.
    fn token68(&mut self) -> bool {
        let mut ahead = *self;
        let word = ahead.take_while(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte));
        ahead.take_while(|byte| byte == b'=');
        ahead.spaces();
        let found = !word.is_empty() && ahead.at_end();
        if found {
            *self = ahead;
        }
        found
    }

    fn spaces(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    fn at_end(&self) -> bool {
        matches!(self.0.first(), None | Some(b','))
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.next();
        }
        found
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take_while(&mut self, accepted: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.0.iter().position(|byte| !accepted(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or_default();
        self.0 = rest;
        taken
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether a quoted string may contain this byte, plain or after a backslash.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= 0x20 && byte != 0x7f)
}
