//! Lines that are pasted into the terminal without being displayed.

use std::io::{IsTerminal as _, Read, stdin};
use std::sync::OnceLock;

use auth::Secret;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Mutex, MutexGuard};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest URL, in bytes; that of a request line (S-22).
const MAX: usize = 64 * 1024;
/// The bytes of a line that are kept: one more than a URL may have, so that a longer line is refused, not cut short.
const MAX_KEPT: usize = MAX + 1;

/// The lines, read by a thread of their own from the first one on: a read from a terminal cannot be cancelled, and must
/// delay neither a response that comes another way nor the end of the program.
#[derive(Debug, Default)]
pub(crate) struct Pasted {
    /// From the first prompt to the end of the program, since another line may come at any time.
    unseen: OnceLock<Option<Unseen>>,
    lines: OnceLock<Mutex<Receiver<Secret>>>,
}

impl Pasted {
    /// Whether text can be pasted without being displayed.
    pub(crate) fn is_possible() -> bool {
        cfg!(unix) && stdin().is_terminal()
    }

    /// Stops the terminal from displaying input, and returns whether it has stopped.
    pub(crate) fn hide(&self) -> bool {
        self.unseen.get_or_init(Unseen::begin).is_some()
    }

    /// Returns the next line that is not empty. Stays pending once the terminal has ended.
    pub(crate) async fn line(&self) -> Secret {
        match self.lines().await.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }

    async fn lines(&self) -> MutexGuard<'_, Receiver<Secret>> {
        let lines = self.lines.get_or_init(|| {
            let (sender, receiver) = channel(1);
            std::thread::spawn(move || read(stdin().lock(), &sender));
            Mutex::new(receiver)
        });
        lines.lock().await
    }
}

/// As large as the buffer of `Stdin`, so that reads bypass that one, which is never wiped.
const AT_ONCE: usize = 8 * 1024;

/// Sends each line of `input`, and leaves no copy of it behind (S-109).
fn read(mut input: impl Read, lines: &Sender<Secret>) {
    // At full size, because a buffer that grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_KEPT));
    let mut buffer = Zeroizing::new([0_u8; AT_ONCE]);
    while let Ok(count @ 1..) = input.read(buffer.as_mut_slice()) {
        for byte in buffer.iter().take(count).copied() {
            if !matches!(byte, b'\r' | b'\n') {
                if line.len() < MAX_KEPT {
                    line.push(byte);
                }
                continue;
            }
            let text = Secret::new(str::from_utf8(&line).unwrap_or_default().to_owned());
            line.zeroize();
            if !text.expose().trim().is_empty() && lines.blocking_send(text).is_err() {
                return;
            }
        }
    }
}

/// While this exists, the terminal does not display what is typed, and hands it over at once: a line edited in the
/// terminal would end after 4096 bytes. Ctrl-C still interrupts. Input that is unread at the end is discarded, because
/// the shell would run it.
#[cfg(unix)]
#[derive(Debug)]
struct Unseen(rustix::termios::Termios);

#[cfg(unix)]
impl Unseen {
    fn begin() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
        let before = tcgetattr(stdin()).ok()?;
        let mut during = before.clone();
        during.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
        during.special_codes[SpecialCodeIndex::VMIN] = 1;
        during.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &during).ok()?;
        Some(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = rustix::termios::tcsetattr(stdin(), rustix::termios::OptionalActions::Flush, &self.0);
    }
}

/// Elsewhere input cannot be hidden, so nothing is pasted.
#[cfg(not(unix))]
#[derive(Debug)]
enum Unseen {}

#[cfg(not(unix))]
impl Unseen {
    fn begin() -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_stays_too_long() {
        let (sender, mut lines) = channel(4);
        let input = format!("one\r\n \n{}\n{}\ntwo", "x".repeat(MAX), "y".repeat(2 * MAX));
        read(input.as_bytes(), &sender);
        drop(sender);
        let lengths: Vec<_> = std::iter::from_fn(|| lines.blocking_recv()).map(|line| line.expose().len()).collect();
        assert_eq!(lengths, [3, MAX, MAX + 1]);
    }
}
