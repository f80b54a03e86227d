//! Browsers that tell the user at the terminal what is happening.

use std::sync::{Arc, OnceLock};

use auth::{Browser, BrowserError, PasteError, Secret, SystemBrowser};
use http::Uri;

use crate::pasted::Pasted;
use crate::terminal;

/// The system browser, announced on stderr with the URL because its window may open out of sight; or no browser at all,
/// only the URL.
#[derive(Clone, Debug)]
pub(crate) struct TerminalBrowser {
    system: SystemBrowser,
    by_hand: Arc<OnceLock<ByHand>>,
    pasted: Arc<Pasted>,
}

/// The user opens the URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByHand {
    /// The port to forward, if the user came over SSH.
    pub(crate) tunnel: Option<u16>,
}

impl TerminalBrowser {
    pub(crate) fn new() -> Self {
        Self { system: SystemBrowser::new(), by_hand: Arc::default(), pasted: Arc::default() }
    }

    /// Whether this is an SSH session.
    pub(crate) fn is_over_ssh(&self) -> bool {
        self.system.environment().ssh
    }

    /// Opens no browser from now on.
    pub(crate) fn leave_to_user(&self, by_hand: ByHand) {
        self.by_hand.get_or_init(|| by_hand);
    }
}

impl Browser for TerminalBrowser {
    fn check(&self) -> Result<(), BrowserError> {
        if self.by_hand.get().is_some() { Ok(()) } else { self.system.check() }
    }

    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let Some(by_hand) = self.by_hand.get() else {
            terminal::say("Opening your browser to sign in. If no page appears, open this address yourself:");
            terminal::say(format_args!("  {url}"));
            return self.system.open(url).await;
        };
        terminal::say("To sign in, open this address in a browser:");
        terminal::say(format_args!("  {url}"));
        if let Some(port) = by_hand.tunnel {
            terminal::say(format_args!(
                "You are connected over SSH. At the end of the sign-in, the browser must reach port {port} of this \
                 machine, so forward it first: on your own machine, with the name of this one as HOST, run:"
            ));
            terminal::say(format_args!("  ssh -L {port}:localhost:{port} HOST"));
        }
        Ok(())
    }

    async fn pasted(&self, refused: Option<PasteError>) -> Secret {
        if self.by_hand.get().is_none() || !Pasted::is_possible() || !self.pasted.hide() {
            return std::future::pending().await;
        }
        match refused {
            None => terminal::say(
                "If the browser cannot load the last page, copy the address of that page, paste it here and press \
                 Enter. (What you paste is not displayed.)",
            ),
            Some(error) => terminal::say_sentence(error),
        }
        self.pasted.line().await
    }
}

/// A robot that plays the user over HTTP.
#[cfg(feature = "emulator")]
#[derive(Debug)]
pub(crate) struct RobotBrowser {
    pub(crate) robot: auth_emulator::Robot,
}

#[cfg(feature = "emulator")]
impl Browser for RobotBrowser {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        match self.robot.visit(&url.to_string()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(BrowserError::Other(error.to_string())),
        }
    }
}
