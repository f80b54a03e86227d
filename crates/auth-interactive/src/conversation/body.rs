//! The body of a form post: of the announced length, or chunked (RFC 9112 §6 and §7.1, S-22).

use zeroize::Zeroizing;

use super::reply::Refusal;

/// The largest body, in bytes (S-22).
const MAX_BODY: usize = 64 * 1024;
/// The limit on what surrounds the data of chunks (sizes, extensions, trailers, line ends), in bytes.
const MAX_FRAMING: usize = 16 * 1024;

/// How the end of a body is found.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

/// A body that is being read.
pub(super) struct Body {
    bytes: Zeroizing<Vec<u8>>,
    next: Next,
    /// The line of framing that is being read, without its end.
    line: Vec<u8>,
    after_cr: bool,
    framing: usize,
}

/// What is read next.
#[derive(Clone, Copy)]
enum Next {
    /// This many bytes, and nothing after them.
    Rest(usize),
    /// The line before a chunk.
    Size,
    /// This many bytes of a chunk.
    Data(usize),
    /// The empty line after a chunk.
    DataEnd,
    /// The fields after the last chunk, which are ignored, and an empty line.
    Trailers,
}

impl Body {
    /// # Errors
    /// [`Refusal::BodyTooLarge`] if the announced length exceeds the limit.
    pub(super) fn new(framing: Framing) -> Result<Self, Refusal> {
        let (size, next) = match framing {
            Framing::Length(length) if length > MAX_BODY => return Err(Refusal::BodyTooLarge),
            Framing::Length(length) => (length, Next::Rest(length)),
            Framing::Chunked => (MAX_BODY, Next::Size),
        };
        // At full size, because a buffer that grows leaves copies behind (S-109).
        let bytes = Zeroizing::new(Vec::with_capacity(size));
        Ok(Self { bytes, next, line: Vec::new(), after_cr: false, framing: 0 })
    }

    /// Returns the whole body once it is complete; bytes after it are ignored.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
        let mut rest = bytes.iter();
        while !matches!(self.next, Next::Rest(0)) {
            let Some(&byte) = rest.next() else { return Ok(None) };
            self.push(byte)?;
        }
        Ok(Some(std::mem::take(&mut self.bytes)))
    }

    fn push(&mut self, byte: u8) -> Result<(), Refusal> {
        match self.next {
            Next::Rest(left) => {
                self.bytes.push(byte);
                self.next = Next::Rest(left.saturating_sub(1));
            }
            Next::Data(left) => {
                self.bytes.push(byte);
                self.next = if left > 1 { Next::Data(left.saturating_sub(1)) } else { Next::DataEnd };
            }
            Next::Size | Next::DataEnd | Next::Trailers => {
                self.framing = self.framing.saturating_add(1);
                if self.framing > MAX_FRAMING {
                    return Err(Refusal::BodyTooLarge);
                }
                match byte {
                    b'\n' if self.after_cr => self.end_line()?,
                    _ if self.after_cr => return Err(Refusal::BadRequest),
                    b'\r' => self.after_cr = true,
                    b'\t' => self.line.push(byte),
                    _ if byte.is_ascii_control() => return Err(Refusal::BadRequest),
                    _ => self.line.push(byte),
                }
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), Refusal> {
        self.after_cr = false;
        let line = std::mem::take(&mut self.line);
        self.next = match self.next {
            Next::Size => match chunk_size(&line)? {
                0 => Next::Trailers,
                size if size > MAX_BODY.saturating_sub(self.bytes.len()) => return Err(Refusal::BodyTooLarge),
                size => Next::Data(size),
            },
            Next::DataEnd if line.is_empty() => Next::Size,
            Next::DataEnd => return Err(Refusal::BadRequest),
            Next::Trailers if line.is_empty() => Next::Rest(0),
            next @ (Next::Trailers | Next::Rest(_) | Next::Data(_)) => next,
        };
        Ok(())
    }
}

/// Reads the size of a chunk. Extensions are ignored, as RFC 9112 §7.1.1 requires.
fn chunk_size(line: &[u8]) -> Result<usize, Refusal> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, extension) = line.split_at_checked(end).ok_or(Refusal::BadRequest)?;
    let extension = extension.trim_ascii_start();
    let digits = core::str::from_utf8(digits).unwrap_or_default();
    if digits.is_empty() || !(extension.is_empty() || extension.starts_with(b";")) {
        return Err(Refusal::BadRequest);
    }
    // A number that overflows is over the limit too.
    Ok(usize::from_str_radix(digits, 16).unwrap_or(usize::MAX))
}
