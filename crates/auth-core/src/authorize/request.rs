//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).

use core::fmt;
use core::time::Duration;

use rand_core::TryCryptoRng;

use super::{PendingAuthorization, Prompt, PushedAuthorization, RedirectUri, ResponseMode};
use crate::authority::Authority;
use crate::authority::metadata::ProviderMetadata;
use crate::claims::Claims;
use crate::client::RequestContext;
use crate::error::ConfigError;
use crate::exchange::encode_query;
use crate::pkce::{Nonce, PkceVerifier, State};
use crate::scopes::Scopes;
use crate::time::Timestamp;

/// An authorization request: the parameters of a sign-in. See [`begin`](Self::begin).
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The application and the correlation id.
    pub context: RequestContext,
    /// The provider.
    pub metadata: ProviderMetadata,
    /// Where the provider redirects the user afterwards.
    pub redirect_uri: RedirectUri,
    /// The requested scopes; `openid`, `profile` and `offline_access` are added.
    pub scopes: Scopes,
    /// How the response should arrive. By default as a form post if the provider is known to support it, otherwise in
    /// the query (S-08).
    pub response_mode: Option<ResponseMode>,
    /// What the provider should ask the user; by default the provider decides.
    pub prompt: Option<Prompt>,
    /// The name of the user who will probably sign in.
    pub login_hint: Option<String>,
    /// The user's domain, so that a federated user goes straight to the home provider (Entra's `domain_hint`).
    pub domain_hint: Option<String>,
    /// The claims that the tokens must satisfy.
    pub claims: Option<Claims>,
    /// Scopes to which the user is asked to consent in addition to `scopes`, so that later calls need no consent. No
    /// token is requested for them. MSAL's `extraScopesToConsent`.
    pub extra_scopes_to_consent: Option<Scopes>,
    /// How long ago the user may have signed in, in whole seconds; an older session is not enough. The ID token must
    /// then contain the time of the sign-in (`auth_time`). Entra includes it only if the application requests that
    /// claim.
    pub max_age: Option<Duration>,
    /// The requested kinds of authentication: a space-separated list, in order of preference.
    pub acr_values: Option<String>,
    /// The languages of the pages (RFC 5646): a space-separated list, in order of preference.
    pub ui_locales: Option<String>,
    /// The authority of the request, if its users may be from other Entra clouds: the code is then redeemed in the
    /// user's own cloud, if that is known at compile time (S-06). MSAL's multi-cloud support.
    pub multi_cloud: Option<Authority>,
}

impl AuthorizationRequest {
    /// Creates a request for `scopes`.
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
            domain_hint: None,
            claims: None,
            extra_scopes_to_consent: None,
            max_age: None,
            acr_values: None,
            ui_locales: None,
            multi_cloud: None,
        }
    }

    /// Generates the random values and begins the sign-in.
    ///
    /// # Errors
    /// [`ConfigError::PushRequired`] if the provider accepts requests only by [`push`](Self::push),
    /// [`ConfigError::UrlTooLong`] if the URL is longer than 64 KiB, [`ConfigError::PkceUnsupported`] if the provider
    /// does not support `S256`, [`ConfigError::ConsentScope`] if the client id is among the scopes to consent to,
    /// [`ConfigError::DuplicateParameter`] if the provider's own endpoint already has one of the parameters, and
    /// [`ConfigError::Randomness`] if the generator fails.
    ///
    /// ```
    /// use auth_core::{
    ///     Application, Authority, AuthorizationRequest, ClientId, CorrelationId, RedirectUri, RequestContext, Scopes,
    ///     Timestamp,
    /// };
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
        if self.metadata.push_required {
            return Err(ConfigError::PushRequired);
        }
        let (pending, query) = self.prepare(rng, now)?;
        pending.at(&query)
    }

    /// Like [`begin`](Self::begin), but pushes the request to the provider first, so that the URL only refers to it
    /// (RFC 9126). It can then be of any length, and the browser can neither read nor change it.
    ///
    /// # Errors
    /// [`ConfigError::NotOffered`] if the provider has no endpoint for it; otherwise those of [`begin`](Self::begin).
    pub fn push(self, rng: &mut impl TryCryptoRng, now: Timestamp) -> Result<PushedAuthorization, ConfigError> {
        let endpoint = self.metadata.pushed_authorization_request_endpoint().cloned();
        let endpoint = endpoint.ok_or(ConfigError::NotOffered("pushed authorization requests"))?;
        let (pending, form) = self.prepare(rng, now)?;
        Ok(PushedAuthorization::new(pending, endpoint, form))
    }

    /// The sign-in, still without its URL, and the encoded parameters for the query or the form.
    fn prepare(
        self,
        rng: &mut impl TryCryptoRng,
        now: Timestamp,
    ) -> Result<(PendingAuthorization, String), ConfigError> {
        self.metadata.require_pkce()?;
        let (state, nonce, verifier) = (State::generate(rng)?, Nonce::generate(rng)?, PkceVerifier::generate(rng)?);
        let default = if self.metadata.form_post { ResponseMode::FormPost } else { ResponseMode::Query };
        let response_mode = self.response_mode.unwrap_or(default);
        let (scope, challenge) = (self.scope_parameter()?, verifier.challenge());
        let correlation_id = self.context.correlation_id.to_string();
        let claims = self.context.claims_parameter(self.claims.as_ref());
        let max_age = self.max_age.map(|max_age| max_age.as_secs().to_string());
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
            ("domain_hint", self.domain_hint.as_deref()),
            ("claims", claims.as_deref()),
            ("max_age", max_age.as_deref()),
            ("acr_values", self.acr_values.as_deref()),
            ("ui_locales", self.ui_locales.as_deref()),
            ("client_info", self.metadata.client_info()),
            ("instance_aware", self.multi_cloud.as_ref().map(|_| "true")),
        ];
        parameters.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        parameters.extend(self.context.extra_query.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let own = self.metadata.authorization_endpoint();
        if let Some(name) = first_duplicate(own.query().unwrap_or_default(), &parameters) {
            return Err(ConfigError::DuplicateParameter { name });
        }
        let encoded = encode_query(parameters.into_iter());
        let pending = PendingAuthorization {
            url: own.clone(),
            context: self.context,
            metadata: self.metadata,
            redirect_uri: self.redirect_uri,
            response_mode,
            state,
            nonce,
            verifier,
            scopes: self.scopes,
            claims: self.claims,
            login_hint: self.login_hint,
            max_age: self.max_age,
            multi_cloud: self.multi_cloud,
            started_at: now,
        };
        Ok((pending, encoded))
    }

    fn scope_parameter(&self) -> Result<String, ConfigError> {
        let Some(extra) = &self.extra_scopes_to_consent else { return Ok(self.scopes.with_oidc().to_string()) };
        // The client id stands for the application itself, to which no one can consent.
        if extra.contains(self.context.client_id().as_str()) {
            return Err(ConfigError::ConsentScope);
        }
        let all = Scopes::parse(&format!("{} {}", self.scopes.as_str(), extra.as_str()))?;
        Ok(all.with_oidc().to_string())
    }
}

/// The first parameter of `query` that is also in `parameters` (RFC 6749 §3.1).
fn first_duplicate(query: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let known = |name: &str| parameters.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned()).find(|name| known(name))
}

/// Omits the claims, the hints and the other options, which may name people.
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
