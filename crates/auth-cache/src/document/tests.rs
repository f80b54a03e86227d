use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::members::{Members, Text};
use crate::testing::parse;

mod reading;
mod scale;
mod writing;

fn value(document: &Document) -> Value {
    serde_json::from_slice(&write(document).0).unwrap()
}

#[test]
fn only_objects_and_empty_texts_are_documents() {
    for (text, accepted) in [
        (&b""[..], true),
        (b" \n", true),
        (b"{}", true),
        (b"\xef\xbb\xbf{}", true),
        (b"{\"AccessToken\":null}", true),
        (b"[]", false),
        (b"null", false),
        (b"{", false),
        (b"{} x", false),
        (b"\xff", false),
    ] {
        assert_eq!(super::parse(text.to_vec().into(), 32).is_ok(), accepted, "{text:?}");
    }
}

#[test]
fn unknown_sections_entries_and_members_survive() {
    let original = json!({
        "AccessToken": {"broken": 7, "odd": {"secret": ["x"], "number": 1.50}},
        "RefreshToken": {},
        "IdToken": "no map",
        "Account": {"a": null},
        "AppMetadata": {},
        "Foreign": {"deep": [1, {"x": null}]},
    });
    let document = parse(&original.to_string());
    assert_eq!(value(&document), original);
    let raw = String::from_utf8(write(&parse(r#"{"X":{"n":1.50,"big":1e400}}"#)).0.to_vec()).unwrap();
    assert!(raw.contains(r#"{"n":1.50,"big":1e400}"#), "foreign values keep their very bytes: {raw}");
}

#[test]
fn a_new_entry_keeps_the_foreign_members_of_those_it_replaces() {
    let text = json!({"Account": {
        "old-key": {"home_account_id": "u.t", "environment": "e", "username": "old", "wam_account_ids": {"c": "w"}},
        "other": {"home_account_id": "v.t"},
    }});
    let document = parse(&text.to_string());
    let entry = NewEntry::new().with("home_account_id", "u.t").with("username", "new");
    let key = Key::account("u.t", "e", "r");
    document.edit(&PartitionKey::User("u.t".into()), |draft| put(&mut draft.accounts, key, entry, |_| true));
    assert_eq!(
        value(&document)["Account"],
        json!({
            "u.t-e-r": {"home_account_id": "u.t", "username": "new", "wam_account_ids": {"c": "w"}},
            "other": {"home_account_id": "v.t"},
        })
    );
}

#[test]
fn times_and_strings_are_read_leniently() {
    let document = json!({"AccessToken": {"k": {
        "text": "17", "number": 17, "fraction": 17.9, "negative": -5, "nonsense": "x", "null": null, "list": [],
    }}});
    let text = document["AccessToken"]["k"].to_string();
    let members = Members::parse(&text).unwrap();
    for (name, expected) in [
        ("text", Some(17)),
        ("number", Some(17)),
        ("fraction", Some(17)),
        ("negative", Some(0)),
        ("nonsense", Some(0)),
        ("null", None),
        ("list", None),
        ("missing", None),
    ] {
        assert_eq!(members.time(name), expected.map(Timestamp::from_unix_seconds), "{name}");
    }
    assert_eq!(members.text("list"), Text::Broken);
    assert_eq!(members.text("number"), Text::Is("17".into()));
}

proptest! {
    // P-05: reading and writing changes no value.
    #[test]
    fn any_document_survives(sections in proptest::collection::btree_map(
        "AccessToken|RefreshToken|IdToken|Account|AppMetadata|[a-z]{1,5}",
        proptest::collection::btree_map("[ -~]{0,8}", proptest::option::of("[ -~]{0,8}"), 0..4), 0..6))
    {
        let mut expected = json!({"AccessToken":{},"RefreshToken":{},"IdToken":{},"Account":{},"AppMetadata":{}});
        for (name, entries) in &sections {
            expected[name] = json!(entries);
        }
        let document = parse(&json!(sections).to_string());
        prop_assert_eq!(value(&document), expected);
    }
}
