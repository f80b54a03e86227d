//! The key that signs tokens, generated at every start and never stored.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::json;

use crate::ids;

/// The signing key could not be generated or used.
#[derive(Debug, thiserror::Error)]
#[error("signing key: {0}")]
pub(crate) struct KeyError(&'static str);

/// An RSA key of 2048 bits for `RS256`.
pub(crate) struct SigningKey {
    key: EncodingKey,
    kid: String,
    modulus: String,
    exponent: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Generates a key, which takes some tenths of a second.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError("not generated"))?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError("not exported"))?;
        let pkcs1 = inner_private_key(pkcs8.as_ref()).ok_or(KeyError("not in PKCS#8"))?;
        let (n, e) = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_private_key)(pkcs1)
            .map_err(|_| KeyError("no public part"))?;
        let key = Self {
            key: EncodingKey::from_rsa_der(pkcs1),
            kid: ids::derived_subject(&[&ids::base64url(&n)]),
            modulus: ids::base64url(&n),
            exponent: ids::base64url(&e),
        };
        // Sign once to make sure that the key is usable.
        key.sign(&json!({}))?;
        Ok(key)
    }

    /// Signs a JWT with these claims, in compact form.
    pub(crate) fn sign<T: Serialize>(&self, claims: &T) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.kid.clone());
        let encode = |json: Result<Vec<u8>, serde_json::Error>| {
            json.map(|bytes| ids::base64url(&bytes)).map_err(|_| KeyError("claims are not JSON"))
        };
        let message = format!("{}.{}", encode(serde_json::to_vec(&header))?, encode(serde_json::to_vec(claims))?);
        // Does not use jsonwebtoken's process-wide provider, which is the application's to choose.
        let signer = (DEFAULT_PROVIDER.signer_factory)(&header.alg, &self.key).map_err(|_| KeyError("no signer"))?;
        let signature = signer.try_sign(message.as_bytes()).map_err(|_| KeyError("not signed"))?;
        Ok(format!("{message}.{}", ids::base64url(&signature)))
    }

    /// The public part as a JWK set (RFC 7517 §5).
    pub(crate) fn to_jwks(&self, issuer: &str) -> serde_json::Value {
        json!({
            "keys": [{
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": self.kid,
                "n": self.modulus,
                "e": self.exponent,
                "issuer": issuer,
            }]
        })
    }
}

/// The RSA key in a PKCS#8 structure: sequence { version, algorithm, octet string { key } }.
fn inner_private_key(pkcs8: &[u8]) -> Option<&[u8]> {
    const INTEGER: u8 = 0x02;
    const OCTETS: u8 = 0x04;
    const SEQUENCE: u8 = 0x30;
    let (envelope, _) = der(SEQUENCE, pkcs8)?;
    let (_, rest) = der(INTEGER, envelope)?;
    let (_, rest) = der(SEQUENCE, rest)?;
    der(OCTETS, rest).map(|(key, _)| key)
}

/// The content of the first DER element, and what follows the element.
fn der(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(first.into());
    }
    // The long form: the low bits are the number of length bytes, which are big-endian.
    let (length, rest) = rest.split_at_checked((first & 0x7f).into())?;
    let length = length.iter().try_fold(0_usize, |sum, &byte| sum.checked_mul(256)?.checked_add(byte.into()))?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::DecodingKey;

    #[test]
    fn a_signature_verifies_with_the_published_key() {
        let key = SigningKey::generate().unwrap();
        let token = key.sign(&json!({"sub": "x"})).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let jwks = key.to_jwks("i");
        let jwk = &jwks["keys"][0];
        let public = DecodingKey::from_rsa_components(jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap()).unwrap();
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &public).unwrap();
        let signature = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature).unwrap();
        assert!(verifier.verify(message.as_bytes(), &signature).is_ok());
        assert!(verifier.verify(b"another message", &signature).is_err());
    }

    #[test]
    fn debug_shows_only_the_key_id() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ kid: {:?}, .. }}", key.kid));
    }

    #[test]
    fn truncated_der_is_rejected() {
        for bytes in [&[][..], &[0x30], &[0x30, 0x05, 0x02], &[0x30, 0x82, 0x01], &[0x31, 0x00]] {
            assert_eq!(inner_private_key(bytes), None);
        }
    }
}
