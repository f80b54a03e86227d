//! A program that waits for its user to sign in on another device.

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use crate::program::{Ended, PATIENCE, Run, interrupt};

/// A program that has shown a code and is waiting.
#[derive(Debug)]
pub struct Waiting {
    /// The address that it has shown.
    pub address: String,
    /// The code as a person copies it, without the spaces between its letters.
    pub user_code: String,
    command: String,
    said: String,
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Waiting {
    /// Starts a program, and reads from its stderr what the user must do.
    pub async fn start(run: Run) -> Self {
        let command = run.command_line();
        let mut child = run.start();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut said, mut address, mut user_code) = (String::new(), None, None);
        while user_code.is_none() {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a line in time").unwrap();
            let line = line.unwrap_or_else(|| panic!("{command} ended without a code:\n{said}"));
            let text = line.trim();
            if text.starts_with("http") {
                address = Some(text.to_owned());
            } else if address.is_some() && line.starts_with("    ") {
                user_code = Some(text.replace(' ', ""));
            }
            said.extend([&line, "\n"]);
        }
        let (address, user_code) = (address.unwrap(), user_code.unwrap());
        Self { address, user_code, command, said, child, lines }
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// Waits for the program to end.
    pub async fn end(mut self) -> Ended {
        let ended = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said.extend([&line, "\n"]);
            }
            self.child.wait_with_output().await.unwrap()
        };
        let output = tokio::time::timeout(PATIENCE, ended).await;
        let output = output.unwrap_or_else(|_| panic!("{} does not end", self.command));
        Ended::new(self.command, output.status.code(), output.stdout, self.said)
    }
}
