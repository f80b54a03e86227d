//! [`AuthResult`]: the result of a successful call.

use core::fmt;
use std::sync::{Arc, LazyLock};

use auth_cache::{CachedToken, RefreshReason, StorageError};
use auth_core::{Account, Authority, CorrelationId, IdToken, Scopes, Secret, Timestamp, Tokens};

use crate::timing::Durations;

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// The cache, without a token request.
    Cache,
    /// The identity provider.
    IdentityProvider,
    /// The [broker](crate::Broker), whether from its own cache or not.
    Broker,
}

/// An access token and its properties. It shares its data with the cache: a cache hit copies nothing, and a clone only
/// increments reference counts.
///
/// ```
/// use auth::{AuthResult, TokenSource};
///
/// /// The `Authorization` header of a request to an API.
/// fn authorization(result: &AuthResult) -> String {
///     if result.source() == TokenSource::IdentityProvider {
///         println!("a new token, valid until {}", result.expires_on());
///     }
///     format!("{} {}", result.token_type(), result.access_token().expose())
/// }
/// ```
#[derive(Clone)]
pub struct AuthResult {
    token: Token,
    tenant: Tenant,
    correlation_id: CorrelationId,
    source: TokenSource,
    persisted: bool,
    /// The details of a call that had to wait.
    call: Option<Box<Call>>,
}

#[derive(Clone)]
enum Token {
    Cached(CachedToken),
    Issued(Arc<Issued>),
}

/// Tokens that the identity provider issued.
struct Issued {
    tokens: Arc<Tokens>,
    account: Option<Arc<Account>>,
    declined: Scopes,
}

/// Where to find the tenant that issued the token, if the ID token does not contain it.
#[derive(Clone)]
enum Tenant {
    /// The authority has no tenants.
    Nowhere,
    /// The realm of the cached token.
    OfToken,
    /// The authority has only this one, and the realm may be something else, such as a policy.
    Is(Arc<str>),
}

/// The details of a call that had to wait.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) refresh_reason: RefreshReason,
    pub(crate) token_endpoint: Option<Arc<str>>,
    pub(crate) durations: Durations,
    pub(crate) persistence_error: Option<StorageError>,
}

/// The usual value of [`AuthResult::declined_scopes`].
static NOTHING_DECLINED: LazyLock<Scopes> = LazyLock::new(Scopes::default);

