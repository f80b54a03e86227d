//! Brokers: operating system components that sign users in and keep their tokens for all applications.

use core::fmt;

use auth_core::{Account, Authority, Claims, CorrelationId, IdToken, Prompt, Scopes, Secret, Timestamp};
use auth_http::BoxFuture;

use crate::error::AuthError;

/// A broker, such as the Web Account Manager of Windows, the Company Portal of macOS or the Intune broker of Linux.
/// This crate contains none; implement this trait and pass the broker to
/// [`PublicClientBuilder::broker`](crate::PublicClientBuilder::broker).
///
/// A usable cached token is returned without asking the broker. The broker is asked before a refresh token is redeemed,
/// except for accounts that signed in with a device code (as in MSAL.NET), and before a browser is opened, unless the
/// request has options that a broker is not given (`max_age`, `acr_values`, extra scopes to consent to). If it returns
/// `None`, the call continues as if there were no broker. It returns `None` while it is unavailable, and for an account
/// or authority that it does not support; most brokers do not support B2C and ADFS.
///
/// Simultaneous silent calls for the same token share one request to the broker. Its tokens are not cached here,
/// because the broker has its own cache and is the only holder of the refresh tokens. A broker that needs the
/// application's window receives it in its constructor.
///
/// ```
/// use auth::{Account, AuthError, Broker, BrokerRequest, BrokerTokens};
///
/// /// A broker that is not installed.
/// struct Absent;
///
/// impl Broker for Absent {
///     async fn accounts(&self) -> Vec<Account> {
///         Vec::new()
///     }
///     async fn acquire_token_silent(&self, _: &BrokerRequest<'_>) -> Result<Option<BrokerTokens>, AuthError> {
///         Ok(None)
///     }
///     async fn acquire_token_interactive(&self, _: &BrokerRequest<'_>) -> Result<Option<BrokerTokens>, AuthError> {
///         Ok(None)
///     }
///     async fn remove_account(&self, _: &Account) -> Result<bool, AuthError> {
///         Ok(false)
///     }
/// }
/// ```
pub trait Broker: Send + Sync {
    /// Returns the accounts that the broker serves, or none while it is unavailable. They are listed after those of the
    /// cache.
    fn accounts(&self) -> impl Future<Output = Vec<Account>> + Send;

    /// Returns tokens without involving the user. [`account`](BrokerRequest::account) is always set. Must finish within
    /// a bounded time, because other calls for the account wait for it.
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] if the user must act: the application then makes an interactive request, which also
    /// goes to the broker. Any error becomes the result of the call, unless a valid cached token can be returned
    /// instead.
    fn acquire_token_silent(
        &self,
        request: &BrokerRequest<'_>,
    ) -> impl Future<Output = Result<Option<BrokerTokens>, AuthError>> + Send;

    /// Signs the user in. The future may be dropped at any await point.
    ///
    /// # Errors
    /// Any [`AuthError`]; it becomes the result of the call.
    fn acquire_token_interactive(
        &self,
        request: &BrokerRequest<'_>,
    ) -> impl Future<Output = Result<Option<BrokerTokens>, AuthError>> + Send;

    /// Signs the account out of this application, and returns whether it was signed in.
    ///
    /// # Errors
    /// [`AuthError`] if the account may still be signed in.
    fn remove_account(&self, account: &Account) -> impl Future<Output = Result<bool, AuthError>> + Send;
}

/// The object-safe twin of [`Broker`], implemented for every broker.
pub trait DynBroker: Send + Sync {
    /// See [`Broker::accounts`].
    fn accounts(&self) -> BoxFuture<'_, Vec<Account>>;

    /// See [`Broker::acquire_token_silent`].
    fn acquire_token_silent<'a>(
        &'a self,
        request: &'a BrokerRequest<'_>,
    ) -> BoxFuture<'a, Result<Option<BrokerTokens>, AuthError>>;

    /// See [`Broker::acquire_token_interactive`].
    fn acquire_token_interactive<'a>(
        &'a self,
        request: &'a BrokerRequest<'_>,
    ) -> BoxFuture<'a, Result<Option<BrokerTokens>, AuthError>>;

    /// See [`Broker::remove_account`].
    fn remove_account<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<bool, AuthError>>;
}

impl<B: Broker> DynBroker for B {
    fn accounts(&self) -> BoxFuture<'_, Vec<Account>> {
        Box::pin(Broker::accounts(self))
    }

    fn acquire_token_silent<'a>(
        &'a self,
        request: &'a BrokerRequest<'_>,
    ) -> BoxFuture<'a, Result<Option<BrokerTokens>, AuthError>> {
        Box::pin(Broker::acquire_token_silent(self, request))
    }

    fn acquire_token_interactive<'a>(
        &'a self,
        request: &'a BrokerRequest<'_>,
    ) -> BoxFuture<'a, Result<Option<BrokerTokens>, AuthError>> {
        Box::pin(Broker::acquire_token_interactive(self, request))
    }

    fn remove_account<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<bool, AuthError>> {
        Box::pin(Broker::remove_account(self, account))
    }
}

/// A request to a broker.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct BrokerRequest<'a> {
    /// The client ID of the application.
    pub client_id: &'a str,
    /// The client capabilities, such as `cp1`.
    pub capabilities: &'a [String],
    /// The authority to request tokens from.
    pub authority: &'a Authority,
    /// The scopes to request.
    pub scopes: &'a Scopes,
    /// The account that the tokens must be for, if only one is acceptable.
    pub account: Option<&'a Account>,
    /// The username to suggest.
    pub login_hint: Option<&'a str>,
    /// The claims that the tokens must satisfy, bypassing any cache.
    pub claims: Option<&'a Claims>,
    /// How the sign-in page treats the user.
    pub prompt: Option<Prompt>,
    /// Whether to ignore access tokens that the broker has cached.
    pub force_refresh: bool,
    /// Extra query parameters, for a broker that can send them.
    pub extra_query: &'a [(String, String)],
    /// The correlation ID of the call.
    pub correlation_id: CorrelationId,
}

/// Omits the account, the hint and the claims, which are personal data.
impl fmt::Debug for BrokerRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerRequest")
            .field("client_id", &self.client_id)
            .field("authority", &self.authority)
            .field("scopes", &self.scopes)
            .field("correlation_id", &self.correlation_id)
            .finish_non_exhaustive()
    }
}

/// The tokens that a broker returns.
#[derive(Clone)]
#[non_exhaustive]
pub struct BrokerTokens {
    /// The access token; its type is `Bearer`.
    pub access_token: Secret,
    /// When it expires.
    pub expires_on: Timestamp,
    /// The account of the user.
    pub account: Account,
    /// The granted scopes, if they differ from the requested ones.
    pub granted_scopes: Option<Scopes>,
    /// The ID token, which the broker has validated.
    pub id_token: Option<IdToken>,
}

impl BrokerTokens {
    /// Creates the result for a token that grants exactly the requested scopes.
    #[must_use]
    pub fn new(access_token: Secret, expires_on: Timestamp, account: Account) -> Self {
        Self { access_token, expires_on, account, granted_scopes: None, id_token: None }
    }
}

impl fmt::Debug for BrokerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerTokens")
            .field("expires_on", &self.expires_on)
            .field("granted_scopes", &self.granted_scopes)
            .finish_non_exhaustive()
    }
}
