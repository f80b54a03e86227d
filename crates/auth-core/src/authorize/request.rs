//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).

use core::fmt;
use core::str::FromStr;

use rand_core::TryCryptoRng;

use super::{PendingAuthorization, RedirectUri, ResponseMode};
use crate::authority::metadata::ProviderMetadata;
use crate::claims::Claims;
use crate::client::RequestContext;
use crate::error::ConfigError;
use crate::exchange::encode_query;
use crate::pkce::{Nonce, PkceVerifier, State};
use crate::scopes::Scopes;
use crate::time::Timestamp;

/// How the provider should treat the user (`prompt`).
///
/// ```
/// use auth_core::Prompt;
///
/// assert_eq!("select_account".parse(), Ok(Prompt::SelectAccount));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// Let the user choose an account.
    SelectAccount,
    /// Ask for credentials even if a session exists.
    Login,
    /// Ask for consent even if it was given.
    Consent,
    /// Offer to create an account.
    Create,
    /// Show nothing: succeed at once or refuse.
    None,
}

impl Prompt {
    /// The value of the parameter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SelectAccount => "select_account",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::Create => "create",
            Self::None => "none",
        }
    }
}

impl FromStr for Prompt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::SelectAccount, Self::Login, Self::Consent, Self::Create, Self::None]
            .into_iter()
            .find(|prompt| prompt.as_str() == text)
            .ok_or("the prompt must be select_account, login, consent, create or none")
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a sign-in is to ask for.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// Who asks.
    pub context: RequestContext,
    /// Where.
    pub metadata: ProviderMetadata,
    /// Where the user is sent back to.
    pub redirect_uri: RedirectUri,
    /// For which scopes; `openid`, `profile` and `offline_access` are added.
    pub scopes: Scopes,
    /// How the response should come; by default as a form post where the provider is known to have it, else in the query
    /// (S-08).
    pub response_mode: Option<ResponseMode>,
    /// How the user should be treated; by default as the provider likes.
    pub prompt: Option<Prompt>,
    /// Who will probably sign in.
    pub login_hint: Option<String>,
    /// Which claims the tokens must satisfy.
    pub claims: Option<Claims>,
}

impl AuthorizationRequest {
    /// A request for `scopes`.
    #[must_use]
    pub fn new(context: RequestContext, metadata: ProviderMetadata, redirect_uri: RedirectUri, scopes: Scopes) -> Self {
        Self {
            context,
            metadata,
            redirect_uri,
            scopes,
            response_mode: None,
            prompt: None,
            login_hint: None,
            claims: None,
        }
    }

    /// Draws the random values and begins the sign-in.
    ///
    /// # Errors
    /// [`ConfigError::Randomness`] when the generator fails, [`ConfigError::PkceUnsupported`] when the provider offers
    /// no `S256`, [`ConfigError::NotSendable`] when the URL becomes too long.
    ///
    /// ```
    /// use auth_core::{Application, Authority, AuthorizationRequest, ClientId, CorrelationId, RedirectUri, RequestContext, Scopes, Timestamp};
    ///
    /// let rng = &mut rand::rngs::SysRng;
    /// let application = Application::new(ClientId::new("my-client-id")?);
    /// let request = AuthorizationRequest::new(
    ///     RequestContext::new(application, CorrelationId::generate(rng)?),
    ///     Authority::tenant("common")?.metadata().unwrap(),
    ///     RedirectUri::parse("http://localhost:8400")?,
    ///     Scopes::parse("User.Read")?,
    /// );
    /// let pending = request.begin(rng, Timestamp::from_unix_seconds(1_700_000_000))?;
    /// assert!(pending.url().query().unwrap().contains("code_challenge_method=S256"));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn begin(self, rng: &mut impl TryCryptoRng, now: Timestamp) -> Result<PendingAuthorization, ConfigError> {
        self.metadata.require_pkce()?;
        let (state, nonce, verifier) = (State::generate(rng)?, Nonce::generate(rng)?, PkceVerifier::generate(rng)?);
        let usual = if self.metadata.form_post { ResponseMode::FormPost } else { ResponseMode::Query };
        let response_mode = self.response_mode.unwrap_or(usual);
        let (scope, challenge) = (self.scopes.with_oidc().to_string(), verifier.challenge());
        let correlation_id = self.context.correlation_id.to_string();
        let claims = self.context.claims_parameter(self.claims.as_ref());
        let mut parameters = vec![
            ("client_id", self.context.client_id().as_str()),
            ("response_type", "code"),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("response_mode", response_mode.as_str()),
            ("scope", &scope),
            ("state", state.expose()),
            ("nonce", nonce.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("client-request-id", &correlation_id),
        ];
        let optional = [
            ("prompt", self.prompt.map(Prompt::as_str)),
            ("login_hint", self.login_hint.as_deref()),
            ("claims", claims.as_deref()),
            ("client_info", self.metadata.client_info()),
        ];
        parameters.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let extra = self.context.extra_query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let query = encode_query(parameters.into_iter().chain(extra));
        let endpoint = self.metadata.authorization_endpoint();
        let separator = if endpoint.query().is_some() { '&' } else { '?' };
        let url = format!("{endpoint}{separator}{query}");
        let url = url.parse().map_err(|_| ConfigError::NotSendable("the authorization URL"))?;
        Ok(PendingAuthorization {
            context: self.context,
            metadata: self.metadata,
            redirect_uri: self.redirect_uri,
            response_mode,
            state,
            nonce,
            verifier,
            scopes: self.scopes,
            claims: self.claims,
            started_at: now,
            url,
        })
    }
}

/// Without the claims and the login hint, which may name people.
impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("context", &self.context)
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .field("prompt", &self.prompt)
            .finish_non_exhaustive()
    }
}
