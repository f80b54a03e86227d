//! Tokens for OAuth 2.0 and OpenID Connect, first of all from Microsoft Entra ID.
//!
//! The pattern is MSAL's: ask the cache first, and go to the user only when the answer is "interaction required".
//!
//! ```no_run
//! use auth::{AuthError, Authority, PublicClient, Scopes};
//!
//! # async fn example() -> Result<(), AuthError> {
//! let app = PublicClient::builder("00001111-aaaa-2222-bbbb-3333cccc4444")
//!     .authority(Authority::tenant("contoso.onmicrosoft.com")?)
#![cfg_attr(feature = "file", doc = "    .storage(auth::FileStorage::at(\"tokens.json\")?)")]
//!     .build()?;
//! let scopes = Scopes::parse("User.Read")?;
//!
//! let account = app.account("ada@contoso.example").await?;
//! let result = match app.acquire_token_silent(&scopes, account.as_ref()).send().await {
//!     Ok(result) => result,
//!     Err(AuthError::UiRequired(ui)) => app.acquire_token_interactive(&scopes).satisfying(&ui).send().await?,
//!     Err(other) => return Err(other),
//! };
//! println!("{} until {}", result.account().unwrap().username, result.expires_on());
//! # Ok(()) }
//! ```
//!
//! An API may refuse a token that works and say what a better one must satisfy: a claims challenge. Its claims pass the
//! cache over, and `satisfying` carries them on to the sign-in. A client that answers like this may promise it with
//! [`capabilities(["cp1"])`](PublicClientBuilder::capabilities).
//!
//! ```no_run
//! use auth::{Account, AuthError, AuthResult, ClaimsChallenge, PublicClient, Scopes};
//!
//! /// A token that satisfies what the API answered with status 401, or `None` when it asked for nothing.
//! async fn answer<B>(
//!     app: &PublicClient,
//!     scopes: &Scopes,
//!     account: &Account,
//!     response: &http::Response<B>,
//! ) -> Result<Option<AuthResult>, AuthError> {
//!     let Some(challenge) = ClaimsChallenge::from_headers(response.headers()) else { return Ok(None) };
//!     match app.acquire_token_silent(scopes, Some(account)).claims(challenge.claims).send().await {
//!         Err(AuthError::UiRequired(ui)) => {
//!             app.acquire_token_interactive(scopes).account(account).satisfying(&ui).send().await.map(Some)
//!         }
//!         answer => answer.map(Some),
//!     }
//! }
//! ```
//!
//! The same in one call is [`PublicClient::acquire_token`]. The parts can be swapped: the HTTP stack
//! ([`Transport`]), the store ([`Storage`]), the browser ([`Browser`]), the clock ([`Clock`]).
//!
//! Features, on by default: `reqwest` (HTTP), `file` (the cache file), `system-browser`. And `encrypted`: the cache file,
//! encrypted; `keyring`: with a key in the keyring of the user; `secret-service`: the items of the MSAL
//! extension libraries in the keyring.
#![forbid(unsafe_code)]

mod acquire;
mod answer;
mod authorization_code;
mod authorization_url;
mod broker;
mod brokered;
mod builder;
mod client;
mod code;
mod device_code;
mod driver;
mod error;
mod event;
mod flights;
mod interactive;
#[cfg(feature = "jwks")]
mod jwks;
mod key;
mod options;
mod outcome;
mod provider;
mod redeem;
mod redeemed;
mod refresh;
mod result;
mod shared;
mod sign_in_options;
mod sign_in_turn;
mod signed_in;
mod silent;
mod throttle;
mod timing;
mod turns;
mod wanted;

pub use acquire::TokenRequest;
pub use authorization_code::{AuthorizationCodeRequest, PendingSignIn};
pub use authorization_url::AuthorizationUrlRequest;
pub use broker::{Broker, BrokerRequest, BrokerTokens, DynBroker};
pub use builder::PublicClientBuilder;
pub use client::PublicClient;
pub use device_code::{DeviceCodeRequest, PendingDeviceCode};
pub use error::{AuthError, Cancelled};
pub use event::Event;
pub use interactive::InteractiveRequest;
pub use result::{AuthResult, TokenSource};
pub use silent::SilentRequest;
pub use timing::Durations;

#[cfg(feature = "keyring")]
pub use auth_cache::Keyring;
#[cfg(feature = "redis")]
pub use auth_cache::RedisStorage;
#[cfg(all(feature = "secret-service", unix, not(target_os = "macos")))]
pub use auth_cache::SecretItemStorage;
#[cfg(feature = "encrypted")]
pub use auth_cache::{EncryptedFileStorage, EncryptionKey, KeyError, KeyErrorKind, KeySource};
pub use auth_cache::{
    Event as CacheEvent, Evicted, Limits, LockBudget, Margins, MemoryStorage, NotACache, Observer, PartitionedStorage,
    RefreshReason, RemovalScope, Storage, StorageError, StorageErrorKind, Stored, TokenCache,
};
#[cfg(feature = "file")]
pub use auth_cache::{FileForm, FileState, FileStorage, LockHolder};
pub use auth_core::{
    Account, AccountId, Authority, AuthorityOptions, AuthorizationResponse, Body, Claims, ClaimsChallenge,
    Classification, ConfigError, CorrelationId, DeviceCode, IdToken, PendingAuthorization, Prompt, ProtocolError,
    RedirectUri, ResponseMode, Scopes, Secret, ServerError, Tenant, TenantProfile, Throttled, Timestamp,
    TransportError, TransportFault, UiReason, UiRequired,
};
pub use auth_http::{Clock, InMemoryTransport, SystemClock, Transport};
#[cfg(feature = "reqwest")]
pub use auth_http::{ReqwestTransport, Timeouts};
pub use auth_interactive::{
    Branding, Browser, BrowserError, Headless, LoopbackError, Pages, PagesError, PasteError, SignInError,
};
#[cfg(feature = "system-browser")]
pub use auth_interactive::{Desktop, Environment, SystemBrowser};

/// The examples of the README are compiled with the tests.
#[cfg(all(doctest, feature = "file"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
