//! The system browser.

use std::ffi::OsStr;
use std::process::Stdio;

use auth_core::text::stripped;
use http::Uri;
use tokio::process::{Child, Command};

use super::Browser;
use super::command::BrowserCommand;
use super::environment::Environment;
use super::opener::Opener;
#[cfg(unix)]
use super::search::find;
use super::url::checked_text;
use crate::error::BrowserError;

/// Variables that commonly hold the secrets of programs that sign in; a browser does not need them (S-32).
const SECRETS: [&str; 7] = [
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "AZUREAUTH_ADO_PAT",
    "IDENTITY_HEADER",
    "MSI_SECRET",
    "SYSTEM_ACCESSTOKEN",
];

/// Opens the system browser, or the command in `BROWSER`.
///
/// `BROWSER` takes precedence. It is split into words before the URL is inserted as one argument, and no shell is
/// involved (S-33). `:` separates alternatives (`;` on Windows): if one cannot be started or fails, the next is tried.
/// A command's standard output goes to our standard error. `open` stays pending until the command ends, so that a
/// failing command ends the sign-in; a command that outlives the sign-in keeps running.
///
/// Without `BROWSER`, the page is opened by the desktop: on Linux by `xdg-open`, or else by the first similar command
/// or browser that is found in a folder of `PATH` that is absolute and not world-writable; under WSL by `wslview` or
/// `rundll32.exe`; on macOS by `/usr/bin/open`; on Windows by `ShellExecuteW`, through the crate `webbrowser`. If no
/// window can appear in front of the user, nothing is started: see [`Environment::check`].
///
/// A command gets no standard input, and no variable that commonly holds a secret of a program that signs in (S-32).
///
/// Only URLs that pass [`check_url`](crate::check_url) are opened. Requires a tokio runtime with I/O enabled.
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
    /// Returns the browser of the current environment of this process.
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment(Environment::from_process())
    }

    /// Returns the browser of `environment`.
    #[must_use]
    pub fn with_environment(environment: Environment) -> Self {
        Self { environment }
    }

    /// Returns the environment in which it opens pages.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}

impl Default for SystemBrowser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser for SystemBrowser {
    fn check(&self) -> Result<(), BrowserError> {
        self.environment.check()
    }

    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let url = checked_text(url)?;
        match self.environment.opener()? {
            Opener::Setting(commands) => run_first_good(&commands, &url).await,
            Opener::Desktop(commands) => run_first_installed(&commands, &self.environment.path, &url).await,
            Opener::ShellExecute => shell_execute(url).await,
        }
    }
}

async fn run_first_good(commands: &[BrowserCommand], url: &str) -> Result<(), BrowserError> {
    let mut outcome = Err(BrowserError::Setting("it names no command"));
    for command in commands {
        outcome = run(command, url).await;
        match &outcome {
            Ok(()) => break,
            Err(error) => tracing::debug!(%error, "a browser command failed"),
        }
    }
    outcome
}

/// Starts a command and waits for it to end. The child outlives this future: tokio reaps it, so no zombie is left.
async fn run(command: &BrowserCommand, url: &str) -> Result<(), BrowserError> {
    // The arguments contain the URL, so errors give the name alone.
    let name = || stripped(&command.program, 200);
    // Its messages are for the user, but standard output belongs to our own result.
    let output = (Stdio::from(std::io::stderr()), Stdio::inherit());
    let child = start(OsStr::new(&command.program), command.arguments(url), output);
    let child = child.map_err(|source| BrowserError::NotStarted { command: name(), source });
    let status = child?.wait().await.map_err(|source| BrowserError::NotStarted { command: name(), source })?;
    if status.success() { Ok(()) } else { Err(BrowserError::Failed { command: name(), status: status.to_string() }) }
}

/// Starts a process with the environment minus secrets. Of our files it inherits only its output: Rust opens all others
/// close-on-exec.
fn start(program: &OsStr, arguments: Vec<String>, (stdout, stderr): (Stdio, Stdio)) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    for name in SECRETS {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(stderr).kill_on_drop(false).spawn()
}

/// Runs the first desktop command that is installed. If it fails, no other is tried: the page could appear twice.
#[cfg(unix)]
async fn run_first_installed(commands: &[BrowserCommand], path: &OsStr, url: &str) -> Result<(), BrowserError> {
    let mut installed = commands.iter().filter_map(|command| Some((command, find(&command.program, path)?)));
    let Some((command, program)) = installed.next() else {
        return Err(BrowserError::System("neither xdg-open nor a browser was found on the PATH".to_owned()));
    };
    let failed = |why: String| BrowserError::System(format!("{}: {why}", command.program));
    // A browser that it starts would otherwise write to the terminal for as long as it runs.
    let child = start(program.as_os_str(), command.arguments(url), (Stdio::null(), Stdio::null()));
    let status = match child {
        Ok(mut child) => child.wait().await,
        Err(error) => Err(error),
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(status.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Windows has no such commands.
#[cfg(not(unix))]
async fn run_first_installed(commands: &[BrowserCommand], _: &OsStr, url: &str) -> Result<(), BrowserError> {
    run_first_good(commands, url).await
}

#[cfg(windows)]
async fn shell_execute(url: String) -> Result<(), BrowserError> {
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(&url)).await;
    // The error's text may hold the URL; its kind cannot.
    match opened {
        Ok(opened) => opened.map_err(|error| BrowserError::System(error.kind().to_string())),
        Err(_) => Err(BrowserError::System("the opener ended unexpectedly".to_owned())),
    }
}

#[cfg(not(windows))]
async fn shell_execute(_: String) -> Result<(), BrowserError> {
    Err(BrowserError::System("ShellExecute exists only on Windows".to_owned()))
}
