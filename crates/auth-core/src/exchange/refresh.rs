//! The redemption of a refresh token (RFC 6749 §6).

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

use super::message::{self, Answer};
use super::{Exchange, Replay};
use crate::account_id::AccountId;
use crate::authority::metadata::ProviderMetadata;
use crate::body::Body;
use crate::claims::Claims;
use crate::client::RequestContext;
use crate::error::{Error, ProtocolError, ServerError};
use crate::id_token::{Expected, IdToken};
use crate::scopes::Scopes;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token_response::TokenResponse;
use crate::tokens::Tokens;

/// What the tokens of a [`SilentRedemption`](crate::SilentRedemption) are requested for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedemptionRequest {
    /// The application and the correlation id.
    pub context: RequestContext,
    /// The provider.
    pub metadata: ProviderMetadata,
    /// Set by [`new`](Self::new), so that no silent redemption accepts tokens of just anyone.
    pub(crate) account: Option<AccountId>,
    /// The requested scopes.
    pub scopes: Scopes,
    /// The claims that the tokens must satisfy.
    pub claims: Option<Claims>,
    /// The client's stored ID tokens, with which a new one must agree; see [`RefreshRedemption::expecting`].
    pub id_tokens: Vec<IdToken>,
}

impl RedemptionRequest {
    /// Creates a request for `scopes`; only tokens of `account` are accepted.
    #[must_use]
    pub fn new(context: RequestContext, metadata: ProviderMetadata, account: AccountId, scopes: Scopes) -> Self {
        Self { context, metadata, account: Some(account), scopes, claims: None, id_tokens: Vec::new() }
    }
}

/// Exchanges a refresh token for new tokens of the same account.
///
/// ```
/// use auth_core::{
///     AccountId, Application, Authority, ClientId, CorrelationId, Exchange, RefreshRedemption, RequestContext, Scopes,
///     Secret, Timestamp,
/// };
///
/// let context = RequestContext::new(
///     Application::new(ClientId::new("my-client-id")?),
///     CorrelationId::generate(&mut rand::rngs::SysRng)?,
/// );
/// let metadata = Authority::tenant("common")?.metadata().unwrap();
/// let refresh_token = Secret::new("1.AX4A".to_owned());
/// let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let refresh = RefreshRedemption::new(context, metadata, refresh_token, Scopes::parse("User.Read")?, now)
///     .expecting(AccountId::new("u.t"), Vec::new());
/// assert_eq!(refresh.request().method(), "POST");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
pub struct RefreshRedemption {
    request: Arc<RedemptionRequest>,
    refresh_token: Secret,
    requested_at: Timestamp,
}

impl RefreshRedemption {
    /// Creates the redemption at the token endpoint of `metadata`; `now` is the time of the request.
    #[must_use]
    pub fn new(
        context: RequestContext,
        metadata: ProviderMetadata,
        refresh_token: Secret,
        scopes: Scopes,
        now: Timestamp,
    ) -> Self {
        let request =
            RedemptionRequest { context, metadata, account: None, scopes, claims: None, id_tokens: Vec::new() };
        Self::of(Arc::new(request), refresh_token, now)
    }

    /// One of the redemptions of a request.
    pub(crate) fn of(request: Arc<RedemptionRequest>, refresh_token: Secret, now: Timestamp) -> Self {
        Self { request, refresh_token, requested_at: now }
    }

    /// Accepts only tokens of this account, and only an ID token with the same identity as the stored ones of this
    /// client and tenant (S-75). If the authority names its tenant by a domain, `stored_id_tokens` may contain those of
    /// other tenants, which are ignored.
    #[must_use]
    pub fn expecting(mut self, account: AccountId, stored_id_tokens: Vec<IdToken>) -> Self {
        let request = Arc::make_mut(&mut self.request);
        (request.account, request.id_tokens) = (Some(account), stored_id_tokens);
        self
    }

    /// Requests tokens that satisfy `claims`.
    #[must_use]
    pub fn with_claims(mut self, claims: Option<Claims>) -> Self {
        Arc::make_mut(&mut self.request).claims = claims;
        self
    }

    fn refused(&self, error: ServerError) -> Error {
        // A family token of another client, or a device policy: signing in does not fix these.
        let hopeless = error.has_suberror("client_mismatch") || error.has_suberror("protection_policy_required");
        let asks_user = match error.error.as_str() {
            "invalid_grant" => !hopeless,
            "interaction_required" | "login_required" | "consent_required" => true,
            _ => false,
        };
        message::refusal(error, asks_user, &self.request.context)
    }

    fn verify_account(&self, tokens: &Tokens) -> Result<(), ProtocolError> {
        let RedemptionRequest { account, id_tokens, metadata, .. } = &*self.request;
        // An answer that identifies no one is taken to be about the expected account.
        let other_account = account.as_ref().and_then(|account| tokens.are_of(account)) == Some(false);
        let other_token = tokens.id_token.as_ref().is_some_and(|new| {
            let counts = |stored: &&IdToken| metadata.issuer.is_same_tenant(iss(stored), iss(new));
            id_tokens.iter().filter(counts).any(|stored| !stored.is_same_identity(new))
        });
        if other_account || other_token { Err(ProtocolError::UserMismatch) } else { Ok(()) }
    }
}

fn iss(token: &IdToken) -> &str {
    token.text("iss").unwrap_or_default()
}

impl Exchange for RefreshRedemption {
    type Output = Tokens;

    const REPLAY: Replay = Replay::Once;

    fn request(&self) -> Request<Body> {
        let RedemptionRequest { context, metadata, scopes, claims, .. } = &*self.request;
        let (scope, claims) = (message::scope_parameter(scopes), context.claims_parameter(claims.as_ref()));
        let fields = [
            ("client_id", context.client_id().as_str()),
            ("grant_type", "refresh_token"),
            ("refresh_token", self.refresh_token.expose()),
            ("scope", &scope),
            ("claims", claims.as_deref().unwrap_or_default()),
            ("client_info", metadata.client_info().unwrap_or_default()),
        ];
        message::post_form(context, metadata.token_endpoint(), &fields)
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<Tokens, Error> {
        let RedemptionRequest { context, metadata, scopes, .. } = &*self.request;
        let members = match message::judge(context, &response, "token response", now)? {
            Answer::Success(members) => members,
            Answer::Refusal(error) => return Err(self.refused(error)),
        };
        let expected = Expected::of(&metadata.issuer, context);
        let response = TokenResponse::from_members(&members)?;
        let tokens = Tokens::accept(response, &expected, scopes, self.requested_at, now)?;
        self.verify_account(&tokens)?;
        Ok(tokens)
    }
}
