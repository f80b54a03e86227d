//! The errors, worded for the person who has to act.

use std::io;
use std::time::Duration;

/// Why the URL could not be shown to the user. No message contains the URL.
///
/// ```
/// use auth_interactive::{BrowserError, Headless};
///
/// let error = BrowserError::Headless(Headless::NoDisplay);
/// assert!(error.to_string().contains("BROWSER"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// The URL must not be passed to another program (S-31).
    #[error("the sign-in URL was not opened: {0}")]
    Url(&'static str),
    /// No browser window can appear in front of the user. Offer another way to sign in, such as a device code.
    #[error("{0}; sign in another way, or set BROWSER to a command that can show the sign-in page")]
    Headless(Headless),
    /// The program runs under `sudo`: root's browser would be the wrong one (S-34).
    #[error("no browser is opened under sudo; run the program as yourself, or set BROWSER to a command")]
    Sudo,
    /// `BROWSER` is not a valid list of commands.
    #[error("BROWSER cannot be used: {0}")]
    Setting(&'static str),
    /// The browser command could not be started.
    #[error("the browser command {command:?} could not be started; correct BROWSER")]
    NotStarted {
        /// The name of the program, without its arguments.
        command: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// The browser command failed before the sign-in was over.
    #[error("the browser command {command:?} failed ({status}) before the sign-in ended; correct BROWSER")]
    Failed {
        /// The name of the program, without its arguments.
        command: String,
        /// How it ended, such as `exit status: 1`.
        status: String,
    },
    /// The desktop has no browser, or could not open it. The text does not contain the URL.
    #[error("no browser could be opened ({0}); sign in another way, or set BROWSER to a browser's command")]
    System(String),
    /// An application's own [`Browser`](crate::Browser) failed. The text must contain neither a secret nor the URL.
    #[error("the sign-in page could not be shown: {0}")]
    Other(String),
}

/// Why no browser window can appear in front of the user.
///
/// ```
/// assert!(auth_interactive::Headless::Ssh.to_string().contains("SSH"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Headless {
    /// Neither `DISPLAY` nor `WAYLAND_DISPLAY` is set.
    #[error("this session has no display to open a browser on")]
    NoDisplay,
    /// The user came over SSH and does not see the screen of this machine, and no display is forwarded.
    #[error("this SSH session has no forwarded display to open a browser on")]
    Ssh,
    /// The program runs in a container, which a browser outside could not reach.
    #[error("this program runs in a container, where you would not see a browser")]
    Container,
}

/// Why no response was received. No message contains anything from a request.
///
/// ```
/// let error = auth_interactive::LoopbackError::PortInUse(8400);
/// assert!(error.to_string().contains("8400"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopbackError {
    /// The redirect URI does not name this machine, or names no port where one is needed.
    #[error("the redirect URI is not a loopback address; use http://localhost")]
    NotLoopback,
    /// The sign-in was begun with a redirect URI other than the receiver's.
    #[error("the sign-in was begun with a different redirect URI; begin it with the receiver's")]
    OtherRedirect,
    /// Another program holds the port of the redirect URI, on at least one address family.
    #[error("port {0} is in use by another program; stop it, or use a redirect URI without a port")]
    PortInUse(u16),
    /// In twenty attempts, no port was free on both address families (S-14).
    #[error("no loopback port was free on both 127.0.0.1 and [::1]; try again, or choose a port in the redirect URI")]
    NoFreePort,
    /// The operating system refused to listen.
    #[error("cannot listen on the loopback address (port {port})")]
    Bind {
        /// The port; 0 if the system was to choose one.
        port: u16,
        /// The operating system's error.
        source: io::Error,
    },
    /// The runtime refused the listening socket.
    #[error("the loopback listener cannot be used")]
    Listen(#[source] io::Error),
    /// No response arrived in time.
    #[error("the sign-in was not finished within {} s; start it again", .0.as_secs())]
    TimedOut(Duration),
    /// So many other requests arrived that something on this machine must be disturbing the sign-in (S-23).
    #[error("the loopback port was flooded by another program; stop that program and start the sign-in again")]
    Flooded,
}

/// Why a pasted URL was refused. The messages are for the person who pasted it, and contain nothing of it.
///
/// ```
/// assert!(auth_interactive::PasteError::State.to_string().contains("another sign-in"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "one for each check, which a request to the port must pass too")]
pub enum PasteError {
    /// It is not the redirect URI.
    #[error("this is not the address where the sign-in ends; copy the complete address of the last page")]
    Address,
    /// Its parameters are not a valid authorization response.
    #[error("this address contains no valid response; copy the complete address of the last page")]
    Response,
    /// Its `state` is not that of this sign-in.
    #[error("this address belongs to another sign-in; open the sign-in page again")]
    State,
}

/// Why the settings of [`Pages`](crate::Pages) were refused.
///
/// ```
/// use auth_interactive::{Branding, PagesError};
///
/// assert!(matches!(Branding::new(""), Err(PagesError::Name)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    /// The name of the application is empty, too long, or has characters that cannot be shown.
    #[error("the application's name must have 1 to 64 bytes, without control, bidirectional or invisible characters")]
    Name,
    /// The colour is not of the form `#rrggbb`.
    #[error("the accent must be a colour such as #0f6cbd")]
    Accent,
    /// The logo is of the wrong type, or too large.
    #[error("the logo was refused: {0}")]
    Logo(&'static str),
    /// The HTML document of the application is too large, or contains a script (S-26).
    #[error("the template was refused: {0}")]
    Template(&'static str),
    /// The browser must not be redirected to this URL (S-26).
    #[error("the redirect was refused: {0}")]
    Redirect(&'static str),
}

/// Why [`sign_in`](fn@crate::sign_in) received no response.
///
/// ```
/// use auth_interactive::{LoopbackError, SignInError};
///
/// assert!(matches!(SignInError::from(LoopbackError::Flooded), SignInError::Loopback(_)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The page could not be shown.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// The response could not be received.
    #[error(transparent)]
    Loopback(#[from] LoopbackError),
}

const _: fn() = || {
    fn sendable<T: Send + Sync + 'static>() {}
    sendable::<BrowserError>();
    sendable::<LoopbackError>();
    sendable::<PagesError>();
    sendable::<PasteError>();
    sendable::<SignInError>();
};
