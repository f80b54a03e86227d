//! Lines that are pasted into the terminal and not shown.

use std::io::{IsTerminal as _, Read as _, stdin};
use std::sync::OnceLock;

use auth::Secret;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Mutex, MutexGuard};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest line, in bytes: that of a request line (S-22).
const MAX: usize = 64 * 1024;

/// The lines, read by a thread of its own from the first one on: a read of a terminal cannot be given up, and must hold up
/// neither a response that comes another way nor the end of the program.
#[derive(Debug, Default)]
pub(crate) struct Pasted {
    /// From the first prompt to the end of the program, since nobody knows when a second line comes.
    unseen: OnceLock<Option<Unseen>>,
    lines: OnceLock<Mutex<Receiver<Secret>>>,
}

impl Pasted {
    /// Whether somebody can paste something that is not shown.
    pub(crate) fn is_possible() -> bool {
        cfg!(unix) && stdin().is_terminal()
    }

    /// Has the terminal show nothing any more, and tells whether it does.
    pub(crate) fn hide(&self) -> bool {
        self.unseen.get_or_init(Unseen::begin).is_some()
    }

    /// The next line that is not empty. It is pending for ever once the terminal has ended.
    pub(crate) async fn line(&self) -> Secret {
        match self.lines().await.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }

    async fn lines(&self) -> MutexGuard<'_, Receiver<Secret>> {
        let lines = self.lines.get_or_init(|| {
            let (sender, receiver) = channel(1);
            std::thread::spawn(move || read(&sender));
            Mutex::new(receiver)
        });
        lines.lock().await
    }
}

/// As large as the buffer of `Stdin`, which is passed by then: nobody wipes that one.
const AT_ONCE: usize = 8 * 1024;

/// Hands over each line, and leaves no copy of it behind (S-109).
fn read(lines: &Sender<Secret>) {
    // All that it will ever take, so that no copy stays behind when it grows.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX));
    let mut buffer = Zeroizing::new([0_u8; AT_ONCE]);
    while let Ok(count @ 1..) = stdin().lock().read(buffer.as_mut_slice()) {
        for byte in buffer.iter().take(count).copied() {
            if !matches!(byte, b'\r' | b'\n') {
                // What is too long is no address, however it goes on.
                if line.len() < MAX {
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

/// While it lives the terminal shows nothing of what is typed, and hands it over as it comes: a line that is edited in the
/// terminal would end after 4096 bytes. Ctrl-C still interrupts. What was not read by the end is thrown away, since
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
        // A terminal that is gone needs nothing more.
        let _ = rustix::termios::tcsetattr(stdin(), rustix::termios::OptionalActions::Flush, &self.0);
    }
}

/// Nothing is pasted where it would be shown.
#[cfg(not(unix))]
#[derive(Debug)]
enum Unseen {}

#[cfg(not(unix))]
impl Unseen {
    fn begin() -> Option<Self> {
        None
    }
}
