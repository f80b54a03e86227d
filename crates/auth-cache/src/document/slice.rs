//! Parts of a shared text.

use core::fmt;

use auth_core::Secret;

/// The text of a document. It holds secrets, and is wiped when its last part is dropped.
pub(crate) type Buffer = Secret;

/// A part of a [`Buffer`]. Its bounds have 32 bits because every entry has several parts.
#[derive(Clone)]
pub(crate) struct Slice {
    buffer: Buffer,
    start: u32,
    end: u32,
}

impl Slice {
    /// The part of `buffer` that `part` borrows; `None` if it is not a part of it, or ends beyond 4 GiB.
    pub(crate) fn part(buffer: &Buffer, part: &str) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(buffer.expose().as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        let slice = Self { buffer: buffer.clone(), start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? };
        (end <= buffer.expose().len()).then_some(slice)
    }

    /// A text of its own; `None` if it is longer than 4 GiB.
    pub(crate) fn whole(text: String) -> Option<Self> {
        let end = u32::try_from(text.len()).ok()?;
        Some(Self { buffer: Secret::new(text), start: 0, end })
    }

    /// Whether a name is still quoted, because no string can hold it. Such a name is a part of a document and never its
    /// start. Any other name that begins with a quote was escaped in the document, so it has a text of its own.
    pub(crate) fn is_quoted(&self) -> bool {
        self.start > 0 && self.as_str().starts_with('"')
    }

    pub(crate) fn as_str(&self) -> &str {
        let bounds = usize::try_from(self.start).ok().zip(usize::try_from(self.end).ok());
        bounds.and_then(|(start, end)| self.buffer.expose().get(start..end)).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(usize::MAX)
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slice({} bytes)", self.len())
    }
}
