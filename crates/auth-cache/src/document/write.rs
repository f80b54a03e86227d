//! Writing a document.

use std::collections::{BTreeSet, HashMap, HashSet, hash_map};
use std::sync::Arc;

use ahash::RandomState;
use zeroize::Zeroizing;

use super::item::Item;
use super::partition::Partition;
use super::slice::Slice;
use super::{Common, Document, KeyKind, Section};
use crate::members::Entry;

/// Serializes the document: compact, with all five sections, in a stable order. Also returns the keys under which an
/// entry of ours was left out because another entry has the same key (S-79).
pub(crate) fn write(document: &Document) -> (Zeroizing<Vec<u8>>, BTreeSet<String>) {
    let partitions = document.all().into_iter().map(|(_, partition)| partition).collect();
    let common = document.common();
    let contents = Contents { partitions, common: &common };
    let (left_out, collided) = contents.left_out();
    let mut json = Json::with_capacity(contents.size());
    // A section that is not an object stays until an entry of ours needs its place.
    let is_kept = |name: &str| Section::named(name).is_none_or(|section| !contents.has(section));
    let kept: Vec<_> = common.foreign.iter().filter(|(name, _)| is_kept(name.as_str())).collect();
    for section in Section::ALL {
        if kept.iter().any(|(name, _)| name.as_str() == section.name()) {
            continue;
        }
        json.begin(section.name());
        contents.each(section, &mut |line| {
            if left_out.is_empty() || !left_out.contains(&line.json.as_ptr()) {
                json.member(line.name, line.json);
            }
        });
        json.end();
    }
    for (name, text) in kept {
        json.foreign(Written::from(name), text.as_str());
    }
    (json.finish(), collided)
}

/// Everything to be written.
struct Contents<'a> {
    partitions: Vec<Arc<Partition>>,
    common: &'a Common,
}

/// A name to be written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Written<'a> {
    text: &'a str,
    /// Whether it is already quoted, because no string can hold it.
    is_quoted: bool,
}

impl<'a> From<&'a Slice> for Written<'a> {
    fn from(name: &'a Slice) -> Self {
        Self { text: name.as_str(), is_quoted: name.is_quoted() }
    }
}

/// An entry to be written.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: Written<'a>,
    json: &'a str,
    /// The kind of its key, if this process made it.
    made: Option<KeyKind>,
    /// Whether it says whose it is.
    is_filed: bool,
}

impl<'a, E: Entry> From<&'a Arc<Item<E>>> for Line<'a> {
    fn from(item: &'a Arc<Item<E>>) -> Self {
        let name = Written { text: item.key(), is_quoted: item.has_quoted_key() };
        Self { name, json: item.json(), made: item.made_under(), is_filed: true }
    }
}

impl Contents<'_> {
    fn each<'a>(&'a self, section: Section, visit: &mut dyn FnMut(Line<'a>)) {
        for partition in &self.partitions {
            match section {
                Section::AccessToken => partition.access_tokens.iter().for_each(|item| visit(item.into())),
                Section::RefreshToken => partition.refresh_tokens.iter().for_each(|item| visit(item.into())),
                Section::IdToken => partition.id_tokens.iter().for_each(|item| visit(item.into())),
                Section::Account => partition.accounts.iter().for_each(|item| visit(item.into())),
                Section::AppMetadata => {}
            }
        }
        if section == Section::AppMetadata {
            self.common.app_metadata.iter().for_each(|item| visit(item.into()));
        }
        for (_, key, json) in self.common.unfiled.iter().filter(|(own, ..)| *own == section) {
            visit(Line { name: key.into(), json: json.as_str(), made: None, is_filed: false });
        }
    }

    fn has(&self, section: Section) -> bool {
        let mut any = false;
        self.each(section, &mut |_| any = true);
        any
    }

    /// The length of the text, or slightly more. Escapes in keys are not counted.
    fn size(&self) -> usize {
        const PUNCTUATION: usize = 8;
        let plus = |sum: usize, key: &str, json: &str| {
            [key.len(), json.len(), PUNCTUATION].into_iter().fold(sum, usize::saturating_add)
        };
        let mut size = 128_usize;
        for section in Section::ALL {
            self.each(section, &mut |line| size = plus(size, line.name.text, line.json));
        }
        self.common.foreign.iter().fold(size, |sum, (name, json)| plus(sum, name.as_str(), json.as_str()))
    }

    /// Only one entry per key is written. Returns the texts of the others, by address, and the keys of ours among them.
    /// An entry of another program wins over ours, which then serves this process only (S-79), unless the other lacks
    /// the members that would tell the two apart.
    fn left_out(&self) -> (HashSet<*const u8>, BTreeSet<String>) {
        let (mut left_out, mut collided) = (HashSet::new(), BTreeSet::new());
        for section in Section::ALL {
            let mut standing = HashMap::with_hasher(RandomState::new());
            self.each(section, &mut |line| match standing.entry(line.name) {
                hash_map::Entry::Vacant(free) => {
                    free.insert(line);
                }
                hash_map::Entry::Occupied(mut taken) => {
                    let goes = if taken.get().yields_to(line) { taken.insert(line) } else { line };
                    left_out.insert(goes.json.as_ptr());
                    collided.extend(goes.made.map(|_| goes.name.text.to_owned()));
                }
            });
        }
        (left_out, collided)
    }
}

impl Line<'_> {
    /// Whether a later line under the same key is written instead of this one.
    fn yields_to(self, later: Self) -> bool {
        match (self.made, later.made) {
            (Some(_), Some(_)) => false,
            (Some(kind), None) => kind.is_taken_by(later.json, self.json),
            (None, Some(kind)) => !kind.is_taken_by(self.json, later.json),
            // The last one wins, as for any reader of JSON, but an unfiled entry never replaces a filed one.
            (None, None) => later.is_filed || !self.is_filed,
        }
    }
}

/// A document being written.
struct Json {
    text: Zeroizing<Vec<u8>>,
    first: bool,
}

impl Json {
    fn with_capacity(capacity: usize) -> Self {
        Self { text: Zeroizing::new(Vec::with_capacity(capacity)), first: true }
    }

    fn begin(&mut self, section: &str) {
        let opening = if self.text.is_empty() { b'{' } else { b',' };
        self.text.push(opening);
        self.quoted(section);
        self.text.extend_from_slice(b":{");
        self.first = true;
    }

    fn end(&mut self) {
        self.text.push(b'}');
    }

    fn member(&mut self, name: Written<'_>, json: &str) {
        if !core::mem::take(&mut self.first) {
            self.text.push(b',');
        }
        match name.is_quoted {
            true => self.text.extend_from_slice(name.text.as_bytes()),
            false => self.quoted(name.text),
        }
        self.text.push(b':');
        self.text.extend_from_slice(json.as_bytes());
    }

    /// Adds a top-level member of another program, after our sections.
    fn foreign(&mut self, name: Written<'_>, json: &str) {
        self.first = self.text.is_empty();
        if self.first {
            self.text.push(b'{');
        }
        self.member(name, json);
    }

    fn quoted(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
            // Writing a string into a vector cannot fail.
            let _ = serde_json::to_writer(&mut *self.text, text);
        } else {
            self.text.push(b'"');
            self.text.extend_from_slice(text.as_bytes());
            self.text.push(b'"');
        }
    }

    fn finish(mut self) -> Zeroizing<Vec<u8>> {
        self.text.push(b'}');
        self.text
    }
}
