//! Reading a document: one scan splits its text into entries, which remain text.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ahash::RandomState;
use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::{Zeroize as _, Zeroizing};

use super::depth::is_deeper;
use super::filing::{Look, PartitionKey};
use super::item::Item;
use super::partition::Draft;
use super::slice::{Buffer, Slice};
use super::{Common, Document, Section};
use crate::members::Name;

const BOM: &str = "\u{feff}";

/// Why a text cannot be read as a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not a JSON object.
    NotADocument,
    /// It is nested more deeply than the limit allows (S-90).
    TooDeep,
}

/// Parses a document that may be nested `levels` deep. An empty text is an empty document; a byte order mark is
/// skipped.
pub(crate) fn parse(mut bytes: Zeroizing<Vec<u8>>, levels: usize) -> Result<Document, Unreadable> {
    let text = String::from_utf8(core::mem::take(&mut *bytes)).map_err(|error| {
        error.into_bytes().zeroize();
        Unreadable::NotADocument
    })?;
    let buffer = Buffer::new(text);
    let text = buffer.expose().strip_prefix(BOM).unwrap_or_else(|| buffer.expose());
    if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Ok(Document::default());
    }
    // A section that is not an object makes the quick way fail. Then each section is read by itself.
    let mut quick = Reader::new(&buffer, levels);
    if quick.read(text, false).is_ok() {
        return quick.finish();
    }
    let mut careful = Reader::new(&buffer, levels);
    careful.read(text, true).map_err(|_| Unreadable::NotADocument)?;
    careful.finish()
}

/// What has been read so far.
struct Reader<'b> {
    buffer: &'b Buffer,
    users: HashMap<Arc<str>, Draft, RandomState>,
    apps: HashMap<Arc<str>, Draft, RandomState>,
    assertions: HashMap<Arc<str>, Draft, RandomState>,
    common: Common,
    next: u64,
    careful: bool,
    /// How deeply the document may be nested, counting itself as one level.
    levels: usize,
    too_deep: bool,
}

impl<'b> Reader<'b> {
    fn new(buffer: &'b Buffer, levels: usize) -> Self {
        Self {
            buffer,
            users: HashMap::default(),
            apps: HashMap::default(),
            assertions: HashMap::default(),
            common: Common::default(),
            next: 0,
            careful: false,
            levels,
            too_deep: false,
        }
    }

    fn read(&mut self, text: &str, careful: bool) -> serde_json::Result<()> {
        self.careful = careful;
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_map(Members(self))?;
        json.end()
    }

    fn finish(self) -> Result<Document, Unreadable> {
        if self.too_deep {
            return Err(Unreadable::TooDeep);
        }
        Ok(Document::new([self.users, self.apps, self.assertions], self.common, self.next))
    }

    fn slice(&self, part: &str) -> Option<Slice> {
        Slice::part(self.buffer, part)
    }

    /// A key or name. One that is written with escapes gets a text of its own.
    fn name(&self, name: &Name<'_>) -> Option<Slice> {
        match name {
            Name::Text(text) => self.slice(text).or_else(|| Slice::whole(text.clone().into_owned())),
            Name::Quoted(quoted) => self.slice(quoted),
        }
    }

    fn entry(&mut self, section: Section, key: &Name<'_>, raw: &RawValue) {
        let look = Look::at(raw.get(), self.levels.saturating_sub(2), section);
        self.too_deep |= look.too_deep;
        let Some((key, json)) = self.name(key).zip(self.slice(raw.get())) else { return };
        let partition = if section == Section::AppMetadata { None } else { look.partition() };
        let is_skipped = look.is_broken() || (partition.is_none() && section != Section::AppMetadata);
        self.common.skipped = self.common.skipped.saturating_add(usize::from(is_skipped));
        if section == Section::AppMetadata {
            self.common.app_metadata.push(Arc::new(Item::stored(key, json)));
            return;
        }
        let Some(partition) = partition else {
            self.common.unfiled.push((section, key, json));
            return;
        };
        let (partitions, name) = match partition {
            PartitionKey::User(name) => (&mut self.users, name),
            PartitionKey::App(name) => (&mut self.apps, name),
            PartitionKey::Assertion(name) => (&mut self.assertions, name),
        };
        let draft = partitions.entry(name).or_insert_with(|| {
            self.next = self.next.saturating_add(1);
            Draft { number: self.next, ..Draft::default() }
        });
        match section {
            Section::AccessToken => draft.access_tokens.push(Arc::new(Item::stored(key, json))),
            Section::RefreshToken => draft.refresh_tokens.push(Arc::new(Item::stored(key, json))),
            Section::IdToken => draft.id_tokens.push(Arc::new(Item::stored(key, json))),
            Section::Account => draft.accounts.push(Arc::new(Item::stored(key, json))),
            Section::AppMetadata => {}
        }
    }
}

/// The members of the document.
struct Members<'r, 'b>(&'r mut Reader<'b>);

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cache document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let reader = self.0;
        while let Some(name) = map.next_key::<Name<'de>>()? {
            match name.as_text().and_then(Section::named) {
                Some(section) if !reader.careful => map.next_value_seed(Entries { reader, section })?,
                section => {
                    let raw: &RawValue = map.next_value()?;
                    let read = section.is_some_and(|section| {
                        serde_json::Deserializer::from_str(raw.get())
                            .deserialize_any(Entries { reader, section })
                            .is_ok()
                    });
                    // Another program's, or a section of ours that is not an object: kept until an entry of ours needs
                    // its place.
                    if !read {
                        reader.too_deep |= is_deeper(raw.get(), reader.levels.saturating_sub(1));
                    }
                    if !read && let Some(member) = reader.name(&name).zip(reader.slice(raw.get())) {
                        reader.common.foreign.push(member);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The entries of one section.
struct Entries<'r, 'b> {
    reader: &'r mut Reader<'b>,
    section: Section,
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entries")
    }

    /// `null`: no entries.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            self.reader.entry(self.section, &key, map.next_value()?);
        }
        Ok(())
    }
}
