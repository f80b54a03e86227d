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
    /// Entries of a document say nothing of whose they are. They are kept as they came, and answer nobody (S-91).
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
}

/// Whom the application named to hear of events.
type Listener = dyn Fn(&Event) + Send + Sync;

/// Tells the log and the application.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Listener>>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    pub(crate) fn tell(&self, event: &Event) {
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
                tracing::warn!(target: "auth_cache", place, "the token cache was not JSON; it was moved aside and begun anew");
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
