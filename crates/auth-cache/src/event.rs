//! Events: what happens in a cache that an application may want to know.

use core::fmt;
use std::sync::Arc;

use crate::limits::Evicted;

/// Something that happened in a cache, as reported to [`TokenCache::on_event`](crate::TokenCache::on_event). No event
/// contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The content changed; an application that owns its store should save it now.
    Changed {
        /// The key under which MSAL for .NET would store the changed part: the home account ID,
        /// `{client}_{tenant}_AppTokenCache` for an application's own tokens, or the hash of the assertion. `None` if
        /// the change concerns no single part.
        suggested_key: Option<String>,
    },
    /// A document contains entries that do not say whose they are, lack a secret, or have something other than text
    /// where text belongs. They are preserved, and answer no query (S-91). Other defects show only when the account is
    /// looked up, and are not counted.
    EntriesSkipped {
        /// The number of entries.
        count: usize,
    },
    /// A new entry has the same key as another program's, so it is kept in this process only (S-79).
    KeyCollision,
    /// The cache was full, and access tokens of this client were dropped.
    Evicted(Evicted),
    /// The stored document exceeds a limit, or would exceed it (S-90). It is left unchanged, and this process keeps its
    /// tokens in memory only. Reported once for each state of the document, and for each change that is not written.
    Refused {
        /// The limit that is exceeded.
        reason: &'static str,
    },
    /// The stored document could not be understood and was moved aside (S-99).
    Quarantined {
        /// Where it is now.
        place: String,
    },
    /// The store could not be read. Tokens in memory remain usable (S-101). Reported when the failure begins.
    Unreadable {
        /// The cause.
        reason: String,
    },
    /// A change could not be stored. This process uses it, and stores it and later ones once the store works again
    /// (S-98). Reported when the failure begins.
    Deferred {
        /// The cause.
        reason: String,
    },
    /// Partitions were dropped from memory, although their last changes were still to be stored, to make room (S-98).
    Abandoned {
        /// The number of partitions.
        partitions: usize,
    },
    /// A lock was held by another for longer than the caller could wait (S-101).
    LockTimedOut {
        /// Whether it was a refresh lock; the refresh then proceeds without it. Otherwise a change is deferred.
        refresh: bool,
    },
    /// The store should encrypt, and does not (S-104): its content is plain, or there is no key, and the application
    /// allows that. Reported once per opened store, at the first use.
    NotEncrypted {
        /// The store.
        place: String,
        /// The cause.
        reason: String,
    },
    /// Other users could read the stored document; its permissions were corrected (S-95).
    PermissionsRepaired {
        /// The store.
        place: String,
    },
    /// Other users can write to the folder of the document, so they can remove or replace it (S-93). Reported once.
    SharedFolder {
        /// The folder.
        place: String,
    },
    /// The store is on a network file system, where locks and times may be unreliable (S-103). Reported once.
    NetworkFileSystem {
        /// The folder.
        place: String,
    },
    /// Unfinished files of crashed writers were removed (S-97).
    LeftoversRemoved {
        /// The number of files.
        count: usize,
    },
}

/// The application's event handler.
type Listener = dyn Fn(&Event) + Send + Sync;

/// Reports the events of a cache and its store: to the log and, if created with [`new`](Self::new), to the application.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Listener>>);

impl Observer {
    /// Creates an observer that also calls `observe`.
    #[must_use]
    pub fn new(observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Reports an event.
    pub fn tell(&self, event: &Event) {
        match event {
            Event::Changed { .. } => {}
            Event::EntriesSkipped { count } => {
                tracing::debug!(target: "auth_cache", count, "the token cache has entries that are not understood; they are preserved");
            }
            Event::KeyCollision => {
                tracing::warn!(target: "auth_cache", "the token cache already has an entry with the key of a new one, which is not stored");
            }
            Event::Evicted(Evicted { expired, least_recently_used }) => {
                tracing::info!(target: "auth_cache", expired, least_recently_used, "the token cache was full; access tokens were dropped");
            }
            Event::Refused { reason } => {
                tracing::warn!(target: "auth_cache", reason, "the stored token cache is not used; tokens are kept in memory");
            }
            Event::Quarantined { place } => {
                tracing::warn!(target: "auth_cache", place, "the token cache could not be parsed; it was moved aside, and a new one begun");
            }
            Event::Unreadable { reason } => {
                tracing::warn!(target: "auth_cache", reason, "the token cache could not be read; tokens in memory remain usable");
            }
            Event::Deferred { reason } => {
                tracing::info!(target: "auth_cache", reason, "a change to the token cache could not be stored; it is kept in memory and tried again later");
            }
            Event::Abandoned { partitions } => {
                tracing::warn!(target: "auth_cache", partitions, "partitions of the token cache were dropped from memory with changes that could not be stored");
            }
            Event::LockTimedOut { refresh } => {
                tracing::warn!(target: "auth_cache", refresh, "timed out waiting for the lock of the token cache");
            }
            Event::NotEncrypted { place, reason } => {
                tracing::warn!(target: "auth_cache", place, reason, "the token cache is not encrypted");
            }
            Event::PermissionsRepaired { place } => {
                tracing::warn!(target: "auth_cache", place, "other users could read the token cache; now only its owner can");
            }
            Event::SharedFolder { place } => {
                tracing::warn!(target: "auth_cache", place, "other users can write to the folder of the token cache; use a private one");
            }
            Event::NetworkFileSystem { place } => {
                tracing::warn!(target: "auth_cache", place, "the token cache is on a network file system; locks may not work");
            }
            Event::LeftoversRemoved { count } => {
                tracing::info!(target: "auth_cache", count, "unfinished files of crashed writers of the token cache were removed");
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
