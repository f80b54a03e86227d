//! A pending sign-in (S-04).

use core::fmt;
use core::time::Duration;

use http::Uri;

use super::origin::web_origin;
use super::{AuthorizationResponse, RedirectUri, ResponseMode, mailbox};
use crate::authority::Authority;
use crate::authority::metadata::ProviderMetadata;
use crate::claims::Claims;
use crate::client::{ClientId, RequestContext};
use crate::correlation::CorrelationId;
use crate::error::{ConfigError, Error, ProtocolError, ServerError, UiReason, UiRequired};
use crate::exchange::CodeRedemption;
use crate::pkce::{Nonce, PkceVerifier, State};
use crate::scopes::Scopes;
use crate::time::Timestamp;

/// Tolerated difference between the clocks of an application's servers.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// A sign-in that waits for its response; created by
/// [`AuthorizationRequest::begin`](crate::AuthorizationRequest::begin).
pub struct PendingAuthorization {
    pub(super) context: RequestContext,
    pub(super) metadata: ProviderMetadata,
    pub(super) redirect_uri: RedirectUri,
    pub(super) response_mode: ResponseMode,
    pub(super) state: State,
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceVerifier,
    pub(super) scopes: Scopes,
    pub(super) claims: Option<Claims>,
    pub(super) login_hint: Option<String>,
    pub(super) max_age: Option<Duration>,
    pub(super) multi_cloud: Option<Authority>,
    pub(super) started_at: Timestamp,
    pub(super) url: Uri,
}

impl PendingAuthorization {
    /// Returns the URL to open in the user's browser. It contains `state` and `nonce`: do not log it.
    #[must_use]
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// Returns the state that the response must contain.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns how the response will arrive.
    #[must_use]
    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// Returns the URI at which the response will arrive.
    #[must_use]
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// Returns when the sign-in began.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How long the user of a web application may take: ten minutes, the longest lifetime of a code (RFC 6749 §4.1.2).
    /// Sessions last longer, but should not keep anything that can redeem a code.
    pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

