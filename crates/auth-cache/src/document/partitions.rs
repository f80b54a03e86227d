//! A hash table of partitions whose readers never wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ahash::RandomState;
use arc_swap::{ArcSwap, ArcSwapOption};

use super::partition::{Draft, Partition, Size};

/// The smallest number of slots in a table that has any.
const MIN_SLOTS: usize = 8;

/// Partitions by name. Names come from other parties, so the hash is keyed, with keys that each process draws anew and
/// nobody can guess (S-88).
///
/// The lock of the document keeps writers apart. A partition that was replaced is dropped, and its secrets are wiped,
/// when its last reader is done.
pub(super) struct Partitions {
    hasher: RandomState,
    table: ArcSwap<Table>,
    /// The number of non-empty partitions.
    live: AtomicUsize,
}

/// An open-addressing table with linear probing. At least a quarter of its slots is free, which keeps searches short.
struct Table {
    slots: Box<[Slot]>,
    /// How many slots are not free.
    taken: AtomicUsize,
}

/// The slot of a name. Once taken, it is never free again, since a search ends at a free slot; but when its partition
/// is empty, another name may take it over.
struct Slot {
    /// The hash of the name, so that other names are skipped without being read; zero while the slot is free.
    hash: AtomicU64,
    partition: ArcSwapOption<Partition>,
}

impl Default for Partitions {
    fn default() -> Self {
        Self::new(RandomState::new(), Vec::new())
    }
}

impl Partitions {
    /// The partitions of a document, and their total size.
    pub(super) fn from_drafts(drafts: HashMap<Arc<str>, Draft, RandomState>) -> (Self, Size) {
        let mut size = Size::default();
        let hasher = drafts.hasher().clone();
        let finished = drafts.into_iter().map(|(name, draft)| {
            let partition = draft.finish(name);
            size = size.plus(partition.size());
            Arc::new(partition)
        });
        let partitions = finished.collect();
        (Self::new(hasher, partitions), size)
    }

    fn new(hasher: RandomState, partitions: Vec<Arc<Partition>>) -> Self {
        let live = AtomicUsize::new(partitions.len());
        let table = ArcSwap::from_pointee(Table::new(&hasher, partitions));
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

    /// The number of non-empty partitions.
    pub(super) fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// All non-empty partitions, in no particular order.
    pub(super) fn all(&self) -> Vec<Arc<Partition>> {
        let table = self.table.load();
        let partitions = table.slots.iter().filter_map(|slot| slot.partition.load_full());
        partitions.filter(|partition| !partition.is_empty()).collect()
    }

    /// Replaces the partition of the same name, or adds it. An empty partition counts as none.
    pub(super) fn set(&self, new: Partition) {
        let (table, hash) = (self.table.load(), hash(&self.hasher, &new.name));
        // Where a new name can go: the slot of an empty partition, or else a free one.
        let mut vacant = None;
        for slot in table.slots_from(hash) {
            let old = slot.partition.load();
            match old.as_ref() {
                Some(old) if old.name == new.name => {
                    self.count(!old.is_empty(), !new.is_empty());
                    slot.partition.store(Some(Arc::new(new)));
                    return;
                }
                Some(old) if old.is_empty() => vacant = vacant.or(Some(slot)),
                Some(_) => {}
                None => {
                    vacant = vacant.or_else(|| table.take(slot));
                    break;
                }
            }
        }
        if new.is_empty() {
            return;
        }
        self.count(false, true);
        match vacant {
            Some(slot) => {
                slot.hash.store(hash, Ordering::Release);
                slot.partition.store(Some(Arc::new(new)));
            }
            None => {
                let mut all = self.all();
                all.push(Arc::new(new));
                self.table.store(Arc::new(Table::new(&self.hasher, all)));
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
    /// A table of these partitions, none of which is empty, with room for at least half as many more.
    fn new(hasher: &RandomState, partitions: Vec<Arc<Partition>>) -> Self {
        let taken = AtomicUsize::new(partitions.len());
        let count = match partitions.len() {
            0 => 0,
            count => count.saturating_mul(2).max(MIN_SLOTS).checked_next_power_of_two().unwrap_or(MIN_SLOTS),
        };
        // Slots are built last, because every store into one looks for readers.
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

    /// The slots in search order.
    fn slots_from(&self, hash: u64) -> impl Iterator<Item = &Slot> {
        positions(self.slots.len(), hash).filter_map(|at| self.slots.get(at))
    }

    /// Takes a free slot, if enough of them remain free.
    fn take<'s>(&self, slot: &'s Slot) -> Option<&'s Slot> {
        let taken = self.taken.load(Ordering::Relaxed);
        let max = self.slots.len().saturating_sub(self.slots.len() / 4);
        (taken < max).then(|| {
            self.taken.store(taken.saturating_add(1), Ordering::Relaxed);
            slot
        })
    }
}

/// All positions in a table of `count` slots, which is zero or a power of two, starting at the one that the hash
/// selects.
fn positions(count: usize, hash: u64) -> impl Iterator<Item = usize> {
    let last = count.saturating_sub(1);
    // Drops the bit that is always set.
    let first = (hash >> 1) as usize;
    (0..count).map(move |step| first.wrapping_add(step) & last)
}

/// The hash of a name; never zero.
fn hash(hasher: &RandomState, name: &str) -> u64 {
    hasher.hash_one(name) | 1
}

#[cfg(test)]
mod tests;
