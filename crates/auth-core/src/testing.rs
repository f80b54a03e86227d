//! Shared by the tests of several modules.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::authority::Authority;
use crate::authority::metadata::ProviderMetadata;
use crate::base64url;
use crate::body::Body;
use crate::client::{Application, ClientId, RequestContext};
use crate::correlation::CorrelationId;
use crate::error::Error;
use crate::scopes::Scopes;
use crate::time::Timestamp;

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
pub(crate) const CLIENT: &str = "my-client-id";
pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const CORRELATION: &str = "a1b2c3d4-0000-4000-8000-000000000000";

pub(crate) fn context() -> RequestContext {
    let application = Application::new(ClientId::new(CLIENT).unwrap());
    RequestContext::new(application, CorrelationId::parse(CORRELATION).unwrap())
}

/// Like [`context`], for a client with a capability.
pub(crate) fn capable_context() -> RequestContext {
    let application = Application::new(ClientId::new(CLIENT).unwrap()).with_capabilities(["cp1"]).unwrap();
    RequestContext::new(application, CorrelationId::parse(CORRELATION).unwrap())
}

/// The `claims` that this client sends if the caller requests `{"id_token":{}}`.
pub(crate) const CAPABLE_CLAIMS: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}},"id_token":{}}"#;

pub(crate) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

/// A valid metadata document of [`ISSUER`].
pub(crate) fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://idp.example/token",
    })
}

/// The metadata of [`ISSUER`] with some members of its document set.
pub(crate) fn metadata(changes: &[(&str, Value)]) -> ProviderMetadata {
    let document = with(document(), changes);
    let issuer = Authority::oidc(ISSUER).unwrap().issuer();
    ProviderMetadata::from_document(document.as_object().unwrap(), issuer, true).unwrap()
}

/// The claims of a valid ID token of [`ISSUER`] for [`CLIENT`].
pub(crate) fn id_claims() -> Value {
    let now = NOW.as_unix_seconds();
    json!({"iss": ISSUER, "sub": "ada", "aud": CLIENT, "exp": now + 300, "iat": now})
}

/// A token with these claims and a made-up signature.
pub(crate) fn jwt(claims: &Value) -> String {
    let segment = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}.c2ln", segment(&json!({"alg": "RS256"})), segment(claims))
}

pub(crate) fn client_info(uid: &str, utid: &str) -> String {
    base64url::encode(json!({"uid": uid, "utid": utid}).to_string().as_bytes())
}

/// A valid token response.
pub(crate) fn tokens() -> Value {
    json!({"token_type": "Bearer", "access_token": "at", "expires_in": 3600})
}

/// `value` with some members set, or removed if the new value is null.
pub(crate) fn with(mut value: Value, changes: &[(&str, Value)]) -> Value {
    for (name, change) in changes {
        let members = value.as_object_mut().unwrap();
        if change.is_null() {
            members.remove(*name);
        } else {
            members.insert((*name).to_owned(), change.clone());
        }
    }
    value
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

pub(crate) fn json_response(status: u16, body: &Value) -> Response<Bytes> {
    response(status, &[("content-type", "application/json")], &body.to_string())
}

/// The fields of a form; a duplicate fails the test.
pub(crate) fn fields(request: &Request<Body>) -> BTreeMap<String, String> {
    pairs(request.body().as_bytes())
}

/// The parameters of a query or a form; a duplicate fails the test.
pub(crate) fn pairs(encoded: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(encoded) {
        assert!(fields.insert(name.to_string(), value.into_owned()).is_none(), "{name} twice");
    }
    fields
}

/// A short description of an error, for tables.
pub(crate) fn kind(error: &Error) -> String {
    match error {
        Error::UiRequired(ui) => format!("ui {}", ui.code()),
        Error::Server(server) => format!("server {}", server.error),
        Error::Throttled(throttled) => format!("throttled {}", throttled.server.error),
        Error::Transport(_) => "transport".to_owned(),
        Error::Config(error) => format!("config: {error}"),
        Error::Protocol(error) => format!("protocol: {error}"),
    }
}

/// A generator that always fails.
pub(crate) struct BrokenRng;

impl rand_core::TryRng for BrokenRng {
    type Error = core::fmt::Error;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(core::fmt::Error)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(core::fmt::Error)
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(core::fmt::Error)
    }
}

impl rand_core::TryCryptoRng for BrokenRng {}
