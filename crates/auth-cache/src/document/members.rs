//! The members of one entry, read leniently and written strictly.

use auth_core::{Secret, Timestamp};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::Section;

/// The longest text that an entry may hold (S-90).
const MAX_TEXT: usize = 64 * 1024;

/// The members that we write ourselves, per section; all others are another program's.
const fn known(section: Section) -> &'static [&'static str] {
    match section {
        Section::AccessToken => &[
            "home_account_id",
            "environment",
            "credential_type",
            "client_id",
            "secret",
            "realm",
            "target",
            "cached_at",
            "expires_on",
            "extended_expires_on",
            "ext_expires_on",
            "refresh_on",
            "token_type",
            "client_info",
            "requestedClaims",
            "requestedClaimsHash",
            "persisted_cache_parameters",
        ],
        Section::RefreshToken => &[
            "home_account_id",
            "environment",
            "credential_type",
            "client_id",
            "secret",
            "family_id",
            "target",
            "realm",
            "last_modification_time",
            "client_info",
        ],
        Section::IdToken => {
            &["home_account_id", "environment", "credential_type", "client_id", "secret", "realm", "client_info"]
        }
        Section::Account => &[
            "home_account_id",
            "environment",
            "realm",
            "local_account_id",
            "username",
            "authority_type",
            "name",
            "client_info",
        ],
        Section::AppMetadata => &["client_id", "environment", "family_id"],
    }
}

/// A member's value as a reader takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// A text, or a number as text.
    Is(String),
    /// Missing or `null`.
    Absent,
    /// Neither: the entry is not usable.
    Broken,
}

impl Text {
    /// The text, `""` for none; `None` when the entry is broken.
    pub(crate) fn or_empty(self) -> Option<String> {
        match self {
            Self::Is(text) => Some(text),
            Self::Absent => Some(String::new()),
            Self::Broken => None,
        }
    }
}

/// The members of an entry in their order.
#[derive(Clone)]
pub(crate) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// `None` unless it is an object.
    pub(crate) fn parse(raw: &RawValue) -> Option<Self> {
        let members: Vec<(String, Box<RawValue>)> = serde_json::from_str::<Ordered>(raw.get()).ok()?.0;
        Some(Self(members))
    }

    /// Adds a text; an empty one is left out, as strict readers want it.
    pub(crate) fn with(mut self, name: &str, text: &str) -> Self {
        if !text.is_empty()
            && let Ok(raw) = to_raw_value(text)
        {
            self.0.push((name.to_owned(), raw));
        }
        self
    }

    /// Adds a text even if it is empty, for members whose absence other readers do not expect.
    pub(crate) fn with_always(mut self, name: &str, text: &str) -> Self {
        if let Ok(raw) = to_raw_value(text) {
            self.0.push((name.to_owned(), raw));
        }
        self
    }

    /// Adds a time; all times are texts of Unix seconds.
    pub(crate) fn with_time(self, name: &str, time: Timestamp) -> Self {
        self.with(name, &time.to_string())
    }

    fn raw(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, raw)| &**raw)
    }

    /// Whether there is such a member with a value other than `null`, `""` and `{}`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|raw| !matches!(raw.get(), "null" | "\"\"" | "{}"))
    }

    pub(crate) fn text(&self, name: &str) -> Text {
        let Some(raw) = self.raw(name) else { return Text::Absent };
        match serde_json::from_str(raw.get()) {
            Ok(Value::Null) => Text::Absent,
            Ok(Value::String(text)) if text.len() <= MAX_TEXT => Text::Is(text),
            Ok(Value::Number(number)) => Text::Is(number.to_string()),
            _ => Text::Broken,
        }
    }

    /// The text, `""` for none or for something else.
    pub(crate) fn lenient(&self, name: &str) -> String {
        self.text(name).or_empty().unwrap_or_default()
    }

    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        match self.text(name) {
            Text::Is(text) if !text.is_empty() => Some(Secret::new(text)),
            Text::Is(_) | Text::Absent | Text::Broken => None,
        }
    }

    /// A time, whatever its spelling: text, number, fraction. Negative and unreadable ones are the epoch.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        let text = match self.text(name) {
            Text::Is(text) => text,
            Text::Absent | Text::Broken => return None,
        };
        let seconds = text.trim().parse::<u64>().ok().or_else(|| {
            // Float casts saturate; what is no number counts as zero.
            text.trim().parse::<f64>().ok().map(|seconds| seconds as u64)
        });
        Some(Timestamp::from_unix_seconds(seconds.unwrap_or_default()))
    }

    /// Takes over the members of `old` that we do not write ourselves and do not have.
    pub(crate) fn adopt_foreign(&mut self, old: &Self, section: Section) {
        for (name, raw) in &old.0 {
            if !known(section).contains(&name.as_str()) && self.raw(name).is_none() {
                self.0.push((name.clone(), raw.clone()));
            }
        }
    }

    pub(crate) fn to_raw(&self) -> Option<Box<RawValue>> {
        to_raw_value(&Ordered(self.0.clone())).ok()
    }
}

/// A JSON object that keeps the order of its members.
struct Ordered(Vec<(String, Box<RawValue>)>);

impl serde::Serialize for Ordered {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, raw)| (name, raw)))
    }
}

impl<'de> serde::Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OrderedVisitor;
        impl<'de> serde::de::Visitor<'de> for OrderedVisitor {
            type Value = Ordered;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }
        deserializer.deserialize_map(OrderedVisitor)
    }
}
