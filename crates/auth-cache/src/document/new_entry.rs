//! A new entry in the form that strict readers expect: no numbers and no `null`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use auth_core::{Secret, Timestamp};
use zeroize::Zeroizing;

use super::Section;
use crate::members::{Members, Name, Value};

/// About how many members an entry has.
const USUAL: usize = 12;

/// The members of an entry to be written.
#[derive(Default)]
pub(crate) struct NewEntry<'a> {
    members: Vec<(Name<'a>, Value<'a>)>,
    /// Names and values that are JSON already: values that are not strings, and members of other programs.
    as_written: Vec<(String, Zeroizing<String>)>,
    has_foreign: bool,
}

impl<'a> NewEntry<'a> {
    pub(crate) fn new() -> Self {
        Self { members: Vec::with_capacity(USUAL), ..Self::default() }
    }

    /// Adds a string, unless it is empty.
    pub(crate) fn with(self, name: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.is_empty() { self } else { self.with_always(name, text) }
    }

    /// Adds a string even if it is empty, for members that other readers require.
    pub(crate) fn with_always(mut self, name: &'static str, text: impl Into<Cow<'a, str>>) -> Self {
        self.members.push((name.into(), Value::Text(text.into())));
        self
    }

    /// Adds a secret, which the entry shares.
    pub(crate) fn with_secret(mut self, name: &'static str, secret: &'a Secret) -> Self {
        self.members.push((name.into(), Value::Secret(secret)));
        self
    }

    /// Adds a time, as a string of Unix seconds.
    pub(crate) fn with_time(self, name: &'static str, time: Timestamp) -> Self {
        self.with(name, time.to_string())
    }

    /// Adds a value of any shape.
    pub(crate) fn with_json(mut self, name: &'static str, value: &impl serde::Serialize) -> Self {
        // Strings and maps of strings cannot fail to serialize.
        if let Ok(json) = serde_json::to_string(value) {
            self.as_written.push((quoted(name), Zeroizing::new(json)));
        }
        self
    }

    /// Adds members of other programs, except those whose names are taken.
    pub(crate) fn with_foreign(mut self, foreign: &Foreign) -> Self {
        if foreign.is_empty() {
            return self;
        }
        self.has_foreign = true;
        let names = self.members.iter().filter_map(|(name, _)| name.as_text());
        let own: Vec<_> = names.map(quoted).chain(self.as_written.iter().map(|(name, _)| name.clone())).collect();
        let is_own = |name: &String| own.contains(name);
        let rest: Vec<_> = foreign.0.iter().filter(|(name, _)| !is_own(name)).collect();
        self.as_written.extend(rest.into_iter().map(|(name, json)| (name.clone(), json.clone())));
        self
    }

    /// Whether members of other programs were added.
    pub(crate) const fn has_foreign(&self) -> bool {
        self.has_foreign
    }

    pub(crate) fn to_json(&self) -> String {
        let own = || self.members.iter().filter_map(|(name, value)| Some((name.as_text()?, value.as_str())));
        let all_plain = own().all(|(_, value)| is_plain(value));
        // An escaped character takes at most six.
        let most = if all_plain { 1 } else { 6 };
        let sizes = own().map(|(name, value)| name.len().saturating_add(value.len().saturating_mul(most)));
        let rest = self.as_written.iter().map(|(name, json)| name.len().saturating_add(json.len()));
        let size = sizes.chain(rest).fold(2, |sum, size| size.saturating_add(sum).saturating_add(8));
        let mut text = String::with_capacity(size);
        for (name, value) in own() {
            text.push(if text.is_empty() { '{' } else { ',' });
            // Our own names need no escapes.
            push_text(&mut text, name, true);
            text.push(':');
            push_text(&mut text, value, all_plain || is_plain(value));
        }
        for (name, json) in &self.as_written {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(name);
            text.push(':');
            text.push_str(json);
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        text
    }

    /// What a reader would find; `None` if only parsing would tell.
    pub(crate) fn into_members(self) -> Option<Members<'a>> {
        self.as_written.is_empty().then(|| Members::known(self.members))
    }
}

/// Members of other programs by name, both in JSON. There is no limit to their number (S-88).
#[derive(Default)]
pub(crate) struct Foreign(BTreeMap<String, Zeroizing<String>>);

impl Foreign {
    /// Adopts the members of `old` that we do not know and that are not here yet.
    pub(super) fn adopt(&mut self, old: &Members<'_>, section: Section) {
        for (name, raw) in old.iter() {
            let name = match name {
                Name::Text(text) if section.members().contains(&&**text) => continue,
                Name::Text(text) => quoted(text),
                Name::Quoted(quoted) => (*quoted).to_owned(),
            };
            self.0.entry(name).or_insert_with(|| raw.get().to_owned().into());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|(name, json)| name.len().saturating_add(json.len())).fold(0, usize::saturating_add)
    }
}

/// Whether the text needs no escapes in JSON.
fn is_plain(text: &str) -> bool {
    // Without an early exit, many bytes are compared at once.
    text.bytes().fold(true, |all, byte| all & (byte >= 0x20) & (byte != b'"') & (byte != b'\\'))
}

fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len().saturating_add(2));
    push_text(&mut json, text, is_plain(text));
    json
}

fn push_text(json: &mut String, text: &str, plain: bool) {
    if plain {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        // Serializing a string cannot fail.
        json.push_str(&Zeroizing::new(serde_json::to_string(text).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_entry_reads_back_as_it_was_made() {
        let long = "x".repeat(64 * 1024 + 1);
        let (secret, strange) = (Secret::new("s.e-c_r".to_owned()), Secret::new("a\"b\\c\u{1}é".to_owned()));
        let (much, none) = (Secret::new(long.clone()), Secret::new(String::new()));
        let entry = NewEntry::new()
            .with("text", "User.Read Mail.Read")
            .with("left out", "")
            .with_always("empty", "")
            .with("escaped", "\"\\\n\u{1}\u{7f}é")
            .with("long", long)
            .with_secret("secret", &secret)
            .with_secret("strange", &strange)
            .with_secret("much", &much)
            .with_secret("none", &none)
            .with_time("time", Timestamp::from_unix_seconds(17));
        let json = entry.to_json();
        let (known, read) = (entry.into_members().unwrap(), Members::parse(&json).unwrap());
        for name in ["text", "left out", "empty", "escaped", "long", "secret", "strange", "much", "none", "time"] {
            assert_eq!(known.text(name), read.text(name), "{name}");
            assert_eq!(known.has(name), read.has(name), "{name}");
            assert_eq!(known.time(name), read.time(name), "{name}");
            let secrets = [&known, &read].map(|members| members.secret(name));
            let [known, read] = secrets.each_ref().map(|secret| secret.as_ref().map(Secret::expose));
            assert_eq!(known, read, "{name}");
        }
        assert!(NewEntry::new().with_json("a", &1).into_members().is_none());
        assert_eq!(NewEntry::new().to_json(), "{}");
    }
}
