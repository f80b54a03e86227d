//! Proof Key for Code Exchange on the server (RFC 7636 §4.6). Only `S256`.

use crate::ids;

/// Whether this is a well-formed `S256` challenge: 32 bytes in base64url.
pub(crate) fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Whether `verifier` is well-formed and matches `challenge`.
pub(crate) fn matches_challenge(verifier: &str, challenge: &str) -> bool {
    let well_formed = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    well_formed && ids::base64url(&ids::fingerprint(verifier)) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    // The worked example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn only_the_right_verifier_matches() {
        let long = "a".repeat(129);
        for (verifier, expected) in [
            (VERIFIER, true),
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", false),
            (CHALLENGE, false),
            ("", false),
            ("short", false),
            (long.as_str(), false),
        ] {
            assert_eq!(matches_challenge(verifier, CHALLENGE), expected, "{verifier}");
        }
    }

    #[test]
    fn a_verifier_with_invalid_characters_is_rejected_even_if_its_hash_matches() {
        let verifier = "a b".repeat(20);
        let challenge = ids::base64url(&ids::fingerprint(&verifier));
        assert!(!matches_challenge(&verifier, &challenge));
    }

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        for (text, expected) in
            [(CHALLENGE, true), ("", false), ("E9Mel", false), (&CHALLENGE.replace('M', "+"), false)]
        {
            assert_eq!(is_challenge(text), expected, "{text}");
        }
    }
}
