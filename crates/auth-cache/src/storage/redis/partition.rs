//! One partition, stored as a value.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use auth_core::Timestamp;
use redis::Value;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::failure::{Failure, NO_RANDOM_BYTES, UNKNOWN_FORMAT};
use super::link::Link;
use super::lock::{Fence, Kind, acquire};
use super::names::Names;
use super::scripts::{self, Call, Life, Write};
use super::sealing::{NotOpened, Sealing};
use super::settings::Settings;
use crate::document::PartitionKey;
use crate::event::Observer;
use crate::storage::{
    BoxedLock, LockBudget, LockName, Replaced, Storage, StorageError, StorageErrorKind, Stored, Version,
};

/// The longest value that is read or written (S-90).
const LONGEST: usize = 16 * 1024 * 1024 + SEAL;
/// The most that encryption adds, rounded up.
const SEAL: usize = 1024;
const TOO_LONG: &str = "it is larger than 16 MiB";
/// How long an unreadable value is kept after it was moved aside.
const SET_ASIDE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(super) struct RedisPartition {
    link: Arc<Link>,
    names: Names,
    key: String,
    index: String,
    /// The name of the user; empty for any other partition.
    user: String,
    staleness: Duration,
    lifetime: Duration,
    learned: Mutex<Option<Learned>>,
    /// The number of the document's lock, while it is held here.
    fence: Fence,
    sealing: Sealing,
}

/// The version that was stored, and when the server was asked for it.
#[derive(Clone, Copy)]
struct Learned {
    version: Version,
    at: Instant,
}

impl RedisPartition {
    pub(super) fn new(link: Arc<Link>, names: Names, place: &PartitionKey, settings: &Settings) -> Self {
        let user = if let PartitionKey::User(name) = place { name.as_ref().to_owned() } else { String::new() };
        Self {
            link,
            key: names.partition(place),
            index: names.index(),
            user,
            names,
            staleness: settings.staleness,
            lifetime: settings.lifetime,
            learned: Mutex::default(),
            fence: Arc::new(AtomicU64::new(0)),
            sealing: settings.sealing.clone(),
        }
    }

    fn learned(&self) -> MutexGuard<'_, Option<Learned>> {
        // Replaced as a whole, so poison does not matter.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the version, so that the next lookup reads the value.
    fn unlearn(&self) {
        *self.learned() = None;
    }

    async fn call<T: redis::FromRedisValue>(&self, operation: &'static str, call: Call) -> Result<T, StorageError> {
        let answer = self.link.script(call).await;
        answer.inspect_err(|_| self.unlearn()).map_err(|failure| failure.of(operation, self.names.place()))
    }

    fn error(&self, operation: &'static str, reason: &'static str) -> StorageError {
        Failure::Unexpected(reason).of(operation, self.names.place())
    }

    fn damaged(&self) -> StorageError {
        let damaged = self.error("read", "it was modified, or belongs to another account");
        damaged.with_kind(StorageErrorKind::Damaged)
    }

    fn life(&self, keep_until: Option<Timestamp>) -> Life {
        match keep_until.map(Timestamp::as_unix_seconds) {
            None => Life::For(self.lifetime.as_secs().max(1)),
            Some(0) => Life::Over,
            Some(second) => Life::Until(second),
        }
    }
}

/// Parses the answer to [`scripts::read`]: version and document, nothing, or the length of a document that is too long.
pub(in crate::storage) fn stored(value: Value) -> Result<Stored, &'static str> {
    let Value::Array(parts) = value else { return Err(UNKNOWN_FORMAT) };
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next()) {
        (None, _) => Ok(Stored { content: Zeroizing::default(), version: Version::NONE }),
        (Some(Value::BulkString(version)), Some(Value::BulkString(content))) => {
            let content = Zeroizing::new(content);
            let version = decoded(&version).ok_or(UNKNOWN_FORMAT)?;
            Ok(Stored { content, version })
        }
        (Some(Value::BulkString(_)), Some(Value::Int(_))) => Err(TOO_LONG),
        _ => Err(UNKNOWN_FORMAT),
    }
}

