//! A sign-in under way (S-04).

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

/// Clocks of several servers may differ by so much.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// What must be remembered between the authorization request and its response.
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
    /// The URL to show to the user. It holds `state` and `nonce`: do not log it.
    #[must_use]
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// The state that the response must carry.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How the response must come.
    #[must_use]
    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// Where the response must come to.
    #[must_use]
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// When the sign-in began.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How long a user of a web application has, ten minutes: as long as a code may live (RFC 6749 §4.1.2). A session is
    /// kept for longer than an application waits at a loopback address, but not what could redeem a code.
    pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

    /// Whether the sign-in began longer ago than [`LIFETIME`](Self::LIFETIME), or at a time that is still to come.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.started_at.duration_until(now) > Self::LIFETIME || now.duration_until(self.started_at) > SKEW
    }

    /// The id of the call, which the redemption has too.
    #[must_use]
    pub fn correlation_id(&self) -> CorrelationId {
        self.context.correlation_id
    }

    /// Which claims the tokens must satisfy.
    #[must_use]
    pub const fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// What was known of the provider when the sign-in began.
    #[must_use]
    pub fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    /// The same, whose user may be at home in another cloud of Entra than that of `authority`, which was asked; see
    /// [`AuthorizationRequest::multi_cloud`](crate::AuthorizationRequest::multi_cloud).
    #[must_use]
    pub fn with_multi_cloud(self, authority: Authority) -> Self {
        Self { multi_cloud: Some(authority), ..self }
    }

    /// Whether this client began the sign-in, and at this authority.
    #[must_use]
    pub fn is_of(&self, client_id: &ClientId, authority: &Authority) -> bool {
        self.context.client_id() == client_id && self.metadata.issuer == authority.issuer()
    }

    /// The web origins that may post the response: those of the provider's names, and at Entra the sign-in host of personal
    /// Microsoft accounts and, [where it was requested](crate::AuthorizationRequest::multi_cloud), the hosts of every other
    /// cloud (S-18).
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

    /// The same, with its URL: `query` at the authorization endpoint, beside what stands there.
    pub(super) fn at(mut self, query: &str) -> Result<Self, ConfigError> {
        let endpoint = self.metadata.authorization_endpoint();
        let separator = if endpoint.query().is_some() { '&' } else { '?' };
        let url = format!("{endpoint}{separator}{query}");
        // Everything in it is percent-encoded: nothing but its length can be wrong.
        self.url = url.parse().map_err(|_| ConfigError::UrlTooLong)?;
        Ok(self)
    }

    /// Judges the response (state, then issuer, then error, then code) and goes on to the token endpoint that was known
    /// when the sign-in began, or, where the request allowed it, to that of the user's own cloud (S-06).
    ///
    /// This consumes the sign-in, so redeeming it twice does not compile (S-04):
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
    /// [`ProtocolError::Invalid`] for a response that must not be used, [`Error::Server`] when the user or the provider
    /// refused, [`Error::UiRequired`] when `prompt=none` was not enough or the user forgot the password (B2C).
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
            return ui.with_login_hint(self.login_hint.clone()).into();
        }
        error.into()
    }
}

/// The authority in the cloud that a response names, where it is another one. The browser brought the name, so it must be
/// compiled in (S-06).
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
