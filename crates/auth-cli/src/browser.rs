//! Browsers that tell the person at the terminal what happens.

use auth::{Browser, BrowserError, SystemBrowser};
use http::Uri;

use crate::terminal;

/// The system's browser, announced on stderr with the address, as a window may open where nobody sees it.
#[derive(Debug)]
pub(crate) struct AnnouncedBrowser {
    pub(crate) system: SystemBrowser,
}

impl Browser for AnnouncedBrowser {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        terminal::say("Opening your browser to sign in. If no page appears, open this address yourself:");
        terminal::say(format_args!("  {url}"));
        self.system.open(url).await
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