    /// Returns whether the sign-in began more than [`LIFETIME`](Self::LIFETIME) ago, or more than five minutes in the
    /// future.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.started_at.duration_until(now) > Self::LIFETIME || now.duration_until(self.started_at) > SKEW
    }

    /// Returns the correlation id, which the redemption uses too.
    #[must_use]
    pub fn correlation_id(&self) -> CorrelationId {
        self.context.correlation_id
    }

    /// Returns the claims that the tokens must satisfy.
    #[must_use]
    pub const fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// Returns the provider's metadata from when the sign-in began.
    #[must_use]
    pub fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    /// Also accepts users from other Entra clouds than that of `authority`, the authority of the request; see
    /// [`AuthorizationRequest::multi_cloud`](crate::AuthorizationRequest::multi_cloud).
    #[must_use]
    pub fn with_multi_cloud(self, authority: Authority) -> Self {
        Self { multi_cloud: Some(authority), ..self }
    }

    /// Returns whether this client began the sign-in at this authority.
    #[must_use]
    pub fn is_of(&self, client_id: &ClientId, authority: &Authority) -> bool {
        self.context.client_id() == client_id && self.metadata.issuer == authority.issuer()
    }

    /// Returns the web origins that may post the response: those of the provider's names, and for Entra the sign-in
    /// host of personal Microsoft accounts and, [if requested](crate::AuthorizationRequest::multi_cloud), the hosts of
    /// every other cloud (S-18).
    #[must_use]
    pub fn response_origins(&self) -> Vec<String> {
        let clouds = self.multi_cloud.iter().flat_map(Authority::in_every_cloud);
        let clouds = clouds.flat_map(|cloud| cloud.issuer().sign_in_origins());
        let mut origins = self.metadata.issuer.sign_in_origins();
        for origin in clouds.chain(web_origin(self.metadata.authorization_endpoint())) {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        origins
    }

    /// Sets the URL: `query` at the authorization endpoint, after any query the endpoint has.
    pub(super) fn at(mut self, query: &str) -> Result<Self, ConfigError> {
        let endpoint = self.metadata.authorization_endpoint();
        let separator = if endpoint.query().is_some() { '&' } else { '?' };
        let url = format!("{endpoint}{separator}{query}");
        // Everything is percent-encoded, so only the length can be wrong.
        self.url = url.parse().map_err(|_| ConfigError::UrlTooLong)?;
        Ok(self)
    }

    /// Checks the response (state, then issuer, then error, then code) and returns the redemption of its code. That
    /// goes to the token endpoint known when the sign-in began or, if the request allowed it, to that of the user's own
    /// cloud (S-06).
    ///
    /// The sign-in is consumed, so accepting a second response does not compile (S-04):
    ///
    /// ```compile_fail,E0382
    /// # use auth_core::{AuthorizationResponse, Error, PendingAuthorization, Timestamp};
    /// # fn example(pending: PendingAuthorization, now: Timestamp) -> Result<(), Error> {
    /// let redemption = pending.accept(AuthorizationResponse::parse(b"code=abc&state=xyz")?, now)?;
    /// let again = pending.accept(AuthorizationResponse::parse(b"code=def&state=xyz")?, now)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ProtocolError::StateMismatch`], [`ProtocolError::ResponseIssuer`], [`ProtocolError::Missing`] or
    /// [`ProtocolError::Invalid`] if the response must not be used; [`Error::Server`] if the user or the provider
    /// refused; [`Error::UiRequired`] if `prompt=none` was not enough, or if the user forgot the password (B2C).
    pub fn accept(self, response: AuthorizationResponse, now: Timestamp) -> Result<CodeRedemption, Error> {
        if !response.has_state(&self.state) {
            return Err(ProtocolError::StateMismatch.into());
        }
        match response.iss() {
            Some(iss) if self.metadata.issuer.accepts_parameter(iss) => {}
            None if !self.metadata.iss_parameter => {}
            Some(_) | None => return Err(ProtocolError::ResponseIssuer.into()),
        }
        let routed = self.metadata.routes_by_mailbox;
        let mailbox = routed.then(|| mailbox::header(response.client_info(), self.login_hint.as_deref())).flatten();
        let cloud_host = response.cloud_host().map(str::to_owned);
        let code = match response.into_code()? {
            Ok(code) => code,
            Err(error) => return Err(self.refused(*error)),
        };
        let cloud = match (&self.multi_cloud, cloud_host) {
            (Some(authority), Some(host)) => other_cloud(authority, &host)?,
            (None, _) | (_, None) => None,
        };
        let metadata = cloud.as_ref().and_then(Authority::metadata).unwrap_or(self.metadata);
        Ok(CodeRedemption {
            metadata,
            cloud,
            mailbox,
            authenticated_since: self.max_age.map(|max_age| self.started_at.saturating_sub(max_age)),
            context: self.context,
            code,
            redirect_uri: self.redirect_uri.as_str().to_owned(),
            verifier: self.verifier,
            nonce: self.nonce,
            scopes: self.scopes,
            claims: self.claims,
            requested_at: now,
        })
    }

    fn refused(&self, error: ServerError) -> Error {
        let needs_prompt = ["login_required", "interaction_required", "consent_required", "account_selection_required"];
        if needs_prompt.contains(&error.error.as_str()) {
            let mut ui = UiRequired::from_server(error, self.context.correlation_id);
            ui.reason = UiReason::NoPromptFailed;
            return ui.into();
        }
        if error.is_forgotten_password() {
            let mut ui = UiRequired::from_server(error, self.context.correlation_id);
            ui.reason = UiReason::PasswordForgotten;
            ui.login_hint.clone_from(&self.login_hint);
            return ui.into();
        }
        error.into()
    }
}

/// The authority in the cloud that a response names, if it is another one. The name came through the browser, so it
/// must be known at compile time (S-06).
fn other_cloud(authority: &Authority, host: &str) -> Result<Option<Authority>, ProtocolError> {
    let unknown = ProtocolError::Invalid { message: "authorization response", name: "cloud_instance_host_name" };
    let cloud = authority.in_cloud(&host.to_ascii_lowercase()).ok_or(unknown)?;
    Ok(Some(cloud).filter(|cloud| cloud != authority))
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization")
            .field("redirect_uri", &self.redirect_uri)
            .field("response_mode", &self.response_mode)
            .field("scopes", &self.scopes)
            .field("started_at", &self.started_at)
            .finish_non_exhaustive()
    }
}
