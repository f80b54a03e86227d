//! Browsers that tell the person at the terminal what happens.

use std::sync::{Arc, OnceLock};

use auth::{Browser, BrowserError, PasteError, Secret, SystemBrowser};
use http::Uri;

use crate::pasted::Pasted;
use crate::terminal;

/// The system's browser, announced on stderr with the address, as a window may open where nobody sees it; or no browser
/// at all, and the address alone.
#[derive(Clone, Debug)]
pub(crate) struct TerminalBrowser {
    system: SystemBrowser,
    by_hand: Arc<OnceLock<ByHand>>,
    pasted: Arc<Pasted>,
}

/// The user opens the address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByHand {
    /// The port to forward, where the user came over SSH.
    pub(crate) tunnel: Option<u16>,
}

impl TerminalBrowser {
    pub(crate) fn new() -> Self {
        Self { system: SystemBrowser::new(), by_hand: Arc::default(), pasted: Arc::default() }
    }

    /// Whether the user is at another machine.
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
                "You came over SSH, and the browser has to reach port {port} of this machine at the end. Forward it first, on \
                 your own machine, with HOST as you named this one:"
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
                "If the browser cannot show the last page, copy its address and paste it here, then press Enter. It is not \
                 shown.",
            ),
            Some(error) => terminal::say(format_args!("{error}.")),
        }
        self.pasted.line().await
    }
}

/// The user, played by a robot over HTTP.
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
