//! Third-party programs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::program::PATIENCE;

/// Returns the path of something that `cargo xtask test` installed.
pub fn installed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run cargo xtask test, which sets it"))
}

/// Returns the path of a script in `tests/peers`.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// Longer than any start takes.
const START: Duration = Duration::from_secs(30);

/// A server that announces with one line of JSON that it is ready, and ends when its standard input is closed.
#[derive(Debug)]
pub struct Peer {
    /// The announcement.
    pub ready: Value,
    child: Child,
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts a server and waits until it is ready. One that stays silent is started once more: in about one of some
    /// hundred runs, Node 20 hangs before it runs any of our code.
    pub async fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        for _ in 0..2 {
            if let Ok(peer) = tokio::time::timeout(START, Self::attempt(&mut command)).await {
                return peer;
            }
        }
        panic!("{command:?} was not ready within {} s, twice", START.as_secs());
    }

    async fn attempt(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("{command:?} ended before it was ready"));
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        Self { ready, child, _lines: lines }
    }

    /// Stops the server and waits for it to end.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("the peer ends when its input is closed").unwrap();
    }
}
