//! A sign-in under way (S-04).

use core::fmt;

use http::Uri;

use super::{AuthorizationResponse, RedirectUri, ResponseMode};
use crate::authority::metadata::ProviderMetadata;
use crate::claims::Claims;
use crate::client::RequestContext;
use crate::error::{Error, ProtocolError, ServerError, UiReason, UiRequired};
use crate::exchange::CodeRedemption;
use crate::pkce::{Nonce, PkceVerifier, State};
use crate::scopes::Scopes;
use crate::time::Timestamp;

/// What must be remembered between the authorization request and its response. Accepting a response consumes it, so
/// that redeeming twice does not compile.
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

    /// The web origins that may post the response: those of the provider's names, and the sign-in host of personal
    /// Microsoft accounts where the provider is Entra's (S-18).
    #[must_use]
    pub fn response_origins(&self) -> Vec<String> {
        let mut origins = self.metadata.issuer.sign_in_origins();
        let endpoint = self.metadata.authorization_endpoint();
        if let (Some(scheme), Some(authority)) = (endpoint.scheme_str(), endpoint.authority()) {
            // As browsers write it: without the port that the scheme implies.
            let authority = authority.as_str().to_ascii_lowercase();
            let default_port = if scheme == "https" { ":443" } else { ":80" };
            let own = format!("{scheme}://{}", authority.strip_suffix(default_port).unwrap_or(&authority));
            if !origins.contains(&own) {
                origins.push(own);
            }
        }
        origins
    }

    /// Judges the response (state, then issuer, then error, then code) and goes on to the token endpoint that was known
    /// when the sign-in began (S-06).
    ///
    /// # Errors
    /// [`ProtocolError::StateMismatch`], [`ProtocolError::ResponseIssuer`] or [`ProtocolError::Missing`] for a response
    /// that must not be used, [`Error::Server`] when the user or the provider refused, [`Error::UiRequired`] when
    /// `prompt=none` was not enough.
    pub fn accept(self, response: AuthorizationResponse, now: Timestamp) -> Result<CodeRedemption, Error> {
        if !response.has_state(&self.state) {
            return Err(ProtocolError::StateMismatch.into());
        }
        match response.iss() {
            Some(iss) if self.metadata.issuer.accepts_parameter(iss) => {}
            None if !self.metadata.iss_parameter => {}
            Some(_) | None => return Err(ProtocolError::ResponseIssuer.into()),
        }
        let code = match response.into_code()? {
            Ok(code) => code,
            Err(error) => return Err(self.refused(*error)),
        };
        Ok(CodeRedemption {
            metadata: self.metadata,
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
            ui.reason = UiReason::PromptNeverFailed;
            return ui.into();
        }
        error.into()
    }
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
