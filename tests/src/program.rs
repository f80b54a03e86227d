//! The program `auth`, built once and run in a clean environment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Longer than any run of the program takes.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Returns the path of the program, after building it.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

fn build() -> PathBuf {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["build", "--locked", "--package", "auth-cli", "--bin", "auth"])
        .args(["--profile", profile(), "--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "the program auth cannot be built");
    let text = String::from_utf8(output.stdout).unwrap();
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = messages
        .filter(|message| message["target"]["name"] == "auth")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    executable.expect("cargo prints the path of the program")
}

/// Returns the profile of this test, after which the folder of its executable is named.
fn profile() -> &'static str {
    let executable = std::env::current_exe().unwrap();
    let folder = executable.ancestors().nth(2).and_then(Path::file_name).and_then(OsStr::to_str);
    if folder == Some("release") { "release" } else { "dev" }
}

/// A home folder. Programs run in it get no environment variable of the test but `PATH`.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Default for Home {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
}

impl Home {
    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Prepares the program `auth` with these arguments.
    pub fn auth<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Run {
        self.run(program()).args(words)
    }

    /// Prepares any program.
    pub fn run(&self, program: impl AsRef<OsStr>) -> Run {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Run(command)
    }
}

/// A program that is about to run.
#[derive(Debug)]
pub struct Run(Command);

impl Run {
    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.0.args(words);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// Starts the program, which is killed when the value is dropped.
    pub fn start(mut self) -> Child {
        self.0.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.0))
    }

    /// Sets the standard input; empty by default.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdio) -> Self {
        self.0.stdin(stdin);
        self
    }

    /// Sets the standard error; a pipe by default.
    #[must_use]
    pub fn stderr(mut self, stderr: Stdio) -> Self {
        self.0.stderr(stderr);
        self
    }

    /// Runs the program to its end, which must come within [`PATIENCE`].
    pub async fn end(self) -> Ended {
        let command = self.command_line();
        let output = tokio::time::timeout(PATIENCE, self.start().wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("{command} does not end")).unwrap();
        let stderr = String::from_utf8(output.stderr).expect("UTF-8 on stderr");
        Ended::new(command, output.status.code(), output.stdout, stderr)
    }

    /// Returns the command line.
    pub(crate) fn command_line(&self) -> String {
        format!("{:?}", self.0.as_std())
    }
}

/// Presses Ctrl-C in a program.
pub(crate) fn interrupt(child: &Child) {
    signal(child, Signal::INT);
}

/// Sends a signal to a program that is running.
pub(crate) fn signal(child: &Child, signal: Signal) {
    let process = child.id().expect("the program has not been waited for");
    kill_process(Pid::from_raw(process.cast_signed()).unwrap(), signal).unwrap();
}

/// The result of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    command: String,
    /// The exit code; `None` if a signal ended the program.
    pub code: Option<i32>,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl Ended {
    pub(crate) fn new(command: String, code: Option<i32>, stdout: Vec<u8>, stderr: String) -> Self {
        Self { command, code, stdout: String::from_utf8(stdout).expect("UTF-8 on stdout"), stderr }
    }

    /// Asserts an exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n--- stdout\n{}\n--- stderr\n{}", self.command, self.stdout, self.stderr);
        self
    }

    /// Returns the only line on stdout.
    #[track_caller]
    pub fn line(&self) -> &str {
        let line = self.stdout.strip_suffix('\n').unwrap_or_default();
        assert!(!line.is_empty() && !line.contains('\n'), "one line on stdout: {self:?}");
        line
    }

    /// Parses the only line on stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.line()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the last line on stderr, and asserts that stdout is empty.
    #[track_caller]
    pub fn message(&self) -> &str {
        assert_eq!(self.stdout, "", "nothing on stdout: {self:?}");
        self.stderr.lines().last().unwrap_or_default()
    }
}
