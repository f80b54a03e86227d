//! Which partitions are in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ahash::RandomState;

use crate::document::{PartitionKey, Size};
use crate::limits::Limits;
use crate::live::LiveDocument;

/// What goes when there is no room: an eighth at once, so that it is looked for seldom.
const PART: usize = 8;

/// A partition in memory.
pub(crate) struct Kept {
    pub(crate) live: LiveDocument,
    /// How large it was when it was weighed last.
    weighed: Mutex<Size>,
    /// When anybody asked for it last.
    used: AtomicU64,
}

#[derive(Default)]
pub(super) struct Lru {
    users: Kind,
    apps: Kind,
    assertions: Kind,
    /// How often anybody asked.
    asked: AtomicU64,
    /// What has been weighed, all of it.
    size: Mutex<Size>,
}

type Kind = HashMap<Arc<str>, Arc<Kept>, RandomState>;

/// What may go.
struct Idle {
    /// Whether a change in it is still to be stored.
    is_waiting: bool,
    used: u64,
    place: PartitionKey,
    size: Size,
}

/// What is to go for others to have room.
pub(super) struct Going(Vec<PartitionKey>);

impl Lru {
    /// The partition of a user, if it is here.
    pub(super) fn user(&self, folded: &str) -> Option<Arc<Kept>> {
        self.users.get(folded).map(|kept| self.used(kept))
    }

    pub(super) fn get(&self, place: &PartitionKey) -> Option<Arc<Kept>> {
        let (kind, name) = match place {
            PartitionKey::User(name) => (&self.users, name),
            PartitionKey::App(name) => (&self.apps, name),
            PartitionKey::Assertion(name) => (&self.assertions, name),
        };
        kind.get(name).map(|kept| self.used(kept))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (PartitionKey, &Arc<Kept>)> {
        fn of(kind: &Kind, place: fn(Arc<str>) -> PartitionKey) -> impl Iterator<Item = (PartitionKey, &Arc<Kept>)> {
            kind.iter().map(move |(name, kept)| (place(Arc::clone(name)), kept))
        }
        let users_and_apps = of(&self.users, PartitionKey::User).chain(of(&self.apps, PartitionKey::App));
        users_and_apps.chain(of(&self.assertions, PartitionKey::Assertion))
    }

    /// The partition, made where it is not here.
    pub(super) fn get_or_insert(&mut self, place: &PartitionKey, make: impl FnOnce() -> LiveDocument) -> Arc<Kept> {
        if let Some(kept) = self.get(place) {
            return kept;
        }
        let kept = Arc::new(Kept { live: make(), weighed: Mutex::default(), used: AtomicU64::default() });
        let (kind, name) = self.kind(place);
        kind.insert(Arc::clone(name), Arc::clone(&kept));
        self.used(&kept)
    }

    /// Notes how large a partition is now, and tells whether all of them are larger than they may be.
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

    /// What should go: those that nobody uses and nobody asked for longest, first those without a change that is still to be
    /// stored.
    pub(super) fn going(&self, limits: &Limits) -> Going {
        let mut idle: Vec<_> = self.all().filter(|(_, kept)| is_idle(kept)).map(Idle::of).collect();
        idle.sort_unstable_by_key(|idle| (idle.is_waiting, idle.used));
        let less = |limit: usize| limit.saturating_sub(limit.div_ceil(PART));
        let (mut left, mut size) = (self.len(), *locked(&self.size));
        let room = Limits { access_tokens: less(limits.access_tokens), bytes: less(limits.bytes), ..*limits };
        let going = idle.into_iter().take_while(|idle| {
            let goes = left > less(limits.partitions) || room.is_exceeded(size);
            left = left.saturating_sub(usize::from(goes));
            size = size.minus(idle.size);
            goes
        });
        Going(going.map(|idle| idle.place).collect())
    }

    /// Takes out what is still idle.
    pub(super) fn take(&mut self, Going(places): Going) -> Vec<Arc<Kept>> {
        let mut taken = Vec::with_capacity(places.len());
        for place in places {
            let (kind, name) = self.kind(&place);
            if kind.get(name).is_some_and(is_idle) {
                taken.extend(kind.remove(name));
            }
        }
        let gone = taken.iter().fold(Size::default(), |sum, kept| sum.plus(*locked(&kept.weighed)));
        let mut size = locked(&self.size);
        *size = size.minus(gone);
        drop(size);
        taken
    }

    fn kind<'a>(&mut self, place: &'a PartitionKey) -> (&mut Kind, &'a Arc<str>) {
        match place {
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
    fn of((place, kept): (PartitionKey, &Arc<Kept>)) -> Self {
        let (is_waiting, used) = (kept.live.is_waiting(), kept.used.load(Ordering::Relaxed));
        Self { is_waiting, used, place, size: *locked(&kept.weighed) }
    }
}

fn is_idle(kept: &Arc<Kept>) -> bool {
    Arc::strong_count(kept) == 1
}

fn locked(size: &Mutex<Size>) -> MutexGuard<'_, Size> {
    // It is replaced whole: poison tells nothing.
    size.lock().unwrap_or_else(PoisonError::into_inner)
}
