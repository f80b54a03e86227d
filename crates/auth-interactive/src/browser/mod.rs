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
    /// Whether a page can be shown, as far as that is known without trying. It is asked before a sign-in begins, so that
    /// nobody is asked or waited for in vain. By default there is nothing in the way.
    ///
    /// # Errors
    /// [`BrowserError`] when the user would certainly not see the page.
    fn check(&self) -> Result<(), BrowserError> {
        Ok(())
    }

    /// Shows `url`.
    ///
    /// # Errors
    /// [`BrowserError`] when the user will certainly not see the page; this ends the sign-in.
    fn open(&self, url: &Uri) -> impl Future<Output = Result<(), BrowserError>> + Send;

    /// An address that the user pasted: the one at which a browser ended that could not reach the loopback port, since it
    /// runs on another machine. It is asked for beside [`open`](Self::open), where the response was asked for in the query
    /// ([`ResponseMode::Query`](auth_core::ResponseMode)), and again with the reason when it was not the answer. It holds
    /// the code: show it nowhere. By default nobody pastes anything.
    fn pasted(&self, refused: Option<PasteError>) -> impl Future<Output = Secret> + Send {
        let _ = refused;
        std::future::pending()
    }
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
    /// [`Browser::check`].
    ///
    /// # Errors
    /// Those of [`Browser::check`].
    fn dyn_check(&self) -> Result<(), BrowserError>;

    /// [`Browser::open`], boxed.
    fn open<'a>(&'a self, url: &'a Uri) -> Pin<Box<dyn Future<Output = Result<(), BrowserError>> + Send + 'a>>;

    /// [`Browser::pasted`], boxed.
    fn pasted(&self, refused: Option<PasteError>) -> Pin<Box<dyn Future<Output = Secret> + Send + '_>>;
}

impl<B: Browser> DynBrowser for B {
    fn dyn_check(&self) -> Result<(), BrowserError> {
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
        self.as_ref().dyn_check()
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
        self.as_ref().dyn_check()
    }

    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        self.as_ref().open(url).await
    }

    async fn pasted(&self, refused: Option<PasteError>) -> Secret {
        self.as_ref().pasted(refused).await
    }
}
