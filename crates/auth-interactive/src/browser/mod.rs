//! Showing a URL to the user.

use std::pin::Pin;
use std::sync::Arc;

use auth_core::Secret;
use http::Uri;

use crate::error::{BrowserError, PasteError};

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

/// Shows a URL to the user: in the system browser or a web view, as a printed link, or to a robot in a test.
///
/// [`open`](Self::open) may return once it has asked for the page, or stay pending until the user is done: the receiver
/// runs concurrently. It must not block its thread (use `spawn_blocking`), and it may be dropped at any await point.
///
/// The URL contains `state` and `nonce`: do not log it.
///
/// ```
/// use auth_interactive::{Browser, BrowserError};
///
/// /// Sends the link to the thread that displays it.
/// struct Link(std::sync::mpsc::SyncSender<http::Uri>);
///
/// impl Browser for Link {
///     async fn open(&self, url: &http::Uri) -> Result<(), BrowserError> {
///         self.0.try_send(url.clone()).map_err(|_| BrowserError::Other("no window is open".to_owned()))
///     }
/// }
/// ```
pub trait Browser: Send + Sync {
    /// Checks, without trying, whether a page can be shown. A client calls this before it begins a sign-in, so that no
    /// one waits for a user who sees no page. The default is `Ok(())`.
    ///
    /// # Errors
    /// [`BrowserError`] if the user would certainly not see the page.
    fn check(&self) -> Result<(), BrowserError> {
        Ok(())
    }

    /// Shows `url`.
    ///
    /// # Errors
    /// [`BrowserError`] if the user will certainly not see the page; this ends the sign-in.
    fn open(&self, url: &Uri) -> impl Future<Output = Result<(), BrowserError>> + Send;

    /// Returns a URL that the user pasted: the one at which the browser ended up when it could not reach the loopback
    /// port because it runs on another machine. By default it stays pending.
    ///
    /// It is awaited concurrently with [`open`](Self::open), only if the response comes in the query
    /// ([`ResponseMode::Query`](auth_core::ResponseMode)), and again, with the reason, after each URL that is refused.
    /// The URL contains the code: never show or log it.
    fn pasted(&self, refused: Option<PasteError>) -> impl Future<Output = Secret> + Send {
        let _ = refused;
        std::future::pending()
    }
}

/// The object-safe form of [`Browser`], for storing one behind a pointer. Every [`Browser`] is a `DynBrowser`;
/// implement that trait instead.
///
/// ```
/// use std::sync::Arc;
/// use auth_interactive::{Browser, BrowserError, DynBrowser};
///
/// struct Nowhere;
///
/// impl Browser for Nowhere {
///     async fn open(&self, _: &http::Uri) -> Result<(), BrowserError> {
///         Err(BrowserError::Other("there is no screen".to_owned()))
///     }
/// }
///
/// let stored: Arc<dyn DynBrowser> = Arc::new(Nowhere);
/// ```
pub trait DynBrowser: Send + Sync {
    /// [`Browser::check`].
    ///
    /// # Errors
    /// Those of [`Browser::check`].
    fn check(&self) -> Result<(), BrowserError>;

    /// [`Browser::open`], boxed.
    fn open<'a>(&'a self, url: &'a Uri) -> Pin<Box<dyn Future<Output = Result<(), BrowserError>> + Send + 'a>>;

    /// [`Browser::pasted`], boxed.
    fn pasted(&self, refused: Option<PasteError>) -> Pin<Box<dyn Future<Output = Secret> + Send + '_>>;
}

impl<B: Browser> DynBrowser for B {
    fn check(&self) -> Result<(), BrowserError> {
        self.check()
    }

    fn open<'a>(&'a self, url: &'a Uri) -> Pin<Box<dyn Future<Output = Result<(), BrowserError>> + Send + 'a>> {
        Box::pin(self.open(url))
    }

    fn pasted(&self, refused: Option<PasteError>) -> Pin<Box<dyn Future<Output = Secret> + Send + '_>> {
        Box::pin(self.pasted(refused))
    }
}

impl Browser for Arc<dyn DynBrowser> {
    fn check(&self) -> Result<(), BrowserError> {
        self.as_ref().check()
    }

    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.as_ref().open(url).await
    }

    async fn pasted(&self, refused: Option<PasteError>) -> Secret {
        self.as_ref().pasted(refused).await
    }
}

impl Browser for Box<dyn DynBrowser> {
    fn check(&self) -> Result<(), BrowserError> {
        self.as_ref().check()
    }

    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.as_ref().open(url).await
    }

    async fn pasted(&self, refused: Option<PasteError>) -> Secret {
        self.as_ref().pasted(refused).await
    }
}
