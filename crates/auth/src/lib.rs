//! Acquires OAuth 2.0 and OpenID Connect tokens, primarily from Microsoft Entra ID.
//!
//! It follows MSAL's pattern: ask the cache first, and involve the user only if interaction is required.
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
//! let ada = app.account("ada@contoso.example").await?; // `None` until she has signed in
//! let silent = app.acquire_token_silent(&scopes, ada.as_ref()).login_hint("ada@contoso.example");
//! let result = match silent.send().await {
//!     Ok(result) => result,
//!     Err(AuthError::UiRequired(ui)) => app.acquire_token_interactive(&scopes).satisfying(&ui).send().await?,
//!     Err(other) => return Err(other),
//! };
//! println!("{} until {}", result.account().unwrap().username, result.expires_on());
//! # Ok(()) }
//! ```
//!
//! With neither an account nor a login hint, a silent call uses the only account in the cache; if there are several, it
//! fails. [`PublicClient::acquire_token`] combines both calls: silent first, then interactive.
//!
//! # Claims challenges
//!
//! An API may reject a valid token with a claims challenge, which says what a new token must satisfy. A request with
//! those claims bypasses cached access tokens, and `satisfying` passes them on to the sign-in. A client that handles
//! challenges this way can announce it with [`capabilities(["cp1"])`](PublicClientBuilder::capabilities).
//!
//! ```no_run
//! use auth::{Account, AuthError, AuthResult, ClaimsChallenge, PublicClient, Scopes};
//!
//! /// Returns a token that satisfies the challenge of a 401 response, or `None` if it contains no challenge.
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
//! # Bring your own
//!
//! The HTTP stack ([`Transport`]), store ([`Storage`] or [`PartitionedStorage`]), browser ([`Browser`]), broker
//! ([`Broker`]) and clock ([`Clock`]) are traits. Every type in their signatures is exported here, except those of the
//! crates `http`, `bytes` and `zeroize`. Each trait with async methods has an object-safe twin: [`DynTransport`],
//! [`DynStorage`], [`DynPartitionedStorage`], [`DynBrowser`] and [`DynBroker`].
//!
//! # Features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `reqwest` | yes | `ReqwestTransport`: HTTP over reqwest with rustls |
//! | `file` | yes | `FileStorage`: the cache in one file, shared with MSAL libraries |
//! | `system-browser` | yes | `SystemBrowser`: sign-in with the user's own browser |
//! | `encrypted` | | `EncryptedFileStorage`: the cache file, encrypted with your key; encrypted values in Redis |
//! | `keyring` | | `Keyring`: keeps that key in the user's keyring; implies `encrypted` |
//! | `secret-service` | | `SecretItemStorage`: the keyring items of MSAL's extension libraries on Linux; implies `keyring` |
//! | `redis` | | `RedisStorage`: one cache for many machines |
//! | `jwks` | | `PublicClient::verify_signature`: checks the signature of an ID token before it is passed on |
#![forbid(unsafe_code)]

mod acquire;
mod answer;
mod authorities;
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
pub use auth_cache::{
    BoxFuture, BoxedLock, DynPartitionedStorage, DynStorage, Event as CacheEvent, Evicted, Limits, LockBudget,
    LockName, Margins, MemoryStorage, NotACache, Observer, PartitionKey, PartitionedStorage, RefreshReason,
    RemovalScope, Replaced, Storage, StorageError, StorageErrorKind, StorageLock, Stored, TokenCache, Version,
};
#[cfg(feature = "encrypted")]
pub use auth_cache::{DynKeySource, EncryptedFileStorage, EncryptionKey, KeyError, KeyErrorKind, KeySource};
#[cfg(feature = "file")]
pub use auth_cache::{FileForm, FileState, FileStorage, LockHolder};
pub use auth_core::{
    Account, AccountId, Authority, AuthorityOptions, AuthorizationResponse, Body, Claims, ClaimsChallenge,
    Classification, ConfigError, CorrelationId, DeviceCode, IdToken, IdTokenFault, PendingAuthorization, Prompt,
    ProtocolError, RedirectUri, ResponseMode, Scopes, Secret, ServerError, Tenant, TenantProfile, Throttled, Timestamp,
    TransportError, TransportFault, UiReason, UiRequired,
};
pub use auth_http::{Clock, DynTransport, InMemoryTransport, SystemClock, Transport};
#[cfg(feature = "reqwest")]
pub use auth_http::{ReqwestTransport, Timeouts};
pub use auth_interactive::{
    Branding, Browser, BrowserError, DynBrowser, Headless, LoopbackError, Pages, PagesError, PasteError, SignInError,
};
#[cfg(feature = "system-browser")]
pub use auth_interactive::{Desktop, Environment, SystemBrowser};

/// Compiles the examples of the README with the doctests.
#[cfg(all(doctest, feature = "file"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Compiles the examples of the page about stores with the doctests.
#[cfg(all(doctest, feature = "keyring", feature = "redis"))]
#[doc = include_str!("../../../docs/stores.md")]
struct Stores;
