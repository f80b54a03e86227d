//! One entry of the document: its text, and what it says once somebody asked.

use core::fmt;
use std::sync::{Arc, OnceLock};

use super::{Key, KeyKind, NewEntry, Slice};
use crate::members::{Entry, Members};

/// An entry. Nobody changes it; a writer puts another one in its place.
pub(crate) struct Item<E> {
    key: Slice,
    json: Slice,
    /// Where this process made the entry: what its key is of, which tells it from others under the same (S-79).
    made: Option<KeyKind>,
    /// Whether all members are known to be of those that we write.
    is_own: bool,
    entry: OnceLock<Option<Arc<E>>>,
}

/// Entries of one section.
pub(crate) type Items<E> = Box<[Arc<Item<E>>]>;

impl<E: Entry> Item<E> {
    /// An entry as it stands in a document.
    pub(crate) const fn stored(key: Slice, json: Slice) -> Self {
        Self { key, json, made: None, is_own: false, entry: OnceLock::new() }
    }

    /// A new entry, which need not be read again where its members are all known; `None` if it is beyond all measure.
    pub(crate) fn made(key: Key, entry: NewEntry<'_>) -> Option<Self> {
        let (made, is_own, json) = (Some(key.kind()), !entry.has_foreign(), Slice::whole(entry.to_json())?);
        let entry = match entry.into_members() {
            Some(members) => OnceLock::from(E::read(&members).map(Arc::new)),
            None => OnceLock::new(),
        };
        Some(Self { key: Slice::whole(key.into_text())?, json, made, is_own, entry })
    }

    /// What the entry says; it is read the first time that somebody asks.
    pub(crate) fn entry(&self) -> Option<&E> {
        self.shared().as_deref()
    }

    /// The same, to be kept.
    pub(crate) fn shared(&self) -> &Option<Arc<E>> {
        self.entry.get_or_init(|| Some(Arc::new(E::read(&self.members()?)?)))
    }

    pub(crate) fn members(&self) -> Option<Members<'_>> {
        Members::parse(self.json.as_str())
    }
}

impl<E> Item<E> {
    pub(crate) fn key(&self) -> &str {
        self.key.as_str()
    }

    pub(crate) fn json(&self) -> &str {
        self.json.as_str()
    }

    pub(crate) const fn made_under(&self) -> Option<KeyKind> {
        self.made
    }

    /// How many bytes it takes in the document.
    pub(crate) fn size(&self) -> usize {
        self.key.len().saturating_add(self.json.len())
    }
}

impl<E> fmt::Debug for Item<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// Puts an entry under its canonical key, in place of every entry for which `same` holds. Members of those that we do not
/// know go over into the new one.
pub(crate) fn put<E: Entry>(items: &mut Vec<Arc<Item<E>>>, key: Key, mut new: NewEntry<'_>, same: impl Fn(&E) -> bool) {
    items.retain(|item| {
        let replaced = item.entry().is_some_and(&same);
        if replaced
            && !item.is_own
            && let Some(old) = item.members()
        {
            new.adopt_foreign(&old, key.kind().section());
        }
        !replaced
    });
    items.extend(Item::made(key, new).map(Arc::new));
}

/// The entries that can be read.
pub(crate) fn entries<E: Entry>(items: &[Arc<Item<E>>]) -> impl Iterator<Item = &E> {
    items.iter().filter_map(|item| item.entry())
}

/// Removes the entries for which `gone` holds and tells how many there were.
pub(crate) fn remove<E: Entry>(items: &mut Vec<Arc<Item<E>>>, gone: impl Fn(&E) -> bool) -> usize {
    let before = items.len();
    items.retain(|item| !item.entry().is_some_and(&gone));
    before.saturating_sub(items.len())
}
