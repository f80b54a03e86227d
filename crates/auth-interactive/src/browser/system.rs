//! The user's own browser.

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

/// Variables in which programs that sign in are given secrets; a browser has no use for them (S-32).
const SECRETS: [&str; 7] = [
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "AZUREAUTH_ADO_PAT",
    "IDENTITY_HEADER",
    "MSI_SECRET",
    "SYSTEM_ACCESSTOKEN",
];

/// Opens the system browser, or the command that the user named in `BROWSER`.
///
/// `BROWSER` wins over everything: it is split into words first, the URL is one argument, and no shell is involved
/// (S-33). `:` separates alternatives; the next is tried when one cannot be started or fails. The command has no
/// standard input and writes nothing to our standard output. `open` then stays pending until the command ends, so that
/// a failing one ends the sign-in; a command that is still there when the sign-in is over goes on by itself.
///
/// Without `BROWSER` the desktop is asked: on Linux by `xdg-open`, or by what else is installed of its kind, found in the
/// folders of `PATH` that are absolute and in which not everybody can write; under WSL by `wslview` or `rundll32.exe`; on
/// macOS by `/usr/bin/open`; on Windows by `ShellExecuteW`, through crate `webbrowser`. Nobody is asked where no window can
/// appear before the user's eyes: see [`Environment::check`].
///
/// What is started has no standard input, and no variable in which programs that sign in are usually given secrets.
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

    /// Where it opens pages.
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
    // What it has to say is for the user, but our standard output is not its own.
    let output = (Stdio::from(std::io::stderr()), Stdio::inherit());
    let child = start(OsStr::new(&command.program), command.arguments(url), output);
    let child = child.map_err(|source| BrowserError::NotStarted { command: name(), source });
    let status = child?.wait().await.map_err(|source| BrowserError::NotStarted { command: name(), source })?;
    if status.success() { Ok(()) } else { Err(BrowserError::Failed { command: name(), status: status.to_string() }) }
}

/// Starts a process that gets the environment without secrets, and of the files that we opened only its output: Rust opens
/// all others so that they end with the start of another program.
fn start(program: &OsStr, arguments: Vec<String>, (stdout, stderr): (Stdio, Stdio)) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    for name in SECRETS {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(stderr).kill_on_drop(false).spawn()
}

/// The first command of the desktop that is there decides: another after it could show the page a second time.
#[cfg(unix)]
async fn run_first_installed(commands: &[BrowserCommand], path: &OsStr, url: &str) -> Result<(), BrowserError> {
    let mut installed = commands.iter().filter_map(|command| Some((command, find(&command.program, path)?)));
    let Some((command, program)) = installed.next() else {
        return Err(BrowserError::System("there is neither xdg-open nor a browser on the PATH".to_owned()));
    };
    let failed = |why: String| BrowserError::System(format!("{}: {why}", command.program));
    // A browser that it starts would write into the user's terminal for as long as it runs.
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

/// No desktop of Windows has such commands.
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
    Err(BrowserError::System("ShellExecute is a part of Windows".to_owned()))
}
