//! A terminal: a person who reads what a program says on stderr, and types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use crate::program::{Ended, PATIENCE, Run};

/// A program whose standard input is a terminal.
#[derive(Debug)]
pub struct Terminal {
    command: String,
    keyboard: File,
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    said: String,
}

impl Terminal {
    /// Starts a program at a terminal.
    pub fn start(run: Run) -> Self {
        let command = run.told();
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap();
        let screen = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        let mut child = run.stdin(Stdio::from(OwnedFd::from(screen))).start();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { command, keyboard: File::from(keyboard), child, lines, said: String::new() }
    }

    /// The next line on stderr that holds `text`, without the space around it.
    pub async fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time").unwrap();
            let line = line.unwrap_or_else(|| panic!("{} ended without {text}:\n{}", self.command, self.said));
            self.said.extend([&line, "\n"]);
            if line.contains(text) {
                return line.trim().to_owned();
            }
        }
    }

    /// Types a line, and Enter. It may be longer than the terminal takes at once.
    pub async fn type_line(&mut self, line: &str) {
        let (mut keyboard, line) = (self.keyboard.try_clone().unwrap(), format!("{line}\r"));
        let typed = tokio::task::spawn_blocking(move || keyboard.write_all(line.as_bytes()));
        tokio::time::timeout(PATIENCE, typed).await.expect("somebody reads").unwrap().unwrap();
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let id = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }

    /// Waits for its end; gives what the terminal itself showed, too.
    pub async fn end(mut self) -> (Ended, String) {
        let told = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said.extend([&line, "\n"]);
            }
            self.child.wait_with_output().await.unwrap()
        };
        let output = tokio::time::timeout(PATIENCE, told).await;
        let output = output.unwrap_or_else(|_| panic!("{} does not end", self.command));
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON), "the terminal is left as it was");
        // Nobody holds the other side any more, so this ends, with an error after what is left.
        let mut shown = Vec::new();
        let _ = self.keyboard.read_to_end(&mut shown);
        let shown = String::from_utf8(shown).unwrap();
        (Ended::new(self.command, output.status.code(), output.stdout, self.said), shown)
    }
}
