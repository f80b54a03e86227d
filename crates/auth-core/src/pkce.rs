//! The random values of a sign-in: PKCE verifier, state and nonce.

use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::base64url;
use crate::error::ConfigError;
use crate::secret::Secret;

/// 256 bits from the caller's random number generator, base64url (S-01).
///
/// # Errors
/// [`ConfigError::Randomness`] when the generator fails.
fn random_text(rng: &mut impl TryCryptoRng) -> Result<Secret, ConfigError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| ConfigError::Randomness)?;
    Ok(Secret::new(base64url::encode(bytes.as_slice())))
}

/// A text that [`random_text`] may have drawn: base64url of 256 bits.
fn kept_text(text: Secret) -> Option<Secret> {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (text.expose().len() == 43 && text.expose().bytes().all(is_base64url)).then_some(text)
}

/// The `code_verifier` of RFC 7636. The method is always `S256`; there is no way to ask for `plain` (S-02).
///
/// ```
/// use auth_core::PkceVerifier;
///
/// let verifier = PkceVerifier::generate(&mut rand::rngs::SysRng)?;
/// assert_eq!(verifier.challenge().len(), 43);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PkceVerifier(Secret);

impl PkceVerifier {
    /// Draws a new verifier.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] when the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, ConfigError> {
        random_text(rng).map(Self)
    }

    /// The one that was kept in this text.
    pub(crate) fn kept(text: Secret) -> Option<Self> {
        kept_text(text).map(Self)
    }

    /// The `code_challenge`: base64url of the SHA-256 of the verifier (RFC 7636 §4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        base64url::encode(&Sha256::digest(self.0.expose().as_bytes()))
    }

    /// The verifier itself, for the token request.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The `state` of an authorization request (RFC 6749 §10.12): proves that a response belongs to the sign-in under way.
#[derive(Clone, Debug)]
pub struct State(Secret);

impl State {
    /// Draws a new state.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] when the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, ConfigError> {
        random_text(rng).map(Self)
    }

    /// The one that was kept in this text.
    pub(crate) fn kept(text: Secret) -> Option<Self> {
        kept_text(text).map(Self)
    }

    /// The state itself.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// Whether `candidate` is this state, byte for byte and in constant time (S-03).
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        self.0.ct_eq(candidate)
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The `nonce` of an OpenID Connect request (Core §3.1.2.1): ties the id_token to the sign-in under way.
#[derive(Clone, Debug)]
pub struct Nonce(Secret);

impl Nonce {
    /// Draws a new nonce.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] when the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, ConfigError> {
        random_text(rng).map(Self)
    }

    /// The one that was kept in this text.
    pub(crate) fn kept(text: Secret) -> Option<Self> {
        kept_text(text).map(Self)
    }

    /// Whether `candidate` is this nonce, in constant time.
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        self.0.ct_eq(candidate)
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7636_appendix_b() {
        let verifier = PkceVerifier(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned()));
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn drawn_values_are_long_and_distinct() {
        let rng = &mut rand::rngs::SysRng;
        let (a, b) = (State::generate(rng).unwrap(), State::generate(rng).unwrap());
        assert_eq!(a.expose().len(), 43);
        assert!(!a.matches(b.expose()));
        assert!(a.matches(a.expose()));
    }

    #[test]
    fn a_failing_generator_is_an_error() {
        assert_eq!(PkceVerifier::generate(&mut crate::testing::BrokenRng).unwrap_err(), ConfigError::Randomness);
    }
}
