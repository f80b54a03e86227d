//! The user's own browser.

use std::process::Stdio;

use auth_core::text::stripped;
use http::Uri;
use tokio::process::{Child, Command};

use super::Browser;
use super::command::BrowserCommand;
use super::environment::Environment;
use super::url::checked_text;
use crate::error::BrowserError;

/// Opens the system browser, or the command that the user named in `BROWSER`.
///
/// `BROWSER` wins over everything: it is split into words first, the URL is one argument, and no shell is involved
/// (S-33). `:` separates alternatives; the next is tried when one cannot be started or fails. The command has no
/// standard input and writes nothing to our standard output. `open` then stays pending until the command ends, so that
/// a failing one ends the sign-in; a command that is still there when the sign-in is over goes on by itself.
///
/// Without `BROWSER` the desktop is asked, through crate `webbrowser`.
///
/// Only URLs that pass [`check_url`](crate::check_url) are opened. Needs a tokio runtime with I/O enabled.
///
/// ```no_run
/// use auth_interactive::{Browser, SystemBrowser};
///
/// # async fn example() -> Result<(), auth_interactive::BrowserError> {
/// SystemBrowser::new().open(&"https://login.example/".parse().unwrap()).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SystemBrowser {
    environment: Environment,
}

impl SystemBrowser {
    /// The browser of this process's environment, which is read now.
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment(Environment::from_process())
    }

    /// The browser of other surroundings.
    #[must_use]
    pub fn with_environment(environment: Environment) -> Self {
        Self { environment }
    }
}

impl Default for SystemBrowser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser for SystemBrowser {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let url = checked_text(url)?;
        match &self.environment.browser {
            Some(setting) => run_first_good(&BrowserCommand::parse_list(setting)?, &url).await,
            None if self.environment.sudo => Err(BrowserError::Sudo),
            None if !self.environment.graphical => Err(BrowserError::Headless),
            None => ask_desktop(url).await,
        }
    }
}

async fn run_first_good(commands: &[BrowserCommand], url: &str) -> Result<(), BrowserError> {
    let mut outcome = Err(BrowserError::Setting("it names no command"));
    for command in commands {
        outcome = run(command, url).await;
        match &outcome {
            Ok(()) => break,
            Err(error) => tracing::debug!(%error, "a browser command did not work"),
        }
    }
    outcome
}

/// Starts a command and waits for its end. The child outlives this future: tokio collects its exit status, so that no
/// zombie is left.
async fn run(command: &BrowserCommand, url: &str) -> Result<(), BrowserError> {
    // Arguments may hold anything, the URL among it; only the name is told.
    let name = || stripped(&command.program, 200);
    let child = start(command, url).map_err(|source| BrowserError::NotStarted { command: name(), source });
    let status = child?.wait().await.map_err(|source| BrowserError::NotStarted { command: name(), source })?;
    if status.success() { Ok(()) } else { Err(BrowserError::Failed { command: name(), status: status.to_string() }) }
}

fn start(command: &BrowserCommand, url: &str) -> std::io::Result<Child> {
    Command::new(&command.program)
        .args(command.arguments(url))
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .stderr(Stdio::inherit())
        .kill_on_drop(false)
        .spawn()
}

async fn ask_desktop(url: String) -> Result<(), BrowserError> {
    // Some openers stay until the browser ends.
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(&url)).await;
    // The error's text may hold the URL; its kind cannot.
    match opened {
        Ok(opened) => opened.map_err(|error| BrowserError::System(error.kind())),
        Err(_) => Err(BrowserError::System(std::io::ErrorKind::Other)),
    }
}
