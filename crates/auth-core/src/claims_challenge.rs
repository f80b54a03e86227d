//! Claims challenges, by which an API refuses a token and says what a new one must satisfy (S-70).

mod header;

use core::fmt;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, Uri};

use crate::base64url;
use crate::claims::Claims;
use header::Challenge;

/// The `error` of a claims challenge.
const INSUFFICIENT_CLAIMS: &str = "insufficient_claims";
/// The maximum length of a header line.
const MAX: usize = 16 * 1024;

/// A claims challenge: the reason why an API refused a token with status 401, such as a missing second factor or a
/// revocation (continuous access evaluation). Pass its claims to the next token request.
///
/// ```
/// use auth_core::ClaimsChallenge;
/// use http::HeaderMap;
/// use http::header::WWW_AUTHENTICATE;
///
/// let mut headers = HeaderMap::new();
/// let line = r#"Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#;
/// headers.insert(WWW_AUTHENTICATE, line.parse()?);
/// let challenge = ClaimsChallenge::from_headers(&headers).unwrap();
/// assert_eq!(challenge.claims.as_str(), r#"{"access_token":{}}"#);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimsChallenge {
    /// The claims that the next token must satisfy.
    pub claims: Claims,
    /// The `error` of the challenge: `insufficient_claims`.
    pub error: String,
    /// Where the API says its users sign in. Nobody has verified this: compare it with what you know, and do not follow
    /// it.
    pub authorization_uri: Option<Uri>,
}

impl ClaimsChallenge {
    /// Returns the first challenge with scheme `Bearer` or `PoP`, `error="insufficient_claims"` and `claims` that are a
    /// JSON object, as plain text or in base64 of either alphabet. `None` means that the API refused the token for
    /// another reason.
    ///
    /// The grammar of RFC 9110 §11.6.1 is enforced: a header line that violates it or is longer than 16 KiB is ignored,
    /// as is a challenge with a repeated parameter.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter(|line| line.len() <= MAX)
            .filter_map(|line| header::parse(line.as_bytes()))
            .flatten()
            .find_map(|challenge| Self::of(&challenge))
    }

    fn of(challenge: &Challenge) -> Option<Self> {
        let is_ours = challenge.is("Bearer") || challenge.is("PoP");
        let error = challenge.parameter("error").filter(|error| is_ours && *error == INSUFFICIENT_CLAIMS)?;
        Some(Self {
            claims: read_claims(challenge.parameter("claims")?)?,
            error: error.to_owned(),
            authorization_uri: challenge.parameter("authorization_uri").and_then(|uri| uri.parse().ok()),
        })
    }
}

/// Omits the claims, which may name people, and the URI, which may contain anything.
impl fmt::Debug for ClaimsChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimsChallenge").field("error", &self.error).finish_non_exhaustive()
    }
}

fn read_claims(text: &str) -> Option<Claims> {
    if text.trim_start().starts_with('{') {
        return Claims::parse(text).ok();
    }
    let decoded = base64url::decode_either(text)?;
    Claims::parse(str::from_utf8(&decoded).ok()?).ok()
}

#[cfg(test)]
mod tests;
