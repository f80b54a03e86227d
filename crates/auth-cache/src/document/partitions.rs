//! Partitions by name, where readers wait for nobody.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ahash::RandomState;
use arc_swap::{ArcSwap, ArcSwapOption};

use super::partition::{Draft, Partition, Size};

/// The fewest slots of a table that has any.
const FEWEST: usize = 8;

/// Partitions by their names. Names are chosen by others, so that the hash must be a keyed one, and one whose keys nobody can
/// guess: each process draws them anew (S-88).
///
/// Writers take turns, for which the document has a lock. What they replace goes when the last reader has left it, its
/// secrets with it.
pub(super) struct Partitions {
    hasher: RandomState,
    table: ArcSwap<Table>,
    /// How many partitions there are.
    live: AtomicUsize,
}

/// Slots that are searched from where the hash points at on. A quarter of them at least is free, so that searches are short.
struct Table {
    slots: Box<[Slot]>,
    /// How many are not free.
    taken: AtomicUsize,
}

/// The place of a name. Once taken it is never free again, as searches end at what is free; but when its partition is empty
/// it may become another's.
struct Slot {
    /// Of the name, so that other names are passed over without a look at them; zero as long as the slot is free.
    hash: AtomicU64,
    partition: ArcSwapOption<Partition>,
}

impl Default for Partitions {
    fn default() -> Self {
        Self::with(RandomState::new(), Vec::new())
    }
}

impl Partitions {
    /// The partitions of a document, and how much is in them.
    pub(super) fn of(drafts: HashMap<Arc<str>, Draft, RandomState>) -> (Self, Size) {
        let mut size = Size::default();
        let hasher = drafts.hasher().clone();
        let finished = drafts.into_iter().map(|(name, draft)| {
            let partition = draft.finish(name);
            size = size.plus(partition.size());
            Arc::new(partition)
        });
        let partitions = finished.collect();
        (Self::with(hasher, partitions), size)
    }

    fn with(hasher: RandomState, partitions: Vec<Arc<Partition>>) -> Self {
        let live = AtomicUsize::new(partitions.len());
        let table = ArcSwap::from_pointee(Table::of(&hasher, partitions));
        Self { hasher, table, live }
    }

    /// Reads a partition in place.
    #[inline]
    pub(super) fn get<R>(&self, name: &str, read: impl FnOnce(&Partition) -> R) -> Option<R> {
        let (table, hash) = (self.table.load(), hash(&self.hasher, name));
        for slot in table.slots_from(hash) {
            match slot.hash.load(Ordering::Acquire) {
                0 => break,
                own if own == hash => {
                    let partition = slot.partition.load();
                    if let Some(partition) = partition.as_ref().filter(|partition| *partition.name == *name) {
                        return (!partition.is_empty()).then(|| read(partition));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> Vec<Arc<Partition>> {
        let table = self.table.load();
        let partitions = table.slots.iter().filter_map(|slot| slot.partition.load_full());
        partitions.filter(|partition| !partition.is_empty()).collect()
    }

    /// Puts a partition in the place of the one of its name; an empty one is none.
    pub(super) fn set(&self, new: Partition) {
        let (table, hash) = (self.table.load(), hash(&self.hasher, &new.name));
        // Where a new name could go: what an earlier one has left, or else what is free.
        let mut place = None;
        for slot in table.slots_from(hash) {
            let old = slot.partition.load();
            match old.as_ref() {
                Some(old) if old.name == new.name => {
                    self.count(!old.is_empty(), !new.is_empty());
                    slot.partition.store(Some(Arc::new(new)));
                    return;
                }
                Some(old) if old.is_empty() => place = place.or(Some(slot)),
                Some(_) => {}
                None => {
                    place = place.or_else(|| table.take(slot));
                    break;
                }
            }
        }
        if new.is_empty() {
            return;
        }
        self.count(false, true);
        match place {
            Some(slot) => {
                slot.hash.store(hash, Ordering::Release);
                slot.partition.store(Some(Arc::new(new)));
            }
            None => {
                let mut all = self.all();
                all.push(Arc::new(new));
                self.table.store(Arc::new(Table::of(&self.hasher, all)));
            }
        }
    }

    fn count(&self, before: bool, now: bool) {
        match (before, now) {
            (false, true) => self.live.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.live.fetch_sub(1, Ordering::Relaxed),
            (true, true) | (false, false) => 0,
        };
    }
}

impl Table {
    /// A table of these partitions, none of which is empty, with room for half as many more at least.
    fn of(hasher: &RandomState, partitions: Vec<Arc<Partition>>) -> Self {
        let taken = AtomicUsize::new(partitions.len());
        let count = match partitions.len() {
            0 => 0,
            count => count.saturating_mul(2).max(FEWEST).checked_next_power_of_two().unwrap_or(FEWEST),
        };
        // Slots are made when all is in its place: each change of one looks for readers.
        let mut places = vec![None; count];
        for partition in partitions {
            let hash = hash(hasher, &partition.name);
            let free = positions(places.len(), hash).find(|at| matches!(places.get(*at), Some(None)));
            if let Some(place) = free.and_then(|at| places.get_mut(at)) {
                *place = Some((hash, partition));
            }
        }
        let slots = places.into_iter().map(|place| {
            let (hash, partition) = place.unzip();
            Slot { hash: hash.unwrap_or_default().into(), partition: partition.into() }
        });
        Self { slots: slots.collect(), taken }
    }

    /// The slots in the order in which they are searched.
    fn slots_from(&self, hash: u64) -> impl Iterator<Item = &Slot> {
        positions(self.slots.len(), hash).filter_map(|at| self.slots.get(at))
    }

    /// A slot that is free, if enough of them stay so without it.
    fn take<'s>(&self, slot: &'s Slot) -> Option<&'s Slot> {
        let taken = self.taken.load(Ordering::Relaxed);
        let most = self.slots.len().saturating_sub(self.slots.len() / 4);
        (taken < most).then(|| {
            self.taken.store(taken.saturating_add(1), Ordering::Relaxed);
            slot
        })
    }
}

/// All positions of so many, which is none or a power of two, beginning where the hash points at.
fn positions(count: usize, hash: u64) -> impl Iterator<Item = usize> {
    let last = count.saturating_sub(1);
    // Any part of a hash is one, but for the bit that is always set.
    let first = (hash >> 1) as usize;
    (0..count).map(move |step| first.wrapping_add(step) & last)
}

/// The hash of a name, which is never zero.
fn hash(hasher: &RandomState, name: &str) -> u64 {
    hasher.hash_one(name) | 1
}

#[cfg(test)]
mod tests;
