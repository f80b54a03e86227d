//! The hashes that bind an ID token to its access token or code (OpenID Connect Core §3.1.3.6, §3.3.2.11).

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;

use super::IdToken;
use crate::base64url;
use crate::error::IdTokenFault;
use crate::secret::Secret;

impl IdToken {
    /// Checks that the hash in `claim`, if there is one, is that of `text` (S-76).
    pub(crate) fn verify_hash(&self, claim: &'static str, text: &Secret) -> Result<(), IdTokenFault> {
        if self.claim(claim).is_none() {
            return Ok(());
        }
        let header = self.header();
        let algorithm = header.get("alg").and_then(|alg| alg.as_str()).unwrap_or_default();
        let fits = self.text(claim).zip(half_hash(algorithm, text.expose().as_bytes()));
        let fits = fits.is_some_and(|(found, own)| bool::from(found.as_bytes().ct_eq(own.as_bytes())));
        if fits { Ok(()) } else { Err(IdTokenFault::Hash(claim)) }
    }
}

/// The left half of the hash for this signature algorithm; `None` if it is unknown.
fn half_hash(algorithm: &str, text: &[u8]) -> Option<String> {
    let hash = match algorithm {
        "RS256" | "PS256" | "ES256" | "HS256" => Sha256::digest(text).to_vec(),
        "RS384" | "PS384" | "ES384" | "HS384" => Sha384::digest(text).to_vec(),
        "RS512" | "PS512" | "ES512" | "HS512" | "EdDSA" | "Ed25519" => Sha512::digest(text).to_vec(),
        _ => return None,
    };
    hash.get(..hash.len() / 2).map(base64url::encode)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn token(algorithm: &str, claims: &Value) -> IdToken {
        let segment = |value: &Value| base64url::encode(value.to_string().as_bytes());
        let raw = format!("{}.{}.c2ln", segment(&json!({"alg": algorithm})), segment(claims));
        IdToken::parse(&Secret::new(raw)).unwrap()
    }

    // The values are from OpenID Connect Core, appendix A.3 and A.4.
    #[test]
    fn hashes_follow_the_signature_algorithm() {
        const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        const CODE: &str = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        let long = half_hash("ES512", TOKEN.as_bytes()).unwrap();
        assert_eq!(long.len(), 43);
        for (algorithm, claims, claim, text, good) in [
            ("RS256", json!({}), "at_hash", TOKEN, true),
            ("RS256", json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), "at_hash", TOKEN, true),
            ("PS256", json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), "at_hash", TOKEN, true),
            ("RS256", json!({"c_hash": "LDktKdoQak3Pk0cnXxCltA"}), "c_hash", CODE, true),
            ("RS256", json!({"c_hash": "LDktKdoQak3Pk0cnXxCltA"}), "at_hash", TOKEN, true),
            ("RS256", json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), "at_hash", CODE, false),
            ("RS384", json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), "at_hash", TOKEN, false),
            ("ES512", json!({"at_hash": long}), "at_hash", TOKEN, true),
            ("EdDSA", json!({"at_hash": long}), "at_hash", TOKEN, true),
            ("XY256", json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), "at_hash", TOKEN, false),
            ("RS256", json!({"at_hash": ""}), "at_hash", TOKEN, false),
            ("RS256", json!({"at_hash": null}), "at_hash", TOKEN, false),
            ("RS256", json!({"at_hash": ["77QmUPtjPfzWtF2AnpK9RQ"]}), "at_hash", TOKEN, false),
        ] {
            let expected = if good { Ok(()) } else { Err(IdTokenFault::Hash(claim)) };
            let found = token(algorithm, &claims).verify_hash(claim, &Secret::new(text.to_owned()));
            assert_eq!(found, expected, "{algorithm} {claims}");
        }
    }
}
