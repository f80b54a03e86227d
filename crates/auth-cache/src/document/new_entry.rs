//! A new entry, written as strict readers want it: every value a text, nothing `null`.

use std::borrow::Cow;

use auth_core::Timestamp;

use super::Section;
use crate::members::Members;

/// The members of an entry that is about to be written. The values are secrets.
#[derive(Default)]
pub(crate) struct NewEntry {
    members: Vec<(Cow<'static, str>, zeroize::Zeroizing<String>)>,
}

impl NewEntry {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a text; an empty one is left out.
    pub(crate) fn with(self, name: &'static str, text: &str) -> Self {
        if text.is_empty() { self } else { self.with_always(name, text) }
    }

    /// Adds a text even if it is empty, for members whose absence other readers do not expect.
    pub(crate) fn with_always(self, name: &'static str, text: &str) -> Self {
        self.with_json(name, &text)
    }

    /// Adds a time; all times are texts of Unix seconds.
    pub(crate) fn with_time(self, name: &'static str, time: Timestamp) -> Self {
        self.with(name, &time.to_string())
    }

    /// Adds a value of any shape.
    pub(crate) fn with_json(mut self, name: &'static str, value: &impl serde::Serialize) -> Self {
        // Texts and maps of texts cannot fail to serialize.
        if let Ok(json) = serde_json::to_string(value) {
            self.members.push((Cow::Borrowed(name), zeroize::Zeroizing::new(json)));
        }
        self
    }

    /// Takes over the members of `old` that we do not write ourselves and do not have.
    pub(crate) fn adopt_foreign(&mut self, old: &Members<'_>, section: Section) {
        for (name, raw) in old.iter() {
            if !section.members().contains(&name) && !self.members.iter().any(|(own, _)| own == name) {
                self.members.push((name.to_owned().into(), raw.get().to_owned().into()));
            }
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let size =
            self.members.iter().map(|(name, json)| name.len().saturating_add(json.len()).saturating_add(8)).sum();
        let mut text = String::with_capacity(size);
        for (name, json) in &self.members {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&serde_json::to_string(name).unwrap_or_default());
            text.push(':');
            text.push_str(json);
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        text
    }
}
