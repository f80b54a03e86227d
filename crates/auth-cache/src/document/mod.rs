//! The unified MSAL cache document: five sections of entries, and whatever other programs add to it.
//!
//! In memory, it is divided into partitions of entries that belong together. A partition is immutable and replaced as a
//! whole. Entries stay raw JSON until they are needed. Sections, entries and members that we do not know are written
//! back unchanged.

mod depth;
mod filing;
mod item;
mod keep;
mod keys;
mod made;
mod new_entry;
mod partition;
mod partitions;
mod read;
mod row;
mod section;
mod slice;
mod sweep;
mod uses;
mod write;

use core::fmt;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::entries::AppMetadata;
use ahash::RandomState;
use arc_swap::ArcSwap;
use auth_core::{AccountId, Timestamp};

use filing::AppName;
pub use filing::PartitionKey;
pub(crate) use item::{Item, entries, make, put, remove};
pub(crate) use keys::{AccessTokenId, Key, KeyKind};
pub(crate) use made::{Make, Origin};
pub(crate) use new_entry::NewEntry;
pub(crate) use partition::{Draft, Partition, Size};
use partitions::Partitions;
pub(crate) use read::{Unreadable, parse};
pub(crate) use row::Row;
pub(crate) use section::Section;
use slice::Slice;
use sweep::Sweep;
pub(crate) use write::write;

/// The document. Readers wait only while several partitions change as one.
#[derive(Default)]
pub(crate) struct Document {
    users: Partitions,
    apps: Partitions,
    assertions: Partitions,
    common: ArcSwap<Common>,
    /// The number of the newest partition.
    newest: AtomicU64,
    /// The total size of the partitions. Writers hold this lock.
    size: Mutex<Size>,
    /// Set while several partitions change as one.
    torn: AtomicBool,
    sweep: Sweep,
}

/// A change of several partitions that readers see as one.
pub(crate) struct Edits<'d> {
    document: &'d Document,
    size: MutexGuard<'d, Size>,
}

/// Everything that belongs to no partition.
#[derive(Clone, Default)]
pub(crate) struct Common {
    pub(crate) app_metadata: Vec<Arc<Item<AppMetadata>>>,
    /// Entries that do not say whose they are, with their keys.
    unfiled: Vec<(Section, Slice, Slice)>,
    /// How many entries were found unusable when the document was read.
    skipped: usize,
    /// Top-level members of other programs, and sections of ours that are not objects.
    foreign: Vec<(Slice, Slice)>,
}

impl Common {
    /// Adopts the unfiled entries and foreign members of `other`, which replace ours of the same name.
    pub(crate) fn adopt(&mut self, other: &Self) {
        fn id(name: &Slice) -> (bool, &str) {
            (name.is_quoted(), name.as_str())
        }
        let unfiled: HashSet<_> = other.unfiled.iter().map(|(section, key, _)| (*section, id(key))).collect();
        self.unfiled.retain(|(section, key, _)| !unfiled.contains(&(*section, id(key))));
        self.unfiled.extend(other.unfiled.iter().cloned());
        let foreign: HashSet<_> = other.foreign.iter().map(|(name, _)| id(name)).collect();
        self.foreign.retain(|(name, _)| !foreign.contains(&id(name)));
        self.foreign.extend(other.foreign.iter().cloned());
    }

    /// How many entries were found unusable when the document was read.
    pub(crate) const fn skipped(&self) -> usize {
        self.skipped
    }
}

impl Document {
    fn new(drafts: [HashMap<Arc<str>, Draft, RandomState>; 3], common: Common, newest: u64) -> Self {
        let [(users, users_size), (apps, apps_size), (assertions, assertions_size)] =
            drafts.map(Partitions::from_drafts);
        Self {
            users,
            apps,
            assertions,
            common: ArcSwap::from_pointee(common),
            newest: AtomicU64::new(newest),
            size: Mutex::new(users_size.plus(apps_size).plus(assertions_size)),
            torn: AtomicBool::new(false),
            sweep: Sweep::default(),
        }
    }

    /// Reads the partition of a user in place.
    pub(crate) fn user<R>(&self, id: &AccountId, read: impl FnOnce(&Partition) -> R) -> Option<R> {
        self.settled();
        self.users.get(id.folded(), read)
    }

    /// Reads the partition of an application in a realm in place.
    pub(crate) fn app<R>(&self, client_id: &str, realm: &str, read: impl FnOnce(&Partition) -> R) -> Option<R> {
        self.settled();
        self.apps.get(AppName::new(client_id, realm).as_str(), read)
    }

    /// Reads a partition in place.
    pub(crate) fn partition<R>(&self, key: &PartitionKey, read: impl FnOnce(&Partition) -> R) -> Option<R> {
        self.settled();
        let (partitions, name) = self.at(key);
        partitions.get(name, read)
    }

    /// The partitions of all users, in document order.
    pub(crate) fn users(&self) -> Vec<Arc<Partition>> {
        self.settled();
        let mut users = self.users.all();
        users.sort_unstable_by_key(|partition| partition.number);
        users
    }

    /// The keys of the assertion partitions for which `is_wanted` holds, in no particular order. It does not wait for
    /// [`edit_together`](Self::edit_together), which calls it.
    pub(crate) fn assertion_keys(&self, is_wanted: impl Fn(&Partition) -> bool) -> Vec<PartitionKey> {
        keys(&self.assertions, PartitionKey::Assertion, &is_wanted).collect()
    }

