//! The application's door.

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

/// How long [`PublicClient::close`] waits.
const LONGEST_CLOSE: Duration = Duration::from_secs(30);

/// An application that runs where it cannot keep a secret: on a desktop, a phone, a terminal.
///
/// Clones share everything. Build one and keep it: it remembers tokens and what it learned of the authority.
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

    /// The authority, with the names that are known of it by now.
    #[must_use]
    pub fn authority(&self) -> Arc<Authority> {
        self.shared.directory.own().authority()
    }

    /// The accounts that signed in: who did so last first, then by username; then those that the broker has beside them.
    ///
    /// Where only Entra's instance discovery knows the names of the authority's host and no account is found under the
    /// one that is configured, this asks for the others, at most every 30 seconds while that fails.
    ///
    /// # Errors
    /// [`AuthError::Cache`] when the cache cannot be read.
    pub async fn accounts(&self) -> Result<Vec<Account>, AuthError> {
        Ok(self.shared.accounts(&self.context()?).await?)
    }

    /// The account with this username or home account id, whole and ASCII-case-insensitively; `None` when nobody of that
    /// name signed in.
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] when several accounts have the name, [`AuthError::Cache`] when the cache cannot be read.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, AuthError> {
        // An id is looked up: where there are many users, nobody wants to list them.
        // Whatever hinders that hinders the list, which knows more ways.
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
    /// Everything else in an [`AuthResult`](crate::AuthResult)'s ID token was checked when it came, over TLS; that suffices
    /// for the application itself (OpenID Connect Core §3.1.3.7). Ask for this before you pass the token on to somebody who
    /// will trust it. Keys are kept for a day; for a key that is not among them they are fetched anew, at most once in five
    /// minutes.
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
    /// [`IdTokenFault::Signature`](auth_core::IdTokenFault::Signature) when no published key has signed it;
    /// [`AuthError::Config`] when the provider publishes none; those of the network when they cannot be fetched.
    #[cfg(feature = "jwks")]
    pub async fn verify_signature(&self, id_token: &auth_core::IdToken) -> Result<(), AuthError> {
        let Shared { jwks, application, directory, driver, .. } = &*self.shared;
        jwks.verify(id_token, application, directory.own(), driver).await
    }

    /// Asks the cache for a token, refreshing it where needed; never the user. Without an account the only one that
    /// signed in is meant; of several nobody is picked.
    ///
    /// With an account, a token in memory costs the same however many accounts there are, and is handed out without
    /// copying anything: the request borrows what it is given. Without one, and with a login hint, each call lists the
    /// accounts of the cache to find the one that is meant, which takes time in proportion to their number. A service
    /// with many users should keep the account, or its home account id for [`account`](Self::account).
    pub fn acquire_token_silent<'a>(&'a self, scopes: &'a Scopes, account: Option<&'a Account>) -> SilentRequest<'a> {
        SilentRequest::new(&self.shared, scopes, account)
    }

    /// Lets the user sign in with a browser.
    pub fn acquire_token_interactive(&self, scopes: &Scopes) -> InteractiveRequest {
        InteractiveRequest::new(Arc::clone(&self.shared), scopes.clone())
    }

    /// Lets the user sign in on another device, for machines without a browser.
    pub fn acquire_token_by_device_code(&self, scopes: &Scopes) -> DeviceCodeRequest {
        DeviceCodeRequest::new(Arc::clone(&self.shared), scopes.clone())
    }

    /// Begins a sign-in whose page the application itself shows: a web application, which sends its visitor there and
    /// keeps the rest in a session on the server.
    ///
    /// The client proves itself by PKCE alone, as it has no secret: register it with a redirect URI of a public client.
    ///
    /// ```no_run
    /// use auth::{AuthError, AuthResult, AuthorizationResponse, PublicClient, RedirectUri, ResponseMode, Scopes, Secret};
    ///
    /// /// `GET /sign-in`: what to keep, and where to send the visitor.
    /// async fn sign_in(app: &PublicClient, scopes: &Scopes) -> Result<(Secret, http::Uri), AuthError> {
    ///     let redirect_uri = RedirectUri::parse("https://app.example/signed-in")?;
    ///     let request = app.authorization_url(scopes).redirect_uri(redirect_uri).response_mode(ResponseMode::Query);
    ///     let pending = request.send().await?;
    ///     Ok((pending.to_json(), pending.url().clone()))
    /// }
    ///
    /// /// `GET /signed-in`: `kept` was taken out of the session and is there no more.
    /// async fn signed_in(app: &PublicClient, kept: Secret, query: &str) -> Result<AuthResult, AuthError> {
    ///     let response = AuthorizationResponse::parse(query.as_bytes())?;
    ///     app.acquire_token_by_authorization_code(kept, response).send().await
    /// }
    /// ```
    pub fn authorization_url(&self, scopes: &Scopes) -> AuthorizationUrlRequest {
        AuthorizationUrlRequest::new(Arc::clone(&self.shared), scopes.clone())
    }

    /// Ends a sign-in that [`authorization_url`](Self::authorization_url) began, in this process or in another: `pending` is
    /// what it gave, or what [`to_json`](auth_core::PendingAuthorization::to_json) made of that; `response` is what came to
    /// the redirect URI, the query of a `GET` or the body of a `POST`. Serve only the one that was asked for (S-08).
    ///
    /// A sign-in counts once: take it out of the session first, so that two responses that come at the same time find it
    /// once. This client refuses one that it redeemed before, and the provider a code that it has seen.
    pub fn acquire_token_by_authorization_code(
        &self,
        pending: impl Into<PendingSignIn>,
        response: AuthorizationResponse,
    ) -> AuthorizationCodeRequest {
        AuthorizationCodeRequest::new(Arc::clone(&self.shared), pending.into(), response)
    }

    /// Asks the cache, and the user only when that is not enough.
    pub fn acquire_token<'a>(&'a self, scopes: &'a Scopes) -> TokenRequest<'a> {
        TokenRequest::new(self.acquire_token_silent(scopes, None))
    }

    /// Forgets an account, here and at the broker, and tells whether it was there: for this client, or for all where a family of
    /// clients shares it ([`RemovalScope::Family`](crate::RemovalScope::Family)). The identity provider is not told: tokens
    /// that were handed out work until they expire.
    ///
    /// # Errors
    /// [`AuthError::Cache`] when the change could not be stored.
    pub async fn remove_account(&self, account: &Account) -> Result<bool, AuthError> {
        self.remove_account_with_scope(account, RemovalScope::default()).await
    }

    /// The same for the tokens of whom `scope` says.
    ///
    /// # Errors
    /// [`AuthError::Cache`] when the change could not be stored.
    pub async fn remove_account_with_scope(&self, account: &Account, scope: RemovalScope) -> Result<bool, AuthError> {
        let (cache, directory) = (&self.shared.cache, &self.shared.directory);
        let place = match self.shared.multi_cloud {
            true => directory.in_cloud_of(Arc::clone(directory.own()), &account.environment),
            false => Arc::clone(directory.own()),
        };
        let remove = async || cache.remove_account(&place.authority(), self.shared.client_id(), account, scope).await;
        let mut removed = remove().await;
        // It may be filed under a name of the host that has to be asked for first.
        if matches!(removed, Ok(false))
            && place.look_around(&self.shared.driver, &self.context()?, &mut Timing::begin(), false).await
        {
            removed = remove().await;
        }
        self.shared.throttle.forget_refusals(&account.home_account_id);
        // Whichever of the two fails, the other is done.
        let brokered = match &self.shared.broker {
            Some(broker) => broker.remove_account(account).await,
            None => Ok(false),
        };
        Ok(removed? | brokered?)
    }

    /// For what must be asked beside a request.
    fn context(&self) -> Result<RequestContext, ConfigError> {
        Options::default().context(&self.shared)
    }

    /// Waits, at most 30 seconds, for the refreshes that are under way, and stores what the store refused before, so that a
    /// program that ends loses no rotated refresh token. The runtime must have its timers enabled. The client works on after it; what begins meanwhile is not waited for.
    ///
    /// Dropping the client, or the future of a call, ends no refresh. Only the end of the runtime does: a refresh whose
    /// answer was not stored by then is lost, and where the provider counts each refresh token once, the user has to sign
    /// in again.
    pub async fn close(&self) {
        let flights = &self.shared.flights;
        if flights.len() > 0 && tokio::time::timeout(LONGEST_CLOSE, flights.all_landed()).await.is_err() {
            tracing::warn!(target: "auth", "a refresh was still under way when the client was closed");
        }
        if let Err(error) = self.shared.cache.flush().await {
            tracing::warn!(target: "auth", %error, "what could not be stored before is lost with this process");
        }
    }
}
