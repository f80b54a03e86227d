//! Saves a pending sign-in as JSON, for web applications that keep it in a session (S-04).

use core::time::Duration;

use http::Uri;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{PendingAuthorization, RedirectUri, ResponseMode};
use crate::authority::Authority;
use crate::authority::metadata::ProviderMetadata;
use crate::claims::Claims;
use crate::client::{Application, RequestContext};
use crate::correlation::CorrelationId;
use crate::error::ProtocolError;
use crate::json;
use crate::pkce::{Nonce, PkceVerifier, State};
use crate::scopes::Scopes;
use crate::secret::Secret;
use crate::time::Timestamp;

const MESSAGE: &str = "pending authorization";
/// Increment when the meaning of a member changes.
const VERSION: u64 = 1;

/// The saved members, named as in RFC 8414 and in the requests.
#[derive(Serialize)]
struct Kept<'a> {
    version: u64,
    client_id: &'a str,
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: &'a str,
    authorization_response_iss_parameter_supported: bool,
    redirect_uri: &'a str,
    response_mode: &'static str,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
    state: &'a str,
    nonce: &'a str,
    code_verifier: &'a str,
    correlation_id: String,
    extra_query: &'a [(String, String)],
    started_at: u64,
    url: String,
}

impl PendingAuthorization {
    /// Returns the sign-in as JSON, for the session of a web application. It contains the verifier, the nonce and the
    /// state, which are secrets: keep it on the server. Anyone who can read it and sees the response can redeem the
    /// code.
    ///
    /// Use it once: remove it from the session before redeeming its code, so that a second response finds nothing.
    ///
    /// ```
    /// use auth_core::{
    ///     Application, Authority, AuthorizationRequest, ClientId, CorrelationId, PendingAuthorization, RedirectUri,
    ///     RequestContext, Scopes, Timestamp,
    /// };
    ///
    /// let rng = &mut rand::rngs::SysRng;
    /// let (application, authority) = (Application::new(ClientId::new("my-client-id")?), Authority::tenant("common")?);
    /// let pending = AuthorizationRequest::new(
    ///     RequestContext::new(application.clone(), CorrelationId::generate(rng)?),
    ///     authority.metadata().unwrap(),
    ///     RedirectUri::parse("https://app.example/signed-in")?,
    ///     Scopes::parse("User.Read")?,
    /// )
    /// .begin(rng, Timestamp::from_unix_seconds(1_700_000_000))?;
    ///
    /// let kept = pending.to_json();
    /// let resumed = PendingAuthorization::from_json(&kept, application, &authority)?;
    /// assert_eq!(resumed.url(), pending.url());
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> Secret {
        // Destructured, so that adding a field forces a decision whether to save it.
        let Self {
            context,
            metadata,
            redirect_uri,
            response_mode,
            state,
            nonce,
            verifier,
            scopes,
            claims,
            login_hint,
            max_age,
            // Chosen by the application, not by the text.
            multi_cloud: _,
            started_at,
            url,
        } = self;
        let kept = Kept {
            version: VERSION,
            client_id: context.client_id().as_str(),
            issuer: metadata.issuer.describe(),
            authorization_endpoint: metadata.authorization_endpoint().to_string(),
            token_endpoint: metadata.token_endpoint_text(),
            authorization_response_iss_parameter_supported: metadata.iss_parameter,
            redirect_uri: redirect_uri.as_str(),
            response_mode: response_mode.as_str(),
            scope: scopes.to_string(),
            claims: claims.as_ref().map(Claims::as_str),
            login_hint: login_hint.as_deref(),
            max_age: max_age.map(|max_age| max_age.as_secs()),
            state: state.expose(),
            nonce: nonce.expose(),
            code_verifier: verifier.secret().expose(),
            correlation_id: context.correlation_id.to_string(),
            extra_query: &context.extra_query,
            started_at: started_at.as_unix_seconds(),
            url: url.to_string(),
        };
        // The size is computed first, so that the text never moves and leaves a copy behind.
        let mut size = Count(0);
        let counted = serde_json::to_writer(&mut size, &kept);
        let mut text = Vec::with_capacity(size.0);
        // Writing strings, numbers and lists to memory cannot fail.
        counted.and_then(|()| serde_json::to_writer(&mut text, &kept)).unwrap_or_default();
        Secret::new(String::from_utf8(text).unwrap_or_default())
    }

