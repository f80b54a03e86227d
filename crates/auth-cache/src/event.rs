//! What happens in a cache that an application may want to know.

use core::fmt;
use std::sync::Arc;

use crate::limits::Evicted;

/// Something that happened in a cache. No event holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The content changed; an application that owns its store should take it now.
    Changed {
        /// The key under which MSAL for .NET would store the changed part: the home account id, the application's own
        /// `{client}_{tenant}_AppTokenCache`, or the hash of the assertion. `None` where no single part changed.
        suggested_key: Option<String>,
    },
    /// Entries of a document that was read say nothing of whose they are, lack a secret, or have no text where one belongs.
    /// They are kept as they came, and answer nobody (S-91). What is wrong with an entry beyond that shows only when its
    /// account is asked for, and is not counted.
    EntriesSkipped {
        /// How many.
        count: usize,
    },
    /// An entry of ours has the same key as another program's; ours serves this process only (S-79).
    KeyCollision,
    /// The cache was full, and access tokens of this client went.
    Evicted(Evicted),
    /// The stored document is beyond a limit, or would be (S-90). It is left as it is, and this process keeps its tokens in
    /// memory only. Told once for each state of the document that is refused, and for each change that is not written.
    Refused {
        /// Which limit, in words.
        reason: &'static str,
    },
    /// The stored document could not be understood and was moved aside (S-99).
    Quarantined {
        /// Where to.
        place: String,
    },
    /// The store could not be read. What this process knows serves on (S-101). Told when it begins.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// A change could not be stored. It serves this process, and it and those after it are stored once the store can be
    /// written (S-98). Told when it begins.
    Deferred {
        /// Why.
        reason: String,
    },
    /// Partitions whose last changes still waited for the store were forgotten, as there was no room left for others (S-98).
    Abandoned {
        /// How many partitions.
        partitions: usize,
    },
    /// Somebody held a lock for as long as there was time to wait (S-101).
    LockTimedOut {
        /// Whether it was the lock of a refresh, which goes on without it; else a change is deferred.
        refresh: bool,
    },
    /// The store should encrypt, and does not (S-104): what is there is plain, or there is no key, and the application allows
    /// that. Told once by each store that is opened, with the first use.
    NotEncrypted {
        /// Which store.
        place: String,
        /// Why.
        reason: String,
    },
    /// Others could read the stored document; they cannot any more (S-95).
    PermissionsRepaired {
        /// Which store.
        place: String,
    },
    /// Others than the user can write where the document is stored: they can take it away, and put another in its
    /// place (S-93). Told once.
    SharedFolder {
        /// Which folder.
        place: String,
    },
    /// The store is on a file system of another machine, where locks and times are only as good as that machine's
    /// promises (S-103). Told once.
    NetworkFileSystem {
        /// Which folder.
        place: String,
    },
    /// What writers that died had begun to write was removed (S-97).
    LeftoversRemoved {
        /// How many files.
        count: usize,
    },
}

/// Whom the application named to hear of events.
type Listener = dyn Fn(&Event) + Send + Sync;

/// Tells the log and the application what happens in a cache and in its store; by default the log alone.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Listener>>);

impl Observer {
    /// One that also tells `observe`.
    #[must_use]
    pub fn new(observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Tells of an event.
    pub fn tell(&self, event: &Event) {
        match event {
            Event::Changed { .. } => {}
            Event::EntriesSkipped { count } => {
                tracing::debug!(target: "auth_cache", count, "entries of the token cache were not understood and are kept as they are");
            }
            Event::KeyCollision => {
                tracing::warn!(target: "auth_cache", "two entries of the token cache have the same key; the newer one is not stored");
            }
            Event::Evicted(Evicted { expired, least_recently_used }) => {
                tracing::info!(target: "auth_cache", expired, least_recently_used, "the token cache was full; access tokens were dropped");
            }
            Event::Refused { reason } => {
                tracing::warn!(target: "auth_cache", reason, "the stored token cache is not used");
            }
            Event::Quarantined { place } => {
                tracing::warn!(target: "auth_cache", place, "the token cache could not be understood; it was moved aside and begun anew");
            }
            Event::Unreadable { reason } => {
                tracing::warn!(target: "auth_cache", reason, "the token cache could not be read; what this process knows serves on");
            }
            Event::Deferred { reason } => {
                tracing::info!(target: "auth_cache", reason, "a change of the token cache could not be stored; this process keeps it");
            }
            Event::Abandoned { partitions } => {
                tracing::warn!(target: "auth_cache", partitions, "changes of the token cache that waited for the store in vain were given up");
            }
            Event::LockTimedOut { refresh } => {
                tracing::warn!(target: "auth_cache", refresh, "another program holds the lock of the token cache, and there is no time left to wait");
            }
            Event::NotEncrypted { place, reason } => {
                tracing::warn!(target: "auth_cache", place, reason, "the token cache is not encrypted");
            }
            Event::PermissionsRepaired { place } => {
                tracing::warn!(target: "auth_cache", place, "others could read the token cache; it is for its owner only now");
            }
            Event::SharedFolder { place } => {
                tracing::warn!(target: "auth_cache", place, "others can write into the folder of the token cache");
            }
            Event::NetworkFileSystem { place } => {
                tracing::warn!(target: "auth_cache", place, "the token cache is on a network file system; its locks may not hold");
            }
            Event::LeftoversRemoved { count } => {
                tracing::info!(target: "auth_cache", count, "files of writers that died were removed");
            }
        }
        if let Some(observe) = &self.0 {
            observe(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}
