//! The two requests of a sign-in on another device (RFC 8628 §3.1, §3.4).

use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};

use super::message::{self, Answer};
use super::{Exchange, Replay};
use crate::authority::metadata::{self, ProviderMetadata};
use crate::body::Body;
use crate::claims::Claims;
use crate::client::RequestContext;
use crate::error::{ConfigError, Error, ProtocolError, ServerError};
use crate::id_token::Expected;
use crate::json::Members;
use crate::scopes::Scopes;
use crate::secret::Secret;
use crate::text::stripped;
use crate::time::Timestamp;
use crate::token_response::{TokenResponse, is_token, seconds_in};
use crate::tokens::Tokens;

const MESSAGE: &str = "device authorization response";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// The polling interval if the server names none (RFC 8628 §3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
const MIN_INTERVAL: Duration = Duration::from_secs(1);
pub(crate) const MAX_INTERVAL: Duration = Duration::from_secs(60);

/// Requests a code that the user enters on another device (RFC 8628 §3.1). See [`DeviceSignIn`](crate::DeviceSignIn).
#[derive(Debug)]
pub struct DeviceAuthorization {
    context: RequestContext,
    metadata: ProviderMetadata,
    endpoint: Uri,
    scopes: Scopes,
    claims: Option<Claims>,
}

/// A code that the user enters in the browser of another device.
///
/// Show the address and the code together with the name of the application, because users who enter a code from
/// somebody else sign that person in. Do not copy either automatically.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCode {
    /// The code to enter, without control characters (S-69).
    pub user_code: String,
    /// Where to enter it: an https URL.
    pub verification_uri: Uri,
    /// The URL with the code in it, for a QR code, if the provider sends one.
    pub verification_uri_complete: Option<Uri>,
    /// The provider's instructions for the user, without control characters.
    pub message: Option<String>,
    /// When the code expires.
    pub expires_on: Timestamp,
    /// The interval at which the provider may be polled.
    pub interval: Duration,
    pub(crate) device_code: Secret,
}

impl DeviceAuthorization {
    /// Creates the exchange for `scopes`; those of OpenID Connect are added.
    ///
    /// # Errors
    /// [`ConfigError::NotOffered`] if the provider has no device authorization endpoint.
    pub fn new(context: RequestContext, metadata: ProviderMetadata, scopes: Scopes) -> Result<Self, ConfigError> {
        let endpoint = metadata.device_authorization_endpoint().cloned();
        let endpoint = endpoint.ok_or(ConfigError::NotOffered("sign-in with a device code"))?;
        Ok(Self { context, metadata, endpoint, scopes, claims: None })
    }

    /// Requests tokens that satisfy `claims`.
    #[must_use]
    pub fn with_claims(mut self, claims: Option<Claims>) -> Self {
        self.claims = claims;
        self
    }

    /// Asks whether the user is done.
    pub(crate) fn poll(&self, code: &Secret, begun: Timestamp) -> DevicePoll {
        DevicePoll {
            context: self.context.clone(),
            metadata: self.metadata.clone(),
            device_code: code.clone(),
            scopes: self.scopes.clone(),
            claims: self.claims.clone(),
            begun,
        }
    }

    pub(crate) fn context(&self) -> &RequestContext {
        &self.context
    }

    fn read(&self, members: &Members<'_>, now: Timestamp) -> Result<DeviceCode, ProtocolError> {
        let missing = |name| ProtocolError::Missing { message: MESSAGE, name };
        let invalid = |name| ProtocolError::Invalid { message: MESSAGE, name };
        let seconds = |name| seconds_in(members, name).map_err(|_| invalid(name));
        let address = |text: &str| metadata::endpoint(text, self.metadata.issuer.reach());

        let device_code = members.text("device_code").ok_or_else(|| missing("device_code"))?;
        let user_code = members.text("user_code").ok_or_else(|| missing("user_code"))?;
        let uri = members.text("verification_uri").or_else(|| members.text("verification_url"));
        let user_code = Some(stripped(user_code, 64)).filter(|code| !code.trim().is_empty());
        let life = seconds("expires_in")?.ok_or_else(|| missing("expires_in"))?.min(MAX_LIFETIME);
        let interval = seconds("interval")?.unwrap_or(DEFAULT_INTERVAL);
        Ok(DeviceCode {
            user_code: user_code.ok_or_else(|| invalid("user_code"))?,
            verification_uri: address(uri.ok_or_else(|| missing("verification_uri"))?)
                .ok_or_else(|| invalid("verification_uri"))?,
            verification_uri_complete: members.text("verification_uri_complete").and_then(address),
            message: members.text("message").map(|text| stripped(text, 1024)).filter(|text| !text.is_empty()),
            expires_on: now.saturating_add(life),
            interval: interval.clamp(MIN_INTERVAL, MAX_INTERVAL),
            device_code: Some(device_code)
                .filter(|code| is_token(code))
                .map(|code| Secret::new(code.to_owned()))
                .ok_or_else(|| invalid("device_code"))?,
        })
    }
}

impl Exchange for DeviceAuthorization {
    type Output = DeviceCode;

    const REPLAY: Replay = Replay::Once;

    fn request(&self) -> Request<Body> {
        let scope = message::scope_parameter(&self.scopes);
        let claims = self.context.claims_parameter(self.claims.as_ref());
        let fields = [
            ("client_id", self.context.client_id().as_str()),
            ("scope", &scope),
            ("claims", claims.as_deref().unwrap_or_default()),
        ];
        message::post_form(&self.context, &self.endpoint, &fields)
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<DeviceCode, Error> {
        match message::judge(&self.context, &response, MESSAGE, now)? {
            Answer::Success(members) => Ok(self.read(&members, now)?),
            Answer::Refusal(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("verification_uri", &self.verification_uri)
            .field("expires_on", &self.expires_on)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// Asks whether the user is done (RFC 8628 §3.4).
pub(crate) struct DevicePoll {
    context: RequestContext,
    metadata: ProviderMetadata,
    device_code: Secret,
    scopes: Scopes,
    claims: Option<Claims>,
    begun: Timestamp,
}

impl Exchange for DevicePoll {
    /// The tokens, or the server's error.
    type Output = Result<Tokens, ServerError>;

    // The next poll follows anyway.
    const REPLAY: Replay = Replay::Never;

    fn request(&self) -> Request<Body> {
        let scope = message::scope_parameter(&self.scopes);
        let claims = self.context.claims_parameter(self.claims.as_ref());
        let fields = [
            ("client_id", self.context.client_id().as_str()),
            ("grant_type", GRANT),
            ("device_code", self.device_code.expose()),
            ("scope", &scope),
            ("claims", claims.as_deref().unwrap_or_default()),
            ("client_info", self.metadata.client_info().unwrap_or_default()),
        ];
        message::post_form(&self.context, self.metadata.token_endpoint(), &fields)
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<Self::Output, Error> {
        let members = match message::judge(&self.context, &response, "token response", now)? {
            Answer::Success(members) => members,
            Answer::Refusal(error) => return Ok(Err(error)),
        };
        let expected = Expected::of(&self.metadata.issuer, &self.context);
        let response = TokenResponse::from_members(&members)?;
        Ok(Ok(Tokens::accept(response, &expected, &self.scopes, self.begun, now)?))
    }
}
