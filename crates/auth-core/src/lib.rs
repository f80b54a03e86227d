//! Sans-IO core for OAuth 2.0 and OpenID Connect tokens, first of all from Microsoft Entra ID.
//!
//! Nothing in this crate asks a clock, draws a random number, opens a socket or reads a file: time is a [`Timestamp`]
//! argument, randomness a generator that the caller hands in, and every request and response is a value of crate `http`.
//! So every rule of the protocol can be tested as plain data.
//!
//! There are two shapes of conversation and no third:
//!
//! - an [`Exchange`] is one round trip: [`OpenIdConfiguration`], [`InstanceDiscovery`], [`PushedAuthorization`],
//!   [`CodeRedemption`], [`RefreshRedemption`];
//! - a [`Flow`] has several steps: [`AuthorityResolution`] finds the endpoints, [`SilentRedemption`] tries refresh tokens
//!   in turn. An exchange is a flow of one step through [`OneStep`].
//!
//! A sign-in begins with an [`AuthorizationRequest`], is remembered as a [`PendingAuthorization`], and becomes a
//! [`CodeRedemption`] when the [`AuthorizationResponse`] is accepted.
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
    Provider, RefreshRedemption, Replay, server_time,
};
pub use flow::{Flow, Input, OneStep, Step};
pub use id_token::IdToken;
pub use jwk_set::JwkSet;
pub use pkce::{Nonce, PkceVerifier, State};
pub use resolution::{AuthorityResolution, ResolutionOutcome, ResolvedAuthority};
pub use scopes::{ScopeMask, Scopes};
pub use secret::Secret;
pub use silent::{RefreshCandidate, SilentOutcome, SilentRedemption, SilentRequest};
pub use tenant_profile::TenantProfile;
pub use time::Timestamp;
pub use tokens::Tokens;
