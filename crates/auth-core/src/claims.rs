//! The `claims` request parameter (OpenID Connect Core §5.5), including the client's capabilities.

use core::fmt;
use std::borrow::Cow;

use serde_json::map::Entry;
use serde_json::{Map, Value, json};

use crate::error::ConfigError;
use crate::json;

const MAX: usize = 16 * 1024;

/// A claims request, as a JSON object: what the tokens must satisfy, according to an API's claims challenge or to the
/// application.
///
/// ```
/// use auth_core::Claims;
///
/// assert!(Claims::parse(r#"{"access_token":{"nbf":{"essential":true}}}"#).is_ok());
/// assert!(Claims::parse("[]").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Claims(String);

impl Claims {
    /// Parses the JSON text.
    ///
    /// # Errors
    /// [`ConfigError::Claims`] if the text is not a single JSON object of at most 16 KiB without repeated member names.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > MAX || json::parse_object(text.as_bytes()).is_none() {
            return Err(ConfigError::Claims);
        }
        Ok(Self(text.to_owned()))
    }

    /// Merges these claims with `other`. Objects are merged recursively; where both contain the same member, these
    /// claims win.
    ///
    /// ```
    /// use auth_core::Claims;
    ///
    /// let own = Claims::parse(r#"{"access_token":{"nbf":{"value":"2"}}}"#)?;
    /// let other = Claims::parse(r#"{"access_token":{"acrs":{"value":"c1"},"nbf":{"value":"1"}}}"#)?;
    /// assert_eq!(own.and(&other).as_str(), r#"{"access_token":{"acrs":{"value":"c1"},"nbf":{"value":"2"}}}"#);
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut merged = other.members();
        merge(&mut merged, self.members(), "");
        Self(Value::Object(merged).to_string())
    }

    /// Returns the JSON text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn members(&self) -> Map<String, Value> {
        // `parse` has checked the text.
        json::parse_object(self.0.as_bytes()).unwrap_or_default()
    }
}

/// Omits the text: claims may request a value that names someone.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims([pii])")
    }
}

/// The value of the parameter `claims` for a client with these capabilities; `None` if there is nothing to request.
pub(crate) fn parameter<'a>(capabilities: &[String], claims: Option<&'a Claims>) -> Option<Cow<'a, str>> {
    if capabilities.is_empty() {
        return claims.map(|claims| Cow::Borrowed(claims.as_str()));
    }
    let mut merged = Map::from_iter([("access_token".to_owned(), json!({"xms_cc": {"values": capabilities}}))]);
    if let Some(claims) = claims {
        merge(&mut merged, claims.members(), "");
    }
    Some(Cow::Owned(Value::Object(merged).to_string()))
}

/// Merges `over` into `base`; both are the value of the member `parent`. Parsing has bounded the depth.
fn merge(base: &mut Map<String, Value>, over: Map<String, Value>, parent: &str) {
    for (name, value) in over {
        let capabilities = parent == "xms_cc" && name == "values";
        match base.entry(name) {
            Entry::Vacant(vacant) => {
                vacant.insert(value);
            }
            Entry::Occupied(mut occupied) => {
                let name = occupied.key().clone();
                match (occupied.get_mut(), value) {
                    (Value::Object(base), Value::Object(over)) => merge(base, over, &name),
                    (Value::Array(base), Value::Array(over)) if capabilities => unite(base, over),
                    (base, over) => *base = over,
                }
            }
        }
    }
}

