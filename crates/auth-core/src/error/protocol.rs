//! Violations of the protocol.

use crate::time::Timestamp;

/// A message that must not be used; nothing in it was cached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The endpoint redirected the request; redirects are never followed (S-49).
    #[error("unexpected redirect ({status}) to {host}; a proxy or a captive portal may be in the way")]
    UnexpectedRedirect {
        /// HTTP status.
        status: u16,
        /// The host in the `Location` header, or `?`.
        host: String,
    },
    /// The response is not JSON (S-65).
    #[error(
        "the answer is not JSON (status {status}, content type {content_type}); a proxy or a captive portal may be in the way"
    )]
    NotJson {
        /// HTTP status.
        status: u16,
        /// The content type, or `none`.
        content_type: String,
    },
    /// The JSON violates the rules for protocol messages (S-60).
    #[error("the {0} is not a well-formed JSON object")]
    Malformed(&'static str),
    /// A required member is missing.
    #[error("the {message} has no {name}")]
    Missing {
        /// Which message.
        message: &'static str,
        /// Which member.
        name: &'static str,
    },
    /// A member has an invalid value.
    #[error("the {message} has an unusable {name}")]
    Invalid {
        /// Which message.
        message: &'static str,
        /// Which member.
        name: &'static str,
    },
    /// The token type is not the requested one (S-64).
    #[error("the token is not a Bearer token")]
    TokenType,
    /// The response belongs to another request (S-58).
    #[error("the answer's client-request-id is not that of the request")]
    ForeignResponse,
    /// The metadata names another issuer than the expected one (S-40).
    #[error("the metadata names the issuer {found}, not {expected}")]
    IssuerMismatch {
        /// The expected issuer.
        expected: String,
        /// The issuer that the metadata names.
        found: String,
    },
    /// The authorization response has no state, or not that of this sign-in (S-03).
    #[error("the authorization response does not belong to this sign-in")]
    StateMismatch,
    /// The authorization response names another issuer, or none although the provider promises one (S-05).
    #[error("the authorization response comes from another issuer")]
    ResponseIssuer,
    /// The code of this sign-in has already been sent (S-04).
    #[error("this sign-in has already been redeemed; start a new sign-in")]
    AlreadyRedeemed,
    /// The ID token failed a check.
    #[error("the ID token is not acceptable: {0}")]
    IdToken(#[from] IdTokenFault),
    /// The tokens belong to another user (S-75, S-86).
    #[error("the tokens belong to another account than the requested one")]
    UserMismatch,
    /// A flow received an input that it did not request, or was continued after its end.
    #[error("the flow was driven out of order")]
    OutOfOrder,
}

/// The check that the ID token failed (S-71…S-76).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenFault {
    /// Not three base64url segments, of which the first two are JSON objects.
    #[error("it is not a JSON Web Token")]
    Shape,
    /// No `alg`, `alg: none`, or a `crit` header.
    #[error("its header is not acceptable")]
    Header,
    /// A required claim is missing or of the wrong type.
    #[error("the claim {0} is missing or unusable")]
    Claim(&'static str),
    /// `iss` is not the issuer of this authority.
    #[error("it comes from another issuer")]
    Issuer,
    /// `aud` or `azp` is not this client.
    #[error("it was issued to another client")]
    Audience,
    /// `nonce` is not the one sent.
    #[error("it does not belong to this sign-in")]
    Nonce,
    /// `at_hash` or `c_hash` does not match the access token or code that the ID token belongs to.
    #[error("its {0} does not match the access token or code")]
    Hash(&'static str),
    /// The provider publishes no key that matches the header.
    #[error("none of the provider's published keys matches its header")]
    Key,
    /// The signature was made by none of the matching keys.
    #[error("its signature is invalid")]
    Signature,
    /// `auth_time` is older than `max_age` allows.
    #[error("the user signed in at {auth_time}, which is before {since} (Unix seconds); a new sign-in is needed")]
    Age {
        /// When the user signed in.
        auth_time: Timestamp,
        /// The earliest acceptable time.
        since: Timestamp,
    },
    /// `exp`, `iat`, `nbf` or `auth_time` contradicts the local clock.
    #[error(
        "{claim} is {value}, but the local clock says {now} (Unix seconds): the clock of this machine is probably wrong"
    )]
    Clock {
        /// Which claim.
        claim: &'static str,
        /// Its value.
        value: Timestamp,
        /// The local time.
        now: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    // the message contains both times.
    #[test]
    fn a_clock_fault_shows_both_times() {
        let time = Timestamp::from_unix_seconds;
        let fault = IdTokenFault::Clock { claim: "iat", value: time(1_700_003_600), now: time(1_700_000_000) };
        assert_eq!(
            ProtocolError::from(fault).to_string(),
            "the ID token is not acceptable: iat is 1700003600, but the local clock says 1700000000 (Unix seconds): \
             the clock of this machine is probably wrong"
        );
    }
}
