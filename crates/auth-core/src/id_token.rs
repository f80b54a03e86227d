//! ID tokens (OpenID Connect Core §2) and their checks (S-71…S-75).
//!
//! ID tokens come from the token endpoint over TLS, so their signature need not be checked (Core §3.1.3.7, S-76). An
//! application that passes them on can check it with a [`JwkSet`](crate::JwkSet). Everything else is checked. Do not
//! base authorization on `email`, `upn` or `preferred_username`: other tenants choose them freely.

mod hash;

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use crate::authority::issuer::Issuer;
use crate::base64url;
use crate::client::RequestContext;
use crate::error::IdTokenFault;
use crate::json;
use crate::object::{Found, Object};
use crate::pkce::Nonce;
use crate::secret::Secret;
use crate::time::Timestamp;

/// An ID token and its claims; the signature is not verified. Clones share both.
///
/// ```
/// use auth_core::{IdToken, Secret};
///
/// let raw = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1IiwicHJlZmVycmVkX3VzZXJuYW1lIjoiYWRhQGNvbnRvc28uZXhhbXBsZSJ9.c2ln";
/// let id_token = IdToken::parse(&Secret::new(raw.to_owned()))?;
/// assert_eq!(id_token.text("sub"), Some("u"));
/// assert_eq!(id_token.username(), Some("ada@contoso.example"));
/// # Ok::<(), auth_core::IdTokenFault>(())
/// ```
#[derive(Clone)]
pub struct IdToken {
    raw: Secret,
    claims: Arc<Claims>,
}

struct Claims {
    object: Object,
    /// All claims, built on first use.
    map: OnceLock<Map<String, Value>>,
}

impl IdToken {
    /// Parses the token without checking its claims. The signature is not decoded.
    ///
    /// # Errors
    /// [`IdTokenFault::Shape`] if the text is not three base64url segments, of which the first two are JSON objects;
    /// [`IdTokenFault::Header`] if the header has no `alg`, `alg: none` or a `crit` (S-71).
    pub fn parse(raw: &Secret) -> Result<Self, IdTokenFault> {
        // A fourth segment makes the signature invalid, because base64url has no dots.
        let (header, rest) = raw.expose().split_once('.').ok_or(IdTokenFault::Shape)?;
        let (payload, signature) = rest.split_once('.').ok_or(IdTokenFault::Shape)?;
        let decoded = |segment| base64url::decode(segment).ok_or(IdTokenFault::Shape);
        let (header, payload) = (decoded(header)?, decoded(payload)?);
        let header = json::parse_members(&header).ok_or(IdTokenFault::Shape)?;
        let claims = Object::parse(payload).ok_or(IdTokenFault::Shape)?;
        if !base64url::is_base64url(signature) {
            return Err(IdTokenFault::Shape);
        }
        let alg = header.text("alg").unwrap_or_default();
        if alg.is_empty() || alg.eq_ignore_ascii_case("none") || header.get("crit").is_some() {
            return Err(IdTokenFault::Header);
        }
        let claims = Claims { object: claims, map: OnceLock::new() };
        Ok(Self { raw: raw.clone(), claims: Arc::new(claims) })
    }

