//! Strict base64 (RFC 4648): no whitespace, canonical trailing bits (S-67).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The maximum size of a decoded JWT segment or `client_info`.
const MAX_DECODED: usize = 64 * 1024;
/// Four characters encode three bytes.
const MAX_ENCODED: usize = MAX_DECODED.div_ceil(3).saturating_mul(4);

/// Encodes as base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_ENCODED {
        return None;
    }
    // Small allocations are much cheaper than small zeroed ones.
    let mut bytes = Vec::with_capacity(base64::decoded_len_estimate(text.len()));
    URL_SAFE_NO_PAD.decode_vec(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Whether the length and the characters are those of base64url without padding; a non-canonical last character passes.
pub(crate) fn is_base64url(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_');
    // Without an early exit, the loop is vectorized.
    text.len() <= MAX_ENCODED && text.len() % 4 != 1 && text.bytes().fold(true, |all, byte| all & legal(byte))
}

/// Decodes either alphabet, with correct padding or none.
pub(crate) fn decode_either(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    let padded = bare.len() < text.len();
    // At most two `=`, because a group of four has at least two other characters.
    let padding_fits = !padded || (text.len().is_multiple_of(4) && text.len().abs_diff(bare.len()) <= 2);
    if !padding_fits {
        return None;
    }
    decode(bare).or_else(|| if bare.len() > MAX_ENCODED { None } else { STANDARD_NO_PAD.decode(bare).ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_decoded() {
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
