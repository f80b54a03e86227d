//! The partitions in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ahash::RandomState;

use crate::document::{PartitionKey, Size};
use crate::limits::Limits;
use crate::live::LiveDocument;

/// The part that is dropped at once when there is no room: an eighth, so that it happens seldom.
const PART: usize = 8;

/// A partition in memory.
pub(crate) struct Kept {
    pub(crate) live: LiveDocument,
    /// Its size when it was last weighed.
    weighed: Mutex<Size>,
    /// When it was last asked for, by the count in [`Lru`].
    used: AtomicU64,
}

#[derive(Default)]
pub(super) struct Lru {
    users: Kind,
    apps: Kind,
    assertions: Kind,
    /// How many times any partition was asked for.
    asked: AtomicU64,
    /// The total of all weighed sizes.
    size: Mutex<Size>,
}

type Kind = HashMap<Arc<str>, Arc<Kept>, RandomState>;

/// A partition that may be dropped.
struct Idle {
    /// Whether it has a change that is still to be stored.
    is_waiting: bool,
    used: u64,
    key: PartitionKey,
    size: Size,
}

/// The partitions to drop.
pub(super) struct ToDrop(Vec<PartitionKey>);

impl Lru {
    /// The partition of a user, if it is in memory.
    pub(super) fn user(&self, folded: &str) -> Option<Arc<Kept>> {
        self.users.get(folded).map(|kept| self.used(kept))
    }

    pub(super) fn get(&self, key: &PartitionKey) -> Option<Arc<Kept>> {
        let (kind, name) = match key {
            PartitionKey::User(name) => (&self.users, name),
            PartitionKey::App(name) => (&self.apps, name),
            PartitionKey::Assertion(name) => (&self.assertions, name),
        };
        kind.get(name).map(|kept| self.used(kept))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (PartitionKey, &Arc<Kept>)> {
        fn keyed(kind: &Kind, key: fn(Arc<str>) -> PartitionKey) -> impl Iterator<Item = (PartitionKey, &Arc<Kept>)> {
            kind.iter().map(move |(name, kept)| (key(Arc::clone(name)), kept))
        }
        let users_and_apps = keyed(&self.users, PartitionKey::User).chain(keyed(&self.apps, PartitionKey::App));
        users_and_apps.chain(keyed(&self.assertions, PartitionKey::Assertion))
    }

    /// The partition, which is made if it is not in memory.
    pub(super) fn get_or_insert(&mut self, key: &PartitionKey, make: impl FnOnce() -> LiveDocument) -> Arc<Kept> {
        if let Some(kept) = self.get(key) {
            return kept;
        }
        let kept = Arc::new(Kept { live: make(), weighed: Mutex::default(), used: AtomicU64::default() });
        let (kind, name) = self.kind(key);
        kind.insert(Arc::clone(name), Arc::clone(&kept));
        self.used(&kept)
    }

    /// Notes the current size of a partition, and returns whether the total exceeds a limit.
    pub(super) fn weigh(&self, kept: &Kept, limits: &Limits) -> bool {
        let now = kept.live.known().document.size();
        let mut weighed = locked(&kept.weighed);
        if *weighed == now {
            return false;
        }
        let mut size = locked(&self.size);
        *size = size.minus(*weighed).plus(now);
        *weighed = now;
        limits.is_exceeded(*size)
    }

    /// Whether another partition would be one too many.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.len() >= limits.partitions
    }

    /// The partitions to drop: idle ones, least recently used first. Those with a change that is still to be stored
    /// come last.
    pub(super) fn to_drop(&self, limits: &Limits) -> ToDrop {
        let mut idle: Vec<_> = self.all().filter(|(_, kept)| is_idle(kept)).map(Idle::new).collect();
        idle.sort_unstable_by_key(|idle| (idle.is_waiting, idle.used));
        let less = |limit: usize| limit.saturating_sub(limit.div_ceil(PART));
        let (mut left, mut size) = (self.len(), *locked(&self.size));
        let room = Limits { access_tokens: less(limits.access_tokens), bytes: less(limits.bytes), ..*limits };
        let to_drop = idle.into_iter().take_while(|idle| {
            let goes = left > less(limits.partitions) || room.is_exceeded(size);
            left = left.saturating_sub(usize::from(goes));
            size = size.minus(idle.size);
            goes
        });
        ToDrop(to_drop.map(|idle| idle.key).collect())
    }

    /// Removes those that are still idle.
    pub(super) fn take(&mut self, ToDrop(keys): ToDrop) -> Vec<Arc<Kept>> {
        let mut taken = Vec::with_capacity(keys.len());
        for key in keys {
            let (kind, name) = self.kind(&key);
            if kind.get(name).is_some_and(is_idle) {
                taken.extend(kind.remove(name));
            }
        }
        let removed = taken.iter().fold(Size::default(), |sum, kept| sum.plus(*locked(&kept.weighed)));
        let mut size = locked(&self.size);
        *size = size.minus(removed);
        drop(size);
        taken
    }

    fn kind<'a>(&mut self, key: &'a PartitionKey) -> (&mut Kind, &'a Arc<str>) {
        match key {
            PartitionKey::User(name) => (&mut self.users, name),
            PartitionKey::App(name) => (&mut self.apps, name),
            PartitionKey::Assertion(name) => (&mut self.assertions, name),
        }
    }

    fn len(&self) -> usize {
        [self.users.len(), self.apps.len(), self.assertions.len()].into_iter().fold(0, usize::saturating_add)
    }

    fn used(&self, kept: &Arc<Kept>) -> Arc<Kept> {
        kept.used.store(self.asked.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Arc::clone(kept)
    }
}

impl Idle {
    fn new((key, kept): (PartitionKey, &Arc<Kept>)) -> Self {
        let (is_waiting, used) = (kept.live.is_waiting(), kept.used.load(Ordering::Relaxed));
        Self { is_waiting, used, key, size: *locked(&kept.weighed) }
    }
}

fn is_idle(kept: &Arc<Kept>) -> bool {
    Arc::strong_count(kept) == 1
}

fn locked(size: &Mutex<Size>) -> MutexGuard<'_, Size> {
    // A size is replaced whole, so poison does not matter.
    size.lock().unwrap_or_else(PoisonError::into_inner)
}
