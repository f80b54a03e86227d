//! The unified MSAL cache document: five sections of entries, and whatever else other programs keep beside them.
//!
//! Entries stay raw JSON until they are asked for. What is not understood (sections, entries, members) is written back as
//! it came.

mod keys;
mod members;

use core::fmt;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

pub(crate) use keys::Key;
pub(crate) use members::{Members, Text};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A section of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    AccessToken,
    RefreshToken,
    IdToken,
    Account,
    AppMetadata,
}

impl Section {
    pub(crate) const ALL: [Self; 5] =
        [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Account, Self::AppMetadata];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "AccessToken",
            Self::RefreshToken => "RefreshToken",
            Self::IdToken => "IdToken",
            Self::Account => "Account",
            Self::AppMetadata => "AppMetadata",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }
}

/// A text that is no cache document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a JSON object")]
pub(crate) struct NotADocument;

type Entries = BTreeMap<String, Box<RawValue>>;

/// The document. Its entries hold secrets: `Debug` tells their number only.
#[derive(Clone, Default)]
pub(crate) struct Document {
    sections: BTreeMap<Section, Entries>,
    foreign: BTreeMap<String, Box<RawValue>>,
    /// Entries whose key belongs to somebody else; they are never written.
    unstored: Vec<(Section, Box<RawValue>)>,
}

impl Document {
    /// Reads the document; an empty text is an empty document, a byte order mark is skipped.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NotADocument> {
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        // Of a repeated member the last counts, as for every other reader.
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(bytes).map_err(|_| NotADocument)?;
        let mut document = Self::default();
        for (name, raw) in members {
            match Section::named(&name) {
                Some(section) if raw.get() == "null" => drop(document.sections.insert(section, Entries::new())),
                Some(section) => match serde_json::from_str(raw.get()) {
                    Ok(entries) => drop(document.sections.insert(section, entries)),
                    // A section that is no map: kept until an entry of ours has to go there.
                    Err(_) => drop(document.foreign.insert(name, raw)),
                },
                None => drop(document.foreign.insert(name, raw)),
            }
        }
        Ok(document)
    }

    /// The document as it is stored: compact, all five sections, in a stable order.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Member<'a> {
            Section(&'a Entries),
            Foreign(&'a RawValue),
        }
        let empty = Entries::new();
        let mut members = BTreeMap::new();
        for section in Section::ALL {
            members.insert(section.name(), Member::Section(self.sections.get(&section).unwrap_or(&empty)));
        }
        for (name, raw) in &self.foreign {
            let taken = Section::named(name).is_some_and(|section| self.sections.contains_key(&section));
            if !taken {
                members.insert(name, Member::Foreign(raw));
            }
        }
        // Maps with text keys and raw JSON cannot fail to serialize.
        serde_json::to_vec(&members).unwrap_or_default()
    }

    /// The entries of a section that can be read as members; others are skipped here and kept in the document.
    pub(crate) fn entries(&self, section: Section) -> impl Iterator<Item = (&str, Members)> {
        let entries = self.sections.get(&section).into_iter().flatten().map(|(key, raw)| (key.as_str(), raw));
        let unstored = self.unstored.iter().filter(move |(own, _)| *own == section).map(|(_, raw)| ("", raw));
        entries.chain(unstored).filter_map(|(key, raw)| Some((key, Members::parse(raw)?)))
    }

    /// Whether an entry could not be put because another one joins to the same key (S-79).
    pub(crate) fn has_unstored(&self) -> bool {
        !self.unstored.is_empty()
    }

    /// Puts an entry under its canonical key, in place of every entry for which `same` holds. Members of those that we do
    /// not know go over into the new entry. An entry of somebody else that joins to the same key stays: then the new one
    /// serves this process only (S-79).
    pub(crate) fn put(&mut self, key: &Key, mut entry: Members, same: impl Fn(&Members) -> bool) {
        let replaced: Vec<_> =
            self.entries(key.section()).filter(|(_, old)| same(old)).map(|(key, old)| (key.to_owned(), old)).collect();
        let entries = self.sections.entry(key.section()).or_default();
        for (old_key, old) in replaced {
            entries.remove(&old_key);
            entry.adopt_foreign(&old, key.section());
        }
        let Some(raw) = entry.to_raw() else { return };
        let incumbent = entries.get(key.text()).and_then(|raw| Members::parse(raw));
        if incumbent.is_some_and(|incumbent| key.is_taken_by(&incumbent)) {
            tracing::warn!(target: "auth_cache", section = key.section().name(), "two entries of the token cache have the same key; the newer one is not stored");
            self.unstored.push((key.section(), raw));
        } else {
            entries.insert(key.text().to_owned(), raw);
        }
    }

    /// Removes the entries for which `gone` holds and tells how many there were.
    pub(crate) fn remove(&mut self, section: Section, gone: impl Fn(&Members) -> bool) -> usize {
        let keys: Vec<_> =
            self.entries(section).filter(|(_, entry)| gone(entry)).map(|(key, _)| key.to_owned()).collect();
        if let Some(entries) = self.sections.get_mut(&section) {
            keys.iter().for_each(|key| drop(entries.remove(key)));
        }
        keys.len()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Document");
        for (section, entries) in &self.sections {
            debug.field(section.name(), &entries.len());
        }
        debug.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
