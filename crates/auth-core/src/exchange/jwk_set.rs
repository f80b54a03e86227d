//! The keys that a provider publishes (RFC 7517 §5, OpenID Connect Core §10.1).

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

/// Fetches the keys that the provider signs with.
#[derive(Debug)]
pub struct JwkSetRequest {
    context: RequestContext,
    uri: Uri,
}

impl JwkSetRequest {
    /// The exchange for the provider's `jwks_uri`.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] when the provider publishes no keys.
    pub fn new(context: RequestContext, metadata: &ProviderMetadata) -> Result<Self, ConfigError> {
        let uri = metadata.jwks_uri().ok_or(ConfigError::Authority("its provider publishes no keys"))?;
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