    /// The keys of all partitions for which `is_wanted` holds, in no particular order.
    pub(crate) fn keys(&self, is_wanted: impl Fn(&Partition) -> bool) -> Vec<PartitionKey> {
        keys(&self.users, PartitionKey::User, &is_wanted)
            .chain(keys(&self.apps, PartitionKey::App, &is_wanted))
            .chain(keys(&self.assertions, PartitionKey::Assertion, &is_wanted))
            .collect()
    }

    /// Whether a write should search all partitions for expired tokens now.
    pub(crate) fn is_time_to_sweep(&self, now: Timestamp) -> bool {
        let partitions = [&self.users, &self.apps, &self.assertions].map(Partitions::len);
        self.sweep.is_due(now, partitions.into_iter().fold(0, usize::saturating_add))
    }

    /// Every partition with its key, in document order.
    pub(crate) fn all(&self) -> Vec<(PartitionKey, Arc<Partition>)> {
        fn keyed(
            partitions: &Partitions,
            key: fn(Arc<str>) -> PartitionKey,
        ) -> impl Iterator<Item = (PartitionKey, Arc<Partition>)> {
            partitions.all().into_iter().map(move |partition| (key(Arc::clone(&partition.name)), partition))
        }
        self.settled();
        let mut all: Vec<_> = keyed(&self.users, PartitionKey::User)
            .chain(keyed(&self.apps, PartitionKey::App))
            .chain(keyed(&self.assertions, PartitionKey::Assertion))
            .collect();
        all.sort_unstable_by_key(|(_, partition)| partition.number);
        all
    }

    /// Everything that belongs to no partition.
    pub(crate) fn common(&self) -> arc_swap::Guard<Arc<Common>> {
        self.common.load()
    }

    /// Changes one partition, which is created if there is none. Readers see the whole change or none of it.
    pub(crate) fn edit<R>(&self, key: &PartitionKey, edit: impl FnOnce(&mut Draft) -> R) -> R {
        Edits { document: self, size: self.writing() }.edit(key, edit)
    }

    /// Changes several partitions as one: a reader that has seen part of the change sees all of it. `edit` must not
    /// read partitions by key, as such a read would wait for this very change.
    pub(crate) fn edit_together<R>(&self, edit: impl FnOnce(&mut Edits<'_>) -> R) -> R {
        struct Torn<'d>(&'d AtomicBool);
        impl Drop for Torn<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Release);
            }
        }
        let mut edits = Edits { document: self, size: self.writing() };
        self.torn.store(true, Ordering::Release);
        let _torn = Torn(&self.torn);
        edit(&mut edits)
    }

    /// Waits for a change of several partitions to end. If there is none, this costs one load of a flag that is rarely
    /// written.
    fn settled(&self) {
        if self.torn.load(Ordering::Acquire) {
            drop(self.writing());
        }
    }

    /// Changes what belongs to no partition.
    pub(crate) fn edit_common<R>(&self, edit: impl FnOnce(&mut Common) -> R) -> R {
        let _writing = self.writing();
        let mut common = Common::clone(&self.common.load());
        let output = edit(&mut common);
        self.common.store(Arc::new(common));
        output
    }

    /// The total size of the partitions.
    pub(crate) fn size(&self) -> Size {
        *self.writing()
    }

    /// How many entries there are, inside and outside of partitions.
    pub(crate) fn entries(&self) -> usize {
        let common = self.common();
        [common.app_metadata.len(), common.unfiled.len()].into_iter().fold(self.size().entries, usize::saturating_add)
    }

    fn at<'a>(&self, key: &'a PartitionKey) -> (&Partitions, &'a Arc<str>) {
        match key {
            PartitionKey::User(name) => (&self.users, name),
            PartitionKey::App(name) => (&self.apps, name),
            PartitionKey::Assertion(name) => (&self.assertions, name),
        }
    }

    fn writing(&self) -> MutexGuard<'_, Size> {
        // Partitions are replaced whole, and the size is only an estimate, so poison does not matter.
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keys(
    partitions: &Partitions,
    key: fn(Arc<str>) -> PartitionKey,
    is_wanted: &impl Fn(&Partition) -> bool,
) -> impl Iterator<Item = PartitionKey> {
    let found = partitions.all().into_iter().filter(|partition| is_wanted(partition));
    found.map(move |partition| key(Arc::clone(&partition.name)))
}

impl Edits<'_> {
    /// See [`Document::edit`].
    pub(crate) fn edit<R>(&mut self, key: &PartitionKey, edit: impl FnOnce(&mut Draft) -> R) -> R {
        let (partitions, name) = self.document.at(key);
        let old = partitions.get(name, |old| (old.draft(), old.size(), Arc::clone(&old.name)));
        let (mut draft, before, name) = old.unwrap_or_else(|| {
            let newest = self.document.newest.fetch_add(1, Ordering::Relaxed);
            let draft = Draft { number: newest.saturating_add(1), ..Draft::default() };
            (draft, Size::default(), Arc::clone(name))
        });
        let output = edit(&mut draft);
        let new = draft.finish(name);
        *self.size = self.size.plus(new.size()).minus(before);
        partitions.set(new);
        output
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("size", &self.size()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
