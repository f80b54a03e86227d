//! The names of values in Redis (its keys).

use std::sync::Arc;

use redis::Cmd;

use super::settings::Settings;
use crate::document::PartitionKey;
use crate::storage::LockName;

/// The version of the stored format, part of every key: later versions share nothing with this one.
const FORMAT: &str = "1";

/// Builds keys, which all begin with the same base.
#[derive(Clone)]
pub(super) struct Names {
    base: Arc<str>,
}

impl Names {
    pub(super) fn new(settings: &Settings) -> Self {
        let Settings { prefix, sealing, .. } = settings;
        Self { base: format!("{prefix}:{FORMAT}{}", sealing.space()).into() }
    }

    /// Describes the store.
    pub(super) fn place(&self) -> String {
        format!("in Redis under {}", self.base)
    }

    /// The key of a partition.
    pub(super) fn partition(&self, place: &PartitionKey) -> String {
        let beginning = match place {
            PartitionKey::User(_) => self.users(),
            PartitionKey::App(_) => format!("{}:app:", self.base),
            PartitionKey::Assertion(_) => self.assertions(),
        };
        beginning + name(place)
    }

    /// What the key of a user's partition begins with.
    pub(super) fn users(&self) -> String {
        format!("{}:user:", self.base)
    }

    /// What the key of an assertion's partition begins with.
    pub(super) fn assertions(&self) -> String {
        format!("{}:assertion:", self.base)
    }

    /// The key of the set of all users' names.
    pub(super) fn index(&self) -> String {
        format!("{}:users", self.base)
    }

    /// The key of the sorted set of assertions that were used on behalf of a user.
    pub(super) fn links(&self, user: &PartitionKey) -> String {
        format!("{}:behalf:{}", self.base, name(user))
    }

    /// The key of a lock.
    pub(super) fn lock(&self, lock: LockName<'_>, partition: &str) -> String {
        match lock {
            LockName::Document => format!("{}:lock:document:{partition}", self.base),
            LockName::Refresh(name) => format!("{}:lock:refresh:{name}", self.base),
            LockName::SignIn(name) => format!("{}:lock:sign-in:{name}", self.base),
        }
    }

    /// The key of the counter that numbers the holders of documents' locks.
    pub(super) fn fence(&self) -> String {
        format!("{}:fence", self.base)
    }

    pub(super) fn users_page(&self, cursor: u64, count: usize) -> Cmd {
        let mut command = Cmd::new();
        command.arg("SSCAN").arg(self.index()).arg(cursor).arg("COUNT").arg(count);
        command
    }
}

/// The name of a partition without its kind.
pub(super) fn name(place: &PartitionKey) -> &str {
    match place {
        PartitionKey::User(name) | PartitionKey::App(name) | PartitionKey::Assertion(name) => name,
    }
}
