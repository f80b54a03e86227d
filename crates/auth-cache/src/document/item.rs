//! An entry of the document: its text, which is parsed on first use.

use core::fmt;
use std::sync::{Arc, OnceLock};

use super::made::{Made, Make, Origin};
use super::new_entry::Foreign;
use super::{Key, KeyKind, NewEntry, Section, Slice};
use crate::members::{Entry, Members};

/// An entry. Immutable: a writer replaces it.
pub(crate) struct Item<E> {
    text: Text,
    entry: OnceLock<Option<Arc<E>>>,
}

enum Text {
    /// Part of a document that was read.
    Stored { key: Slice, json: Slice },
    /// Of an entry that this process made.
    Made(Made),
}

/// Entries of one section.
pub(crate) type Items<E> = Box<[Arc<Item<E>>]>;

impl<E: Entry> Item<E> {
    /// An entry of a document that was read.
    pub(crate) const fn stored(key: Slice, json: Slice) -> Self {
        Self { text: Text::Stored { key, json }, entry: OnceLock::new() }
    }

    /// A new entry. It is not parsed if all its members are known.
    fn made(key: Key, entry: NewEntry<'_>) -> Self {
        let text = Text::Made(Made::now(key, &entry));
        let entry = match entry.into_members() {
            Some(members) => OnceLock::from(E::read(&members).map(Arc::new)),
            None => OnceLock::new(),
        };
        Self { text, entry }
    }

    /// What the entry says, parsed on first use; `None` if it is unusable.
    pub(crate) fn entry(&self) -> Option<&E> {
        self.shared().as_deref()
    }

    /// Like [`entry`](Self::entry), for sharing.
    pub(crate) fn shared(&self) -> &Option<Arc<E>> {
        self.entry.get_or_init(|| Some(Arc::new(E::read(&self.members()?)?)))
    }

    pub(crate) fn members(&self) -> Option<Members<'_>> {
        Members::parse(self.json())
    }
}

impl<E> Item<E> {
    /// What the entry says, if it has been parsed already.
    pub(crate) fn known(&self) -> Option<&E> {
        self.entry.get()?.as_deref()
    }

    pub(crate) fn key(&self) -> &str {
        match &self.text {
            Text::Stored { key, .. } => key.as_str(),
            Text::Made(made) => &made.written().key,
        }
    }

    /// Whether the key is still quoted, because no string can hold it.
    pub(crate) fn has_quoted_key(&self) -> bool {
        matches!(&self.text, Text::Stored { key, .. } if key.is_quoted())
    }

    pub(crate) fn json(&self) -> &str {
        match &self.text {
            Text::Stored { json, .. } => json.as_str(),
            Text::Made(made) => &made.written().json,
        }
    }

    /// The kind of its key, if this process made the entry.
    pub(crate) const fn made_under(&self) -> Option<KeyKind> {
        match &self.text {
            Text::Stored { .. } => None,
            Text::Made(made) => Some(made.kind),
        }
    }

    /// Whether it may have members that we do not know.
    fn may_have_foreign(&self) -> bool {
        match &self.text {
            Text::Stored { .. } => true,
            Text::Made(made) => made.has_foreign,
        }
    }

    /// How many bytes it takes in the document; for an entry that this process made, an estimate.
    pub(crate) fn size(&self) -> usize {
        match &self.text {
            Text::Stored { key, json } => key.len().saturating_add(json.len()),
            Text::Made(made) => made.size,
        }
    }
}

impl<E> fmt::Debug for Item<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// Adds an entry under its canonical key and removes every entry for which `same` holds. The new entry keeps their
/// members that we do not know.
pub(crate) fn put<E: Entry>(items: &mut Vec<Arc<Item<E>>>, key: Key, new: NewEntry<'_>, same: impl Fn(&E) -> bool) {
    let foreign = displace(items, key.kind().section(), same);
    items.push(Arc::new(Item::made(key, new.with_foreign(&foreign))));
}

/// Like [`put`], for an entry that is serialized later.
pub(crate) fn make<E: Make>(items: &mut Vec<Arc<Item<E>>>, entry: E, origin: &Arc<Origin>, same: impl Fn(&E) -> bool) {
    let foreign = displace(items, entry.kind().section(), same);
    let entry = Arc::new(entry);
    let text = Text::Made(Made::later(&entry, origin, foreign));
    items.push(Arc::new(Item { text, entry: OnceLock::from(Some(entry)) }));
}

/// Removes every entry for which `same` holds, and returns the members that we do not know.
fn displace<E: Entry>(items: &mut Vec<Arc<Item<E>>>, section: Section, same: impl Fn(&E) -> bool) -> Foreign {
    let mut foreign = Foreign::default();
    items.retain(|item| {
        let replaced = item.entry().is_some_and(&same);
        if replaced
            && item.may_have_foreign()
            && let Some(old) = item.members()
        {
            foreign.adopt(&old, section);
        }
        !replaced
    });
    foreign
}

/// The usable entries.
pub(crate) fn entries<E: Entry>(items: &[Arc<Item<E>>]) -> impl Iterator<Item = &E> {
    items.iter().filter_map(|item| item.entry())
}

/// Removes the entries for which `gone` holds, and returns how many there were.
pub(crate) fn remove<E: Entry>(items: &mut Vec<Arc<Item<E>>>, gone: impl Fn(&E) -> bool) -> usize {
    let before = items.len();
    items.retain(|item| !item.entry().is_some_and(&gone));
    before.saturating_sub(items.len())
}
