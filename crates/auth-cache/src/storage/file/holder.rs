//! The holder of a lock, according to the lock file (S-100).

use std::fs::File;
use std::io::{Read as _, Result};
use std::time::{Duration, SystemTime};

/// The name that follows our process id.
const NAME: &str = "auth";
/// Longer than any holder keeps the lock, even a slow one.
const FRESH: Duration = Duration::from_secs(60);
/// More than any library writes.
const MOST: u64 = 256;

/// The process that a lock file names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockHolder {
    /// The process id.
    pub process: u32,
    /// The name of the program; empty if it gives none.
    pub name: String,
}

impl LockHolder {
    /// Returns this process.
    pub(super) fn own() -> Self {
        Self { process: std::process::id(), name: NAME.to_owned() }
    }

    /// Reads a lock file; `None` if it names no process.
    pub(super) fn read(mut file: &File) -> Result<Option<Self>> {
        let mut content = Vec::new();
        file.by_ref().take(MOST).read_to_end(&mut content)?;
        Ok(Self::parse(&String::from_utf8_lossy(&content)))
    }

    /// Parses `pid name`. MSAL for .NET prepends a byte order mark, Go puts the number in braces, Node omits the name.
    pub(in crate::storage) fn parse(content: &str) -> Option<Self> {
        let content = content.trim_start_matches(['\u{feff}', '{']);
        let (digits, rest) = content.split_at_checked(content.bytes().take_while(u8::is_ascii_digit).count())?;
        let process = digits.parse().ok().filter(|process| (1..=i32::MAX.cast_unsigned()).contains(process))?;
        let name = rest.trim_start_matches('}').chars().filter(|c| !c.is_control()).collect::<String>();
        Some(Self { process, name: name.trim().to_owned() })
    }

    /// Returns the content of the lock file.
    pub(super) fn line(&self) -> String {
        format!("{} {}\n", self.process, self.name)
    }

    /// Whether a lock file that is not locked holds the lock by its mere existence, as MSAL Node does, and MSAL Python
    /// without portalocker. It counts for a minute, while its writer is alive. This is a guess: process ids are reused,
    /// and mean nothing in another container.
    ///
    /// A file written by this library never counts: it would be locked if its writer were alive.
    pub(super) fn holds_by_existence(&self, written: SystemTime, now: SystemTime) -> bool {
        let is_fresh = distance(written, now) < FRESH;
        self.name != NAME && self.process != std::process::id() && is_fresh && is_alive(self.process)
    }
}

/// Returns the distance between two times, in either direction: the clocks of two machines may differ.
pub(super) fn distance(one: SystemTime, other: SystemTime) -> Duration {
    other.duration_since(one).unwrap_or_else(|ahead| ahead.duration())
}

#[cfg(unix)]
fn is_alive(process: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    // A process of another user is alive, too: the error is then `EPERM`.
    process.is_some_and(|process| test_kill_process(process) != Err(rustix::io::Errno::SRCH))
}

/// On this system, a lock file that is in use cannot be opened.
#[cfg(not(unix))]
fn is_alive(_process: u32) -> bool {
    false
}

#[cfg(test)]
mod tests;
