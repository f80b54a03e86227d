use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{
    CLIENT, GUEST, T, access_token, account, app_metadata, assert_linear, at, content, counted, document, id_token,
    jwt, parse, refresh_token, text, value,
};

fn at_entry(secret: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    ("AccessToken", access_token(secret, changes))
}

fn rt_entry(secret: &str, changes: &[(&str, Value)]) -> (&'static str, Value) {
    ("RefreshToken", refresh_token(secret, changes))
}

fn merged(ours: &Document, theirs: &Document) -> Value {
    merge(ours, theirs);
    assert_eq!(ours.size(), counted(ours));
    value(ours)
}

/// The values of a section, sorted as text.
fn entries_of(document: &Value, section: &str) -> Vec<String> {
    let mut entries: Vec<_> = document[section].as_object().unwrap().values().map(Value::to_string).collect();
    entries.sort();
    entries
}

fn issued(iat: i64) -> Value {
    json!(jwt(&json!({"iss": "https://a", "sub": "s", "iat": at(iat).as_unix_seconds()})))
}

#[test]
fn the_newer_of_two_entries_with_one_identity_stays() {
    let elsewhere = |id: &str| [("environment", json!(id))];
    let modified = |seconds: i64| ("last_modification_time", text(seconds));
    for (older, newer, same) in [
        (at_entry("a", &[]), at_entry("b", &[("cached_at", text(-50))]), true),
        (
            at_entry("a", &[]),
            at_entry("b", &[("cached_at", text(-50)), ("client_id", json!(CLIENT.to_uppercase()))]),
            true,
        ),
        (
            at_entry("a", &[("target", json!("b A"))]),
            at_entry("b", &[("cached_at", text(-50)), ("target", json!("a B b"))]),
            true,
        ),
        (at_entry("a", &[]), at_entry("b", &[("cached_at", text(-50)), ("token_type", json!("bearer"))]), true),
        (
            at_entry("a", &[("target", json!("a"))]),
            at_entry("b", &[("cached_at", text(-50)), ("target", json!("b"))]),
            false,
        ),
        (at_entry("a", &[]), at_entry("b", &[("cached_at", text(-50)), ("realm", json!(GUEST))]), false),
        (at_entry("a", &[]), at_entry("b", &[("cached_at", text(-50)), ("token_type", json!("pop"))]), false),
        (
            at_entry("a", &[("token_type", json!("pop")), ("kid", json!("1"))]),
            at_entry("b", &[("cached_at", text(-50)), ("token_type", json!("pop")), ("kid", json!("2"))]),
            false,
        ),
        (at_entry("a", &[]), at_entry("b", &[("cached_at", text(-50)), ("ext", json!({"a": "1"}))]), false),
        (at_entry("a", &[]), at_entry("b", &[("cached_at", text(-50)), ("user_assertion_hash", json!("h"))]), false),
        (at_entry("a", &[]), at_entry("b", &[("cached_at", text(-50)), ("home_account_id", Value::Null)]), false),
        (rt_entry("a", &[]), rt_entry("b", &[modified(0)]), true),
        (rt_entry("a", &[modified(-1)]), rt_entry("b", &[modified(0), ("realm", json!(T))]), true),
        (rt_entry("a", &[]), rt_entry("b", &[modified(0), ("family_id", json!("1"))]), false),
        (
            rt_entry("a", &[("family_id", json!("1"))]),
            rt_entry("b", &[modified(0), ("family_id", json!("1")), ("client_id", json!("x"))]),
            true,
        ),
        (rt_entry("a", &[]), rt_entry("b", &[modified(0), ("client_id", json!("x"))]), false),
        (rt_entry("a", &[]), rt_entry("b", &[modified(0), ("ext", json!({"a": "1"}))]), false),
        (
            rt_entry("a", &[]),
            rt_entry("b", &[&[modified(0)][..], &elsewhere("login.microsoftonline.us")].concat()),
            false,
        ),
        (
            ("IdToken", id_token("a", &[("secret", issued(-9))])),
            ("IdToken", id_token("b", &[("secret", issued(0))])),
            true,
        ),
        (
            ("IdToken", id_token("a", &[("secret", issued(-9))])),
            ("IdToken", id_token("b", &[("secret", issued(0)), ("realm", json!(GUEST))])),
            false,
        ),
        (("Account", account("a", &[])), ("Account", account("b", &[modified(0)])), true),
        (("Account", account("a", &[])), ("Account", account("b", &[modified(0), ("realm", json!(GUEST))])), false),
        // A usable entry replaces an unusable one.
        (at_entry("a", &[("secret", Value::Null)]), at_entry("b", &[]), true),
    ] {
        let section = older.0;
        // With the same key and with two.
        for keys in [["k", "k"], ["k", "l"]] {
            let document = |entry: &Value, key: &str| parse(&json!({section: {key: entry}}).to_string());
            let broken = older.1.get("secret").is_none() && section == "AccessToken";
            for (ours, theirs) in [(&older, &newer), (&newer, &older)] {
                let after = merged(&document(&ours.1, keys[0]), &document(&theirs.1, keys[1]));
                let expected = if same && !(broken && keys[0] != keys[1]) {
                    vec![newer.1.to_string()]
                } else if keys[0] != keys[1] {
                    let mut both = vec![older.1.to_string(), newer.1.to_string()];
                    both.sort();
                    both
                } else {
                    // A key holds one entry, whatever the two are.
                    assert_eq!(entries_of(&after, section).len(), 1, "{ours:?} {theirs:?}");
                    continue;
                };
                assert_eq!(entries_of(&after, section), expected, "{ours:?} {theirs:?} {keys:?}");
            }
        }
    }
}