impl AuthResult {
    /// Returns the access token. Send it as `Authorization: Bearer …`; do not log it.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        match &self.token {
            Token::Cached(token) => token.access_token(),
            Token::Issued(issued) => &issued.tokens.access_token,
        }
    }

    /// Returns the token type, which precedes the token in the `Authorization` header: `Bearer`.
    #[must_use]
    pub const fn token_type(&self) -> &'static str {
        "Bearer"
    }

    /// Returns when the token expires.
    #[must_use]
    pub fn expires_on(&self) -> Timestamp {
        match &self.token {
            Token::Cached(token) => token.expires_on(),
            Token::Issued(issued) => issued.tokens.expires_on,
        }
    }

    /// Returns when the token should be refreshed before it expires, if the server has advised it.
    #[must_use]
    pub fn refresh_on(&self) -> Option<Timestamp> {
        match &self.token {
            Token::Cached(token) => token.refresh_on(),
            Token::Issued(issued) => issued.tokens.refresh_on,
        }
    }

    /// Returns the scopes that the token grants.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        match &self.token {
            Token::Cached(token) => token.scopes(),
            Token::Issued(issued) => &issued.tokens.granted_scopes,
        }
    }

    /// Returns the scopes that were requested but not granted, not counting those reserved by OpenID Connect.
    ///
    /// Until the token expires, the same request is answered with it again. To ask the user for the rest, use
    /// [`acquire_token_interactive`](crate::PublicClient::acquire_token_interactive).
    #[must_use]
    pub fn declined_scopes(&self) -> &Scopes {
        match &self.token {
            Token::Cached(token) => token.declined_scopes().unwrap_or(&NOTHING_DECLINED),
            Token::Issued(issued) => &issued.declined,
        }
    }

    /// Returns the account of the token.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match &self.token {
            Token::Cached(token) => token.account(),
            Token::Issued(issued) => issued.account.as_deref(),
        }
    }

    /// Returns the ID token with its claims; its signature is not verified. A cached ID token is parsed by each call.
    #[must_use]
    pub fn id_token(&self) -> Option<IdToken> {
        match &self.token {
            Token::Cached(token) => IdToken::parse(token.id_token()?).ok(),
            Token::Issued(issued) => issued.tokens.id_token.clone(),
        }
    }

    /// Returns the tenant that issued the token: `tid` of the ID token, otherwise the tenant for which the token is
    /// cached. Parses the ID token.
    #[must_use]
    pub fn tenant_id(&self) -> Option<String> {
        let named = self.id_token().and_then(|token| token.text("tid").map(str::to_owned));
        let filed = || match (&self.tenant, &self.token) {
            (Tenant::Is(tenant), _) => Some(&**tenant),
            (Tenant::OfToken, Token::Cached(token)) => Some(token.realm()),
            (Tenant::OfToken, Token::Issued(_)) | (Tenant::Nowhere, _) => None,
        };
        named.or_else(|| filed().filter(|tenant| !tenant.is_empty()).map(str::to_owned))
    }

    /// Returns the ID of the account in that tenant: `oid` of the ID token, otherwise `sub`. Parses the ID token.
    #[must_use]
    pub fn unique_id(&self) -> Option<String> {
        self.id_token()?.local_account_id().map(str::to_owned)
    }

    /// Where the token came from.
    #[must_use]
    pub const fn source(&self) -> TokenSource {
        self.source
    }

    /// Returns why the token was refreshed, or is being refreshed in the background: a valid token that is refreshed
    /// before it expires is returned with [`ProactivelyRefreshed`](RefreshReason::ProactivelyRefreshed).
    #[must_use]
    pub fn refresh_reason(&self) -> RefreshReason {
        self.call.as_ref().map_or(RefreshReason::NotApplicable, |call| call.refresh_reason)
    }

    /// Returns the token endpoint that issued the token, if one was asked.
    #[must_use]
    pub fn token_endpoint(&self) -> Option<&str> {
        self.call.as_ref()?.token_endpoint.as_deref()
    }

    /// Returns how long the call took; zero if it did not have to wait.
    #[must_use]
    pub fn durations(&self) -> Durations {
        self.call.as_ref().map_or_else(Durations::default, |call| call.durations)
    }

    /// Returns the correlation ID of the call, for the identity provider's support.
    #[must_use]
    pub const fn correlation_id(&self) -> CorrelationId {
        self.correlation_id
    }

    /// Returns whether the token is in the application's store, not only in memory.
    #[must_use]
    pub const fn persisted(&self) -> bool {
        self.persisted
    }

    /// Returns why the token could not be stored, if the store failed.
    #[must_use]
    pub fn persistence_error(&self) -> Option<&StorageError> {
        self.call.as_ref()?.persistence_error.as_ref()
    }

    /// The result of a call that found its token in memory.
    #[inline]
    pub(crate) fn hit(token: CachedToken, authority: &Authority, id: CorrelationId, persisted: bool) -> Self {
        Self {
            token: Token::Cached(token),
            tenant: Tenant::of(authority),
            correlation_id: id,
            source: TokenSource::Cache,
            persisted,
            call: None,
        }
    }

    /// The result of a call for which tokens were issued.
    pub(crate) fn issued(
        tokens: Arc<Tokens>,
        account: Option<Arc<Account>>,
        authority: &Authority,
        id: CorrelationId,
        call: Call,
        persisted: bool,
    ) -> Self {
        let tenant = match Tenant::of(authority) {
            Tenant::OfToken => Tenant::Is(tokens.realm(authority).into()),
            known => known,
        };
        let declined = tokens.declined_scopes();
        Self {
            token: Token::Issued(Arc::new(Issued { tokens, account, declined })),
            tenant,
            correlation_id: id,
            source: TokenSource::IdentityProvider,
            persisted,
            call: Some(Box::new(call)),
        }
    }

    /// Sets where the token came from.
    pub(crate) fn with_source(self, source: TokenSource) -> Self {
        Self { source, ..self }
    }

    /// Sets how long the call took.
    pub(crate) fn with_durations(mut self, durations: Durations) -> Self {
        match &mut self.call {
            Some(call) => call.durations = durations,
            None => self.call = Some(Box::new(Call::without_request(durations))),
        }
        self
    }

    /// Sets why the token is being refreshed, or would be if the refresh were not throttled.
    pub(crate) fn with_refresh_reason(mut self, reason: RefreshReason) -> Self {
        let call = self.call.get_or_insert_with(|| Box::new(Call::without_request(Durations::default())));
        call.refresh_reason = reason;
        self
    }

    /// The result for another call, which only waited for this one.
    pub(crate) fn for_follower(self, id: CorrelationId, durations: Durations) -> Self {
        let persistence_error = self.call.and_then(|call| call.persistence_error);
        let call = Call { persistence_error, ..Call::without_request(durations) };
        Self { source: TokenSource::Cache, correlation_id: id, call: Some(Box::new(call)), ..self }
    }
}

impl Call {
    const fn without_request(durations: Durations) -> Self {
        let refresh_reason = RefreshReason::NotApplicable;
        Self { refresh_reason, token_endpoint: None, durations, persistence_error: None }
    }
}

impl Tenant {
    fn of(authority: &Authority) -> Self {
        match authority.tenant_name() {
            None => Self::Nowhere,
            Some(only) if authority.has_single_realm() => Self::Is(only.as_str().into()),
            Some(_) => Self::OfToken,
        }
    }
}

impl fmt::Debug for AuthResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthResult")
            .field("expires_on", &self.expires_on())
            .field("scopes", self.scopes())
            .field("source", &self.source)
            .field("refresh_reason", &self.refresh_reason())
            .field("correlation_id", &self.correlation_id)
            .field("persisted", &self.persisted)
            .finish_non_exhaustive()
    }
}
