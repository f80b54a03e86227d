//! A child process that takes commands on its standard input.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use crate::program::{self, PATIENCE};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A child process, killed when the value is dropped.
#[derive(Debug)]
pub struct Actor {
    child: Child,
    commands: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

/// Returns the command line that starts an actor on a file.
pub fn words<'a>(file: &'a Path, writer: &'a str) -> [&'a OsStr; 3] {
    /// In the folder above the test's: Cargo passes the path only to integration tests, when it compiles them.
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let test = std::env::current_exe().unwrap();
        test.parent().and_then(Path::parent).unwrap().join(format!("actor{}", std::env::consts::EXE_SUFFIX))
    });
    [PROGRAM.as_os_str(), file.as_os_str(), OsStr::new(writer)]
}

impl Actor {
    /// Starts the writer `w` on a file.
    pub async fn at(file: &Path) -> Self {
        Self::named(file, "w").await
    }

    /// Starts a writer on a file.
    pub async fn named(file: &Path, writer: &str) -> Self {
        Self::ready(words(file, writer)).await
    }

    /// Runs a command line, and waits until the actor is ready.
    pub async fn ready<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Self {
        let mut actor = Self::start(words);
        assert_eq!(actor.hear().await.as_deref(), Some("ready"));
        actor
    }

    /// Runs a command line.
    pub fn start<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Self {
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { commands: child.stdin.take(), answers, child }
    }

    /// Returns the process id.
    pub fn process(&self) -> u32 {
        self.child.id().expect("the actor has not been waited for")
    }

    /// Sends a command.
    pub async fn tell(&mut self, command: &str) {
        let commands = self.commands.as_mut().expect("the input is open");
        // Fails if the actor was killed, which its answer will show.
        drop(commands.write_all(format!("{command}\n").as_bytes()).await);
    }

    /// Closes the actor's input: there are no more commands.
    pub fn close(&mut self) {
        self.commands = None;
    }

    /// Returns the next answer; `None` if the actor has ended.
    pub async fn hear(&mut self) -> Option<String> {
        self.hear_within(PATIENCE).await
    }

    /// Like [`hear`](Self::hear), for a command that takes long.
    pub async fn hear_within(&mut self, patience: Duration) -> Option<String> {
        let heard = timeout(patience, self.answers.next_line()).await;
        heard.expect("an actor answers, or ends").unwrap()
    }

    /// Sends a command and returns the answer.
    pub async fn ask(&mut self, command: &str) -> String {
        self.tell(command).await;
        self.hear().await.unwrap_or_else(|| panic!("the actor ended without answering `{command}`"))
    }

    /// Sends a command and asserts the answer.
    #[track_caller]
    pub fn must<'a>(&'a mut self, command: &'a str, answer: &'a str) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move { assert_eq!(self.ask(command).await, answer, "to `{command}` at {at}") }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        program::signal(&self.child, signal);
    }

    /// Waits for the actor to end; returns how it ended, and its remaining answers.
    pub async fn end(mut self) -> (ExitStatus, Vec<String>) {
        self.close();
        let mut rest = Vec::new();
        while let Some(line) = self.hear().await {
            rest.push(line);
        }
        let status = timeout(PATIENCE, self.child.wait()).await.expect("an actor ends");
        (status.unwrap(), rest)
    }

    /// Kills the actor; returns its remaining answers.
    pub async fn kill(self) -> Vec<String> {
        self.signal(Signal::KILL);
        let (status, rest) = self.end().await;
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
        rest
    }
}
