//! Finding secrets in output, in plain or encoded.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// Asserts that `text` contains none of the secrets, whether in plain, percent-encoded, in base64 at any offset, or in
/// hex.
#[track_caller]
pub fn assert_absent(place: &str, text: &str, secrets: &[(String, String)]) {
    assert!(!secrets.is_empty());
    for (name, secret) in secrets {
        for (form, disguise) in disguises(secret) {
            if let Some(line) = text.lines().find(|line| line.contains(&disguise)) {
                panic!("{place} holds a {name}, {form}: {}", line.replace(&disguise, "[HERE]"));
            }
        }
    }
}

/// Returns the encodings of a secret, each with its name.
pub fn disguises(secret: &str) -> Vec<(&'static str, String)> {
    assert!(secret.len() >= 16, "too short to be distinguished from other text");
    let mut forms = vec![("raw", secret.to_owned())];
    // Each part of a JWT is secret, except the header.
    forms.extend(secret.split('.').skip(1).map(|part| ("in part", part.to_owned())));
    forms.retain(|(_, form)| form.len() >= 16);
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    forms.push(("percent-encoded in full", percent.clone()));
    forms.push(("percent-encoded in full", percent.to_lowercase()));
    forms.push(("percent-encoded", form_urlencoded::byte_serialize(secret.as_bytes()).collect()));
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push(("in hex", hex.to_uppercase()));
    forms.push(("in hex", hex));
    for offset in 0..3_usize {
        let shifted = [&[0; 2][..offset], secret.as_bytes()].concat();
        // The characters at both ends depend on the surrounding text.
        let inner = |text: String| text.get((offset * 8).div_ceil(6)..shifted.len() * 8 / 6).unwrap().to_owned();
        forms.push(("in base64", inner(STANDARD_NO_PAD.encode(&shifted))));
        forms.push(("in base64url", inner(URL_SAFE_NO_PAD.encode(&shifted))));
    }
    forms
}

/// Returns the long words of a text, for secrets of which only a fingerprint is known.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    text.split(move |c| !is_inside(c)).filter(|word| word.len() >= 16)
}

/// Returns the code challenge of a PKCE verifier (RFC 7636 section 4.2).
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Returns the SHA-256 digest of a text in hex.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_detected() {
        let secret = "0.AXkA-this~is_a/secret+code";
        let url = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let hex = |text: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        for text in [
            format!("a {secret} b"),
            format!("?code={}&x", url(secret)),
            hex(&format!("a{secret}b")),
            STANDARD_NO_PAD.encode(format!("{{\"code\":\"{secret}\"}}")),
            STANDARD_NO_PAD.encode(format!("{{ \"code\":\"{secret}\"}}")),
            URL_SAFE_NO_PAD.encode(format!("{{  \"code\":\"{secret}\"}}")),
        ] {
            let found = disguises(secret).iter().any(|(_, form)| text.contains(form));
            assert!(found, "{text}");
        }
    }
}
