//! What the caller gets.

use core::fmt;
use std::sync::{Arc, LazyLock};

use auth_cache::{CachedToken, RefreshReason, StorageError};
use auth_core::{Account, Authority, CorrelationId, IdToken, Scopes, Secret, Timestamp, Tokens};

use crate::timing::Durations;

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// The cache; no token request was made.
    Cache,
    /// The identity provider.
    IdentityProvider,
    /// The [broker](crate::Broker), wherever it has it from.
    Broker,
}

/// A token and what is known of it. It shares everything with the cache: a hit copies nothing, and a clone costs one
/// reference.
#[derive(Clone)]
pub struct AuthResult {
    token: Token,
    tenant: Tenant,
    correlation_id: CorrelationId,
    source: TokenSource,
    persisted: bool,
    /// What there is to tell of a call that had to wait.
    call: Option<Box<Call>>,
}

#[derive(Clone)]
enum Token {
    Cached(CachedToken),
    Issued(Arc<Issued>),
}

/// What the identity provider answered.
struct Issued {
    tokens: Arc<Tokens>,
    account: Option<Arc<Account>>,
    declined: Scopes,
}

/// Where it stands in which tenant the token was issued, if its id_token does not tell.
#[derive(Clone)]
enum Tenant {
    /// The authority has none.
    Nowhere,
    /// The one under which the token is filed.
    OfToken,
    /// Where there is one only, others may have filed the token under something else, such as its policy.
    Is(Arc<str>),
}

/// What a call that had to wait knows beside the token.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) refresh_reason: RefreshReason,
    pub(crate) token_endpoint: Option<Arc<str>>,
    pub(crate) durations: Durations,
    pub(crate) persistence_error: Option<StorageError>,
}

/// What most tokens lack.
static NOTHING_DECLINED: LazyLock<Scopes> = LazyLock::new(Scopes::default);

impl AuthResult {
    /// The access token. Send it as `Authorization: Bearer …`, show it to nobody.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        match &self.token {
            Token::Cached(token) => token.access_token(),
            Token::Issued(issued) => &issued.tokens.access_token,
        }
    }

    /// The type of the token, as it stands before it in the header: `Bearer`.
    #[must_use]
    pub const fn token_type(&self) -> &'static str {
        "Bearer"
    }

    /// When the token expires.
    #[must_use]
    pub fn expires_on(&self) -> Timestamp {
        match &self.token {
            Token::Cached(token) => token.expires_on(),
            Token::Issued(issued) => issued.tokens.expires_on,
        }
    }

    /// When it will be refreshed ahead of that, where the server advised it.
    #[must_use]
    pub fn refresh_on(&self) -> Option<Timestamp> {
        match &self.token {
            Token::Cached(token) => token.refresh_on(),
            Token::Issued(issued) => issued.tokens.refresh_on,
        }
    }

    /// What it grants.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        match &self.token {
            Token::Cached(token) => token.scopes(),
            Token::Issued(issued) => &issued.tokens.granted_scopes,
        }
    }

    /// What was asked for and is not granted; the scopes that OpenID Connect reserves count for nothing here.
    #[must_use]
    pub fn declined_scopes(&self) -> &Scopes {
        match &self.token {
            Token::Cached(token) => token.declined_scopes().unwrap_or(&NOTHING_DECLINED),
            Token::Issued(issued) => &issued.declined,
        }
    }

    /// Whose the token is.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        match &self.token {
            Token::Cached(token) => token.account(),
            Token::Issued(issued) => issued.account.as_deref(),
        }
    }

    /// The id_token with its claims, unverified by signature. One from the cache is read anew by each call.
    #[must_use]
    pub fn id_token(&self) -> Option<IdToken> {
        match &self.token {
            Token::Cached(token) => IdToken::parse(token.id_token()?).ok(),
            Token::Issued(issued) => issued.tokens.id_token.clone(),
        }
    }

    /// In which tenant the token was issued: the `tid` of the id_token, else the tenant under which the token is filed. It
    /// reads the id_token.
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

    /// The account's id in that tenant: `oid` of the id_token, else `sub`. It reads the id_token.
    #[must_use]
    pub fn unique_id(&self) -> Option<String> {
        self.id_token()?.local_account_id().map(str::to_owned)
    }

    /// Where the token came from.
    #[must_use]
    pub const fn source(&self) -> TokenSource {
        self.source
    }

    /// Why the identity provider was asked, or should be beside this call: a token that is served while it is refreshed ahead
    /// of its end says [`ProactivelyRefreshed`](RefreshReason::ProactivelyRefreshed).
    #[must_use]
    pub fn refresh_reason(&self) -> RefreshReason {
        self.call.as_ref().map_or(RefreshReason::NotApplicable, |call| call.refresh_reason)
    }

    /// Which endpoint of it answered, where one was asked.
    #[must_use]
    pub fn token_endpoint(&self) -> Option<&str> {
        self.call.as_ref()?.token_endpoint.as_deref()
    }

    /// How long the call took; zero where nothing was waited for.
    #[must_use]
    pub fn durations(&self) -> Durations {
        self.call.as_ref().map_or_else(Durations::default, |call| call.durations)
    }

    /// The id of the call, for the identity provider's support.
    #[must_use]
    pub const fn correlation_id(&self) -> CorrelationId {
        self.correlation_id
    }

    /// Whether the token is in the store that the application gave.
    #[must_use]
    pub const fn persisted(&self) -> bool {
        self.persisted
    }

    /// Why it is not, where the store failed.
    #[must_use]
    pub fn persistence_error(&self) -> Option<&StorageError> {
        self.call.as_ref()?.persistence_error.as_ref()
    }

    /// The token in the cache, which grants all that was asked for, to a call that waited for nothing.
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

    /// What the identity provider issued.
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

    /// The same from the broker.
    pub(crate) fn given_by_broker(self) -> Self {
        Self { source: TokenSource::Broker, ..self }
    }

    /// The same for a call that has taken so long.
    pub(crate) fn that_took(mut self, durations: Durations) -> Self {
        match &mut self.call {
            Some(call) => call.durations = durations,
            None => self.call = Some(Box::new(Call::without_request(durations))),
        }
        self
    }

    /// The same, served while a new one is asked for, or would be if the provider were not left alone.
    pub(crate) fn refreshed_beside(mut self, reason: RefreshReason) -> Self {
        let call = self.call.get_or_insert_with(|| Box::new(Call::without_request(Durations::default())));
        call.refresh_reason = reason;
        self
    }

    /// The same for another call, which made no request: it waited until the token was in the cache.
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
