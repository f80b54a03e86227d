//! Which partition an entry belongs to: all that is read of an entry before it is needed.

use std::sync::Arc;

use auth_core::AccountId;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::Section;
use super::depth::is_deeper;
use crate::assertion::Assertion;
use crate::entries;
use crate::members::{Borrowed, Members, Name};

/// Identifies a partition of the cache.
///
/// The three kinds are kept apart: a query of one kind cannot reach the others (S-81). A name contains no secret, but
/// may identify a person.
///
/// ```
/// use auth_cache::PartitionKey;
///
/// fn table(key: &PartitionKey) -> &'static str {
///     match key {
///         PartitionKey::User(_) => "users",
///         PartitionKey::App(_) => "apps",
///         PartitionKey::Assertion(_) => "assertions",
///     }
/// }
/// assert_eq!(table(&PartitionKey::User("u.t".into())), "users");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every kind")]
pub enum PartitionKey {
    /// A user, by home account ID in lower case.
    User(Arc<str>),
    /// An application itself, by client ID and realm in lower case.
    App(Arc<str>),
    /// An on-behalf-of assertion, by its hash or by the session key that the application chose.
    Assertion(Arc<str>),
}

impl PartitionKey {
    pub(crate) fn user(id: &AccountId) -> Self {
        Self::User(id.folded().into())
    }

    pub(crate) fn assertion(assertion: &Assertion) -> Self {
        Self::Assertion(assertion.as_str().into())
    }

    pub(crate) fn app(client_id: &str, realm: &str) -> Self {
        Self::App(AppName::new(client_id, realm).as_str().into())
    }
}

/// The name of an application's partition, for lookups: making one allocates nothing.
pub(super) struct AppName(SmallVec<[u8; 128]>);

impl AppName {
    pub(super) fn new(client_id: &str, realm: &str) -> Self {
        let mut name = SmallVec::new();
        [client_id, "\n", realm].into_iter().for_each(|part| name.extend_from_slice(part.as_bytes()));
        name.make_ascii_lowercase();
        Self(name)
    }

    pub(super) fn as_str(&self) -> &str {
        // Still UTF-8: strings with their ASCII letters in lower case.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// What one pass over the members of an entry reveals: all that is read of it before it is needed.
pub(super) struct Look<'a> {
    json: &'a str,
    /// The first `home_account_id`.
    home_account_id: Option<&'a RawValue>,
    mentions_assertion: bool,
    /// Whether there is a non-empty secret.
    has_secret: bool,
    /// Whether a member that must be text is not.
    is_garbled: bool,
    section: Section,
    /// Whether it is nested more deeply than allowed (S-90).
    pub(super) too_deep: bool,
}

impl<'a> Look<'a> {
    /// Looks at a value that may have `levels` levels.
    pub(super) fn at(json: &'a str, levels: usize, section: Section) -> Self {
        let mut look = Self {
            json,
            home_account_id: None,
            mentions_assertion: false,
            has_secret: false,
            is_garbled: false,
            section,
            too_deep: false,
        };
        let inner = levels.checked_sub(1);
        if !json.starts_with('{') || inner.is_none_or(|levels| look.take(levels).is_err()) {
            look.too_deep = is_deeper(json, levels);
        }
        look
    }

    /// Reads the members. Their values may have `levels` levels.
    fn take(&mut self, levels: usize) -> serde_json::Result<()> {
        struct Members<'l, 'a>(&'l mut Look<'a>, usize);

        impl<'a> Visitor<'a> for Members<'_, 'a> {
            type Value = ();

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
                let Self(look, levels) = self;
                while let Some((name, value)) = map.next_entry::<Name<'a>, &RawValue>()? {
                    let name = name.as_text().unwrap_or_default();
                    match name {
                        "home_account_id" if look.home_account_id.is_none() => look.home_account_id = Some(value),
                        "secret" => look.has_secret = !matches!(value.get(), "null" | "\"\""),
                        name => look.mentions_assertion |= entries::ASSERTION.contains(&name),
                    }
                    if !value.get().starts_with('"') {
                        look.too_deep |= is_deeper(value.get(), levels);
                        look.is_garbled |= value.get().starts_with(['{', '[', 't', 'f']) && look.section.needs(name);
                    }
                }
                Ok(())
            }
        }

