//! The unified MSAL cache document: five sections of entries, and whatever else other programs keep beside them.
//!
//! In memory it is partitions of entries that belong together, each immutable and replaced as a whole. Entries stay raw
//! JSON until they are asked for. What is not understood (sections, entries, members) is written back as it came.

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

/// The document. Readers find a partition without waiting for anybody.
#[derive(Default)]
pub(crate) struct Document {
    users: Partitions,
    apps: Partitions,
    assertions: Partitions,
    common: ArcSwap<Common>,
    /// The number of the newest partition.
    newest: AtomicU64,
    /// How much is in the partitions; whoever writes holds it.
    size: Mutex<Size>,
    /// Whether several partitions are being changed as one.
    torn: AtomicBool,
    sweep: Sweep,
}

/// Several partitions that are changed as one.
pub(crate) struct Edits<'d> {
    document: &'d Document,
    size: MutexGuard<'d, Size>,
}

/// What belongs to no partition.
#[derive(Clone, Default)]
pub(crate) struct Common {
    pub(crate) app_metadata: Vec<Arc<Item<AppMetadata>>>,
    /// Entries of which nobody can tell whose they are, with their keys.
    unfiled: Vec<(Section, Slice, Slice)>,
    /// How many entries were seen to answer nobody when the document was read.
    skipped: usize,
    /// Sections of other programs.
    foreign: Vec<(Slice, Slice)>,
}

impl Common {
    /// Takes over what `other` has beside the entries that anybody could find.
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

    /// How many entries of the document that was read answer nobody.
    pub(crate) const fn skipped(&self) -> usize {
        self.skipped
    }
}

impl Document {
    fn of(drafts: [HashMap<Arc<str>, Draft, RandomState>; 3], common: Common, newest: u64) -> Self {
        let [(users, of_users), (apps, of_apps), (assertions, of_assertions)] = drafts.map(Partitions::of);
        Self {
            users,
            apps,
            assertions,
            common: ArcSwap::from_pointee(common),
            newest: AtomicU64::new(newest),
            size: Mutex::new(of_users.plus(of_apps).plus(of_assertions)),
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
        self.apps.get(AppName::of(client_id, realm).as_str(), read)
    }

    /// Reads any partition in place.
    pub(crate) fn partition<R>(&self, place: &PartitionKey, read: impl FnOnce(&Partition) -> R) -> Option<R> {
        self.settled();
        let (partitions, name) = self.at(place);
        partitions.get(name, read)
    }

    /// The partitions of all users, in the order of the document.
    pub(crate) fn users(&self) -> Vec<Arc<Partition>> {
        self.settled();
        let mut users = self.users.all();
        users.sort_unstable_by_key(|partition| partition.number);
        users
    }

    /// The places of those assertions whose partitions are `wanted`, in no order.
    pub(crate) fn assertions(&self, wanted: impl Fn(&Partition) -> bool) -> Vec<PartitionKey> {
        places(&self.assertions, PartitionKey::Assertion, &wanted).collect()
    }

    /// The places of all partitions that are `wanted`, in no order.
    pub(crate) fn places(&self, wanted: impl Fn(&Partition) -> bool) -> Vec<PartitionKey> {
        places(&self.users, PartitionKey::User, &wanted)
            .chain(places(&self.apps, PartitionKey::App, &wanted))
            .chain(places(&self.assertions, PartitionKey::Assertion, &wanted))
            .collect()
    }

    /// Whether a write should look at all partitions for what has expired.
    pub(crate) fn is_time_to_sweep(&self, now: Timestamp) -> bool {
        let partitions = [&self.users, &self.apps, &self.assertions].map(Partitions::len);
        self.sweep.is_due(now, partitions.into_iter().fold(0, usize::saturating_add))
    }

    /// Every partition with its place, in the order of the document.
    pub(crate) fn all(&self) -> Vec<(PartitionKey, Arc<Partition>)> {
        fn placed(
            partitions: &Partitions,
            place: fn(Arc<str>) -> PartitionKey,
        ) -> impl Iterator<Item = (PartitionKey, Arc<Partition>)> {
            partitions.all().into_iter().map(move |partition| (place(Arc::clone(&partition.name)), partition))
        }
        self.settled();
        let mut all: Vec<_> = placed(&self.users, PartitionKey::User)
            .chain(placed(&self.apps, PartitionKey::App))
            .chain(placed(&self.assertions, PartitionKey::Assertion))
            .collect();
        all.sort_unstable_by_key(|(_, partition)| partition.number);
        all
    }

    /// What belongs to no partition.
    pub(crate) fn common(&self) -> arc_swap::Guard<Arc<Common>> {
        self.common.load()
    }

    /// Changes one partition, which is a new one if there is none. Readers see all of the change or nothing.
    pub(crate) fn edit<R>(&self, place: &PartitionKey, edit: impl FnOnce(&mut Draft) -> R) -> R {
        Edits { document: self, size: self.writing() }.edit(place, edit)
    }

    /// Changes several partitions as one: who has seen a part of it sees all of it. `edit` must not read partitions by their
    /// places.
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

    /// Waits until nothing is half done. Outside of a removal this is one look at what nobody writes.
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

    /// How much is in the partitions.
    pub(crate) fn size(&self) -> Size {
        *self.writing()
    }

    /// How many entries there are, in partitions and beside them.
    pub(crate) fn entries(&self) -> usize {
        let common = self.common();
        [common.app_metadata.len(), common.unfiled.len()].into_iter().fold(self.size().entries, usize::saturating_add)
    }

    fn at<'a>(&self, place: &'a PartitionKey) -> (&Partitions, &'a Arc<str>) {
        match place {
            PartitionKey::User(name) => (&self.users, name),
            PartitionKey::App(name) => (&self.apps, name),
            PartitionKey::Assertion(name) => (&self.assertions, name),
        }
    }

    fn writing(&self) -> MutexGuard<'_, Size> {
        // Partitions are replaced whole, and the size is only a measure: poison tells nothing.
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn places(
    partitions: &Partitions,
    place: fn(Arc<str>) -> PartitionKey,
    wanted: &impl Fn(&Partition) -> bool,
) -> impl Iterator<Item = PartitionKey> {
    let found = partitions.all().into_iter().filter(|partition| wanted(partition));
    found.map(move |partition| place(Arc::clone(&partition.name)))
}

impl Edits<'_> {
    /// As [`Document::edit`].
    pub(crate) fn edit<R>(&mut self, place: &PartitionKey, edit: impl FnOnce(&mut Draft) -> R) -> R {
        let (partitions, name) = self.document.at(place);
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
