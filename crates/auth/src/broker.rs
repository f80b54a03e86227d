//! Brokers: programs of the operating system that sign people in, and keep their tokens, for all its applications.

use core::fmt;

use auth_core::{Account, Authority, Claims, CorrelationId, IdToken, Prompt, Scopes, Secret, Timestamp};
use auth_http::BoxFuture;

use crate::error::AuthError;

/// A broker, such as the Web Account Manager of Windows, the Company Portal of macOS or the Intune broker of Linux. None is
/// part of this crate: whoever has one implements this and hands it to
/// [`PublicClientBuilder::broker`](crate::PublicClientBuilder::broker).
///
/// A usable token in the cache is handed out without asking the broker. It is asked before any refresh token is redeemed,
/// except for accounts that came by a device code (as MSAL.NET does), and before any browser is opened, unless the request
/// says what no broker is told (`max_age`, `acr_values`, further scopes to consent to). Where it answers
/// `None`, all goes on as without one: so it answers while it is not available, for an account that it does not know, or
/// an authority that it does not serve, as most do not serve B2C and ADFS.
///
/// Silent calls that want the same token at the same time are one question. What the broker gives is handed out and not
/// cached: it has a cache of its own, and it alone holds the refresh tokens. A broker that needs the window of the
/// application is made with it.
///
/// ```
/// use auth::{Account, AuthError, Broker, BrokerRequest, BrokerTokens};
///
/// /// One that is not installed.
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
    /// The accounts that the broker would answer for. They are listed with those of the cache; none while it is not
    /// available.
    fn accounts(&self) -> impl Future<Output = Vec<Account>> + Send;

    /// Tokens without the user; [`account`](BrokerRequest::account) is there. It must end after a bounded time, as other calls
    /// for the account wait for it.
    ///
    /// # Errors
    /// [`AuthError::UiRequired`] when the user must act: the application goes on to an interactive request, which comes here.
    /// Any other is the answer of the call.
    fn acquire_token_silent(
        &self,
        request: &BrokerRequest<'_>,
    ) -> impl Future<Output = Result<Option<BrokerTokens>, AuthError>> + Send;

    /// Lets the user sign in. The future may be dropped at any await.
    ///
    /// # Errors
    /// [`AuthError`]; it is the answer of the call.
    fn acquire_token_interactive(
        &self,
        request: &BrokerRequest<'_>,
    ) -> impl Future<Output = Result<Option<BrokerTokens>, AuthError>> + Send;

    /// Signs the account out of this application, and tells whether it was there.
    ///
    /// # Errors
    /// [`AuthError`] when it may still be there.
    fn remove_account(&self, account: &Account) -> impl Future<Output = Result<bool, AuthError>> + Send;
}

/// [`Broker`] behind a pointer; every broker is one.
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

/// What a broker is asked for.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct BrokerRequest<'a> {
    /// The id under which the application is registered.
    pub client_id: &'a str,
    /// What the application can do beyond the protocol, such as `cp1`.
    pub capabilities: &'a [String],
    /// Where.
    pub authority: &'a Authority,
    /// For which scopes.
    pub scopes: &'a Scopes,
    /// For this account only.
    pub account: Option<&'a Account>,
    /// Who will probably sign in.
    pub login_hint: Option<&'a str>,
    /// What the tokens must satisfy, past any cache.
    pub claims: Option<&'a Claims>,
    /// How the user should be treated.
    pub prompt: Option<Prompt>,
    /// Whether a token that the broker holds already is not enough.
    pub force_refresh: bool,
    /// What the application adds to requests, for a broker that can send it.
    pub extra_query: &'a [(String, String)],
    /// The id of the call.
    pub correlation_id: CorrelationId,
}

/// Without the account, the hint and the claims, which name people.
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

/// What a broker gives.
#[derive(Clone)]
#[non_exhaustive]
pub struct BrokerTokens {
    /// The access token; its type is `Bearer`.
    pub access_token: Secret,
    /// When it expires.
    pub expires_on: Timestamp,
    /// Whose it is.
    pub account: Account,
    /// What it grants, where that is not what was asked for.
    pub granted_scopes: Option<Scopes>,
    /// The id_token, which the broker has checked.
    pub id_token: Option<IdToken>,
}

impl BrokerTokens {
    /// A token that grants what was asked for.
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
