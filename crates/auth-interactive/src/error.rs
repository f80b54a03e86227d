//! What can go wrong, in words for the person who has to act.

use std::io;
use std::time::Duration;

/// Why the URL could not be shown to the user. No text holds the URL.
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
    /// The URL is none that may be handed to another program (S-31).
    #[error("the sign-in address is not opened: {0}")]
    Url(&'static str),
    /// No browser window can appear before the user's eyes. User action: another way to sign in, such as a device code.
    #[error("{0}; sign in another way, or set BROWSER to a command that can show the sign-in page")]
    Headless(Headless),
    /// Run through `sudo`: a browser of root would be the wrong one (S-34).
    #[error("no browser is opened under sudo; run the program as yourself, or set BROWSER to a command")]
    Sudo,
    /// `BROWSER` cannot be read as a list of commands.
    #[error("BROWSER cannot be used: {0}")]
    Setting(&'static str),
    /// The browser command could not be started.
    #[error("the browser command {command:?} could not be started; correct BROWSER")]
    NotStarted {
        /// The name of the program, without its arguments.
        command: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The browser command ended with a failure before the sign-in was over.
    #[error("the browser command {command:?} failed ({status}) before the sign-in ended; correct BROWSER")]
    Failed {
        /// The name of the program, without its arguments.
        command: String,
        /// How it ended, such as `exit status: 1`.
        status: String,
    },
    /// The desktop offered no browser, or refused to open it. The text holds no URL.
    #[error("no browser could be opened ({0}); sign in another way, or set BROWSER to the command of one")]
    System(String),
    /// An application's own [`Browser`](crate::Browser) failed. The text must hold no secret and no URL.
    #[error("the sign-in page could not be shown: {0}")]
    Other(String),
}

/// Why no browser window can appear before the user's eyes.
///
/// ```
/// assert!(auth_interactive::Headless::Ssh.to_string().contains("SSH"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Headless {
    /// There is neither `DISPLAY` nor `WAYLAND_DISPLAY`.
    #[error("this session has no display to open a browser on")]
    NoDisplay,
    /// The screen of this machine is not where the user is, and no display is forwarded.
    #[error("this session came over SSH, without a forwarded display to open a browser on")]
    Ssh,
    /// A browser outside of the container would not reach the program.
    #[error("this program runs in a container, whose browser nobody would see")]
    Container,
}

/// Why no response was received. No text holds anything that came from a request.
///
/// ```
/// let error = auth_interactive::LoopbackError::PortInUse(8400);
/// assert!(error.to_string().contains("8400"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopbackError {
    /// The redirect URI does not name this machine, so nothing can be received here.
    #[error("the redirect URI is no loopback address; use http://localhost")]
    NotLoopback,
    /// The expectation belongs to another redirect URI than the one that is listened on.
    #[error("the sign-in was begun with another redirect URI than the receiver's; begin it with the receiver's own")]
    OtherRedirect,
    /// Another program holds the port that the redirect URI names, on one address family at least.
    #[error("port {0} is in use by another program; stop it, or use a redirect URI without a port")]
    PortInUse(u16),
    /// No port was free on both address families in twenty tries (S-14).
    #[error("no loopback port was free for 127.0.0.1 and [::1] together; try again, or name a port")]
    NoFreePort,
    /// The operating system refused to listen.
    #[error("cannot listen on the loopback address, port {port}")]
    Bind {
        /// The port; 0 where the system was to choose one.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The listening socket cannot be used by the runtime.
    #[error("the loopback listener cannot be used")]
    Listen(#[source] io::Error),
    /// Nobody finished the sign-in in time.
    #[error("the sign-in was not finished within {} s; start it again", .0.as_secs())]
    TimedOut(Duration),
    /// So many other requests came that something on this machine is disturbing the sign-in (S-23).
    #[error("the loopback port was flooded with foreign requests; close what sends them and start the sign-in again")]
    Flooded,
}

/// Why a pasted address is not the answer. The texts are for the person who pasted it, and hold nothing of it.
///
/// ```
/// assert!(auth_interactive::PasteError::State.to_string().contains("another sign-in"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "each is a check that a request to the port has to pass too")]
pub enum PasteError {
    /// It is another address than the redirect URI's.
    #[error("this is not the address at which the sign-in ends; copy the whole address of the last page")]
    Address,
    /// Its parameters cannot be an authorization response.
    #[error("the address holds no answer that can be read; copy the whole address of the last page")]
    Response,
    /// It does not carry the state of this sign-in.
    #[error("the address belongs to another sign-in; open the sign-in page anew")]
    State,
}

/// Why [`Pages`](crate::Pages) cannot be as the application wants them.
///
/// ```
/// use auth_interactive::{Branding, PagesError};
///
/// assert!(matches!(Branding::new(""), Err(PagesError::Name)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    /// The name of the application cannot be shown.
    #[error("the application's name must have 1 to 64 bytes, and no control, direction or invisible characters")]
    Name,
    /// The colour cannot be read.
    #[error("the accent must be a colour such as #0f6cbd")]
    Accent,
    /// The logo cannot be shown.
    #[error("the logo is not taken: {0}")]
    Logo(&'static str),
    /// The application's own document is not shown (S-26).
    #[error("the template is not taken: {0}")]
    Template(&'static str),
    /// The browser is not sent on to this address (S-26).
    #[error("the browser is not sent on: {0}")]
    Redirect(&'static str),
}

/// Why [`sign_in`](fn@crate::sign_in) got no response.
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
    /// The answer could not be received.
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
