//! The keys of values.

use std::sync::Arc;

use redis::Cmd;

use super::settings::Settings;
use crate::document::Place;
use crate::storage::LockName;

/// The version of what is stored, in every key: a later one shares nothing with this.
const FORMAT: &str = "1";

/// What keys begin with.
#[derive(Clone)]
pub(super) struct Names {
    base: Arc<str>,
}

impl Names {
    pub(super) fn new(settings: &Settings) -> Self {
        let Settings { prefix, sealing, .. } = settings;
        Self { base: format!("{prefix}:{FORMAT}{}", sealing.space()).into() }
    }

    /// The store in words.
    pub(super) fn place(&self) -> String {
        format!("in Redis under {}", self.base)
    }

    /// The key of a partition.
    pub(super) fn partition(&self, place: &Place) -> String {
        let (kind, name) = match place {
            Place::User(name) => ("user", name),
            Place::App(name) => ("app", name),
            Place::Assertion(name) => ("assertion", name),
        };
        format!("{}:{kind}:{name}", self.base)
    }

    /// What the key of a user's partition begins with.
    pub(super) fn users(&self) -> String {
        format!("{}:user:", self.base)
    }

    /// The key of the set of all users' names.
    pub(super) fn index(&self) -> String {
        format!("{}:users", self.base)
    }

    /// The key of the set of assertions on behalf of a user.
    pub(super) fn links(&self, user: &Place) -> String {
        format!("{}:behalf:{}", self.base, name(user))
    }

    /// The key of a lock, and of the number that its holders count.
    pub(super) fn lock(&self, lock: LockName<'_>, partition: &str) -> [String; 2] {
        let key = match lock {
            LockName::Document => format!("{}:lock:document:{partition}", self.base),
            LockName::Refresh(name) => format!("{}:lock:refresh:{name}", self.base),
            LockName::SignIn(name) => format!("{}:lock:sign-in:{name}", self.base),
        };
        [key, format!("{}:fence", self.base)]
    }

    pub(super) fn users_page(&self, cursor: u64, count: usize) -> Cmd {
        let mut command = Cmd::new();
        command.arg("SSCAN").arg(self.index()).arg(cursor).arg("COUNT").arg(count);
        command
    }

    pub(super) fn linked(&self, user: &Place) -> Cmd {
        let mut command = Cmd::new();
        command.arg("SMEMBERS").arg(self.links(user));
        command
    }
}

/// The name of a partition without its kind.
pub(super) fn name(place: &Place) -> &str {
    match place {
        Place::User(name) | Place::App(name) | Place::Assertion(name) => name,
    }
}
