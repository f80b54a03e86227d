//! The sans-I/O core for OAuth 2.0 and OpenID Connect tokens, first of all from Microsoft Entra ID.
//!
//! Nothing in this crate reads a clock, draws a random number, opens a socket or reads a file. Time is a [`Timestamp`]
//! argument, randomness comes from a generator that the caller passes in, and requests and responses are values of the
//! crate `http`. That makes every rule of the protocol testable as plain data.
//!
//! There are two shapes of conversation:
//!
//! - An [`Exchange`] is one round trip: [`OpenIdConfiguration`], [`InstanceDiscovery`], [`JwkSetRequest`],
//!   [`PushedAuthorization`], [`CodeRedemption`], [`RefreshRedemption`], [`DeviceAuthorization`].
//! - A [`Flow`] has several steps: [`AuthorityResolution`] finds the endpoints, [`SilentRedemption`] tries refresh
//!   tokens one after another, and [`DeviceSignIn`] waits for a user who signs in on another device. [`OneStep`] turns
//!   an exchange into a flow.
//!
//! A sign-in with a browser starts with an [`AuthorizationRequest`]. It becomes a [`PendingAuthorization`], which
//! accepts the [`AuthorizationResponse`] and becomes a [`CodeRedemption`]. The crate `auth-http` drives flows over a
//! network.
//!
//! ```
//! use auth_core::{
//!     Application, Authority, AuthorizationRequest, AuthorizationResponse, ClientId, CorrelationId, Exchange,
//!     RedirectUri, RequestContext, Scopes, Timestamp,
//! };
//!
//! let rng = &mut rand::rngs::SysRng;
//! let now = Timestamp::from_unix_seconds(1_700_000_000);
//! let context = RequestContext::new(Application::new(ClientId::new("my-client-id")?), CorrelationId::generate(rng)?);
//! let metadata = Authority::tenant("common")?.metadata().unwrap();
//! let redirect_uri = RedirectUri::parse("http://localhost:8400")?;
//!
//! let request = AuthorizationRequest::new(context, metadata, redirect_uri, Scopes::parse("User.Read")?);
//! let pending = request.begin(rng, now)?;
//! println!("Open {}", pending.url());
//!
//! // The user signs in, and the redirect URI receives this response:
//! # let query = pending.url().query().unwrap();
//! # let state = query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap();
//! let response = AuthorizationResponse::parse(format!("code=0.AAA&state={state}").as_bytes())?;
//! let request = pending.accept(response, now)?.request();
//! assert_eq!(request.uri(), "https://login.microsoftonline.com/common/oauth2/v2.0/token");
//! # Ok::<(), auth_core::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod account;
mod account_id;
mod authority;
mod authorize;
mod base64url;
mod body;
mod claims;
mod claims_challenge;
mod client;
mod client_info;
mod config_error;
mod correlation;
mod device_sign_in;
mod error;
mod exchange;
mod flow;
mod id_token;
mod json;
mod jwk_set;
mod mark;
mod object;
mod pkce;
mod resolution;
mod scopes;
mod secret;
mod silent;
mod tenant_profile;
#[cfg(test)]
mod testing;
#[doc(hidden)]
pub mod text;
mod time;
mod token_response;
mod tokens;

pub use account::Account;
pub use account_id::AccountId;
pub use authority::Authority;
pub use authority::metadata::ProviderMetadata;
pub use authority::names::InstanceMetadata;
pub use authority::options::AuthorityOptions;
pub use authority::tenant::Tenant;
pub use authorize::{
    AuthorizationRequest, AuthorizationResponse, PendingAuthorization, Prompt, PushedAuthorization, RedirectUri,
    ResponseMode, is_web_origin,
};
pub use body::Body;
pub use claims::Claims;
pub use claims_challenge::ClaimsChallenge;
pub use client::{Application, ClientId, RequestContext};
pub use client_info::ClientInfo;
pub use correlation::CorrelationId;
pub use device_sign_in::DeviceSignIn;
pub use error::{
    Classification, ConfigError, Error, IdTokenFault, ProtocolError, ServerError, Throttled, TransportError,
    TransportFault, UiReason, UiRequired,
};
pub use exchange::{
    CodeRedemption, DeviceAuthorization, DeviceCode, Exchange, InstanceDiscovery, JwkSetRequest, OpenIdConfiguration,
    Provider, RedemptionRequest, RefreshRedemption, Replay, server_time,
};
pub use flow::{Flow, Input, OneStep, Step};
pub use id_token::IdToken;
pub use jwk_set::JwkSet;
pub use pkce::{Nonce, PkceVerifier, State};
pub use resolution::{AuthorityResolution, ResolutionOutcome, ResolvedAuthority};
#[doc(hidden)]
pub use scopes::ScopeMask;
pub use scopes::Scopes;
pub use secret::Secret;
pub use silent::{RefreshCandidate, SilentOutcome, SilentRedemption};
pub use tenant_profile::TenantProfile;
pub use time::Timestamp;
pub use tokens::Tokens;
