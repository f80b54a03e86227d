//! Redemption of an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5).

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderValue, Request, Response};

use super::message::{self, Answer};
use super::{Exchange, Replay};
use crate::authority::Authority;
use crate::authority::metadata::ProviderMetadata;
use crate::body::Body;
use crate::claims::Claims;
use crate::client::RequestContext;
use crate::error::{Error, ServerError};
use crate::id_token::Expected;
use crate::pkce::{Nonce, PkceVerifier};
use crate::scopes::Scopes;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token_response::TokenResponse;
use crate::tokens::Tokens;

/// Exchanges the code of an accepted authorization response for tokens; created by
/// [`PendingAuthorization::accept`](crate::PendingAuthorization::accept), which consumes the sign-in, so that a code is
/// redeemed once.
#[derive(Debug)]
pub struct CodeRedemption {
    pub(crate) context: RequestContext,
    pub(crate) metadata: ProviderMetadata,
    pub(crate) code: Secret,
    pub(crate) redirect_uri: String,
    pub(crate) verifier: PkceVerifier,
    pub(crate) nonce: Nonce,
    pub(crate) scopes: Scopes,
    pub(crate) claims: Option<Claims>,
    /// Where the account is kept (S-46: a hint that does not choose the host).
    pub(crate) mailbox: Option<HeaderValue>,
    /// The earliest acceptable time of the user's sign-in.
    pub(crate) authenticated_since: Option<Timestamp>,
    pub(crate) cloud: Option<Authority>,
    pub(crate) requested_at: Timestamp,
}

impl Exchange for CodeRedemption {
    type Output = Tokens;

    const REPLAY: Replay = Replay::Never;

    fn request(&self) -> Request<Body> {
        let scope = message::scope_parameter(&self.scopes);
        let claims = self.context.claims_parameter(self.claims.as_ref());
        let fields = [
            ("client_id", self.context.client_id().as_str()),
            ("grant_type", "authorization_code"),
            ("code", self.code.expose()),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.secret().expose()),
            ("scope", &scope),
            ("claims", claims.as_deref().unwrap_or_default()),
            ("client_info", self.metadata.client_info().unwrap_or_default()),
        ];
        let mut request = message::post_form(&self.context, self.metadata.token_endpoint(), &fields);
        if let Some(mailbox) = &self.mailbox {
            request.headers_mut().insert(HeaderName::from_static("x-anchormailbox"), mailbox.clone());
        }
        request
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<Tokens, Error> {
        let members = match message::judge(&self.context, &response, "token response", now)? {
            Answer::Success(members) => members,
            Answer::Refusal(error) => return Err(self.refused(error)),
        };
        let expected = Expected {
            nonce: Some(&self.nonce),
            code: Some(&self.code),
            authenticated_since: self.authenticated_since,
            ..Expected::of(&self.metadata.issuer, &self.context)
        };
        let response = TokenResponse::from_members(&members)?;
        Ok(Tokens::accept(response, &expected, &self.scopes, self.requested_at, now)?)
    }
}

impl CodeRedemption {
    /// Returns the authority in the user's own cloud if it is not that of the request: the code goes there, and the
    /// tokens belong there.
    #[must_use]
    pub fn other_cloud(&self) -> Option<&Authority> {
        self.cloud.as_ref()
    }

    /// Returns the metadata of the provider that redeems the code.
    #[must_use]
    pub fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    /// A refused code is no reason to ask the user again, unless the server says what is missing.
    fn refused(&self, error: ServerError) -> Error {
        let asks_user =
            error.error == "interaction_required" || (error.error == "invalid_grant" && error.claims.is_some());
        message::refusal(error, asks_user, &self.context)
    }
}
