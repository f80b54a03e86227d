//! Selects the published keys that may have signed an ID token (S-76).

use serde_json::{Map, Value};

use crate::id_token::IdToken;

/// A provider's published keys (RFC 7517), as received.
///
/// This crate contains no cryptography to check signatures: [`keys_for`](Self::keys_for) selects the keys to try, and
/// [`IdToken::signing_input`] and [`IdToken::signature`] are what to check. The facade's feature `jwks` does that.
///
/// ```
/// # use auth_core::{IdToken, JwkSet, Secret};
/// # let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ"; // {"alg":"RS256","kid":"1"}
/// let id_token = IdToken::parse(&Secret::new(format!("{header}.e30.c2ln")))?;
/// let key = |kid: &str| serde_json::json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": "…", "e": "AQAB" });
/// let keys = JwkSet::new(vec![key("0"), key("1")]);
/// assert_eq!(keys.keys_for(&id_token).map(|key| &key["kid"]).collect::<Vec<_>>(), ["1"]);
/// # Ok::<(), auth_core::IdTokenFault>(())
/// ```
#[derive(Clone, Debug)]
pub struct JwkSet(Vec<Value>);

impl JwkSet {
    /// Creates a set from the elements of a JWK Set's `keys`. Elements that are not keys are ignored.
    #[must_use]
    pub const fn new(keys: Vec<Value>) -> Self {
        Self(keys)
    }

    /// Returns the keys that may have signed this token: public signature keys whose type matches the algorithm in its
    /// header, and whose `kid` matches if the header has one. If Entra restricts a key to an issuer, it matches only
    /// tokens of that issuer.
    ///
    /// No key matches an unknown algorithm or one with a shared secret.
    pub fn keys_for<'a>(&'a self, id_token: &'a IdToken) -> impl Iterator<Item = &'a Map<String, Value>> {
        let header = id_token.header();
        self.0.iter().filter_map(Value::as_object).filter(move |key| may_have_signed(key, &header, id_token))
    }
}

fn may_have_signed(key: &Map<String, Value>, header: &Map<String, Value>, id_token: &IdToken) -> bool {
    let member = |name| key.get(name).and_then(Value::as_str);
    let absent_or = |name, value: &str| key.get(name).is_none_or(|found| found.as_str() == Some(value));
    let Some(algorithm) = header.get("alg").and_then(Value::as_str) else { return false };
    let kind = match algorithm {
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => "RSA",
        "ES256" | "ES384" | "ES512" => "EC",
        "EdDSA" | "Ed25519" => "OKP",
        _ => return false,
    };
    let kid_fits = header.get("kid").is_none_or(|kid| key.get("kid") == Some(kid));
    let issuer_fits = member("issuer").is_none_or(|issuer| {
        let tenant = id_token.text("tid").unwrap_or_default();
        id_token.text("iss").is_some_and(|iss| issuer.replace("{tenantid}", tenant) == iss)
    });
    member("kty") == Some(kind) && absent_or("use", "sig") && absent_or("alg", algorithm) && kid_fits && issuer_fits
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base64url;
    use crate::secret::Secret;

    #[test]
    fn keys_match_by_type_use_algorithm_kid_and_issuer() {
        let segment = |value: &Value| base64url::encode(value.to_string().as_bytes());
        let claims = json!({"iss": "https://login.example/t1/v2.0", "tid": "t1"});
        let rs256 = json!({"alg": "RS256", "kid": "k"});
        let template = "https://login.example/{tenantid}/v2.0";
        for (header, key, fits) in [
            (&rs256, json!({"kty": "RSA", "kid": "k"}), true),
            (&rs256, json!({"kty": "RSA", "kid": "k", "use": "sig", "alg": "RS256"}), true),
            (&rs256, json!({"kty": "RSA", "kid": "k", "use": "enc"}), false),
            (&rs256, json!({"kty": "RSA", "kid": "k", "alg": "RS384"}), false),
            (&rs256, json!({"kty": "RSA", "kid": "K"}), false),
            (&rs256, json!({"kty": "RSA"}), false),
            (&rs256, json!({"kty": "EC", "kid": "k"}), false),
            (&rs256, json!({"kid": "k"}), false),
            (&rs256, json!("k"), false),
            (&json!({"alg": "RS256"}), json!({"kty": "RSA", "kid": "any"}), true),
            (&json!({"alg": "ES256"}), json!({"kty": "EC"}), true),
            (&json!({"alg": "EdDSA"}), json!({"kty": "OKP"}), true),
            // A public key must not be used as a shared secret.
            (&json!({"alg": "HS256"}), json!({"kty": "RSA"}), false),
            (&json!({"alg": "HS256"}), json!({"kty": "oct"}), false),
            (&json!({"alg": "rs256"}), json!({"kty": "RSA"}), false),
            (&rs256, json!({"kty": "RSA", "kid": "k", "issuer": template}), true),
            (&rs256, json!({"kty": "RSA", "kid": "k", "issuer": "https://login.example/t1/v2.0"}), true),
            (&rs256, json!({"kty": "RSA", "kid": "k", "issuer": "https://login.example/t2/v2.0"}), false),
        ] {
            let token = IdToken::parse(&Secret::new(format!("{}.{}.c2ln", segment(header), segment(&claims)))).unwrap();
            assert_eq!(JwkSet::new(vec![key.clone()]).keys_for(&token).count(), usize::from(fits), "{header} {key}");
        }
    }
}
