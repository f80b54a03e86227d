//! Request bodies, which hold codes, verifiers and refresh tokens.

use core::fmt;

use crate::secret::Secret;
use bytes::Bytes;

/// The body of a request: redacted in `Debug`, wiped when its last copy is dropped.
#[derive(Clone, Default)]
pub struct Body(Bytes);

impl Body {
    /// A form (`application/x-www-form-urlencoded`) of the fields that have a value; the text is encoded into a buffer that never moves.
    pub(crate) fn form(fields: &[(&str, &str)]) -> Self {
        let texts = fields.iter().flat_map(|(name, value)| [name, value]);
        let size = texts.map(|text| encoded_size(text).saturating_add(1)).fold(0, usize::saturating_add);
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(size));
        form.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
        Self(Bytes::from_owner(Form(Secret::new(form.finish()))))
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

/// The text of a form, as the bytes that are sent.
struct Form(Secret);

impl AsRef<[u8]> for Form {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

/// How long a text of a form is at most.
fn encoded_size(text: &str) -> usize {
    let escaped: usize = text.bytes().map(|byte| usize::from(!byte.is_ascii_alphanumeric())).sum();
    text.len().saturating_add(escaped.saturating_mul(2))
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body([redacted] {} bytes)", self.0.len())
    }
}
