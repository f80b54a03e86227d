//! [`PublicClient`]: the entry point of an application.

use std::sync::Arc;
use std::time::Duration;

use auth_cache::RemovalScope;
use auth_core::{
    Account, AccountId, Authority, AuthorizationResponse, ConfigError, CorrelationId, RequestContext, Scopes, UiReason,
    UiRequired,
};

use crate::acquire::TokenRequest;
use crate::authorization_code::{AuthorizationCodeRequest, PendingSignIn};
use crate::authorization_url::AuthorizationUrlRequest;
use crate::device_code::DeviceCodeRequest;
use crate::error::AuthError;
use crate::interactive::InteractiveRequest;
use crate::options::Options;
use crate::shared::Shared;
use crate::silent::SilentRequest;
use crate::timing::Timing;

/// The longest that [`PublicClient::close`] waits.
const LONGEST_CLOSE: Duration = Duration::from_secs(30);

/// A public client: an application that cannot keep a secret, such as a desktop, mobile or terminal program.
///
/// Clones share all state. Build one client and keep it, because it caches tokens and the authority's metadata.
///
/// ```
/// use auth::{Authority, PublicClient};
///
/// let app = PublicClient::builder("00001111-aaaa-2222-bbbb-3333cccc4444")
///     .authority(Authority::tenant("contoso.onmicrosoft.com")?)
///     .transport(auth::InMemoryTransport::new(|_| Ok(Default::default())))
///     .build()?;
/// # Ok::<(), auth::AuthError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PublicClient {
    shared: Arc<Shared>,
}

impl PublicClient {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Returns the authority, with the host names learned so far.
    #[must_use]
    pub fn authority(&self) -> Arc<Authority> {
        self.shared.authorities.own().authority()
    }

    /// Returns the accounts that have signed in, most recent sign-in first, then by username, followed by any that only
    /// the broker knows.
    ///
    /// If no account is found under the configured host name and only Entra's instance discovery can tell the other
    /// names of that host, this call requests them, at most every 30 seconds while the request fails.
    ///
    /// # Errors
    /// [`AuthError::Cache`] if the cache cannot be read.
    pub async fn accounts(&self) -> Result<Vec<Account>, AuthError> {
        Ok(self.shared.accounts(&self.context()?).await?)
    }

