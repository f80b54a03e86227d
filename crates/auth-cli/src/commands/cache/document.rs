//! What may be shown of a cache document. Everything else, above all `secret`, is skipped without being copied.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// The sections of the unified MSAL document.
pub(super) const SECTIONS: [&str; 5] = ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"];

/// The sections of a document, by name.
pub(super) struct Document<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Document<'a> {
    /// Parses a document; `None` if it is not a JSON object.
    pub(super) fn parse(content: &'a [u8]) -> Option<Self> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        match content.trim_ascii() {
            [] => Some(Self(BTreeMap::new())),
            content => serde_json::from_slice(content).ok().map(Self),
        }
    }

    /// Returns the entries of a section, ordered by key.
    pub(super) fn entries(&self, section: &str) -> Vec<Entry> {
        let section = self.0.get(section).and_then(|raw| serde_json::from_str(raw.get()).ok());
        let entries: BTreeMap<String, &RawValue> = section.unwrap_or_default();
        // An entry that cannot be understood still counts.
        entries.values().map(|raw| serde_json::from_str(raw.get()).unwrap_or_default()).collect()
    }
}

/// The members of an entry that may be shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) home_account_id: Member,
    pub(super) local_account_id: Member,
    pub(super) username: Member,
    pub(super) environment: Member,
    pub(super) realm: Member,
    pub(super) client_id: Member,
    pub(super) family_id: Member,
    pub(super) token_type: Member,
    pub(super) target: Member,
    pub(super) cached_at: Member,
    pub(super) expires_on: Member,
    pub(super) refresh_on: Member,
    pub(super) last_modification_time: Member,
}

/// A member, as any of the libraries writes it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Member {
    Text(String),
    Number(u64),
    Other(IgnoredAny),
}

impl Default for Member {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

impl Member {
    /// Returns the text, if any, without control characters.
    pub(super) fn text(&self) -> Option<String> {
        let Self::Text(text) = self else { return None };
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        Some(text).filter(|text| !text.is_empty())
    }

    /// Returns the Unix seconds, written as a number or as text.
    pub(super) fn seconds(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_shown_is_read() {
        let text =
            br#"{"AccessToken": {"a": {"secret": "hidden", "realm": "t", "target": "x\u001b[2J y", "expires_on": "12",
            "cached_at": 7, "username": {"deep": ["secret"]}}, "b": null, "c": 7}, "IdToken": "none", "Foreign": 1}"#;
        for text in [&text[..], &[b"\xef\xbb\xbf", &text[..]].concat()] {
            let document = Document::parse(text).unwrap();
            let entries = document.entries("AccessToken");
            assert_eq!(entries.len(), 3);
            assert_eq!(entries[0].realm.text().as_deref(), Some("t"));
            assert_eq!(entries[0].target.text().as_deref(), Some("x[2J y"));
            assert_eq!((entries[0].expires_on.seconds(), entries[0].cached_at.seconds()), (Some(12), Some(7)));
            assert_eq!((entries[0].username.text(), entries[1].realm.text()), (None, None));
            assert!(document.entries("IdToken").is_empty() && document.entries("Account").is_empty());
            assert!(!format!("{entries:?}").contains("hidden"));
        }
        assert!(Document::parse(b"").is_some() && Document::parse(b" ").is_some());
        for wrong in ["[]", "null", "{", "nonsense"] {
            assert!(Document::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
