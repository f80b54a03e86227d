//! Finds the end of a request head, byte by byte, and refuses the first byte that no head may contain (S-22).
//!
//! It is stricter than the parser that follows: every line ends in CRLF, nothing is folded, and there are no control
//! characters.

use zeroize::Zeroizing;

use super::reply::Refusal;

/// The limit on all header fields together, in bytes (S-22).
const MAX_HEADERS: usize = 32 * 1024;
/// The initial capacity, enough for most heads, in bytes.
const USUAL_HEAD: usize = 4096;
/// The limit on the number of header fields (S-22).
pub(super) const MAX_FIELDS: usize = 64;

pub(super) struct HeadScan {
    bytes: Zeroizing<Vec<u8>>,
    request_line_limit: usize,
    /// Length of the line that is being read, without its end.
    line: usize,
    /// Complete lines; the first is the request line.
    lines: usize,
    /// Bytes of the header fields, with their line ends.
    headers: usize,
    after_cr: bool,
}

/// The outcome of some bytes.
pub(super) enum Scanned<'a> {
    More,
    Wrong(Refusal),
    /// The head with its empty line, and what was read beyond it.
    Head {
        head: Zeroizing<Vec<u8>>,
        rest: &'a [u8],
    },
}

impl HeadScan {
    pub(super) fn new(request_line_limit: usize) -> Self {
        let bytes = Zeroizing::new(Vec::with_capacity(USUAL_HEAD));
        Self { bytes, request_line_limit, line: 0, lines: 0, headers: 0, after_cr: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn feed<'a>(&mut self, bytes: &'a [u8]) -> Scanned<'a> {
        let mut rest = bytes.iter();
        while let Some(&byte) = rest.next() {
            self.keep(byte);
            match self.push(byte) {
                Ok(false) => {}
                Ok(true) => {
                    return Scanned::Head { head: std::mem::take(&mut self.bytes), rest: rest.as_slice() };
                }
                Err(refusal) => return Scanned::Wrong(refusal),
            }
        }
        Scanned::More
    }

    /// Appends a byte to the head. A full buffer is wiped when it is replaced, as it may contain the code (S-109).
    fn keep(&mut self, byte: u8) {
        if self.bytes.len() == self.bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(self.bytes.capacity().saturating_mul(2)));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.push(byte);
    }

    /// Returns whether this byte ends the head.
    fn push(&mut self, byte: u8) -> Result<bool, Refusal> {
        if self.lines > 0 {
            self.headers = self.headers.saturating_add(1);
            if self.headers > MAX_HEADERS {
                return Err(Refusal::HeadersTooLarge);
            }
        }
        if self.after_cr {
            self.after_cr = false;
            return if byte == b'\n' { self.end_line() } else { Err(Refusal::BadRequest) };
        }
        match byte {
            b'\r' => {
                self.after_cr = true;
                return Ok(false);
            }
            b' ' | b'\t' if self.line == 0 => return Err(Refusal::BadRequest),
            b'\t' if self.lines > 0 => {}
            _ if byte.is_ascii_control() => return Err(Refusal::BadRequest),
            _ => {}
        }
        self.line = self.line.saturating_add(1);
        if self.lines == 0 && self.line > self.request_line_limit {
            return Err(Refusal::TargetTooLong);
        }
        Ok(false)
    }

    fn end_line(&mut self) -> Result<bool, Refusal> {
        if self.line == 0 {
            return if self.lines == 0 { Err(Refusal::BadRequest) } else { Ok(true) };
        }
        self.line = 0;
        self.lines = self.lines.saturating_add(1);
        if self.lines.saturating_sub(1) > MAX_FIELDS { Err(Refusal::HeadersTooLarge) } else { Ok(false) }
    }
}