fn unite(base: &mut Vec<Value>, over: Vec<Value>) {
    for value in over {
        if !base.contains(&value) {
            base.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(capabilities: &[&str], claims: Option<&str>) -> Option<String> {
        let capabilities: Vec<_> = capabilities.iter().map(|&capability| capability.to_owned()).collect();
        let claims = claims.map(|text| Claims::parse(text).unwrap());
        parameter(&capabilities, claims.as_ref()).map(Cow::into_owned)
    }

    #[test]
    fn capabilities_are_merged_with_the_callers_claims() {
        for (capabilities, claims, expected) in [
            (&[][..], None, None),
            (&[], Some(r#"{ "id_token" : {} }"#), Some(r#"{ "id_token" : {} }"#)),
            (&["cp1"], None, Some(r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#)),
            (&["cp1", "llt"], Some("{}"), Some(r#"{"access_token":{"xms_cc":{"values":["cp1","llt"]}}}"#)),
            (&["a\"b\\"], None, Some(r#"{"access_token":{"xms_cc":{"values":["a\"b\\"]}}}"#)),
            (
                &["cp1"],
                Some(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}},"id_token":{"a":null}}"#),
                Some(
                    r#"{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["cp1"]}},"id_token":{"a":null}}"#,
                ),
            ),
            // The arrays are united, and other members of the caller's claim are kept.
            (
                &["cp1"],
                Some(r#"{"access_token":{"xms_cc":{"essential":true,"values":["llt","cp1",7]}}}"#),
                Some(r#"{"access_token":{"xms_cc":{"essential":true,"values":["cp1","llt",7]}}}"#),
            ),
            // For any other leaf, the caller's value wins.
            (&["cp1"], Some(r#"{"access_token":null}"#), Some(r#"{"access_token":null}"#)),
            (&["cp1"], Some(r#"{"access_token":["a"]}"#), Some(r#"{"access_token":["a"]}"#)),
            (&["cp1"], Some(r#"{"access_token":{"xms_cc":null}}"#), Some(r#"{"access_token":{"xms_cc":null}}"#)),
            (&["cp1"], Some(r#"{"access_token":{"xms_cc":"x"}}"#), Some(r#"{"access_token":{"xms_cc":"x"}}"#)),
            (
                &["cp1"],
                Some(r#"{"access_token":{"xms_cc":{"values":"x"}}}"#),
                Some(r#"{"access_token":{"xms_cc":{"values":"x"}}}"#),
            ),
        ] {
            assert_eq!(sent(capabilities, claims).as_deref(), expected, "{capabilities:?} {claims:?}");
        }
    }

    #[test]
    fn merging_keeps_the_first_of_two_conflicting_claims() {
        for (own, other, expected) in [
            ("{}", "{}", "{}"),
            (r#"{"a":{"b":1}}"#, r#"{"a":{"c":2}}"#, r#"{"a":{"b":1,"c":2}}"#),
            (r#"{"a":1}"#, r#"{"a":{"c":2}}"#, r#"{"a":1}"#),
            (r#"{"a":{"c":2}}"#, r#"{"a":[1]}"#, r#"{"a":{"c":2}}"#),
            (r#"{"a":{"values":[1]}}"#, r#"{"a":{"values":[2]}}"#, r#"{"a":{"values":[1]}}"#),
        ] {
            let [own, other] = [own, other].map(|text| Claims::parse(text).unwrap());
            assert_eq!(own.and(&other).as_str(), expected);
        }
    }

    /// Objects with the relevant member names at any depth, with any value.
    fn claims() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), "cp1|llt".prop_map(Value::from)];
        let value = leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("access_token|xms_cc|values|a", inner, 0..4).prop_map(|map| json!(map)),
            ]
        });
        proptest::collection::btree_map("access_token|id_token", value, 0..3).prop_map(|map| json!(map))
    }

    proptest! {
        #[test]
        fn merging_loses_none_of_the_callers_claims(claims in claims()) {
            let text = sent(&["cp1"], Some(&claims.to_string())).unwrap();
            let mut merged: Value = serde_json::from_str(&text).unwrap();
            // Merging again changes nothing.
            prop_assert_eq!(sent(&["cp1"], Some(&text)).unwrap(), text);
            let path = "/access_token/xms_cc/values";
            match (claims.pointer(path), merged.pointer_mut(path)) {
                (Some(Value::Array(own)), Some(Value::Array(united))) => {
                    prop_assert!(own.iter().chain([&json!("cp1")]).all(|value| united.contains(value)));
                    united.clone_from(own);
                }
                (None, Some(Value::Array(added))) => prop_assert_eq!(&added[..], [json!("cp1")]),
                (_, _) => {}
            }
            // Apart from the array, merging the caller's claims into the result changes nothing.
            let [own, merged] = [claims, merged].map(|value| Claims::parse(&value.to_string()).unwrap());
            prop_assert_eq!(own.and(&merged), merged);
        }
    }
}
