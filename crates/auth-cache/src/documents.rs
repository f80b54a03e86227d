//! The documents of a cache: one for everything, or one for each partition.

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

/// Where a cache keeps its partitions.
pub(crate) enum Documents {
    /// In one document, which is in memory or in a store that knows whether it has changed.
    Whole(Box<LiveDocument>),
    /// Each in a document of its own.
    Partitions(Box<L1>),
}

/// The document that holds a partition.
pub(crate) enum Held<'a> {
    Whole(&'a LiveDocument),
    /// In memory, and only read.
    Seen(Arc<Kept>),
    Partition(Lent<'a>),
}

/// A partition that its user may change or reload. It is weighed when it is given back.
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
    /// The document that holds the partition.
    pub(crate) fn of(&self, key: impl FnOnce() -> PartitionKey) -> Held<'_> {
        match self {
            Self::Whole(live) => Held::Whole(live),
            Self::Partitions(l1) => l1.at(&key()),
        }
    }

    /// The document that holds the partition of a user, if it is in memory.
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

/// The most recently used partitions, in front of their store. Dropped ones are read again when needed. Those with a
/// change that the store refused are dropped last.
pub(crate) struct L1 {
    store: Arc<dyn DynPartitionedStorage>,
    lru: RwLock<Lru>,
    limits: Limits,
    observer: Observer,
}

impl L1 {
    pub(crate) fn new(store: Arc<dyn DynPartitionedStorage>) -> Self {
        Self { store, lru: RwLock::default(), limits: Limits::DEFAULT, observer: Observer::default() }
    }

    fn lru(&self) -> RwLockReadGuard<'_, Lru> {
        // An entry is inserted or removed whole, so poison does not matter.
        self.lru.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lru_mut(&self) -> RwLockWriteGuard<'_, Lru> {
        self.lru.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document of a partition.
    pub(crate) fn at(&self, key: &PartitionKey) -> Held<'_> {
        let found = self.lru().get(key);
        let kept = found.unwrap_or_else(|| {
            if self.lru().is_full(&self.limits) {
                self.make_room();
            }
            self.lru_mut().get_or_insert(key, || self.document(key))
        });
        Held::Partition(Lent { l1: self, kept })
    }

    /// Applies `look` to a partition. One that is not in memory is read, but not kept.
    pub(crate) async fn look<R>(
        &self,
        key: &PartitionKey,
        look: impl FnOnce(&Document) -> R,
    ) -> Result<R, StorageError> {
        let found = self.lru().get(key);
        match found {
            Some(kept) => kept.live.current().await.map(|snapshot| look(&snapshot.document)),
            None => self.document(key).current().await.map(|snapshot| look(&snapshot.document)),
        }
    }

    fn document(&self, key: &PartitionKey) -> LiveDocument {
        let limits =
            Limits { document_bytes: self.limits.document_bytes.min(self.limits.partition_bytes), ..self.limits };
        LiveDocument::partition(self.store.partition(key), limits, self.observer.clone())
    }

    /// Drops the least recently used partitions. They are chosen and wiped without holding up other calls.
    fn make_room(&self) {
        let idle = self.lru().to_drop(&self.limits);
        let dropped = self.lru_mut().take(idle);
        let partitions = dropped.iter().filter(|kept| kept.live.is_waiting()).count();
        if partitions > 0 {
            self.observer.tell(&Event::Abandoned { partitions });
        }
    }

    /// The partitions of users: those in the store, and those that it refused. If it fails, those that this process
    /// knows.
    pub(crate) async fn users(&self) -> Result<Vec<PartitionKey>, StorageError> {
        let own = |is_wanted: fn(&LiveDocument) -> bool| -> BTreeSet<PartitionKey> {
            let lru = self.lru();
            let users = lru.all().filter(|(key, kept)| matches!(key, PartitionKey::User(_)) && is_wanted(&kept.live));
            users.map(|(key, _)| key).collect()
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

    /// The partitions that a sign-out changes: those with what was acquired on the user's behalf and, last, the user's
    /// own, so that nobody who sees the account gone sees any of the rest. If the store fails to list them, those that
    /// this process knows, with the error.
    pub(crate) async fn partitions_of(
        &self,
        user: &PartitionKey,
        is_on_behalf: impl Fn(&Document) -> bool,
    ) -> (Vec<PartitionKey>, Result<(), StorageError>) {
        let (mut keys, listed) = match self.store.linked(user).await {
            Ok(linked) => (linked, Ok(())),
            Err(error) => {
                let lru = self.lru();
                let assertions = lru.all().filter(|(key, _)| matches!(key, PartitionKey::Assertion(_)));
                let known = assertions.filter(|(_, kept)| is_on_behalf(&kept.live.known().document));
                (known.map(|(key, _)| key).collect(), Err(error))
            }
        };
        keys.push(user.clone());
        (keys, listed)
    }

    /// Has the store forget a user's links to partitions that are gone. A link that it fails to forget will expire.
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
