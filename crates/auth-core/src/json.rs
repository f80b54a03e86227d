//! Strict JSON for protocol messages (S-60): UTF-8, no BOM, at most 32 levels, no duplicate member names at any level,
//! nothing after the document.

use core::fmt;
use std::borrow::Cow;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::mark::Mark;

const MAX_DEPTH: u8 = 32;
/// Up to this many members, comparing pairs is faster than sorting.
const MAX_PAIRWISE: usize = 24;
/// About the number of members in a token response or an ID token. The allocation stays below 1 KiB, where the usual
/// allocators are fast.
const TYPICAL: usize = 14;

/// Parses one JSON object.
pub(crate) fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    // Validates UTF-8 once, rather than string by string.
    let text = core::str::from_utf8(bytes).ok()?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: MAX_DEPTH }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
        Value::Object(map) => Some(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// Like [`parse_object`], but borrows strings without escapes.
pub(crate) fn parse_members(bytes: &[u8]) -> Option<Members<'_>> {
    members_of(core::str::from_utf8(bytes).ok()?)
}

/// Like [`parse_members`], for a text.
pub(crate) fn members_of(text: &str) -> Option<Members<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Top(Strict { depth: MAX_DEPTH })).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

/// The members of an object, in order.
pub(crate) struct Members<'a>(Vec<(Mark, Cow<'a, str>, Member<'a>)>);

/// The value of a member.
pub(crate) enum Member<'a> {
    Text(Cow<'a, str>),
    /// Anything but a string.
    Other(Value),
}

impl<'a> Members<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&Member<'a>> {
        let marked = Mark::of(name);
        let is_named = |own: &str| marked.is_whole() || own == name;
        self.0.iter().find(|(mark, own, _)| *mark == marked && is_named(own)).map(|(_, _, member)| member)
    }

    /// The member, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Member::Text(text) => Some(text),
            Member::Other(_) => None,
        }
    }

    /// Copies the borrowed strings.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        let owned = |(_, name, member): (Mark, Cow<'_, str>, Member<'_>)| {
            let value = match member {
                Member::Text(text) => Value::String(text.into_owned()),
                Member::Other(value) => value,
            };
            (name.into_owned(), value)
        };
        self.0.into_iter().map(owned).collect()
    }

    pub(crate) fn into_marked(self) -> impl ExactSizeIterator<Item = (Mark, Cow<'a, str>, Member<'a>)> {
        self.0.into_iter()
    }

    fn has_duplicates(&self) -> bool {
        if self.0.len() <= MAX_PAIRWISE {
            // Most names have a bit of their own, and need no comparison.
            let mut bits = 0;
            return self.0.iter().enumerate().any(|(at, (mark, name, _))| {
                let is_free = bits & mark.bit() == 0;
                bits |= mark.bit();
                !is_free && self.0.iter().take(at).any(|(own_mark, own, _)| own_mark == mark && own == name)
            });
        }
        let mut names: Vec<_> = self.0.iter().map(|(_, name, _)| name).collect();
        names.sort_unstable_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
        names.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
    }
}

/// Reads the outermost object.
struct Top(Strict);

impl<'de> Visitor<'de> for Top {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let inner = Leaf(self.0.deeper()?);
        let mut members = Members(Vec::with_capacity(TYPICAL));
        while let Some(Name(name)) = map.next_key()? {
            members.0.push((Mark::of(&name), name, map.next_value_seed(inner)?));
        }
        if members.has_duplicates() { Err(A::Error::custom("duplicate member name")) } else { Ok(members) }
    }
}

/// Reads the value of a member of the outermost object.
#[derive(Clone, Copy)]
struct Leaf(Strict);

impl<'de> DeserializeSeed<'de> for Leaf {
    type Value = Member<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Leaf {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Member<'de>, E> {
        self.0.visit_unit().map(Member::Other)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Member<'de>, E> {
        self.0.visit_bool(value).map(Member::Other)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Member<'de>, E> {
        self.0.visit_i64(value).map(Member::Other)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Member<'de>, E> {
        self.0.visit_u64(value).map(Member::Other)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Member<'de>, E> {
        self.0.visit_f64(value).map(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Member<'de>, A::Error> {
        self.0.visit_seq(seq).map(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Member<'de>, A::Error> {
        self.0.visit_map(map).map(Member::Other)
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(Name(name)) = map.next_key()? {
            let value = map.next_value_seed(inner)?;
            if members.insert(name.into_owned(), value).is_some() {
                return Err(A::Error::custom("duplicate member name"));
            }
        }
        Ok(Value::Object(members))
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_parsers_agree_on(text: &[u8]) {
        assert_eq!(parse_members(text).map(Members::into_map), parse_object(text), "{}", text.escape_ascii());
    }

    #[test]
    fn both_parsers_agree() {
        for text in [
            r#"{}"#,
            r#"{"a":"plain","b":"esc\"aped","c\u0064":"\u00e9é","e":null,"f":true,"g":-1,"h":1.5,"i":18446744073709551615}"#,
            r#"{"a":["x",{"b":"c"}],"d":{"e":["f"]},"g":""}"#,
            r#"{"a":1e400}"#,
            r#"{"a":1"#,
            r#"{"b":1,"a":2,"b":3}"#,
            r#"{"b":1,"a":2,"\u0062":3}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\n\"}",
            r#""text""#,
            "7",
            "null",
        ] {
            both_parsers_agree_on(text.as_bytes());
        }
        let members = parse_members(br#"{"a":"x","b":1}"#).unwrap();
        assert_eq!((members.text("a"), members.text("b"), members.text("c")), (Some("x"), None, None));
        assert!(members.get("b").is_some() && members.get("c").is_none());
    }

    #[test]
    fn only_strict_documents_are_accepted() {
        for (text, accepted) in [
            (r#"{"a":1,"b":[{"c":null}]}"#, true),
            (r#"{"a":1,"a":2}"#, false),
            (r#"{"a":1,"\u0061":2}"#, false),
            (r#"{"x":{"a":1,"a":2}}"#, false),
            (r#"{"x":[{"a":1,"a":2}]}"#, false),
            (r#"[1]"#, false),
            (r#"{} {}"#, false),
            ("\u{feff}{}", false),
            ("{\"a\":\"\\ud800\"}", false),
            ("", false),
        ] {
            assert_eq!(parse_object(text.as_bytes()).is_some(), accepted, "{text}");
            both_parsers_agree_on(text.as_bytes());
        }
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_none());
        both_parsers_agree_on(b"{\"a\":\"\xff\"}");
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        for n in [30, 31, 32, 33, 100_000] {
            both_parsers_agree_on(nested(n).as_bytes());
        }
        assert!(parse_object(nested(31).as_bytes()).is_some());
        assert!(parse_object(nested(32).as_bytes()).is_none());
        assert!(parse_object(nested(100_000).as_bytes()).is_none());
    }

    #[test]
    fn the_raw_value_marker_is_an_ordinary_member() {
        let map = parse_object(br#"{"$serde_json::private::RawValue":"[1]"}"#).unwrap();
        assert_eq!(map.len(), 1);
    }
}