        serde_json::Deserializer::from_str(self.json).deserialize_map(Members(self, levels))
    }

    /// Whether the entry is unusable, as far as that shows without parsing it.
    pub(super) fn is_broken(&self) -> bool {
        !self.json.starts_with('{') || self.is_garbled || (self.section.is_secret() && !self.has_secret)
    }

    /// The partition of the entry; `None` for an entry that is only kept as text.
    pub(super) fn partition(&self) -> Option<PartitionKey> {
        let members = || Members::parse(self.json);
        if self.section.is_secret() && self.mentions_assertion {
            let hash = entries::assertion(&members()?)?;
            if !hash.is_empty() {
                return Some(PartitionKey::Assertion(hash.into()));
            }
        }
        let id = match self.home_account_id.and_then(|id| serde_json::from_str(id.get()).ok()) {
            Some(Borrowed(id)) => id,
            None => members()?.text("home_account_id").or_empty()?,
        };
        match self.section {
            Section::Account => Some(PartitionKey::User(id.to_ascii_lowercase().into())),
            _ if !id.is_empty() => Some(PartitionKey::User(id.to_ascii_lowercase().into())),
            Section::AccessToken => {
                let members = members()?;
                let (client_id, realm) = (members.text("client_id").or_empty()?, members.text("realm").or_empty()?);
                // A name that could be split in two ways would belong to two applications (S-78).
                (!client_id.contains('\n')).then(|| PartitionKey::app(&client_id, &realm))
            }
            Section::RefreshToken | Section::IdToken | Section::AppMetadata => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_filed_by_assertion_account_or_application() {
        let user = |id: &str| Some(PartitionKey::User(id.into()));
        let app = |text: &str| Some(PartitionKey::App(text.into()));
        let assertion = |hash: &str| Some(PartitionKey::Assertion(hash.into()));
        use Section::{AccessToken, Account, IdToken, RefreshToken};
        for (section, json, expected) in [
            (AccessToken, r#"{"home_account_id":"U.T","secret":"s"}"#, user("u.t")),
            (AccessToken, r#"{"secret":"s","home_account_id":"\u0055.T"}"#, user("u.t")),
            (AccessToken, r#"{"home_account_id":7}"#, user("7")),
            (AccessToken, r#"{"home_account_id":[7]}"#, None),
            (AccessToken, r#"{"home_account_id":null,"client_id":"C","realm":"T"}"#, app("c\nt")),
            (AccessToken, r#"{"home_account_id":"","client_id":"C","realm":"T"}"#, app("c\nt")),
            (AccessToken, r#"{"client_id":"C","realm":"T"}"#, app("c\nt")),
            (AccessToken, r#"{"client_id":"C","realm":"T\nU"}"#, app("c\nt\nu")),
            (AccessToken, r#"{"client_id":"C\nT","realm":"U"}"#, None),
            (AccessToken, r#"{"client_id":{},"realm":"T"}"#, None),
            (AccessToken, r#"{"home_account_id":"u.t","user_assertion_hash":"aB="}"#, assertion("aB")),
            (AccessToken, r#"{"home_account_id":"u.t","userAssertionHash":"aB"}"#, assertion("aB")),
            (AccessToken, r#"{"home_account_id":"u.t","user_assertion_hash":""}"#, user("u.t")),
            (AccessToken, r#"{"home_account_id":"u.t","secret":"assertion"}"#, user("u.t")),
            (AccessToken, r#"{"home_account_id":"u.t","user_assertion_hash":{}}"#, None),
            (RefreshToken, r#"{"home_account_id":null,"client_id":"C"}"#, None),
            (IdToken, r"{}", None),
            (Account, r#"{"username":"ada"}"#, user("")),
            (Account, "7", None),
            (Account, "null", None),
        ] {
            assert_eq!(Look::at(json, 2, section).partition(), expected, "{json}");
        }
    }
}
