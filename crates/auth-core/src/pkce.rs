//! The random values of a sign-in: PKCE verifier, state and nonce.

use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::base64url;
use crate::error::ConfigError;
use crate::secret::Secret;

/// Generates 256 random bits, in base64url (S-01).
///
/// # Errors
/// [`ConfigError::Randomness`] if the generator fails.
fn random_text(rng: &mut impl TryCryptoRng) -> Result<Secret, ConfigError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| ConfigError::Randomness)?;
    Ok(Secret::new(base64url::encode(bytes.as_slice())))
}

/// A text that [`random_text`] may have generated: base64url of 256 bits.
fn kept_text(text: Secret) -> Option<Secret> {
    (text.expose().len() == 43 && base64url::is_base64url(text.expose())).then_some(text)
}

/// A `code_verifier` (RFC 7636). The method is always `S256`; `plain` is not supported (S-02).
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
    /// Generates a verifier.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] if the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, ConfigError> {
        random_text(rng).map(Self)
    }

    /// Restores a saved value.
    pub(crate) fn kept(text: Secret) -> Option<Self> {
        kept_text(text).map(Self)
    }

    /// Returns the `code_challenge`: the SHA-256 of the verifier in base64url (RFC 7636 §4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        base64url::encode(&Sha256::digest(self.0.expose().as_bytes()))
    }

    /// Returns the verifier, for the token request.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The `state` of an authorization request, which proves that a response belongs to this sign-in (RFC 6749 §10.12).
#[derive(Clone, Debug)]
pub struct State(Secret);

impl State {
    /// Generates a state.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] if the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, ConfigError> {
        random_text(rng).map(Self)
    }

    /// Restores a saved value.
    pub(crate) fn kept(text: Secret) -> Option<Self> {
        kept_text(text).map(Self)
    }

    /// Returns the state.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// Returns whether `candidate` is exactly this state, in constant time (S-03).
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        self.0.ct_eq(candidate)
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The `nonce` of an OpenID Connect request, which binds the ID token to this sign-in (Core §3.1.2.1).
#[derive(Clone, Debug)]
pub struct Nonce(Secret);

impl Nonce {
    /// Generates a nonce.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] if the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self, ConfigError> {
        random_text(rng).map(Self)
    }

    /// Restores a saved value.
    pub(crate) fn kept(text: Secret) -> Option<Self> {
        kept_text(text).map(Self)
    }

    /// Returns whether `candidate` is exactly this nonce, in constant time.
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
    fn random_values_are_long_and_distinct() {
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