fn decoded(bytes: &[u8]) -> Option<Version> {
    let mut numbers = [0; 4];
    let (chunks, rest) = bytes.as_chunks();
    if chunks.len() != numbers.len() || !rest.is_empty() {
        return None;
    }
    numbers.iter_mut().zip(chunks).for_each(|(number, bytes)| *number = u64::from_le_bytes(*bytes));
    Some(Version::new(numbers)).filter(|version| *version != Version::NONE && *version != Version::UNKNOWN)
}

/// Returns a new, random version: a counter would start over when the server forgets the value.
fn new_version() -> Result<([u8; 32], Version), &'static str> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| NO_RANDOM_BYTES)?;
    let version = decoded(&bytes).ok_or(NO_RANDOM_BYTES)?;
    Ok((bytes, version))
}

impl Storage for RedisPartition {
    fn version(&self) -> Result<Version, StorageError> {
        // An absent value is always read again: the user may have signed in elsewhere.
        let believed = |learned: &Learned| learned.version != Version::NONE && learned.at.elapsed() < self.staleness;
        Ok(self.learned().filter(believed).map_or(Version::UNKNOWN, |learned| learned.version))
    }

    async fn read(&self, _observer: &Observer) -> Result<Stored, StorageError> {
        let at = Instant::now();
        let value = self.call("read", scripts::read(&self.key, LONGEST)).await?;
        let mut stored = stored(value).map_err(|reason| self.error("read", reason))?;
        if stored.version != Version::NONE {
            stored.content = self.sealing.open(&self.key, stored.content).map_err(|NotOpened| self.damaged())?;
        }
        *self.learned() = Some(Learned { version: stored.version, at });
        Ok(stored)
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        _observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        let content = self.sealing.seal(&self.key, content).map_err(|reason| self.error("written", reason))?;
        if content.len() > LONGEST {
            return Err(self.error("written", TOO_LONG));
        }
        let (bytes, version) = new_version().map_err(|reason| self.error("written", reason))?;
        let expected: Vec<u8> = match expected {
            Version::NONE => Vec::new(),
            Version(numbers) => numbers.into_iter().flat_map(u64::to_le_bytes).collect(),
        };
        let life = self.life(keep_until);
        let write = Write {
            key: &self.key,
            index: &self.index,
            user: &self.user,
            expected: &expected,
            version: &bytes,
            life,
            fence: self.fence.load(Ordering::Relaxed),
        };
        // A caller that is cancelled from here on does not know what is stored.
        self.unlearn();
        let at = Instant::now();
        if !self.call("written", scripts::replace(&write, content)).await? {
            return Ok(Replaced::Conflict);
        }
        let version = if life == Life::Over { Version::NONE } else { version };
        *self.learned() = Some(Learned { version, at });
        Ok(Replaced::Done(version))
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        self.unlearn();
        let moving = scripts::set_aside(&self.key, &self.index, &self.user, SET_ASIDE.as_secs());
        self.call::<()>("set aside", moving).await?;
        Ok(format!("{}, in a key that ends with :corrupt, for a week", self.names.place()))
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        _observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        let fence_key = self.names.fence();
        let kind = match name {
            LockName::Document => Kind::Document { partition: &self.key, fence_key: &fence_key, fence: &self.fence },
            LockName::Refresh(_) | LockName::SignIn(_) => Kind::Conversation,
        };
        let lock = acquire(&self.link, &self.names.lock(name, &self.key), kind, budget).await;
        // The previous holder may have changed what is stored.
        self.unlearn();
        match lock {
            Ok(Some(lock)) => Ok(Box::new(lock)),
            Ok(None) => {
                Err(self.error("locked", "its lock is held elsewhere").with_kind(StorageErrorKind::LockTimedOut))
            }
            Err(failure) => Err(failure.of("locked", self.names.place())),
        }
    }
}
