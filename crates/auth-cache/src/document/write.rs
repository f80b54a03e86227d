//! Writing a document.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::item::Item;
use super::partition::Partition;
use super::{Common, Document, Key, Section};
use crate::members::{Entry, Members};

/// The document as it is stored (compact, all five sections, in a stable order), and whether an entry of ours was left out
/// as somebody else's joins to the same key (S-79).
pub(crate) fn write(document: &Document) -> (Zeroizing<Vec<u8>>, bool) {
    let partitions = document.all().into_iter().map(|(_, partition)| partition).collect();
    let common = document.common();
    let contents = Contents { partitions, common: &common };
    let left_out = contents.left_out();
    let mut json = Json::with_capacity(contents.size());
    // A section that is no map stays until an entry of ours has to go there.
    let is_kept = |name: &str| Section::named(name).is_none_or(|section| !contents.has(section));
    let kept: Vec<_> = common.foreign.iter().filter(|(name, _)| is_kept(name.as_str())).collect();
    for section in Section::ALL {
        if kept.iter().any(|(name, _)| name.as_str() == section.name()) {
            continue;
        }
        json.begin(section.name());
        contents.each(section, &mut |line| {
            if left_out.is_empty() || !left_out.contains(&(section, line.key, line.made.is_some())) {
                json.member(line.key, line.json);
            }
        });
        json.end();
    }
    for (name, text) in kept {
        json.foreign(name.as_str(), text.as_str());
    }
    (json.finish(), left_out.iter().any(|(_, _, ours)| *ours))
}

/// Everything that is written.
struct Contents<'a> {
    partitions: Vec<Arc<Partition>>,
    common: &'a Common,
}

/// An entry as it is written.
#[derive(Clone, Copy)]
struct Line<'a> {
    key: &'a str,
    json: &'a str,
    /// Where this process made it.
    made: Option<&'a Key>,
}

impl<'a, E: Entry> From<&'a Arc<Item<E>>> for Line<'a> {
    fn from(item: &'a Arc<Item<E>>) -> Self {
        Self { key: item.key(), json: item.json(), made: item.made_under() }
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
            visit(Line { key: key.as_str(), json: json.as_str(), made: None });
        }
    }

    fn has(&self, section: Section) -> bool {
        let mut any = false;
        self.each(section, &mut |_| any = true);
        any
    }

    /// How long the text will be, about; more room is never needed but for escapes in keys.
    fn size(&self) -> usize {
        const AROUND: usize = 8;
        let plus = |sum: usize, key: &str, json: &str| {
            [key.len(), json.len(), AROUND].into_iter().fold(sum, usize::saturating_add)
        };
        let mut size = 128_usize;
        for section in Section::ALL {
            self.each(section, &mut |line| size = plus(size, line.key, line.json));
        }
        self.common.foreign.iter().fold(size, |sum, (name, json)| plus(sum, name.as_str(), json.as_str()))
    }

    /// Entries that share their key with another one, and whether they are ours. An entry of somebody else stays, ours
    /// serves this process only (S-79); unless the other one does not say what would set it apart.
    fn left_out(&self) -> HashSet<(Section, &str, bool)> {
        let mut made = HashMap::new();
        for section in Section::ALL {
            self.each(section, &mut |line| made.extend(line.made.map(|key| ((section, line.key), key))));
        }
        let mut left_out = HashSet::new();
        for section in Section::ALL.into_iter().filter(|_| !made.is_empty()) {
            self.each(section, &mut |line| {
                if line.made.is_none()
                    && let Some(key) = made.get(&(section, line.key))
                {
                    let taken = Members::parse(line.json).is_some_and(|members| key.is_taken_by(&members));
                    left_out.insert((section, line.key, taken));
                }
            });
        }
        left_out
    }
}

/// A text under way.
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

    fn member(&mut self, key: &str, json: &str) {
        if !core::mem::take(&mut self.first) {
            self.text.push(b',');
        }
        self.quoted(key);
        self.text.push(b':');
        self.text.extend_from_slice(json.as_bytes());
    }

    /// A section of another program, after those of ours.
    fn foreign(&mut self, name: &str, json: &str) {
        self.first = self.text.is_empty();
        if self.first {
            self.text.push(b'{');
        }
        self.member(name, json);
    }

    fn quoted(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
            // Writing a text into a vector cannot fail.
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
