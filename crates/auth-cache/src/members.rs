//! The members of one entry, read leniently.

use std::borrow::Cow;

use auth_core::{Secret, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest string that an entry may hold, in bytes (S-90).
const MAX_TEXT: usize = 64 * 1024;

/// What an entry of one section says.
pub(crate) trait Entry: Sized {
    /// `None` if the entry is broken or of no use to us.
    fn read(members: &Members<'_>) -> Option<Self>;
}

/// A string, borrowed unless it has escapes.
#[derive(Deserialize)]
pub(crate) struct Borrowed<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The name of an entry or a member.
pub(crate) enum Name<'a> {
    /// A string, borrowed unless it has escapes.
    Text(Cow<'a, str>),
    /// A name with half of a surrogate pair, which JSON allows but no string can hold, in its quotes. One bad name
    /// neither spoils its neighbours nor is mistaken for another (S-91).
    Quoted(&'a str),
}

impl Name<'_> {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Quoted(_) => None,
        }
    }

    fn is(&self, text: &str) -> bool {
        self.as_text() == Some(text)
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => plain.into(),
            _ => serde_json::from_str(raw).map_or(Self::Quoted(raw), |text: String| Self::Text(text.into())),
        })
    }
}

/// The value of a member, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// A string, or a number as text.
    Is(Cow<'a, str>),
    /// Missing or `null`.
    Absent,
    /// Anything else: the entry is unusable.
    Broken,
}

impl<'a> Text<'a> {
    /// The text, or `""` if absent; `None` if broken.
    pub(crate) fn or_empty(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Is(text) => Some(text),
            Self::Absent => Some(Cow::Borrowed("")),
            Self::Broken => None,
        }
    }
}

/// The members of an entry, in order.
pub(crate) struct Members<'a>(Vec<(Name<'a>, Value<'a>)>);

/// The value of a member.
pub(crate) enum Value<'a> {
    /// From a document that was read.
    Raw(&'a RawValue),
    /// A string to be written.
    Text(Cow<'a, str>),
    /// A secret to be written.
    Secret(&'a Secret),
}

impl Value<'_> {
    /// The text; for a raw value, its JSON.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Raw(raw) => raw.get(),
            Self::Text(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

impl<'a> Members<'a> {
    /// `None` unless it is an object with at most one `home_account_id`.
    pub(crate) fn parse(json: &'a str) -> Option<Self> {
        let members = serde_json::from_str::<Self>(json).ok()?;
        let named = members.0.iter().filter(|(name, _)| name.is("home_account_id")).count();
        (named <= 1).then_some(members)
    }

    /// The members of an entry to be written.
    pub(crate) const fn known(members: Vec<(Name<'a>, Value<'a>)>) -> Self {
        Self(members)
    }

    /// The members from a document that was read.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Name<'a>, &'a RawValue)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Value::Raw(raw) => Some((name, *raw)),
            Value::Text(_) | Value::Secret(_) => None,
        })
    }

    fn value(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().rev().find(|(own, _)| own.is(name)).map(|(_, value)| value)
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        match self.value(name)? {
            Value::Raw(raw) => Some(raw),
            Value::Text(_) | Value::Secret(_) => None,
        }
    }

    /// Whether there is such a member with a value other than `null`, `""` and `{}`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| match value {
            Value::Raw(raw) => !matches!(raw.get(), "null" | "\"\"" | "{}"),
            Value::Text(_) | Value::Secret(_) => !value.as_str().is_empty(),
        })
    }

    pub(crate) fn text(&self, name: &str) -> Text<'a> {
        let raw = match self.value(name) {
            None => return Text::Absent,
            Some(Value::Raw(raw)) => raw.get(),
            Some(Value::Text(text)) if text.len() <= MAX_TEXT => return Text::Is(text.clone()),
            Some(Value::Secret(secret)) if secret.expose().len() <= MAX_TEXT => {
                return Text::Is(Cow::Borrowed(secret.expose()));
            }
            Some(Value::Text(_) | Value::Secret(_)) => return Text::Broken,
        };
        match raw.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<Borrowed<'_>>(raw) {
                Ok(Borrowed(text)) if text.len() <= MAX_TEXT => Text::Is(text),
                _ => Text::Broken,
            },
            Some(b'-' | b'0'..=b'9') => Text::Is(Cow::Borrowed(raw)),
            Some(b'n') => Text::Absent,
            _ => Text::Broken,
        }
    }

    /// The first non-empty value under several spellings of a name.
    pub(crate) fn first(&self, names: &[&str]) -> Text<'a> {
        let empty = |text: &Text<'_>| matches!(text, Text::Absent) || *text == Text::Is(Cow::Borrowed(""));
        names.iter().map(|name| self.text(name)).find(|text| !empty(text)).unwrap_or(Text::Absent)
    }

    /// The text, or `""` if absent or broken.
    pub(crate) fn lenient(&self, name: &str) -> Cow<'a, str> {
        self.text(name).or_empty().unwrap_or_default()
    }

    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        match (self.text(name), self.value(name)) {
            (Text::Is(text), _) if text.is_empty() => None,
            (Text::Is(_), Some(Value::Secret(secret))) => Some(Secret::clone(secret)),
            (Text::Is(text), _) => Some(Secret::new(text.into_owned())),
            (Text::Absent | Text::Broken, _) => None,
        }
    }

    /// A time: a string, a number or a fraction. Negative and unreadable times are the epoch.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        let text = match self.text(name) {
            Text::Is(text) => text,
            Text::Absent | Text::Broken => return None,
        };
        let seconds = text.trim().parse::<u64>().ok().or_else(|| {
            // Float casts saturate, and what is not a number becomes zero.
            text.trim().parse::<f64>().ok().map(|seconds| seconds as u64)
        });
        Some(Timestamp::from_unix_seconds(seconds.unwrap_or_default()))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(12);
                while let Some(name) = map.next_key()? {
                    members.push((name, Value::Raw(map.next_value()?)));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