    /// Returns the account with this username or home account ID, or `None` if no such account has signed in. The whole
    /// name must match, ignoring ASCII case.
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] if several accounts have this name, [`AuthError::Cache`] if the cache cannot be read.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, AuthError> {
        // Looking up an ID is cheap, listing many users is not. An error here is not lost: the list below reads the
        // same store, and also handles authorities whose host names are not known yet.
        if let Ok(Some(account)) = self.shared.account(&AccountId::new(name)).await {
            return Ok(Some(account));
        }
        let mut named = self.accounts().await?.into_iter().filter(|account| account.is_named(name));
        match (named.next(), named.next()) {
            (only, None) => Ok(only),
            (_, Some(_)) => {
                let id = CorrelationId::generate(&mut rand::rng())?;
                Err(UiRequired::local(UiReason::MultipleAccountsForLoginHint, id).with_login_hint(name).into())
            }
        }
    }

    /// Checks the signature of an ID token from the client's authority, with the keys that its provider publishes.
    ///
    /// The ID token of an [`AuthResult`](crate::AuthResult) arrived over TLS and has passed every other check, which
    /// suffices for the application itself (OpenID Connect Core §3.1.3.7). Call this before you pass the token on to
    /// someone who will trust it. Keys are kept for a day; if none of them fits the token, they are fetched again, at
    /// most every five minutes.
    ///
    /// ```no_run
    /// # async fn example(app: auth::PublicClient, scopes: auth::Scopes) -> Result<(), auth::AuthError> {
    /// let result = app.acquire_token(&scopes).send().await?;
    /// if let Some(id_token) = result.id_token() {
    ///     app.verify_signature(&id_token).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AuthError::Protocol`] with [`IdTokenFault::Key`](auth_core::IdTokenFault::Key) or
    /// [`IdTokenFault::Signature`](auth_core::IdTokenFault::Signature) if no published key has signed the token;
    /// [`AuthError::Config`] if the provider publishes no keys; network errors if they cannot be fetched.
    #[cfg(feature = "jwks")]
    pub async fn verify_signature(&self, id_token: &auth_core::IdToken) -> Result<(), AuthError> {
        let Shared { jwks, application, authorities, driver, .. } = &*self.shared;
        jwks.verify(id_token, application, authorities.own(), driver).await
    }

    /// Acquires a token from the cache, refreshing it if necessary, without involving the user. Without an account it
    /// uses the only signed-in account; if there are several, the call fails.
    ///
    /// With an account, returning a token from memory takes constant time and copies nothing: the request borrows its
    /// arguments. Without an account, even with a login hint, each call lists all cached accounts to find the right
    /// one. A service with many users should keep the account, or its home account ID for [`account`](Self::account).
    pub fn acquire_token_silent<'a>(&'a self, scopes: &'a Scopes, account: Option<&'a Account>) -> SilentRequest<'a> {
        SilentRequest::new(&self.shared, scopes, account)
    }

    /// Signs the user in with a browser.
    pub fn acquire_token_interactive(&self, scopes: &Scopes) -> InteractiveRequest {
        InteractiveRequest::new(Arc::clone(&self.shared), scopes.clone())
    }

    /// Signs the user in on another device, for machines without a browser (RFC 8628).
    pub fn acquire_token_by_device_code(&self, scopes: &Scopes) -> DeviceCodeRequest {
        DeviceCodeRequest::new(Arc::clone(&self.shared), scopes.clone())
    }

    /// Begins a sign-in whose page the application itself opens. A web application redirects its visitor there and
    /// keeps the pending sign-in in a server-side session.
    ///
    /// The client has no secret and is protected by PKCE alone: register its redirect URI as that of a public client.
    ///
    /// ```no_run
    /// use auth::{
    ///     AuthError, AuthResult, AuthorizationResponse, PublicClient, RedirectUri, ResponseMode, Scopes, Secret,
    /// };
    ///
    /// /// `GET /sign-in`: returns what to keep in the session, and where to redirect the visitor.
    /// async fn sign_in(app: &PublicClient, scopes: &Scopes) -> Result<(Secret, http::Uri), AuthError> {
    ///     let redirect_uri = RedirectUri::parse("https://app.example/signed-in")?;
    ///     let request = app.authorization_url(scopes).redirect_uri(redirect_uri).response_mode(ResponseMode::Query);
    ///     let pending = request.send().await?;
    ///     Ok((pending.to_json(), pending.url().clone()))
    /// }
    ///
    /// /// `GET /signed-in`: `kept` has been removed from the session.
    /// async fn signed_in(app: &PublicClient, kept: Secret, query: &str) -> Result<AuthResult, AuthError> {
    ///     let response = AuthorizationResponse::parse(query.as_bytes())?;
    ///     app.acquire_token_by_authorization_code(kept, response).send().await
    /// }
    /// ```
    pub fn authorization_url(&self, scopes: &Scopes) -> AuthorizationUrlRequest {
        AuthorizationUrlRequest::new(Arc::clone(&self.shared), scopes.clone())
    }

    /// Completes a sign-in that [`authorization_url`](Self::authorization_url) began in this or another process.
    /// `pending` is its result, or the output of that result's [`to_json`](auth_core::PendingAuthorization::to_json);
    /// `response` is what the redirect URI received: the query of a `GET` or the body of a `POST`. Accept only the
    /// response mode that you requested (S-08).
    ///
    /// A sign-in can be completed only once. Remove it from the session before calling this, so that only one of two
    /// simultaneous responses finds it. This client rejects a sign-in that it has already redeemed, and the provider
    /// rejects a code that has been used.
    pub fn acquire_token_by_authorization_code(
        &self,
        pending: impl Into<PendingSignIn>,
        response: AuthorizationResponse,
    ) -> AuthorizationCodeRequest {
        AuthorizationCodeRequest::new(Arc::clone(&self.shared), pending.into(), response)
    }

    /// Acquires a token from the cache or with a refresh token, and involves the user only if that is not enough.
    pub fn acquire_token<'a>(&'a self, scopes: &'a Scopes) -> TokenRequest<'a> {
        TokenRequest::new(self.acquire_token_silent(scopes, None))
    }

    /// Removes an account from the cache and the broker, and returns whether it was present. If a family of clients
    /// shares the account, it is removed for all clients ([`RemovalScope::Family`](crate::RemovalScope::Family)),
    /// otherwise for this client. The identity provider is not notified: tokens already handed out work until they
    /// expire.
    ///
    /// # Errors
    /// [`AuthError::Cache`] if the change could not be stored; the broker's error if it could not remove the account.
    pub async fn remove_account(&self, account: &Account) -> Result<bool, AuthError> {
        self.remove_account_with_scope(account, RemovalScope::default()).await
    }

    /// Like [`remove_account`](Self::remove_account), but for the clients selected by `scope`.
    ///
    /// # Errors
    /// [`AuthError::Cache`] if the change could not be stored; the broker's error if it could not remove the account.
    pub async fn remove_account_with_scope(&self, account: &Account, scope: RemovalScope) -> Result<bool, AuthError> {
        let (cache, authorities) = (&self.shared.cache, &self.shared.authorities);
        let known = match self.shared.multi_cloud {
            true => authorities.in_cloud_of(Arc::clone(authorities.own()), &account.environment),
            false => Arc::clone(authorities.own()),
        };
        let remove = async || cache.remove_account(&known.authority(), self.shared.client_id(), account, scope).await;
        let mut removed = remove().await;
        // The account may be cached under a host name that is not known yet.
        if matches!(removed, Ok(false))
            && known.try_resolve(&self.shared.driver, &self.context()?, &mut Timing::begin(), false).await
        {
            removed = remove().await;
        }
        self.shared.throttle.forget_refusals(&account.home_account_id);
        // A failure of one does not prevent the other.
        let brokered = match &self.shared.broker {
            Some(broker) => broker.remove_account(account).await,
            None => Ok(false),
        };
        Ok(removed? | brokered?)
    }

    /// The context of requests that belong to no token request.
    fn context(&self) -> Result<RequestContext, ConfigError> {
        Options::default().context(&self.shared)
    }

    /// Waits up to 30 seconds for running refreshes and writes changes that the store refused earlier, so that no
    /// rotated refresh token is lost when the program exits. The runtime must have timers enabled. The client remains
    /// usable afterwards; refreshes that begin during the call are not waited for.
    ///
    /// Dropping the client or the future of a call does not stop a refresh; only shutting down the runtime does. A
    /// refreshed token that has not been stored by then is lost, and if the provider accepts each refresh token only
    /// once, the user must sign in again.
    pub async fn close(&self) {
        let flights = &self.shared.flights;
        if flights.len() > 0 && tokio::time::timeout(LONGEST_CLOSE, flights.all_landed()).await.is_err() {
            tracing::warn!(target: "auth", "a refresh was still under way when the client was closed");
        }
        if let Err(error) = self.shared.cache.flush().await {
            tracing::warn!(target: "auth", %error, "changes that could not be stored will be lost when this process exits");
        }
    }
}
