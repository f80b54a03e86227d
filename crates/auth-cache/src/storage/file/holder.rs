//! Who holds a lock, as the lock file says (S-100).

use std::fs::File;
use std::io::{Read as _, Result};
use std::time::{Duration, SystemTime};

/// What we write behind our process id.
const NAME: &str = "auth";
/// Longer than any holder keeps the lock, and long enough for a slow one.
const FRESH: Duration = Duration::from_secs(60);
/// More than anybody writes.
const MOST: u64 = 256;

/// Who wrote a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockHolder {
    /// The process id.
    pub process: u32,
    /// What the program calls itself; empty where it does not say.
    pub name: String,
}

impl LockHolder {
    /// This process.
    pub(super) fn own() -> Self {
        Self { process: std::process::id(), name: NAME.to_owned() }
    }

    /// Reads what was written; `None` where that is no process.
    pub(super) fn read(mut file: &File) -> Result<Option<Self>> {
        let mut content = Vec::new();
        file.by_ref().take(MOST).read_to_end(&mut content)?;
        Ok(Self::parse(&String::from_utf8_lossy(&content)))
    }

    /// `pid name`: MSAL for .NET puts a byte order mark before it, Go braces around the number, Node no name behind it.
    pub(in crate::storage) fn parse(content: &str) -> Option<Self> {
        let content = content.trim_start_matches(['\u{feff}', '{']);
        let (digits, rest) = content.split_at_checked(content.bytes().take_while(u8::is_ascii_digit).count())?;
        let process = digits.parse().ok().filter(|process| (1..=i32::MAX.cast_unsigned()).contains(process))?;
        let name = rest.trim_start_matches('}').chars().filter(|c| !c.is_control()).collect::<String>();
        Some(Self { process, name: name.trim().to_owned() })
    }

    /// What is written.
    pub(super) fn line(&self) -> String {
        format!("{} {}\n", self.process, self.name)
    }

    /// Whether the lock file, which nobody has locked, holds the lock by being there: MSAL Node locks so, and MSAL Python
    /// without portalocker. It counts for a minute while its writer lives. This is a guess: process ids are used again, and
    /// mean nothing in another container.
    ///
    /// What one of us wrote never counts: we lock, so that its writer is dead, even if nobody has buried it yet.
    pub(super) fn holds_by_existence(&self, written: SystemTime, now: SystemTime) -> bool {
        let is_fresh = distance(written, now) < FRESH;
        self.name != NAME && self.process != std::process::id() && is_fresh && is_alive(self.process)
    }
}

/// How far two times are apart: the clocks of two machines may differ either way.
pub(super) fn distance(one: SystemTime, other: SystemTime) -> Duration {
    other.duration_since(one).unwrap_or_else(|ahead| ahead.duration())
}

#[cfg(unix)]
fn is_alive(process: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    // It lives, too, where it is another user's.
    process.is_some_and(|process| test_kill_process(process) != Err(rustix::io::Errno::SRCH))
}

/// Here a file that is in use cannot be opened.
#[cfg(not(unix))]
fn is_alive(_process: u32) -> bool {
    false
}

#[cfg(test)]
mod tests;