    /// Returns the token as received.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.raw
    }

    /// Returns the JOSE header, which names the algorithm and the key of the signature (RFC 7515 §4).
    #[must_use]
    pub fn header(&self) -> Map<String, Value> {
        let header = self.raw.expose().split('.').next().and_then(base64url::decode);
        header.and_then(|header| json::parse_object(&header)).unwrap_or_default()
    }

    /// Returns the signed text (the JWS Signing Input of RFC 7515 §2).
    #[must_use]
    pub fn signing_input(&self) -> &str {
        self.raw.expose().rsplit_once('.').map_or("", |(input, _)| input)
    }

    /// Returns the signature; `None` if it is not base64url.
    #[must_use]
    pub fn signature(&self) -> Option<Vec<u8>> {
        base64url::decode(self.raw.expose().rsplit_once('.')?.1)
    }

    /// Returns all claims; the signature is not verified.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        self.claims.map.get_or_init(|| self.claims.object.to_map())
    }

    fn claim(&self, name: &str) -> Option<Found<'_>> {
        self.claims.object.get(name)
    }

    /// Returns a claim that is a non-empty string; the signature is not verified.
    #[must_use]
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.object.text(claim).filter(|text| !text.is_empty())
    }

    /// Returns the username from the first claim that contains one, in MSAL's order with additions.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        let first_email = || match self.claim("emails")? {
            Found::Other(emails) => emails.as_array()?.first()?.as_str().filter(|text| !text.is_empty()),
            Found::Text(_) => None,
        };
        ["preferred_username", "upn", "email"]
            .into_iter()
            .find_map(|claim| self.text(claim))
            .or_else(first_email)
            .or_else(|| self.text("unique_name"))
            .or_else(|| self.text("name"))
    }

    /// Returns the account's id in the token's tenant: `oid`, otherwise `sub`.
    #[must_use]
    pub fn local_account_id(&self) -> Option<&str> {
        self.text("oid").or_else(|| self.text("sub"))
    }

    pub(crate) fn verify(&self, expected: &Expected<'_>, now: Timestamp) -> Result<(), IdTokenFault> {
        let iss = self.text("iss").ok_or(IdTokenFault::Claim("iss"))?;
        if !expected.issuer.accepts(iss, self.text("tid")) {
            return Err(IdTokenFault::Issuer);
        }
        self.text("sub").ok_or(IdTokenFault::Claim("sub"))?;
        self.verify_audience(expected.client_id)?;
        self.verify_times(expected.clock_skew, now)?;
        self.verify_age(expected, now)?;
        match (expected.nonce, self.text("nonce")) {
            (None, _) => Ok(()),
            (Some(nonce), Some(claim)) if nonce.matches(claim) => Ok(()),
            (Some(_), _) => Err(IdTokenFault::Nonce),
        }
    }

    /// S-73: this client is the only audience, or one of several and the authorized party.
    fn verify_audience(&self, client_id: &str) -> Result<(), IdTokenFault> {
        let (named, alone) = match self.claim("aud") {
            Some(Found::Text(audience)) => (audience == client_id, true),
            Some(Found::Other(Value::Array(list))) if list.iter().all(Value::is_string) => {
                (list.iter().any(|audience| audience.as_str() == Some(client_id)), list.len() == 1)
            }
            Some(Found::Other(_)) | None => return Err(IdTokenFault::Claim("aud")),
        };
        let azp_fits = self.claim("azp").map_or(alone, |azp| azp == Found::Text(client_id));
        if named && azp_fits { Ok(()) } else { Err(IdTokenFault::Audience) }
    }

    /// S-74.
    fn verify_times(&self, skew: Duration, now: Timestamp) -> Result<(), IdTokenFault> {
        let exp = self.time("exp")?.ok_or(IdTokenFault::Claim("exp"))?;
        let iat = self.time("iat")?.ok_or(IdTokenFault::Claim("iat"))?;
        let nbf = self.time("nbf")?;
        let clock = |claim, value| Err(IdTokenFault::Clock { claim, value, now });
        if exp.saturating_add(skew) < now {
            return clock("exp", exp);
        }
        let latest = now.saturating_add(skew);
        if iat > latest {
            return clock("iat", iat);
        }
        match nbf {
            Some(nbf) if nbf > latest => clock("nbf", nbf),
            Some(_) | None => Ok(()),
        }
    }

    /// S-74, if `max_age` was sent: how old the session was when the sign-in began, however long the user took.
    fn verify_age(&self, expected: &Expected<'_>, now: Timestamp) -> Result<(), IdTokenFault> {
        let Some(since) = expected.authenticated_since else { return Ok(()) };
        let auth_time = self.time("auth_time")?.ok_or(IdTokenFault::Claim("auth_time"))?;
        if auth_time > now.saturating_add(expected.clock_skew) {
            return Err(IdTokenFault::Clock { claim: "auth_time", value: auth_time, now });
        }
        if auth_time.saturating_add(expected.clock_skew) < since {
            return Err(IdTokenFault::Age { auth_time, since });
        }
        Ok(())
    }

    /// Reads a NumericDate, without its fraction (RFC 7519 §2).
    fn time(&self, claim: &'static str) -> Result<Option<Timestamp>, IdTokenFault> {
        let value = match self.claim(claim) {
            None => return Ok(None),
            Some(Found::Text(_)) => return Err(IdTokenFault::Claim(claim)),
            Some(Found::Other(value)) => value,
        };
        match (value.as_u64(), value.as_f64()) {
            (Some(seconds), _) => Ok(Some(Timestamp::from_unix_seconds(seconds))),
            // Float casts saturate: no value can overflow.
            (None, Some(seconds)) if seconds >= 0.0 => Ok(Some(Timestamp::from_unix_seconds(seconds as u64))),
            _ => Err(IdTokenFault::Claim(claim)),
        }
    }

    /// Whether `other` names the same issuer, subject and audience (S-75).
    pub(crate) fn is_same_identity(&self, other: &Self) -> bool {
        ["iss", "sub", "aud", "azp"].iter().all(|claim| self.claim(claim) == other.claim(claim))
    }
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken([redacted])")
    }
}

