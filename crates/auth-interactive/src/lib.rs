//! Interactive sign-in: opens a browser, and receives the authorization response on a loopback port.
//!
//! - [`Browser`] shows a URL to the user. `SystemBrowser` (feature `system-browser`, on by default) opens the desktop's
//!   browser or the command in `BROWSER`; an application with its own web view implements the trait.
//! - [`LoopbackReceiver`] listens on the port of the redirect URI (RFC 8252 §7.3) until a request with the right
//!   `state` arrives. Any other request gets a fixed refusal, and the wait continues.
//! - [`sign_in`](fn@sign_in) runs both concurrently.
//!
//! The crate knows nothing of the token endpoint or the cache: it takes an [`auth_core::PendingAuthorization`] and
//! returns an [`auth_core::AuthorizationResponse`].
//!
//! A state machine without I/O (`conversation`) decides how each connection is answered; the receiver is a thin shell
//! around it that owns the sockets and the clock.
//!
//! ```no_run
//! use auth_core::{AuthorizationRequest, RedirectUri, Timestamp};
//! use auth_interactive::{DynBrowser, Expectation, LoopbackReceiver, sign_in};
//!
//! # async fn example(browser: &dyn DynBrowser, mut request: AuthorizationRequest, now: Timestamp)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // Bind first, so that the port is held before anyone learns its number (S-13).
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
