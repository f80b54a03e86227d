//! The documents of a cache: one, or one for each partition of a store that has many.

mod lru;

use core::fmt;
use core::ops::Deref;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use auth_core::Timestamp;

use crate::document::{Document, PartitionKey};
use crate::event::{Event, Observer};
use crate::limits::Limits;
use crate::live::LiveDocument;
use crate::storage::{DynPartitionedStorage, StorageError};
use lru::{Kept, Lru};

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
    /// In memory, to look at as it is.
    Seen(Arc<Kept>),
    Partition(Lent<'a>),
}

/// A partition that its user may change, or read anew. It is weighed when it is given back.
pub(crate) struct Lent<'a> {
    l1: &'a L1,
    kept: Arc<Kept>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let is_too_much = self.l1.lru().weigh(&self.kept, &self.l1.limits);
        if is_too_much {
            self.l1.make_room();
        }
    }
}

impl Deref for Held<'_> {
    type Target = LiveDocument;

    fn deref(&self) -> &LiveDocument {
        match self {
            Self::Whole(live) => live,
            Self::Seen(kept) => &kept.live,
            Self::Partition(lent) => &lent.kept.live,
        }
    }
}

impl Documents {
    /// The document that has the partition.
    pub(crate) fn of(&self, place: impl FnOnce() -> PartitionKey) -> Held<'_> {
        match self {
            Self::Whole(live) => Held::Whole(live),
            Self::Partitions(l1) => l1.at(&place()),
        }
    }

    /// The document that has the partition of a user, if it is in memory.
    #[inline]
    pub(crate) fn known_user(&self, folded: &str) -> Option<Held<'_>> {
        match self {
            Self::Whole(live) => Some(Held::Whole(live)),
            Self::Partitions(l1) => l1.lru().user(folded).map(Held::Seen),
        }
    }

    /// All documents in memory.
    pub(crate) fn known(&self) -> Vec<Held<'_>> {
        match self {
            Self::Whole(live) => vec![Held::Whole(live)],
            Self::Partitions(l1) => l1.lru().all().map(|(_, kept)| Held::Seen(Arc::clone(kept))).collect(),
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

    fn lru_mut(&self) -> RwLockWriteGuard<'_, Lru> {
        self.lru.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document of a partition.
    pub(crate) fn at(&self, place: &PartitionKey) -> Held<'_> {
        let found = self.lru().get(place);
        let kept = found.unwrap_or_else(|| {
            if self.lru().is_full(&self.limits) {
                self.make_room();
            }
            self.lru_mut().get_or_insert(place, || self.document(place))
        });
        Held::Partition(Lent { l1: self, kept })
    }

    /// What `look` sees in a partition. One that is not in memory does not come there by that.
    pub(crate) async fn look<R>(
        &self,
        place: &PartitionKey,
        look: impl FnOnce(&Document) -> R,
    ) -> Result<R, StorageError> {
        let found = self.lru().get(place);
        match found {
            Some(kept) => kept.live.current().await.map(|picture| look(&picture.document)),
            None => self.document(place).current().await.map(|picture| look(&picture.document)),
        }
    }

    fn document(&self, place: &PartitionKey) -> LiveDocument {
        let limits =
            Limits { document_bytes: self.limits.document_bytes.min(self.limits.partition_bytes), ..self.limits };
        LiveDocument::partition(self.store.partition(place), limits, self.observer.clone())
    }

    /// Forgets those that nobody asked for longest. Nobody waits while they are chosen and wiped.
    fn make_room(&self) {
        let going = self.lru().going(&self.limits);
        let gone = self.lru_mut().take(going);
        let partitions = gone.iter().filter(|kept| kept.live.is_waiting()).count();
        if partitions > 0 {
            self.observer.tell(&Event::Abandoned { partitions });
        }
    }

    /// The partitions of users: those of the store, and those that it refused. Where it fails, those that this process knows.
    pub(crate) async fn users(&self) -> Result<Vec<PartitionKey>, StorageError> {
        let own = |is_meant: fn(&LiveDocument) -> bool| -> BTreeSet<PartitionKey> {
            let lru = self.lru();
            let users =
                lru.all().filter(|(place, kept)| matches!(place, PartitionKey::User(_)) && is_meant(&kept.live));
            users.map(|(place, _)| place).collect()
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
        user: &PartitionKey,
        is_on_behalf: impl Fn(&Document) -> bool,
    ) -> (Vec<PartitionKey>, Result<(), StorageError>) {
        let (mut places, listed) = match self.store.linked(user).await {
            Ok(linked) => (linked, Ok(())),
            Err(error) => {
                let lru = self.lru();
                let assertions = lru.all().filter(|(place, _)| matches!(place, PartitionKey::Assertion(_)));
                let known = assertions.filter(|(_, kept)| is_on_behalf(&kept.live.known().document));
                (known.map(|(place, _)| place).collect(), Err(error))
            }
        };
        places.push(user.clone());
        (places, listed)
    }

    /// Has the store forget the links of a user to what is gone. What it does not forget now goes when it expires.
    pub(crate) async fn forget_links(&self, user: &PartitionKey) {
        drop(self.store.linked(user).await);
    }

    pub(crate) async fn link(
        &self,
        user: &PartitionKey,
        assertion: &PartitionKey,
        until: Timestamp,
    ) -> Result<(), StorageError> {
        self.store.link(user, assertion, until).await
    }
}

impl fmt::Debug for L1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("L1").field("in_memory", &self.lru().all().count()).finish_non_exhaustive()
    }
}
