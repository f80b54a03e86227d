//! OpenID Connect Discovery 1.0 §4.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use serde_json::Value;

use super::message::{self, Answer};
use super::{Exchange, Replay};
use crate::authority::Authority;
use crate::authority::issuer::Issuer;
use crate::authority::metadata::ProviderMetadata;
use crate::body::Body;
use crate::client::RequestContext;
use crate::error::{ConfigError, Error, ProtocolError};
use crate::time::Timestamp;

const MESSAGE: &str = "provider metadata";
/// Longer tags are not sent back.
const MAX_ETAG: usize = 256;

/// Fetches the provider's OpenID configuration document, and validates it before anything in it is used. See
/// [`Exchange`] for an example.
#[derive(Debug)]
pub struct OpenIdConfiguration {
    context: RequestContext,
    url: Uri,
    issuer: Arc<Issuer>,
    client_info: bool,
    known: Option<(Provider, HeaderValue)>,
}

/// A provider with validated metadata.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provider {
    /// Its endpoints and capabilities.
    pub metadata: ProviderMetadata,
    /// The tenant's id, if the authority names an Entra tenant.
    pub tenant_id: Option<String>,
    etag: Option<HeaderValue>,
}

impl OpenIdConfiguration {
    /// Creates the exchange for `authority`.
    ///
    /// # Errors
    /// [`ConfigError::Authority`] if no URL can be built for it.
    pub fn new(context: RequestContext, authority: &Authority) -> Result<Self, ConfigError> {
        let url = authority.configuration_url().ok_or(ConfigError::Authority("no URL can be built from it"))?;
        let (issuer, client_info) = (authority.issuer(), authority.asks_client_info());
        Ok(Self { context, url, issuer, client_info, known: None })
    }

    /// If the server sent an `ETag` with the document of `known`, only asks whether it has changed; if not, `known` is
    /// the output (RFC 9110 §13.1.2). A provider with another issuer is ignored.
    #[must_use]
    pub fn revalidating(mut self, known: Option<Provider>) -> Self {
        self.known = known.filter(|known| known.metadata.issuer == self.issuer).and_then(|known| {
            let etag = known.etag.clone()?;
            Some((known, etag))
        });
        self
    }
}

impl Exchange for OpenIdConfiguration {
    type Output = Provider;

    const REPLAY: Replay = Replay::Once;

    fn request(&self) -> Request<Body> {
        let mut request = message::get(&self.context, &self.url);
        if let Some((_, etag)) = &self.known {
            request.headers_mut().insert(IF_NONE_MATCH, etag.clone());
        }
        request
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<Provider, Error> {
        if let (StatusCode::NOT_MODIFIED, Some((known, _))) = (response.status(), self.known) {
            message::verify_echo(&self.context, response.headers())?;
            return Ok(known);
        }
        let document = match message::judge(&self.context, &response, MESSAGE, now)? {
            Answer::Success(document) => document.into_map(),
            Answer::Refusal(error) => return Err(error.into()),
        };
        let found = document.get("issuer").and_then(Value::as_str);
        let found = found.ok_or(ProtocolError::Missing { message: MESSAGE, name: "issuer" })?;
        if !self.issuer.accepts_metadata(found) {
            let found = crate::text::stripped(found, 200);
            return Err(ProtocolError::IssuerMismatch { expected: self.issuer.describe(), found }.into());
        }
        let tenant_id = self.issuer.tenant_of(found).map(str::to_ascii_lowercase);
        let metadata = ProviderMetadata::from_document(&document, self.issuer, self.client_info)?;
        let etag = response.headers().get(ETAG).filter(|etag| etag.len() <= MAX_ETAG).cloned();
        Ok(Provider { metadata, tenant_id, etag })
    }
}
