//! Which partition an entry of the document belongs to. Nothing else of it is read before somebody asks.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use auth_core::AccountId;
use memchr::memmem::Finder;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use smallvec::SmallVec;

use super::Section;
use crate::assertion::Assertion;
use crate::entries;
use crate::members::{Borrowed, Members, Name};

/// Which partition. The three kinds never meet: a query of one cannot reach the others (S-81). A name holds no secret, but
/// may tell who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a store must know each")]
pub enum Place {
    /// Of a user, by home account id in folded letters.
    User(Arc<str>),
    /// Of an application itself, by client and realm.
    App(Arc<str>),
    /// Of an assertion, by its hash or by the application's own key.
    Assertion(Arc<str>),
}

impl Place {
    pub(crate) fn of_user(id: &AccountId) -> Self {
        Self::User(id.folded().into())
    }

    pub(crate) fn of_assertion(assertion: &Assertion) -> Self {
        Self::Assertion(assertion.as_str().into())
    }

    pub(crate) fn app(client_id: &str, realm: &str) -> Self {
        Self::App(AppName::of(client_id, realm).as_str().into())
    }
}

/// The name of an application's partition, as long as it is only looked for: it allocates nothing.
pub(super) struct AppName(SmallVec<[u8; 128]>);

impl AppName {
    pub(super) fn of(client_id: &str, realm: &str) -> Self {
        let mut name = SmallVec::new();
        [client_id, "\n", realm].into_iter().for_each(|part| name.extend_from_slice(part.as_bytes()));
        name.make_ascii_lowercase();
        Self(name)
    }

    pub(super) fn as_str(&self) -> &str {
        // Texts, the letters of ASCII in them small.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The place of an entry with members; `None` for one that only its text is kept of.
pub(crate) fn place(section: Section, json: &str) -> Option<Place> {
    let secret = matches!(section, Section::AccessToken | Section::RefreshToken | Section::IdToken);
    if secret && mentions_assertion(json) {
        let hash = entries::assertion(&Members::parse(json)?)?;
        if !hash.is_empty() {
            return Some(Place::Assertion(hash.into()));
        }
    }
    let id = match home_account_id(json) {
        Some(id) => id,
        None => Members::parse(json)?.text("home_account_id").or_empty()?,
    };
    match section {
        Section::Account => Some(Place::User(id.to_ascii_lowercase().into())),
        _ if !id.is_empty() => Some(Place::User(id.to_ascii_lowercase().into())),
        Section::AccessToken => {
            let members = Members::parse(json)?;
            Some(Place::app(&members.text("client_id").or_empty()?, &members.text("realm").or_empty()?))
        }
        Section::RefreshToken | Section::IdToken | Section::AppMetadata => None,
    }
}

/// Whether the text may have a member that names an assertion. What hides it behind escapes is no plain entry either when
/// it is read.
fn mentions_assertion(json: &str) -> bool {
    static SPELLINGS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ssertion"));
    SPELLINGS.find(json.as_bytes()).is_some()
}

/// The first `home_account_id` of an entry, if it is a text; what follows it is not looked at.
fn home_account_id(json: &str) -> Option<Cow<'_, str>> {
    struct First<'out, 'de>(&'out mut Option<Cow<'de, str>>);

    impl<'de> Visitor<'de> for First<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(Name(name)) = map.next_key()? {
                if name == "home_account_id" {
                    let Borrowed(id) = map.next_value()?;
                    *self.0 = Some(id);
                    break;
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut id = None;
    // That the rest of the object is still there is an error to the parser, and none to us.
    let _ = serde_json::Deserializer::from_str(json).deserialize_map(First(&mut id));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let user = |id: &str| Some(Place::User(id.into()));
        let app = |text: &str| Some(Place::App(text.into()));
        let assertion = |hash: &str| Some(Place::Assertion(hash.into()));
        use Section::{AccessToken, Account, IdToken, RefreshToken};
        for (section, json, expected) in [
            (AccessToken, r#"{"home_account_id":"U.T","secret":"s"}"#, user("u.t")),
            (AccessToken, r#"{"secret":"s","home_account_id":"\u0055.T"}"#, user("u.t")),
            (AccessToken, r#"{"home_account_id":7}"#, user("7")),
            (AccessToken, r#"{"home_account_id":[7]}"#, None),
            (AccessToken, r#"{"home_account_id":null,"client_id":"C","realm":"T"}"#, app("c\nt")),
            (AccessToken, r#"{"home_account_id":"","client_id":"C","realm":"T"}"#, app("c\nt")),
            (AccessToken, r#"{"client_id":"C","realm":"T"}"#, app("c\nt")),
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
            assert_eq!(place(section, json), expected, "{json}");
        }
    }
}
