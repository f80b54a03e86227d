//! One entry is written per key, whatever a document contains (S-79).

use super::*;
use crate::testing::{CLIENT, access_token, counted, refresh_token};

fn keys(document: &Document) -> usize {
    let text = String::from_utf8(write(document).0.to_vec()).unwrap();
    let keys = text.matches(r#""credential_type""#).count();
    let value: Value = serde_json::from_str(&text).unwrap();
    let apart: usize = value.as_object().unwrap().values().map(|section| section.as_object().unwrap().len()).sum();
    assert_eq!(keys, apart, "no key appears twice: {text}");
    keys
}

#[test]
fn one_entry_is_written_per_key() {
    let entry = |id: &str, secret: &str| refresh_token(secret, &[("home_account_id", json!(id))]);
    for (text, left) in [
        (format!(r#"{{"k":{},"k":{}}}"#, entry("a", "1"), entry("a", "2")), json!({"k": entry("a", "2")})),
        (format!(r#"{{"k":{},"k":{}}}"#, entry("a", "1"), entry("b", "2")), json!({"k": entry("b", "2")})),
        (format!(r#"{{"k":{},"k":null}}"#, entry("a", "1")), json!({"k": entry("a", "1")})),
        (format!(r#"{{"k":null,"k":{}}}"#, entry("a", "1")), json!({"k": entry("a", "1")})),
        (r#"{"k":1,"k":2}"#.to_owned(), json!({"k": 2})),
    ] {
        let document = parse(&format!(r#"{{"RefreshToken":{text}}}"#));
        assert_eq!(value(&document)["RefreshToken"], left, "{text}");
        assert!(write(&document).1.is_empty(), "nothing of ours is left out");
        keys(&parse(&format!(r#"{{"RefreshToken":{{"l":{}}}}}"#, entry("a", "1"))));
    }
}

// The Kelvin sign and the letter k are the same in lower case, but not in accounts.
#[test]
fn the_first_of_two_accounts_with_one_key_is_written() {
    let put_token = |document: &Document, id: &str, secret: &str| {
        let key = Key::refresh_token(id, "e", CLIENT);
        let entry = NewEntry::new().with("home_account_id", id).with("environment", "e").with("credential_type", "R");
        let entry = entry.with("client_id", CLIENT).with("secret", secret);
        let partition = PartitionKey::User(id.to_ascii_lowercase().into());
        document.edit(&partition, |draft| put(&mut draft.refresh_tokens, key, entry, |_| true));
    };
    let there = |document: &Document, id: &str| {
        let read = |partition: &Partition| {
            entries(&partition.refresh_tokens).map(|token| token.secret.expose().to_owned()).collect::<Vec<_>>()
        };
        document.user(&AccountId::new(id), read).unwrap_or_default()
    };
    for [one, other] in [["k.t", "\u{212a}.t"], ["\u{212a}.t", "k.t"], ["a\u{130}", "ai\u{307}"]] {
        let document = parse("{}");
        put_token(&document, one, "1");
        assert!(write(&document).1.is_empty());
        put_token(&document, other, "2");
        let (text, collided) = write(&document);
        assert_eq!(collided.len(), 1, "{one} {other}");
        assert_eq!((there(&document, one), there(&document, other)), (vec!["1".to_owned()], vec!["2".to_owned()]));
        assert_eq!(keys(&document), 1);
        let again = parse(core::str::from_utf8(&text).unwrap());
        assert_eq!((there(&again, one), there(&again, other)), (vec!["1".to_owned()], vec![]));
        // The first is the one that is stored until it is removed.
        put_token(&document, one, "3");
        assert!(value(&document).to_string().contains("\"3\""));
        document.edit(&PartitionKey::User(one.to_ascii_lowercase().into()), |draft| draft.refresh_tokens.clear());
        assert!(write(&document).1.is_empty() && value(&document).to_string().contains("\"2\""));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8, u8),
    Remove(u8, u8),
    Clear(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let small = || 0..4_u8;
    prop_oneof![
        (small(), small(), 1..200_u8).prop_map(|(who, what, length)| Step::Put(who, what, length)),
        (small(), small()).prop_map(|(who, what)| Step::Remove(who, what)),
        small().prop_map(Step::Clear),
    ]
}

proptest! {
    // The size is that of the content, after any edits.
    #[test]
    fn the_size_follows_every_edit(steps in proptest::collection::vec(step(), 0..60)) {
        let entry = access_token("at", &[("home_account_id", json!("0"))]);
        let document = parse(&json!({"AccessToken": {"k": entry, "broken": {"home_account_id": "1"}}}).to_string());
        prop_assert_eq!(document.size(), counted(&document));
        for step in steps {
            let key = |who: u8| match who {
                0 | 1 => PartitionKey::User(who.to_string().into()),
                2 => PartitionKey::app("client", "realm"),
                _ => PartitionKey::Assertion("hash".into()),
            };
            match step {
                Step::Put(who, what, length) => document.edit(&key(who), |draft| {
                    let name = what.to_string();
                    let secret = "x".repeat(length.into());
                    let entry = NewEntry::new().with("environment", &name).with("secret", &secret);
                    put(&mut draft.access_tokens, Key::account(&name, &who.to_string(), "r"), entry, |own| *own.environment == *name);
                }),
                Step::Remove(who, what) => document.edit(&key(who), |draft| {
                    remove(&mut draft.access_tokens, |own| *own.environment == *what.to_string());
                }),
                Step::Clear(who) => document.edit(&key(who), |draft| draft.access_tokens.clear()),
            }
            prop_assert_eq!(document.size(), counted(&document));
            prop_assert!(document.all().iter().all(|(_, partition)| partition.size().entries > 0), "no empty partition");
        }
        let (size, text) = (document.size(), write(&document).0);
        prop_assert!(size.bytes <= text.len());
    }
}
