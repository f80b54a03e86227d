//! Request bodies, which contain codes, verifiers and refresh tokens.

use core::fmt;

use bytes::Bytes;

use crate::secret::Secret;

/// The body of a request. `Debug` redacts it, and dropping the last clone wipes it.
#[derive(Clone, Default)]
pub struct Body(Bytes);

impl Body {
    /// Encodes a form (`application/x-www-form-urlencoded`) of the fields with a value, in a buffer that never moves.
    pub(crate) fn form<const N: usize>(fields: &[(&str, &str); N]) -> Self {
        let sizes = fields.map(|(_, value)| encoded_size(value));
        let fields = || fields.iter().zip(sizes).filter(|((_, value), _)| !value.is_empty());
        let parts = fields().flat_map(|((name, _), size)| [encoded_size(name), size, 2]);
        let mut form = String::with_capacity(parts.fold(0, usize::saturating_add));
        for ((name, value), size) in fields() {
            if !form.is_empty() {
                form.push('&');
            }
            push_encoded(&mut form, name);
            form.push('=');
            // Tokens are long: do not check them twice.
            if size == value.len() { form.push_str(value) } else { push_encoded(&mut form, value) }
        }
        Self::encoded(form)
    }

    /// A form that is already encoded.
    pub(crate) fn encoded(form: String) -> Self {
        Self(Bytes::from_owner(Form(Secret::new(form))))
    }

    /// Returns the bytes. Never log them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes, which are wiped when the last clone is dropped. Never log them.
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

/// An upper bound for the length of the encoded text.
fn encoded_size(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.len().saturating_mul(3) }
}

/// Whether encoding leaves the text unchanged.
fn is_plain(text: &str) -> bool {
    // Without an early exit, the loop is vectorized.
    text.bytes().fold(true, |all, byte| {
        all & (byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_') | (byte == b'.') | (byte == b'*'))
    })
}

fn push_encoded(form: &mut String, text: &str) {
    if is_plain(text) {
        form.push_str(text);
    } else {
        form.extend(form_urlencoded::byte_serialize(text.as_bytes()));
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body([redacted] {} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_follow_the_standard_and_fit_the_reserved_size() {
        let all: String = (0..=0x7f_u8).map(char::from).chain("éß€😀".chars()).collect();
        let fields = [("plain-name", "1.AX_a-b*c"), ("none", ""), ("n a&m=e", "a b+c/~%"), ("all", &all)];
        let expected = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()))
            .finish();
        assert_eq!(String::from_utf8(Body::form(&fields).as_bytes().to_vec()), Ok(expected));
        for character in all.chars().map(String::from) {
            let mut encoded = String::new();
            push_encoded(&mut encoded, &character);
            assert!(encoded.len() <= encoded_size(&character), "{character:?}");
        }
    }
}
