//! The program `auth`, built once and run in clean surroundings.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Longer than any run of the program takes.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The path of the program, which is built first.
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
    executable.expect("cargo tells where the program is")
}

/// The profile of this test: the folder of its executable is named after it.
fn profile() -> &'static str {
    let executable = std::env::current_exe().unwrap();
    let folder = executable.ancestors().nth(2).and_then(Path::file_name).and_then(OsStr::to_str);
    if folder == Some("release") { "release" } else { "dev" }
}

/// A home folder, and programs that see nothing but it: no variable of the surroundings gets through but `PATH`.
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
    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program `auth` with these words.
    pub fn auth<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Run {
        self.run(program()).args(words)
    }

    /// Any program.
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
    /// More words.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.0.args(words);
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Takes a variable out of its environment.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// What it reads from.
    #[must_use]
    pub fn with_stdin(mut self, stdin: Stdio) -> Self {
        self.0.stdin(stdin);
        self
    }

    /// Starts it; it is killed when the value is dropped.
    pub fn start(mut self) -> Child {
        self.0.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.0))
    }

    /// What it reads; by default nothing.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdio) -> Self {
        self.0.stdin(stdin);
        self
    }

    /// What it writes messages to; by default a pipe.
    #[must_use]
    pub fn stderr(mut self, stderr: Stdio) -> Self {
        self.0.stderr(stderr);
        self
    }

    /// Runs it to its end, which has to come within [`PATIENCE`].
    pub async fn end(self) -> Ended {
        let told = self.told();
        let output = tokio::time::timeout(PATIENCE, self.start().wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("{told} does not end")).unwrap();
        let stderr = String::from_utf8(output.stderr).expect("UTF-8 on stderr");
        Ended::new(told, output.status.code(), output.stdout, stderr)
    }

    /// The command line.
    pub(crate) fn told(&self) -> String {
        format!("{:?}", self.0.as_std())
    }
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    command: String,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Ended {
    pub(crate) fn new(command: String, code: Option<i32>, stdout: Vec<u8>, stderr: String) -> Self {
        Self { command, code, stdout: String::from_utf8(stdout).expect("UTF-8 on stdout"), stderr }
    }

    /// Demands an exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n--- stdout\n{}\n--- stderr\n{}", self.command, self.stdout, self.stderr);
        self
    }

    /// The one line on stdout.
    #[track_caller]
    pub fn line(&self) -> &str {
        let line = self.stdout.strip_suffix('\n').unwrap_or_default();
        assert!(!line.is_empty() && !line.contains('\n'), "one line on stdout: {self:?}");
        line
    }

    /// The one line on stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.line()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The last line on stderr, where stdout has nothing.
    #[track_caller]
    pub fn message(&self) -> &str {
        assert_eq!(self.stdout, "", "nothing on stdout: {self:?}");
        self.stderr.lines().last().unwrap_or_default()
    }
}
