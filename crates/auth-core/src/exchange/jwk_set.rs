//! A provider's published keys (RFC 7517 §5, OpenID Connect Core §10.1).

use bytes::Bytes;
use http::{Request, Response, Uri};
use serde_json::Value;

use super::message::{self, Answer};
use super::{Exchange, Replay};
use crate::authority::metadata::ProviderMetadata;
use crate::body::Body;
use crate::client::RequestContext;
use crate::error::{ConfigError, Error, ProtocolError};
use crate::jwk_set::JwkSet;
use crate::time::Timestamp;

const MESSAGE: &str = "JWK Set";

/// Fetches the provider's signing keys.
#[derive(Debug)]
pub struct JwkSetRequest {
    context: RequestContext,
    uri: Uri,
}

impl JwkSetRequest {
    /// Creates the exchange for the provider's `jwks_uri`.
    ///
    /// # Errors
    /// [`ConfigError::NotOffered`] if the provider publishes no keys.
    pub fn new(context: RequestContext, metadata: &ProviderMetadata) -> Result<Self, ConfigError> {
        let uri = metadata.jwks_uri().ok_or(ConfigError::NotOffered("keys for checking signatures"))?;
        Ok(Self { context, uri: uri.clone() })
    }
}

impl Exchange for JwkSetRequest {
    type Output = JwkSet;

    const REPLAY: Replay = Replay::Once;

    fn request(&self) -> Request<Body> {
        message::get(&self.context, &self.uri)
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<JwkSet, Error> {
        let mut document = match message::judge(&self.context, &response, MESSAGE, now)? {
            Answer::Success(document) => document.into_map(),
            Answer::Refusal(error) => return Err(error.into()),
        };
        match document.remove("keys") {
            Some(Value::Array(keys)) => Ok(JwkSet::new(keys)),
            Some(_) | None => Err(ProtocolError::Missing { message: MESSAGE, name: "keys" }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{NOW, context, json_response, metadata};

    #[test]
    fn keys_are_fetched_from_the_providers_jwks_uri() {
        let at = |uri: &str| JwkSetRequest::new(context(), &metadata(&[("jwks_uri", json!(uri))]));
        let request = at("https://keys.example/jwks").unwrap();
        assert_eq!(request.request().uri(), "https://keys.example/jwks");
        // The metadata can still be used for tokens.
        for uri in ["http://keys.example/jwks", "https://10.0.0.1/jwks", ""] {
            assert!(matches!(at(uri), Err(ConfigError::NotOffered(_))), "{uri}");
        }
        assert!(matches!(JwkSetRequest::new(context(), &metadata(&[])), Err(ConfigError::NotOffered(_))));
    }

    #[test]
    fn a_document_without_keys_is_refused() {
        for (body, accepted) in [
            (json!({"keys": []}), true),
            (json!({"keys": [7, {"kty": "RSA"}]}), true),
            (json!({"keys": {}}), false),
            (json!({}), false),
        ] {
            let request =
                JwkSetRequest::new(context(), &metadata(&[("jwks_uri", json!("https://k.example/"))])).unwrap();
            assert_eq!(request.complete(json_response(200, &body), NOW).is_ok(), accepted, "{body}");
        }
    }
}
