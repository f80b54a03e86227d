//! Documents that another program damaged, or that an attacker made.

use super::*;
use crate::lookup::{Lookup, Query, lookup};
use crate::pending::Moment;
use crate::removal::{Removal, RemovalScope};
use crate::testing::{
    NOW, T, access_token, account, assert_linear, client, entra, home_account, home_id, scopes, update_of,
};

/// The access token that the home account is served.
fn served(document: &Document) -> Option<String> {
    let (authority, client, account, wanted) = (entra(T), client(), home_account(), scopes("User.Read"));
    match lookup(document, &Query::new(&authority, &client, &account, &wanted), NOW) {
        Lookup::Usable(token) => Some(token.access_token().expose().to_owned()),
        _ => None,
    }
}

fn written(document: &Document) -> String {
    String::from_utf8(write(document).0.to_vec()).unwrap()
}

#[test]
fn the_valid_parts_of_an_odd_document_are_read() {
    let good = access_token("at", &[]);
    let other = access_token("other", &[("target", json!("Mail.Read"))]);
    for (text, entries) in [
        (format!("\u{feff}{{\"AccessToken\":{{\"k\":{good}}}}}"), 1),
        (format!(" \t\r\n{{\"AccessToken\" : {{ \"k\" :\n{good} }} }} \n"), 1),
        (format!(r#"{{"AccessToken":{{"k":{good}}},"RefreshToken":null,"IdToken":null,"Account":null}}"#), 1),
        (format!(r#"{{"AppMetadata":null,"AccessToken":{{"k":{good}}}}}"#), 1),
        (format!(r#"{{"RefreshToken":"no map","AccessToken":{{"k":{good}}},"Account":[1],"IdToken":7}}"#), 1),
        (format!(r#"{{"AccessToken":{{"k":{good}}},"AppMetadata":true,"Account":1.5}}"#), 1),
        // Two sections of the same name, and a bad section next to a good one.
        (format!(r#"{{"AccessToken":{{"k":{good}}},"AccessToken":{{"l":{other}}}}}"#), 2),
        (format!(r#"{{"AccessToken":"x","AccessToken":{{"k":{good}}}}}"#), 1),
        (format!(r#"{{"AccessToken":{{"k":{good}}},"AccessToken":null}}"#), 1),
        // Escapes in the names of sections and members, and in keys.
        (format!(r#"{{"\u0041ccessToken":{{"\u006b\n\"":{good}}}}}"#), 1),
        (format!(r#"{{"AccessToken":{{"k":{}}}}}"#, good.to_string().replace("realm", r"\u0072ealm")), 1),
        (format!(r#"{{"AccessToken":{{"k":{}}}}}"#, good.to_string().replace("home_acc", r"h\u006fme_acc")), 1),
        // Entries that are empty or not objects.
        (format!(r#"{{"AccessToken":{{"a":null,"b":7,"c":"x","d":[],"e":{{}},"f":true,"k":{good}}}}}"#), 7),
        // Half of a surrogate pair: valid JSON, but no string.
        (format!(r#"{{"\ud800":1,"AccessToken":{{"a\ud800":{other},"k":{good}}}}}"#), 2),
        (format!(r#"{{"AccessToken":{{"k":{good},"l":{{"home_account_id":"\ud800","\udfff":"\ud800"}}}}}}"#), 2),
        (format!(r#"{{"RefreshToken":7,"AccessToken":{{"a\ud800":{other},"k":{good},"\udbff":null}}}}"#), 3),
    ] {
        let document = super::super::parse(text.clone().into_bytes().into(), 32).expect(&text);
        assert_eq!((served(&document).as_deref(), document.entries()), (Some("at"), entries), "{text}");
        // Nothing is lost when it is written and read again.
        let again = parse(&written(&document));
        assert_eq!((served(&again).as_deref(), again.entries()), (Some("at"), entries), "{text}");
        assert_eq!(written(&again), written(&document), "{text}");
    }
}

// S-91: names that no string can hold are told apart, from one another and from strings that look like them.
#[test]
fn names_that_no_string_can_hold_are_kept_apart() {
    let keys = [r"k\ud800", r"k\ud801", r"k\\ud800", r#"\"k\\ud800\""#];
    let foreign = r#""\ud800":1,"\ud801":2,"\\ud800":3,"\"\\ud800\"":4"#;
    let entry = |number: usize, more: &str| {
        let entry = access_token("at", &[("target", json!(format!("scope{number}")))]).to_string();
        entry.replacen('{', &format!("{{{more},"), 1)
    };
    let entries = |more: &str| {
        let entries = keys.iter().enumerate().map(|(number, key)| format!(r#""{key}":{}"#, entry(number, more)));
        entries.collect::<Vec<_>>().join(",")
    };
    let document = parse(&format!(r#"{{{foreign},"AccessToken":{{{}}}}}"#, entries(foreign)));
    let read = |number: usize| {
        let (authority, client, account) = (entra(T), client(), home_account());
        let wanted = scopes(&format!("scope{number}"));
        matches!(lookup(&document, &Query::new(&authority, &client, &account, &wanted), NOW), Lookup::Usable(_))
    };
    assert!((0..keys.len()).all(read), "fields decide, not keys");
    let text = written(&document);
    assert!(text.ends_with(&format!(",{foreign}}}")), "{text}");
    assert_eq!(text.matches(foreign).count(), 1 + keys.len(), "{text}");
    for key in keys {
        assert_eq!(text.matches(&format!(r#""{key}":{{"#)).count(), 1, "{key} in {text}");
    }
    assert_eq!(written(&parse(&text)), text);
    // A new entry takes them over from the one that it replaces.
    assert!(update_of("u", &[("scope", json!("scope0"))], NOW).apply(&document, Moment::First));
    let text = written(&document);
    for member in foreign.split(',') {
        assert_eq!(text.matches(member).count(), 1 + keys.len(), "{member} in {text}");
    }
}

#[test]
fn an_entry_with_two_home_account_ids_is_not_served() {
    let id = format!(r#""home_account_id":"{}""#, home_id());
    let once = access_token("at", &[]).to_string();
    for (entry, answers) in [
        (once.clone(), true),
        (once.replace(&id, &format!("{id},{id}")), false),
        (once.replace(&id, &format!(r#"{id},"home_account_id":"v.t""#)), false),
        (once.replace(&id, &format!(r#""home_account_id":"v.t",{id}"#)), false),
        (once.replace(&id, &format!(r#"{id},"home_account_id":null"#)), false),
        (once.replace(&id, &format!(r#"{id},"h\u006fme_account_id":"v.t""#)), false),
    ] {
        let text = format!(r#"{{"AccessToken":{{"k":{entry}}}}}"#);
        let document = parse(&text);
        assert_eq!(served(&document).is_some(), answers, "{entry}");
        assert!(written(&document).contains(&entry), "{entry}");
        let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
        for account in ["v.t", ""].map(AccountId::new) {
            let answer = lookup(&document, &Query::new(&authority, &client, &account, &wanted), NOW);
            assert!(matches!(answer, Lookup::Nothing), "{entry}");
        }
    }
}

/// Parses without a limit on depth.
fn unbounded(text: &str) -> Document {
    super::super::parse(text.as_bytes().to_vec().into(), usize::MAX).unwrap()
}

// S-90: as many levels as the limit are read and written, one more is not, wherever they are.
#[test]
fn depth_has_a_limit() {
    for levels in [3, 4, 32, 33] {
        for (before, after, below) in [
            (r#"{"Foreign":"#, "}", 1),
            (r#"{"AccessToken":"#, "}", 1),
            (r#"{"Account":{"k":"#, "}}", 2),
            (r#"{"AppMetadata":{"k":"#, "}}", 2),
            (r#"{"RefreshToken":{"k":{"home_account_id":"u.t","x":"#, "}}}", 3),
            (r#"{"IdToken":7,"RefreshToken":{"k":{"home_account_id":"u.t","x":"#, "}}}", 3),
        ] {
            for (open, close) in [("[", "]"), ("{\"[\":", "}")] {
                let text = format!("{before}{}0{}{after}", open.repeat(levels), close.repeat(levels));
                let read = |levels| super::super::parse(text.clone().into_bytes().into(), levels);
                assert_eq!(read(below + levels - 1).err(), Some(Unreadable::TooDeep), "{text}");
                let document = read(below + levels).expect(&text);
                let (was, is): (Value, Value) =
                    (serde_json::from_str(&text).unwrap(), serde_json::from_str(&written(&document)).unwrap());
                assert!(was.as_object().unwrap().iter().all(|(name, value)| value == &is[name]), "{text}");
            }
        }
    }
    for shallow in ["", "{}", r#"{"AccessToken":null,"Foreign":"[[[[["}"#] {
        assert!(super::super::parse(shallow.as_bytes().to_vec().into(), 1).is_ok(), "{shallow}");
    }
}

// Where depth is allowed, it costs no stack. A deep member of our own entry is no reason to lose the entry.
#[test]
fn deep_nesting_overflows_no_stack() {
    let deep = |open: &str, close: &str| format!("{}0{}", open.repeat(10_000), close.repeat(10_000));
    for deep in [deep("[", "]"), deep("{\"a\":", "}")] {
        let entry = |name: &str| {
            let entry = access_token("at", &[]).to_string();
            entry.replacen('{', &format!(r#"{{"{name}":{deep},"#), 1)
        };
        for (text, serves) in [
            (format!(r#"{{"Foreign":{deep}}}"#), false),
            (format!(r#"{{"AccessToken":{deep}}}"#), false),
            (format!(r#"{{"AccessToken":{{"k":{deep}}}}}"#), false),
            (format!(r#"{{"AccessToken":{{"k":{}}}}}"#, entry("x_foreign")), true),
            (format!(r#"{{"AccessToken":{{"k":{}}}}}"#, entry("ext")), false),
            (format!(r#"{{"AccessToken":{{"k":{}}}}}"#, entry("home_account_idx")), true),
            (format!(r#"{{"RefreshToken":7,"AccessToken":{{"k":{}}}}}"#, entry("x_foreign")), true),
        ] {
            assert_eq!(super::super::parse(text.clone().into_bytes().into(), 32).err(), Some(Unreadable::TooDeep));
            let document = unbounded(&text);
            assert_eq!(served(&document).is_some(), serves);
            assert!(written(&document).contains(&deep), "it is kept unchanged");
        }
        let account = account("ada", &[]).to_string().replacen('{', &format!(r#"{{"tenantProfiles":{deep},"#), 1);
        let document = unbounded(&format!(r#"{{"Account":{{"k":{account}}}}}"#));
        let found = crate::accounts::accounts(&document, &entra(T), &client());
        assert_eq!(found.len(), 1, "{deep:.9}");
        // Deep JSON within a string.
        let profiles = format!(r#"{{"tenantProfiles":{},"#, json!([deep]));
        let account = crate::testing::account("ada", &[]).to_string().replacen('{', &profiles, 1);
        let document = parse(&format!(r#"{{"Account":{{"k":{account}}}}}"#));
        assert_eq!(crate::accounts::accounts(&document, &entra(T), &client()).len(), 1);
    }
}

// S-88, R-53: keys, accounts, clients and realms that differ only in their last letters.
#[test]
fn reading_writing_and_lookups_take_linear_time() {
    let many = |n: usize| {
        let salt = "a".repeat(40);
        let sections = ["AccessToken", "Account", "AppMetadata"].map(|section| {
            let entry = |number: usize| match section {
                "AccessToken" if number.is_multiple_of(2) => {
                    access_token("at", &[("target", json!(format!("{salt}{number}")))])
                }
                "AccessToken" => access_token("at", &[("home_account_id", json!(format!("{salt}-{number}")))]),
                "Account" if number.is_multiple_of(2) => account("ada", &[("realm", json!(format!("{salt}{number}")))]),
                "Account" => Value::Null,
                _ => crate::testing::app_metadata("1", &[("client_id", json!(format!("{salt}{number}")))]),
            };
            let entries: Vec<_> = (0..n).map(|number| format!(r#""{salt}-{number:06}":{}"#, entry(number))).collect();
            format!(r#""{section}":{{{}}}"#, entries.join(","))
        });
        format!("{{{}}}", sections.join(","))
    };
    assert_linear(400, many, |text| {
        let document = parse(&text);
        assert_eq!(served(&document), None);
        assert!(written(&document).len() > text.len() / 2);
        let found = crate::accounts::accounts(&document, &entra(T), &client());
        assert_eq!(found.len(), 1);
        let removal = Removal::new(entra(T), client(), found[0].clone(), RemovalScope::AllClients);
        assert!(removal.apply(&document, Moment::First));
    });
    // One entry with very many scopes.
    let scope = |n: usize| (0..n).map(|number| format!("scope{number}")).collect::<Vec<_>>().join(" ");
    assert_linear(2_500, scope, |target| {
        let text = json!({"AccessToken": {"k": access_token("at", &[("target", json!(target))])}}).to_string();
        assert_eq!(served(&parse(&text)), None);
    });
}