    /// Restores a sign-in saved by [`to_json`](Self::to_json), for the same application and authority. An Entra
    /// authority that needs instance discovery must already have its names, and the tenant must be the requested one.
    /// Sends no request.
    ///
    /// Users from other Entra clouds are accepted only after [`with_multi_cloud`](Self::with_multi_cloud).
    ///
    /// The text is not trusted, only `application` and `authority` are: a code can only go where the authority would
    /// have sent it. If the endpoints are known only from discovery, those in the text are used, and must be ones that
    /// the authority may have (S-42).
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`], [`ProtocolError::Missing`] or [`ProtocolError::Invalid`] if `json` is not a saved
    /// sign-in, or belongs to another client or authority.
    pub fn from_json(json: &Secret, application: Application, authority: &Authority) -> Result<Self, ProtocolError> {
        let members = json::parse_object(json.expose().as_bytes()).ok_or(ProtocolError::Malformed(MESSAGE))?;
        let mut members = Members(members);
        // First, so that no copy of them remains if the rest is invalid.
        let (state, nonce) = (members.take("state")?, members.take("nonce")?);
        let verifier = members.take("code_verifier")?;
        if members.number("version")? != VERSION {
            return Err(invalid("version"));
        }
        if members.text("client_id")? != application.client_id().as_str() {
            return Err(invalid("client_id"));
        }
        let metadata = members.metadata(authority)?;
        let correlation_id = CorrelationId::parse(members.text("correlation_id")?);
        let correlation_id = correlation_id.map_err(|_| invalid("correlation_id"))?;
        let context = RequestContext::new(application, correlation_id);
        let context = context.with_extra_query(members.extra_query()?).map_err(|_| invalid("extra_query"))?;
        let claims = members.has("claims").then(|| members.text("claims")).transpose()?;
        let claims = claims.map(Claims::parse).transpose().map_err(|_| invalid("claims"))?;
        let login_hint = members.has("login_hint").then(|| members.text("login_hint")).transpose()?;
        let max_age = members.has("max_age").then(|| members.number("max_age")).transpose()?;
        Ok(Self {
            redirect_uri: RedirectUri::parse(members.text("redirect_uri")?).map_err(|_| invalid("redirect_uri"))?,
            response_mode: members.response_mode()?,
            scopes: Scopes::parse(members.text("scope")?).map_err(|_| invalid("scope"))?,
            started_at: Timestamp::from_unix_seconds(members.number("started_at")?),
            url: members.url(&metadata)?,
            state: State::kept(state).ok_or(invalid("state"))?,
            nonce: Nonce::kept(nonce).ok_or(invalid("nonce"))?,
            verifier: PkceVerifier::kept(verifier).ok_or(invalid("code_verifier"))?,
            login_hint: login_hint.map(str::to_owned),
            max_age: max_age.map(Duration::from_secs),
            multi_cloud: None,
            claims,
            context,
            metadata,
        })
    }
}

/// Counts the bytes written.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const fn invalid(name: &'static str) -> ProtocolError {
    ProtocolError::Invalid { message: MESSAGE, name }
}

/// The members of an untrusted text.
struct Members(Map<String, Value>);

impl Members {
    fn get(&self, name: &'static str) -> Result<&Value, ProtocolError> {
        self.0.get(name).ok_or(ProtocolError::Missing { message: MESSAGE, name })
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn text(&self, name: &'static str) -> Result<&str, ProtocolError> {
        self.get(name)?.as_str().ok_or_else(|| invalid(name))
    }

    fn number(&self, name: &'static str) -> Result<u64, ProtocolError> {
        self.get(name)?.as_u64().ok_or_else(|| invalid(name))
    }

    /// Removes a secret, leaving no copy.
    fn take(&mut self, name: &'static str) -> Result<Secret, ProtocolError> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Ok(Secret::new(text)),
            Some(_) => Err(invalid(name)),
            None => Err(ProtocolError::Missing { message: MESSAGE, name }),
        }
    }

    /// The provider's metadata from when the sign-in began (S-06).
    fn metadata(&self, authority: &Authority) -> Result<ProviderMetadata, ProtocolError> {
        let issuer = authority.issuer();
        if !issuer.is_described(self.text("issuer")?) {
            return Err(invalid("issuer"));
        }
        // A missing member must not make the provider appear to promise less.
        let promise = "authorization_response_iss_parameter_supported";
        self.get(promise)?.as_bool().ok_or_else(|| invalid(promise))?;
        for name in ["authorization_endpoint", "token_endpoint"] {
            self.text(name)?;
        }
        let captured = ProviderMetadata::from_document(&self.0, issuer, authority.asks_client_info());
        let captured = captured
            .map_err(|error| if let ProtocolError::Invalid { name, .. } = error { invalid(name) } else { error })?;
        match authority.metadata() {
            Some(known) if known.token_endpoint() != captured.token_endpoint() => Err(invalid("token_endpoint")),
            Some(known) if known.authorization_endpoint() != captured.authorization_endpoint() => {
                Err(invalid("authorization_endpoint"))
            }
            Some(known) => Ok(known),
            None => Ok(captured),
        }
    }

    fn response_mode(&self) -> Result<ResponseMode, ProtocolError> {
        let text = self.text("response_mode")?;
        let mut modes = [ResponseMode::FormPost, ResponseMode::Query].into_iter();
        modes.find(|mode| mode.as_str() == text).ok_or(invalid("response_mode"))
    }

    fn extra_query(&self) -> Result<Vec<(String, String)>, ProtocolError> {
        let name = "extra_query";
        let list = self.get(name)?;
        let pair = |value: &Value| match value.as_array()?.as_slice() {
            [Value::String(name), Value::String(value)] => Some((name.clone(), value.clone())),
            _ => None,
        };
        list.as_array().and_then(|list| list.iter().map(pair).collect()).ok_or_else(|| invalid(name))
    }

    /// The URL. It must lead to the provider, because an application may send the user there again.
    fn url(&self, metadata: &ProviderMetadata) -> Result<Uri, ProtocolError> {
        let (text, endpoint) = (self.text("url")?, metadata.authorization_endpoint().to_string());
        let query = text.strip_prefix(endpoint.as_str()).filter(|query| query.starts_with(['?', '&']));
        query.and_then(|_| text.parse().ok()).ok_or(invalid("url"))
    }
}

#[cfg(test)]
mod tests;
