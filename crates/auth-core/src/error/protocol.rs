//! How the other side can break the protocol.

use crate::time::Timestamp;

/// A message that must not be used; nothing of it was cached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A redirect came where none may be followed (S-49).
    #[error("unexpected redirect ({status}) to {host}; a proxy or a captive portal may be in the way")]
    UnexpectedRedirect {
        /// HTTP status.
        status: u16,
        /// The host in the `Location` header, or `?`.
        host: String,
    },
    /// The response is not what its kind should be (S-65).
    #[error(
        "the answer is not JSON (status {status}, content type {content_type}); a proxy or a captive portal may be in the way"
    )]
    NotJson {
        /// HTTP status.
        status: u16,
        /// The content type, or `none`.
        content_type: String,
    },
    /// The JSON breaks the rules for protocol messages (S-60).
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
    /// A member has a value that it must not have.
    #[error("the {message} has an unusable {name}")]
    Invalid {
        /// Which message.
        message: &'static str,
        /// Which member.
        name: &'static str,
    },
    /// The token type is not the one that was asked for (S-64).
    #[error("the token is not a Bearer token")]
    TokenType,
    /// The response belongs to another request (S-58).
    #[error("the answer carries another client-request-id than the request")]
    ForeignResponse,
    /// The metadata names another issuer than the one asked (S-40).
    #[error("the metadata names the issuer {found}, not {expected}")]
    IssuerMismatch {
        /// The issuer that was asked.
        expected: String,
        /// The issuer that the metadata names.
        found: String,
    },
    /// The authorization response has no state, several, or a foreign one (S-03).
    #[error("the authorization response does not belong to this sign-in")]
    StateMismatch,
    /// The authorization response names another issuer, or none where it must (S-05).
    #[error("the authorization response comes from another issuer")]
    ResponseIssuer,
    /// The code of this sign-in was sent before (S-04).
    #[error("this sign-in was redeemed before; it counts once")]
    AlreadyRedeemed,
    /// The id_token fails a check.
    #[error("the id_token is not acceptable: {0}")]
    IdToken(#[from] IdTokenFault),
    /// The tokens are another user's (S-75, S-86).
    #[error("the tokens belong to another account than the one asked for")]
    UserMismatch,
    /// A flow was given an input that it did not ask for.
    #[error("the flow was driven out of order")]
    OutOfOrder,
}

/// Which check the id_token failed (S-71…S-76).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenFault {
    /// Not three base64url segments with JSON objects.
    #[error("it is not a JSON Web Token")]
    Shape,
    /// No `alg`, `alg: none`, or a `crit` header.
    #[error("its header is not acceptable")]
    Header,
    /// A required claim is missing or of the wrong type.
    #[error("the claim {0} is missing or unusable")]
    Claim(&'static str),
    /// `iss` is not this authority.
    #[error("it comes from another issuer")]
    Issuer,
    /// `aud` or `azp` is not this client.
    #[error("it was issued to another client")]
    Audience,
    /// `nonce` is not the one sent.
    #[error("it does not belong to this sign-in")]
    Nonce,
    /// `at_hash` or `c_hash` is not that of the access token or code it came with.
    #[error("its {0} does not fit what it came with")]
    Hash(&'static str),
    /// The provider publishes no key that could have signed it.
    #[error("none of the provider's published keys fits its header")]
    Key,
    /// None of the keys that fit has signed it.
    #[error("its signature is wrong")]
    Signature,
    /// `auth_time` is older than `max_age` allows.
    #[error("the user signed in at {auth_time}, but must have done so since {since} (Unix seconds)")]
    Age {
        /// When the user signed in.
        auth_time: Timestamp,
        /// Since when that must have been.
        since: Timestamp,
    },
    /// `exp`, `iat`, `nbf` or `auth_time` does not fit the local clock.
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

    // with both times, as this is what people will look for.
    #[test]
    fn a_wrong_clock_is_named() {
        let time = Timestamp::from_unix_seconds;
        let fault = IdTokenFault::Clock { claim: "iat", value: time(1_700_003_600), now: time(1_700_000_000) };
        assert_eq!(
            ProtocolError::from(fault).to_string(),
            "the id_token is not acceptable: iat is 1700003600, but the local clock says 1700000000 (Unix seconds): \
             the clock of this machine is probably wrong"
        );
    }
}
