//! The one moment at which a person sees the library: a browser opens, and its answer arrives on this machine.
//!
//! - [`Browser`] shows a URL to the user. `SystemBrowser` (feature `system-browser`, on by default) opens the desktop's
//!   browser or the command in `BROWSER`; an application with a web view implements the trait itself.
//! - [`LoopbackReceiver`] holds the port of the redirect URI (RFC 8252 §7.3) and waits for the one request with the
//!   right `state`; anything else gets a fixed refusal, and the wait continues.
//! - [`sign_in`](fn@sign_in) runs both at the same time.
//!
//! The crate knows neither the token endpoint nor the cache: it takes an [`auth_core::PendingAuthorization`] and
//! returns an [`auth_core::AuthorizationResponse`].
//!
//! A state machine without any I/O (`conversation`) decides what a connection may say; the receiver is a thin shell
//! around it that owns sockets and clocks.
//!
//! ```no_run
//! use auth_core::{AuthorizationRequest, RedirectUri, Timestamp};
//! use auth_interactive::{DynBrowser, Expectation, LoopbackReceiver, sign_in};
//!
//! # async fn example(browser: &dyn DynBrowser, mut request: AuthorizationRequest, now: Timestamp)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // Bind first: the port is ours before anyone learns of it (S-13).
//! let receiver = LoopbackReceiver::bind(&RedirectUri::parse("http://localhost")?)?;
//! request.redirect_uri = receiver.redirect_uri().clone();
//! let pending = request.begin(&mut rand::rngs::SysRng, now)?;
//! let response = sign_in(browser, receiver, pending.url(), Expectation::new(&pending)?).await?;
//! let redemption = pending.accept(response, now)?;
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod browser;
mod conversation;
mod error;
mod expectation;
#[cfg(any(test, feature = "test-util"))]
pub mod fuzzing;
mod pages;
mod paste;
mod receiver;
mod sign_in;
#[cfg(test)]
mod testing;

pub use browser::{Browser, DynBrowser, check_url};
#[cfg(feature = "system-browser")]
pub use browser::{Desktop, Environment, SystemBrowser};
pub use error::{BrowserError, Headless, LoopbackError, PagesError, PasteError, SignInError};
pub use expectation::Expectation;
pub use pages::{Branding, Pages};
pub use receiver::LoopbackReceiver;
pub use sign_in::sign_in;
