//! Identifiers: random, unguessable ones, and derived, stable ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a credential. Issued credentials are kept only in this form.
pub(crate) type Fingerprint = [u8; 32];

pub(crate) fn fingerprint(text: &str) -> Fingerprint {
    Sha256::digest(text.as_bytes()).into()
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// 256 random bits as text, for an authorization code, a refresh token or a transaction.
pub(crate) fn opaque<R: Rng + ?Sized>(rng: &mut R, prefix: &str) -> String {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    format!("{prefix}{}", base64url(&bytes))
}

/// A random GUID (UUID version 4).
pub(crate) fn guid<R: Rng + ?Sized>(rng: &mut R) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    write_guid(bytes, 0x40)
}

/// A GUID derived from its parts (UUID version 8), the same at every start.
pub(crate) fn derived_guid(parts: &[&str]) -> String {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(derived(parts)) {
        *to = from;
    }
    write_guid(bytes, 0x80)
}

/// The pairwise subject of a user at a client.
pub(crate) fn derived_subject(parts: &[&str]) -> String {
    base64url(&derived(parts))
}

fn derived(parts: &[&str]) -> Fingerprint {
    let mut digest = Sha256::new();
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

fn write_guid(bytes: [u8; 16], version: u8) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let byte = match index {
            6 => (byte & 0x0f) | version,
            8 => (byte & 0x3f) | 0x80,
            _ => byte,
        };
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    #[test]
    fn a_random_guid_has_the_format_of_version_4() {
        let text = guid(&mut StdRng::seed_from_u64(1));
        assert_eq!(text.len(), 36);
        assert_eq!(text.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>(), [8, 13, 18, 23]);
        assert_eq!(text.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&text.as_bytes()[19]));
    }

    #[test]
    fn derived_identifiers_are_stable_and_keep_parts_apart() {
        assert_eq!(derived_guid(&["ab", "c"]), derived_guid(&["ab", "c"]));
        assert_ne!(derived_guid(&["ab", "c"]), derived_guid(&["a", "bc"]));
        assert_eq!(derived_subject(&["x"]).len(), 43);
    }

    #[test]
    fn opaque_text_does_not_repeat() {
        let mut rng = StdRng::seed_from_u64(1);
        assert_ne!(opaque(&mut rng, "0."), opaque(&mut rng, "0."));
    }
}
