//! A JSON object that keeps its text, so that its members need no copies.

use core::ops::Range;
use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::json::{self, Member};
use crate::mark::Mark;

/// An object and its text, parsed by the rules of [`json::parse_object`].
pub(crate) struct Object {
    text: String,
    members: Vec<(Mark, Part, Held)>,
}

/// A string of the object.
enum Part {
    /// Its position in the text.
    At(Range<usize>),
    /// The string without its escapes.
    Own(Box<str>),
}

/// The value of a member.
enum Held {
    Text(Part),
    Other(Value),
}

/// The value of a member, borrowed.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<'a> {
    Text(&'a str),
    /// Anything but a string.
    Other(&'a Value),
}

impl Object {
    pub(crate) fn parse(json: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(json).ok()?;
        let held = |(mark, name, member): (Mark, Cow<'_, str>, Member<'_>)| {
            let member = match member {
                Member::Text(part) => Held::Text(Part::of(&text, part)?),
                Member::Other(value) => Held::Other(value),
            };
            Some((mark, Part::of(&text, name)?, member))
        };
        let read = json::members_of(&text)?.into_marked();
        let mut members = Vec::with_capacity(read.len());
        for member in read {
            members.push(held(member)?);
        }
        Some(Self { text, members })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Found<'_>> {
        let marked = Mark::of(name);
        let is_named = |own| marked.is_whole() || self.part(own) == name;
        let (_, _, held) = self.members.iter().find(|(mark, own, _)| *mark == marked && is_named(own))?;
        Some(self.found(held))
    }

    /// The member, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Found::Text(text) => Some(text),
            Found::Other(_) => None,
        }
    }

    /// Copies the members.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        let owned = |(_, name, held): &(Mark, Part, Held)| {
            let value = match self.found(held) {
                Found::Text(text) => text.into(),
                Found::Other(value) => value.clone(),
            };
            (self.part(name).to_owned(), value)
        };
        self.members.iter().map(owned).collect()
    }

    fn found<'a>(&'a self, held: &'a Held) -> Found<'a> {
        match held {
            Held::Text(part) => Found::Text(self.part(part)),
            Held::Other(value) => Found::Other(value),
        }
    }

    fn part<'a>(&'a self, part: &'a Part) -> &'a str {
        match part {
            Part::At(range) => self.text.get(range.clone()).unwrap_or_default(),
            Part::Own(text) => text,
        }
    }
}

impl Part {
    /// The position of `part` in `whole` if it borrows from it, otherwise the string.
    fn of(whole: &str, part: Cow<'_, str>) -> Option<Self> {
        match part {
            Cow::Borrowed(part) => {
                let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
                Some(Self::At(start..start.checked_add(part.len())?))
            }
            Cow::Owned(text) => Some(Self::Own(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_the_members_of_its_text() {
        for text in [
            r#"{}"#,
            r#"{"a":"plain","b":"esc\"aped","c\u0064":"\u00e9é","":"","e":null,"f":[1,"x"],"g":{"h":1.5}}"#,
            r#" { "a" : "b" } "#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":"\ud800"}"#,
            r#"["a"]"#,
            "",
        ] {
            let (object, map) = (Object::parse(text.as_bytes().to_vec()), json::parse_object(text.as_bytes()));
            assert_eq!(object.as_ref().map(Object::to_map), map, "{text}");
            for (name, value) in map.iter().flatten() {
                let object = object.as_ref().unwrap();
                assert_eq!(object.text(name), value.as_str(), "{text}");
                let expected = value.as_str().map_or(Found::Other(value), Found::Text);
                assert_eq!(object.get(name), Some(expected), "{text}");
                assert_eq!(object.get("missing"), None);
            }
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}".to_vec()).is_none());
    }
}
