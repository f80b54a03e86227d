//! Request bodies, which hold codes, verifiers and refresh tokens.

use core::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

/// The body of a request: redacted in `Debug`, wiped when its last copy is dropped.
#[derive(Clone, Default)]
pub struct Body(Bytes);

impl Body {
    /// A form (`application/x-www-form-urlencoded`); the text is encoded into a buffer that never moves.
    pub(crate) fn form(fields: &[(&str, &str)]) -> Self {
        let mut size = 0_usize;
        for (name, value) in fields {
            let encoded = name.len().saturating_add(value.len()).saturating_mul(3).saturating_add(2);
            size = size.saturating_add(encoded);
        }
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(size));
        form.extend_pairs(fields);
        Self(Bytes::from_owner(Zeroizing::new(form.finish().into_bytes())))
    }

    /// The bytes. Never log them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, shared and wiped when the last copy is dropped. Never log them.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body([redacted] {} bytes)", self.0.len())
    }
}
