//! The documents of a cache: one, or one for each partition of a store that has many.

mod lru;

use core::fmt;
use core::ops::Deref;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use auth_core::Timestamp;

use crate::document::{Document, Place};
use crate::event::{Event, Observer};
use crate::limits::Limits;
use crate::live::LiveDocument;
use crate::storage::{DynPartitionedStorage, StorageError};
use lru::Lru;

/// What a cache looks into.
pub(crate) enum Documents {
    /// All partitions are in one, which is in memory, or in a store that knows whether it has changed.
    Whole(Box<LiveDocument>),
    /// Each partition is one.
    Partitions(Box<L1>),
}

/// The document that has a partition.
pub(crate) enum Held<'a> {
    Whole(&'a LiveDocument),
    Partition(Arc<LiveDocument>),
}

impl Deref for Held<'_> {
    type Target = LiveDocument;

    fn deref(&self) -> &LiveDocument {
        match self {
            Self::Whole(live) => live,
            Self::Partition(live) => live,
        }
    }
}

impl Documents {
    /// The document that has the partition.
    pub(crate) fn of(&self, place: impl FnOnce() -> Place) -> Held<'_> {
        match self {
            Self::Whole(live) => Held::Whole(live),
            Self::Partitions(l1) => Held::Partition(l1.at(&place())),
        }
    }

    /// The document that has the partition of a user, if it is in memory.
    #[inline]
    pub(crate) fn known_user(&self, folded: &str) -> Option<Held<'_>> {
        match self {
            Self::Whole(live) => Some(Held::Whole(live)),
            Self::Partitions(l1) => l1.lru().user(folded).map(Held::Partition),
        }
    }

    /// All documents in memory.
    pub(crate) fn known(&self) -> Vec<Held<'_>> {
        match self {
            Self::Whole(live) => vec![Held::Whole(live)],
            Self::Partitions(l1) => l1.lru().all().into_iter().map(|(_, live)| Held::Partition(live)).collect(),
        }
    }

    pub(crate) fn observer(&self) -> &Observer {
        match self {
            Self::Whole(live) => &live.observer,
            Self::Partitions(l1) => &l1.observer,
        }
    }

    pub(crate) const fn limits(&self) -> &Limits {
        match self {
            Self::Whole(live) => &live.limits,
            Self::Partitions(l1) => &l1.limits,
        }
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        match self {
            Self::Whole(live) => live.limits = limits,
            Self::Partitions(l1) => l1.limits = limits,
        }
    }

    pub(crate) fn set_observer(&mut self, observer: Observer) {
        match self {
            Self::Whole(live) => live.observer = observer,
            Self::Partitions(l1) => l1.observer = observer,
        }
    }
}

/// The partitions that were used last, in front of their store. Those that went are read again; one with a change that the
/// store refused does not go before any other.
pub(crate) struct L1 {
    store: Arc<dyn DynPartitionedStorage>,
    lru: RwLock<Lru>,
    limits: Limits,
    observer: Observer,
}

impl L1 {
    pub(crate) fn of(store: Arc<dyn DynPartitionedStorage>) -> Self {
        Self { store, lru: RwLock::default(), limits: Limits::DEFAULT, observer: Observer::default() }
    }

    fn lru(&self) -> RwLockReadGuard<'_, Lru> {
        // An entry is put in or taken out whole: poison tells nothing.
        self.lru.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document of a partition.
    pub(crate) fn at(&self, place: &Place) -> Arc<LiveDocument> {
        if let Some(live) = self.lru().get(place) {
            return live;
        }
        let mut lru = self.lru.write().unwrap_or_else(PoisonError::into_inner);
        lru.get_or_insert(place, self.limits.partitions, || {
            let limits =
                Limits { document_bytes: self.limits.document_bytes.min(self.limits.partition_bytes), ..self.limits };
            LiveDocument::partition(self.store.partition(place), limits, self.observer.clone())
        })
    }

    /// The partitions of users: those of the store, and those that it refused. Where it fails, those that this process knows.
    pub(crate) async fn users(&self) -> Result<Vec<Place>, StorageError> {
        let own = |is_meant: fn(&LiveDocument) -> bool| -> BTreeSet<Place> {
            let users = self.lru().all().into_iter().filter(|(place, _)| matches!(place, Place::User(_)));
            users.filter(|(_, live)| is_meant(live)).map(|(place, _)| place).collect()
        };
        let users = match self.store.users().await {
            Ok(stored) => stored.into_iter().chain(own(LiveDocument::is_waiting)).collect(),
            Err(error) => {
                let known = own(LiveDocument::is_known);
                if known.is_empty() {
                    return Err(error);
                }
                self.observer.tell(&Event::Unreadable { reason: error.to_string() });
                known
            }
        };
        Ok(users.into_iter().collect())
    }

    /// The places of a user's own partition, last, and of what was got on the user's behalf: who sees the account gone sees
    /// nothing of the rest. Where the store cannot tell them, those that this process knows, and why.
    pub(crate) async fn places_of(
        &self,
        user: &Place,
        is_on_behalf: impl Fn(&Document) -> bool,
    ) -> (Vec<Place>, Result<(), StorageError>) {
        let (mut places, listed) = match self.store.linked(user).await {
            Ok(linked) => (linked, Ok(())),
            Err(error) => {
                let assertions = self.lru().all().into_iter().filter(|(place, _)| matches!(place, Place::Assertion(_)));
                let known = assertions.filter(|(_, live)| is_on_behalf(&live.known().document));
                (known.map(|(place, _)| place).collect(), Err(error))
            }
        };
        places.push(user.clone());
        (places, listed)
    }

    /// Has the store forget the links of a user to what is gone. What it does not forget now goes when it expires.
    pub(crate) async fn forget_links(&self, user: &Place) {
        drop(self.store.linked(user).await);
    }

    pub(crate) async fn link(&self, user: &Place, assertion: &Place, until: Timestamp) -> Result<(), StorageError> {
        self.store.link(user, assertion, until).await
    }
}

impl fmt::Debug for L1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("L1").field("in_memory", &self.lru().all().len()).finish_non_exhaustive()
    }
}
