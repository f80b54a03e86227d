//! A terminal, with a user who reads the output of a program and types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tokio::process::Child;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::program::{Ended, PATIENCE, Run, interrupt};

/// A program whose standard input and standard error are a terminal; its standard output is not.
#[derive(Debug)]
pub struct Terminal {
    command: String,
    keyboard: File,
    child: Child,
    screen: UnboundedReceiver<Vec<u8>>,
    /// The text on the screen that was read already, and the rest.
    read: String,
    unread: String,
}

impl Terminal {
    /// Starts a program on a terminal.
    pub fn start(run: Run) -> Self {
        let command = run.command_line();
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap();
        let other_side = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        let (stdin, stderr) = (other_side.try_clone().unwrap(), other_side);
        let child = run.stdin(Stdio::from(OwnedFd::from(stdin))).stderr(Stdio::from(OwnedFd::from(stderr))).start();
        let keyboard = File::from(keyboard);
        let (sender, screen) = unbounded_channel();
        let mut seen = keyboard.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Fails once the other side is closed.
            while let Ok(count @ 1..) = seen.read(&mut buffer) {
                let _ = sender.send(buffer[..count].to_vec());
            }
        });
        Self { command, keyboard, child, screen, read: String::new(), unread: String::new() }
    }

    /// Returns the next line on the screen that contains `text`, trimmed.
    pub async fn line_with(&mut self, text: &str) -> String {
        loop {
            while let Some((line, rest)) = self.unread.split_once('\n') {
                let (line, rest) = (line.trim().to_owned(), rest.to_owned());
                self.read.extend([&line, "\n"]);
                self.unread = rest;
                if line.contains(text) {
                    return line;
                }
            }
            let more = tokio::time::timeout(PATIENCE, self.screen.recv()).await.expect("a line in time");
            let more = more.unwrap_or_else(|| panic!("{} ended without {text}:\n{}", self.command, self.read));
            self.unread.push_str(&String::from_utf8(more).unwrap());
        }
    }

    /// Types a line and presses Enter. The line may be longer than the terminal's buffer.
    pub async fn type_line(&mut self, line: &str) {
        let (mut keyboard, line) = (self.keyboard.try_clone().unwrap(), format!("{line}\r"));
        let typed = tokio::task::spawn_blocking(move || keyboard.write_all(line.as_bytes()));
        tokio::time::timeout(PATIENCE, typed).await.expect("the program reads its input").unwrap().unwrap();
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// Waits for the program to end. Returns the screen, echoes included, as the standard error.
    pub async fn end(mut self) -> Ended {
        let output = tokio::time::timeout(PATIENCE, self.child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("{} does not end:\n{}{}", self.command, self.read, self.unread));
        let output = output.unwrap();
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON), "the terminal is left as it was");
        while let Some(more) = self.screen.recv().await {
            self.unread.push_str(&String::from_utf8(more).unwrap());
        }
        Ended::new(self.command, output.status.code(), output.stdout, self.read + &self.unread)
    }
}
