//! Showing a URL to the user.

use std::pin::Pin;
use std::sync::Arc;

use http::Uri;

use crate::error::BrowserError;

#[cfg(feature = "system-browser")]
mod command;
#[cfg(feature = "system-browser")]
mod environment;
#[cfg(feature = "system-browser")]
mod opener;
#[cfg(all(feature = "system-browser", unix))]
mod search;
#[cfg(feature = "system-browser")]
mod system;
mod url;

#[cfg(feature = "system-browser")]
pub use environment::{Desktop, Environment};
#[cfg(feature = "system-browser")]
pub use system::SystemBrowser;
pub use url::check_url;

/// Shows a URL to the user: the system browser, a web view, a printed link, a robot in a test.
///
/// The future may end as soon as the page was asked for, or stay pending until the user is done: the receiver serves
/// beside it. It must not block its thread meanwhile (use `spawn_blocking`). It may be dropped at any await.
///
/// The URL holds `state` and `nonce`: do not log it.
///
/// ```
/// use auth_interactive::{Browser, BrowserError};
///
/// /// Hands the link to a part of the program that can show it.
/// struct Link(std::sync::mpsc::SyncSender<http::Uri>);
///
/// impl Browser for Link {
///     async fn open(&self, url: &http::Uri) -> Result<(), BrowserError> {
///         self.0.try_send(url.clone()).map_err(|_| BrowserError::Other("nobody shows links".to_owned()))
///     }
/// }
/// ```
pub trait Browser: Send + Sync {
    /// Shows `url`.
    ///
    /// # Errors
    /// [`BrowserError`] when the user will certainly not see the page; this ends the sign-in.
    fn open(&self, url: &Uri) -> impl Future<Output = Result<(), BrowserError>> + Send;
}

/// [`Browser`] behind a pointer. Implement [`Browser`]; every one of them is a `DynBrowser`.
///
/// ```
/// use std::sync::Arc;
/// use auth_interactive::{Browser, BrowserError, DynBrowser};
///
/// struct Nowhere;
///
/// impl Browser for Nowhere {
///     async fn open(&self, _: &http::Uri) -> Result<(), BrowserError> {
///         Err(BrowserError::Other("nobody is there".to_owned()))
///     }
/// }
///
/// let stored: Arc<dyn DynBrowser> = Arc::new(Nowhere);
/// ```
pub trait DynBrowser: Send + Sync {
    /// [`Browser::open`], boxed.
    fn open_boxed<'a>(&'a self, url: &'a Uri) -> Pin<Box<dyn Future<Output = Result<(), BrowserError>> + Send + 'a>>;
}

impl<B: Browser> DynBrowser for B {
    fn open_boxed<'a>(&'a self, url: &'a Uri) -> Pin<Box<dyn Future<Output = Result<(), BrowserError>> + Send + 'a>> {
        Box::pin(self.open(url))
    }
}

impl Browser for Arc<dyn DynBrowser> {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.as_ref().open_boxed(url).await
    }
}

impl Browser for Box<dyn DynBrowser> {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.as_ref().open_boxed(url).await
    }
}
