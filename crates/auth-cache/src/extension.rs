//! Extra request data that distinguishes tokens: MSAL's extended cache keys.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::members::Members;

/// The members in which libraries keep the data.
const COMPONENTS: [&str; 2] = ["ext", "additionalCacheKeyComponents"];
/// The members in which libraries keep its hash.
const HASHES: [&str; 2] = ["ext_cache_key", "additionalCacheKeyComponentsHash"];

/// Extra data of a request, such as `fmi_path`. A token obtained with it answers only requests with the same data.
///
/// ```
/// use auth_cache::Extension;
///
/// let extension = Extension::new([("fmi_path", "SomeFmiPath/FmiCredentialPath")]);
/// assert_eq!(extension.hash(), "cojvfy5tzae3njpkvcebguvvx5vvmnj8hphqrbogjoi");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension(BTreeMap<String, String>);

impl Extension {
    /// Creates extra data from pairs of name and value; pairs with an empty value are ignored.
    #[must_use]
    pub fn new(components: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        let components = components.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(components.filter(|(_, value): &(String, String)| !value.is_empty()).collect())
    }

    /// Returns whether there is no data.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn components(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Returns the hash for keys and `ext_cache_key`: SHA-256 of all names and values, each prefixed with its length,
    /// in lower-case base64url.
    #[must_use]
    pub fn hash(&self) -> String {
        let prefixed = self.0.iter().flat_map(|(name, value)| [name, value]);
        Self::digest(prefixed.map(|text| format!("{}:{text}", text.len()))).to_ascii_lowercase()
    }

    /// The hash that older libraries write, and that names a partition of a distributed cache: without lengths, in
    /// mixed case.
    pub(crate) fn hash_without_lengths(&self) -> String {
        Self::digest(self.0.iter().flat_map(|(name, value)| [name.clone(), value.clone()]))
    }

    fn digest(texts: impl Iterator<Item = String>) -> String {
        let mut hash = Sha256::new();
        texts.for_each(|text| hash.update(text));
        BASE64_URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

/// What an entry says about extra data.
#[derive(Debug)]
pub(crate) enum Extended {
    /// There is none.
    Not,
    /// The data itself.
    By(Extension),
    /// Only its hash.
    ByHash(Box<str>),
    /// Something that we do not understand; the entry answers no query.
    Unclear,
}

impl Extended {
    pub(crate) fn read(members: &Members<'_>) -> Self {
        if let Some(name) = COMPONENTS.into_iter().find(|name| members.has(name)) {
            let raw = members.raw(name).map(serde_json::value::RawValue::get).unwrap_or_default();
            return match serde_json::from_str::<BTreeMap<String, String>>(raw) {
                Ok(components) => Self::By(Extension::new(components)),
                Err(_) => Self::Unclear,
            };
        }
        match members.first(&HASHES).or_empty() {
            Some(hash) if hash.is_empty() => Self::Not,
            Some(hash) => Self::ByHash(hash.into()),
            None => Self::Unclear,
        }
    }

    /// The hash of the data, empty for none; `None` if it is unclear.
    pub(crate) fn hash(&self) -> Option<String> {
        match self {
            Self::Not => Some(String::new()),
            Self::By(own) if own.is_empty() => Some(String::new()),
            Self::By(own) => Some(own.hash()),
            Self::ByHash(hash) => Some(hash.to_ascii_lowercase()),
            Self::Unclear => None,
        }
    }

    pub(crate) fn matches(&self, wanted: Option<&Extension>) -> bool {
        let wanted = wanted.filter(|extension| !extension.is_empty());
        match (self, wanted) {
            (Self::Not, wanted) => wanted.is_none(),
            (Self::By(own), Some(wanted)) => own == wanted,
            (Self::By(own), None) => own.is_empty(),
            (Self::ByHash(hash), Some(wanted)) => {
                [wanted.hash(), wanted.hash_without_lengths()].iter().any(|own| own.eq_ignore_ascii_case(hash))
            }
            (Self::ByHash(_), None) | (Self::Unclear, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both generations of the hash, computed independently of any library.
    #[test]
    fn hashes_match_known_values() {
        for (components, hash, without_lengths) in [
            (
                &[("key1", "value1"), ("key2", "value2")][..],
                "latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike",
                "bns2ytmx5hxkh4fnfixridmezpbbayhnmuh6t4bbghi",
            ),
            (
                &[("key4", "value4"), ("key3", "value3")],
                "jjoe9jgfmdtnj0rzuetsqy7kzs2m1xfnjjxwsfxsrxq",
                "3-rg6_wyjx5bcy0c3cqq7gajtzgsqy3oxqpwj4y8k4u",
            ),
            (
                &[("fmi_path", "SomeFmiPath/FmiCredentialPath")],
                "cojvfy5tzae3njpkvcebguvvx5vvmnj8hphqrbogjoi",
                "zm2n0e62zwtsnnsozptlsooob_c7i-gfpxhyqqinjuw",
            ),
        ] {
            let extension = Extension::new(components.iter().copied());
            assert_eq!(
                (extension.hash(), extension.hash_without_lengths().to_ascii_lowercase()),
                (hash.to_owned(), without_lengths.to_owned())
            );
        }
    }

    #[test]
    fn an_entry_matches_only_the_same_data() {
        let wanted = Extension::new([("a", "1"), ("empty", "")]);
        let other = Extension::new([("a", "2")]);
        for (entry, of_wanted, of_none) in [
            (r"{}".to_owned(), false, true),
            (r#"{"ext":null,"ext_cache_key":""}"#.to_owned(), false, true),
            (r#"{"ext":{}}"#.to_owned(), false, true),
            (r#"{"ext":{"a":"1"}}"#.to_owned(), true, false),
            (r#"{"additionalCacheKeyComponents":{"a":"1"}}"#.to_owned(), true, false),
            (format!(r#"{{"ext":{{"a":"2"}},"ext_cache_key":"{}"}}"#, wanted.hash()), false, false),
            (format!(r#"{{"ext_cache_key":"{}"}}"#, wanted.hash().to_uppercase()), true, false),
            (format!(r#"{{"ext_cache_key":"{}"}}"#, wanted.hash_without_lengths()), true, false),
            (r#"{"ext":7}"#.to_owned(), false, false),
            (r#"{"ext_cache_key":7}"#.to_owned(), false, false),
        ] {
            let extended = Extended::read(&Members::parse(&entry).unwrap());
            assert_eq!((extended.matches(Some(&wanted)), extended.matches(None)), (of_wanted, of_none), "{entry}");
            assert!(!extended.matches(Some(&other)) || entry.contains("\"2\""), "{entry}");
        }
    }
}
