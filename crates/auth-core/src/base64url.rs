//! Strict base64url (RFC 4648 §5): no padding, no white space, canonical trailing bits (S-67).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a decoded JWT segment or `client_info` may measure.
const MAX_DECODED: usize = 64 * 1024;

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    // Four characters stand for three bytes.
    if text.len() > MAX_DECODED.div_ceil(3).saturating_mul(4) {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_read() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("YQ", Some(b"a")),
            ("YQ==", None),
            ("YR", None),
            ("Y Q", None),
            ("Y+Q", None),
            ("Y", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
        assert!(decode(&"A".repeat(100_000)).is_none());
    }
}
