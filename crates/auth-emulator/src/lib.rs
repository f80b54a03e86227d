//! A local identity provider in one process, in the shape of Microsoft Entra ID.
//!
//! It serves discovery, a sign-in page with a few made-up users, consent, sign-in on another device, and a token
//! endpoint with PKCE, refresh token rotation and signed tokens, on `127.0.0.1` only. It is for tests and
//! demonstrations: anyone who can reach the port can sign in as any user, without a password.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use auth_emulator::{Emulator, Endpoint, Fault, GrantType};
//!
//! let emulator = Emulator::start().await?;
//! let authority = emulator.authority(); // pass this to the client under test
//! # let _ = authority;
//!
//! // The next token request gets a 503 response.
//! emulator.faults().push(Endpoint::Token, Fault::status(503));
//! // ... let the client under test run ...
//! assert_eq!(emulator.ledger().token_requests(GrantType::RefreshToken), 0);
//!
//! emulator.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # How it is built
//!
//! Functions on plain data (`token`, `authorize`, `device`, `store`) decide how a request is answered; time and
//! randomness are arguments. The shell around them (`server`) owns the sockets, the clock and the lock. With the
//! feature `robot`, `Robot` plays the user over HTTP without a browser.

#![forbid(unsafe_code)]

mod authorization_request;
mod authorize;
mod builder;
mod choice;
mod claims_request;
mod clock;
mod device;
mod directory;
mod emulator;
mod endpoint;
mod error;
mod fault;
mod ids;
mod keys;
mod ledger;
mod pages;
mod params;
mod pkce;
mod redirect;
#[cfg(feature = "robot")]
mod robot;
#[cfg(test)]
mod scenario;
mod scope;
mod server;
mod settings;
mod store;
mod token;

pub use builder::EmulatorBuilder;
pub use directory::User;
pub use emulator::{Emulator, StartError};
pub use endpoint::Endpoint;
pub use fault::{Fault, Faults, HttpFault, OAuthFault};
pub use ledger::{CredentialKind, GrantType, Ledger, Record, Redemption};
#[cfg(feature = "robot")]
pub use robot::{Redirect, Robot, RobotError, Visit};
pub use settings::Rotation;