/// What an ID token must contain.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) client_id: &'a str,
    /// `None` for a refresh (S-07).
    pub(crate) nonce: Option<&'a Nonce>,
    /// The redeemed code, if any.
    pub(crate) code: Option<&'a Secret>,
    /// The earliest acceptable time of the user's sign-in, if `max_age` was sent.
    pub(crate) authenticated_since: Option<Timestamp>,
    /// The tolerated clock skew (S-74).
    pub(crate) clock_skew: Duration,
}

impl<'a> Expected<'a> {
    /// What every ID token from this issuer must contain for the client of `context`.
    pub(crate) fn of(issuer: &'a Issuer, context: &'a RequestContext) -> Self {
        Self {
            issuer,
            client_id: context.client_id().as_str(),
            nonce: None,
            code: None,
            authenticated_since: None,
            clock_skew: context.application.clock_skew,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authority::issuer::Reach;
    use crate::testing::{NOW, context, jwt};

    fn token(claims: &Value) -> Secret {
        Secret::new(jwt(claims))
    }

    fn issuer() -> Issuer {
        Issuer::exact("https://idp.example".to_owned(), Reach::Public)
    }

    fn good() -> Value {
        json!({
            "iss": "https://idp.example", "sub": "s", "aud": "c",
            "exp": NOW.as_unix_seconds() + 300, "iat": NOW.as_unix_seconds(),
        })
    }

    fn verdict(claims: &Value) -> Result<(), IdTokenFault> {
        let (issuer, context) = (issuer(), context());
        let expected = Expected { client_id: "c", ..Expected::of(&issuer, &context) };
        IdToken::parse(&token(claims))?.verify(&expected, NOW)
    }

    #[test]
    fn each_claim_is_checked() {
        let now = NOW.as_unix_seconds();
        let clock =
            |claim, value| Err(IdTokenFault::Clock { claim, value: Timestamp::from_unix_seconds(value), now: NOW });
        for (claim, value, expected) in [
            ("extra", json!(1), Ok(())),
            ("iss", json!("https://evil.example"), Err(IdTokenFault::Issuer)),
            ("iss", json!("https://idp.example/"), Err(IdTokenFault::Issuer)),
            ("iss", json!(null), Err(IdTokenFault::Claim("iss"))),
            ("sub", json!(""), Err(IdTokenFault::Claim("sub"))),
            ("sub", json!(null), Err(IdTokenFault::Claim("sub"))),
            ("aud", json!("d"), Err(IdTokenFault::Audience)),
            ("aud", json!(["c"]), Ok(())),
            ("aud", json!(["c", "d"]), Err(IdTokenFault::Audience)),
            ("aud", json!([]), Err(IdTokenFault::Audience)),
            ("aud", json!(["c", 1]), Err(IdTokenFault::Claim("aud"))),
            ("aud", json!(null), Err(IdTokenFault::Claim("aud"))),
            ("azp", json!("c"), Ok(())),
            ("azp", json!("d"), Err(IdTokenFault::Audience)),
            ("azp", json!(1), Err(IdTokenFault::Audience)),
            ("exp", json!(now - 300), Ok(())),
            ("exp", json!(now - 301), clock("exp", now - 301)),
            ("exp", json!("x"), Err(IdTokenFault::Claim("exp"))),
            ("exp", json!(-1), Err(IdTokenFault::Claim("exp"))),
            ("exp", json!(1e300), Ok(())),
            ("iat", json!(now + 300), Ok(())),
            ("iat", json!(now as f64 + 0.5), Ok(())),
            ("iat", json!(now + 301), clock("iat", now + 301)),
            ("iat", json!(null), Err(IdTokenFault::Claim("iat"))),
            ("nbf", json!(now + 301), clock("nbf", now + 301)),
        ] {
            let mut claims = good();
            claims[claim] = value.clone();
            assert_eq!(verdict(&claims), expected, "{claim}: {value}");
        }
        for claim in ["iss", "sub", "aud", "exp", "iat"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(claim);
            assert_eq!(verdict(&claims), Err(IdTokenFault::Claim(claim)), "without {claim}");
        }
        let mut claims = good();
        claims["aud"] = json!(["c", "d"]);
        claims["azp"] = json!("c");
        assert_eq!(verdict(&claims), Ok(()));
    }

    #[test]
    fn the_nonce_is_compared_if_one_was_sent() {
        let nonce = Nonce::generate(&mut rand::rngs::SysRng).unwrap();
        let verify = |claims: &Value| {
            let (issuer, context) = (issuer(), context());
            let expected = Expected { client_id: "c", nonce: Some(&nonce), ..Expected::of(&issuer, &context) };
            IdToken::parse(&token(claims)).unwrap().verify(&expected, NOW)
        };
        let mut claims = good();
        assert_eq!(verify(&claims), Err(IdTokenFault::Nonce));
        claims["nonce"] = json!("other");
        assert_eq!(verify(&claims), Err(IdTokenFault::Nonce));
        claims["nonce"] = json!(nonce.expose());
        assert_eq!(verify(&claims), Ok(()));
    }

    #[test]
    fn a_signature_must_be_base64url_but_need_not_be_canonical() {
        let unsigned = token(&good()).expose().trim_end_matches("c2ln").to_owned();
        for (signature, accepted) in [
            ("", true),
            ("c2ln", true),
            ("_-9Z", true),
            // Not canonical: the last character has unused bits.
            ("c2l", true),
            ("c2m", true),
            ("c2", true),
            ("c", false),
            ("c2lnc", false),
            ("c2l=", false),
            ("c2l+", false),
            ("c2l/", false),
            ("c2 n", false),
            ("c2l\n", false),
            ("c2lé", false),
        ] {
            let read = IdToken::parse(&Secret::new(format!("{unsigned}{signature}")));
            assert_eq!(read.err(), (!accepted).then_some(IdTokenFault::Shape), "{signature:?}");
        }
        // The header and the payload must be canonical.
        for part in [0, 1] {
            let mut parts: Vec<_> = unsigned.split('.').map(str::to_owned).collect();
            parts[part].push_str("A=");
            assert_eq!(IdToken::parse(&Secret::new(parts.join("."))).err(), Some(IdTokenFault::Shape));
        }
    }

    #[test]
    fn malformed_tokens_and_unacceptable_headers_are_refused() {
        let segment = |value: Value| base64url::encode(value.to_string().as_bytes());
        let claims = segment(json!({}));
        for (raw, expected) in [
            (String::new(), IdTokenFault::Shape),
            ("a.b".to_owned(), IdTokenFault::Shape),
            (format!("{}.{claims}", segment(json!({"alg": "RS256"}))), IdTokenFault::Shape),
            (format!("{}.{claims}.c2ln.c2ln", segment(json!({"alg": "RS256"}))), IdTokenFault::Shape),
            (format!("{}.{claims}.c2l=", segment(json!({"alg": "RS256"}))), IdTokenFault::Shape),
            (format!("{}.{claims}.c2ln", segment(json!([]))), IdTokenFault::Shape),
            (format!("{}.{claims}.", segment(json!({"alg": "none"}))), IdTokenFault::Header),
            (format!("{}.{claims}.", segment(json!({"alg": "NONE"}))), IdTokenFault::Header),
            (format!("{}.{claims}.c2ln", segment(json!({}))), IdTokenFault::Header),
            (format!("{}.{claims}.c2ln", segment(json!({"alg": "RS256", "crit": []}))), IdTokenFault::Header),
        ] {
            assert_eq!(IdToken::parse(&Secret::new(raw.clone())).err(), Some(expected), "{raw}");
        }
    }

    #[test]
    fn usernames_are_taken_from_claims_in_msals_order() {
        for (claims, expected) in [
            (json!({"preferred_username": "p", "upn": "u", "email": "e"}), Some("p")),
            (json!({"preferred_username": "", "upn": "u", "email": "e"}), Some("u")),
            (json!({"email": "e", "emails": ["f"]}), Some("e")),
            (json!({"emails": ["f"], "unique_name": "n"}), Some("f")),
            (json!({"unique_name": "n", "name": "N"}), Some("n")),
            (json!({"name": "N"}), Some("N")),
            (json!({}), None),
        ] {
            assert_eq!(IdToken::parse(&token(&claims)).unwrap().username(), expected, "{claims}");
        }
    }
}