#[test]
fn unknown_sections_and_entries_are_merged() {
    let ours = json!({
        "AccessToken": {"a": null, "b": 7}, "IdToken": {"same": null}, "Foreign": {"x": 1}, "Ours": [1.50],
        "AppMetadata": {"odd": {"client_id": {}}},
    });
    let theirs = json!({
        "AccessToken": {"b": 8, "c": "text"}, "IdToken": {"same": {"secret": "of nobody"}}, "Foreign": {"y": 2},
        "Account": {"d": []}, "Theirs": {"deep": [null]}, "AppMetadata": {"odd": {"client_id": []}},
    });
    let expected = json!({
        "AccessToken": {"a": null, "b": 8, "c": "text"}, "RefreshToken": {}, "IdToken": {"same": {"secret": "of nobody"}},
        "Account": {"d": []}, "AppMetadata": {"odd": {"client_id": []}}, "Foreign": {"y": 2}, "Ours": [1.50],
        "Theirs": {"deep": [null]},
    });
    assert_eq!(merged(&parse(&ours.to_string()), &parse(&theirs.to_string())), expected);
}

// An entry that belongs to nobody never replaces a usable one, whichever document it is in.
#[test]
fn an_unusable_entry_displaces_no_usable_one() {
    let good = json!({"RefreshToken": {"k": refresh_token("rt", &[])}});
    for bad in [json!(null), json!(7), json!({}), json!({"home_account_id": []})] {
        let bad = json!({"RefreshToken": {"k": bad}});
        for (ours, theirs) in [(&good, &bad), (&bad, &good)] {
            let document = parse(&ours.to_string());
            let after = merged(&document, &parse(&theirs.to_string()));
            assert_eq!(after["RefreshToken"], good["RefreshToken"], "{bad}");
            let text = crate::document::write(&document).0;
            let keys = core::str::from_utf8(&text).unwrap().matches(r#""k":"#).count();
            assert_eq!(keys, 1, "each key once: other readers refuse an object with two");
        }
    }
}

// The newest of all duplicates wins, whatever their order.
#[test]
fn duplicates_within_the_other_document_are_compared_too() {
    let rt = |secret: &str, seconds: i64| refresh_token(secret, &[("last_modification_time", text(seconds))]);
    let theirs = [("----", rt("old", -500)), ("---", rt("new", -1)), ("--", rt("middle", -50))];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
        for (own, expected) in [(-20, "new"), (-800, "new"), (0, "own")] {
            let ours = document(&[("RefreshToken", rt("own", own))]);
            let entries = order.map(|number| format!("{}:{}", json!(theirs[number].0), theirs[number].1));
            let text = format!(r#"{{"RefreshToken":{{{}}}}}"#, entries.join(","));
            let after = merged(&ours, &parse(&text));
            let secrets: Vec<_> = after["RefreshToken"].as_object().unwrap().values().map(|rt| &rt["secret"]).collect();
            assert_eq!(secrets, [expected], "{order:?} {own}");
        }
    }
}

// S-88: however many entries there are, in one partition or in none, each is compared once.
#[test]
fn merging_is_linear() {
    let many = |n: usize, salt: &str| {
        let entry = |section, number| match section {
            "AccessToken" => access_token("at", &[("target", json!(format!("{salt}{number}")))]),
            "Account" => account("ada", &[("realm", json!(format!("{salt}{number}")))]),
            _ => Value::Null,
        };
        let mut document = json!({});
        for section in ["AccessToken", "Account", "RefreshToken", "Foreign"] {
            document[section] = (0..n).map(|number| (format!("{salt}-{number}"), entry(section, number))).collect();
        }
        parse(&document.to_string())
    };
    let prepare = |n| (many(n, "a"), many(n, "b"), many(n, "a"));
    assert_linear(400, prepare, |(ours, theirs, again)| {
        let n = ours.entries();
        merge(&ours, &theirs);
        merge(&ours, &again);
        assert_eq!(ours.entries(), 2 * n);
    });
}

#[test]
fn merging_partitions_one_by_one_is_linear() {
    let many = |n: usize| {
        let user =
            |number: usize| ("AccessToken", access_token("at", &[("home_account_id", json!(format!("u{number}.t")))]));
        document(&(0..n).map(user).collect::<Vec<_>>())
    };
    assert_linear(500, many, |theirs| {
        let (ours, partitions) = (Document::default(), theirs.all());
        for (key, _) in &partitions {
            merge_at(&ours, &theirs, key);
        }
        assert_eq!(ours.entries(), partitions.len());
    });
}

/// Entries of many kinds, each from a different time.
fn any_entries() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let entry = (0..5_usize, 0..3_usize, 0..3_usize, 0..2_usize, 0..2_usize);
    proptest::collection::vec((entry, 0..10_000_i64), 0..14).prop_map(|entries| {
        let mut times = std::collections::BTreeSet::new();
        let entries = entries.into_iter().filter(|(_, time)| times.insert(*time));
        entries
            .map(|((kind, who, what, realm, more), time)| {
                let id = json!(["u.t", "v.t", "U.T"][who]);
                let realm = json!([T, GUEST][realm]);
                let seconds = text(-time);
                let secret = format!("s{time}");
                let common = [("home_account_id", id)];
                let changed = |changes: &[(&'static str, Value)]| [&common[..], changes].concat();
                match kind {
                    0 => at_entry(
                        &secret,
                        &changed(&[
                            ("cached_at", seconds),
                            ("realm", realm),
                            ("target", json!(["a", "a b", "B A"][what])),
                            ("token_type", json!(["Bearer", "pop"][more])),
                        ]),
                    ),
                    1 => rt_entry(
                        &secret,
                        &changed(&[
                            ("last_modification_time", seconds),
                            ("client_id", json!(["a", "A", "b"][what])),
                            ("family_id", json!(["", "1"][more])),
                        ]),
                    ),
                    2 => ("IdToken", id_token("x", &changed(&[("secret", issued(-time)), ("realm", realm)]))),
                    3 => (
                        "Account",
                        account(&secret, &changed(&[("last_modification_time", seconds), ("realm", realm)])),
                    ),
                    _ => at_entry(
                        &secret,
                        &[
                            ("home_account_id", Value::Null),
                            ("cached_at", seconds),
                            ("target", json!(["a", "b", "c"][what])),
                        ],
                    ),
                }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn merging_a_document_into_itself_changes_nothing(entries in any_entries(), number in any::<u64>()) {
        let mut text = content(&entries);
        text["Foreign"] = json!({"number": number});
        text["AppMetadata"] = json!({"m": app_metadata("1", &[]), "broken": null});
        let before = value(&parse(&text.to_string()));
        prop_assert_eq!(merged(&parse(&text.to_string()), &parse(&text.to_string())), before);
    }

    #[test]
    fn the_order_of_merging_does_not_matter(all in any_entries(), cut in (0..15_usize, 0..15_usize)) {
        let cuts = (cut.0.min(all.len()), cut.1.min(all.len()));
        let (first, second) = (cuts.0.min(cuts.1), cuts.0.max(cuts.1));
        // Each of the three has at most one entry per identity, like any cache of ours.
        let alone = |entries: &[(&'static str, Value)]| {
            let document = document(&[]);
            for entry in entries {
                merge(&document, &crate::testing::document(std::slice::from_ref(entry)));
            }
            document
        };
        let parts = [&all[..first], &all[first..second], &all[second..]];
        let mut results = Vec::new();
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let document = document(&[]);
            for part in order {
                merge(&document, &alone(parts[part]));
            }
            let found = document.all().into_iter().flat_map(|(key, partition)| {
                let of = |json: &str| format!("{key:?} {json}");
                let tokens = partition.access_tokens.iter().map(|item| of(item.json()));
                tokens.chain(partition.refresh_tokens.iter().map(|item| of(item.json())))
                    .chain(partition.id_tokens.iter().map(|item| of(item.json())))
                    .chain(partition.accounts.iter().map(|item| of(item.json()))).collect::<Vec<_>>()
            });
            results.push(found.collect::<std::collections::BTreeSet<_>>());
        }
        prop_assert_eq!(&results[0], &results[1]);
        prop_assert_eq!(&results[0], &results[2]);
    }
}

#[test]
fn an_empty_cache_takes_over_a_document_unchanged() {
    let rt = |seconds: i64| refresh_token("rt", &[("last_modification_time", text(seconds))]);
    let mut theirs = json!({
        "AccessToken": {"a": access_token("at", &[]), "b": null}, "RefreshToken": {"----": rt(-9), "---": rt(0)},
        "IdToken": {}, "Account": {"c": account("ada", &[])}, "AppMetadata": {"d": app_metadata("1", &[])},
    });
    theirs["Foreign"] = json!([1.50, null]);
    assert_eq!(merged(&document(&[]), &parse(&theirs.to_string())), theirs);
}

// An unchanged document keeps its bytes, so that an application need not store it again.
#[test]
fn a_merged_document_keeps_its_order() {
    use core::fmt::Write as _;

    let mut accounts = String::new();
    for n in (0..100).rev() {
        write!(accounts, r#","{n}":{{"home_account_id":"{n}.t","environment":"login.windows.net"}}"#).unwrap();
    }
    let (none, accounts) = (r#""AccessToken":{},"RefreshToken":{},"IdToken":{}"#, accounts.trim_start_matches(','));
    let json = format!(r#"{{{none},"Account":{{{accounts}}},"AppMetadata":{{}}}}"#);
    let cache = crate::TokenCache::in_memory();
    cache.merge_json(json.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(cache.to_json().to_vec()).unwrap(), json);
    cache.merge_json(json.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(cache.to_json().to_vec()).unwrap(), json);
}
