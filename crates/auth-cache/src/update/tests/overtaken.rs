//! Responses that arrive after newer tokens have been stored.

use super::*;
use crate::testing::at;

/// The entries when the refresh begins: from a sign-in half an hour ago.
fn old() -> Vec<(&'static str, Value)> {
    let before = [("last_modification_time", text(-1800))];
    vec![
        ("Account", account("ada", &before)),
        ("RefreshToken", refresh_token("rt1", &before)),
        ("AccessToken", access_token("at1", &[("cached_at", text(-1800))])),
    ]
}

/// A refresh that began 20 s ago with these entries, and its response.
fn refresh(began_with: &[(&str, Value)], answer: &[(&'static str, Value)]) -> TokenUpdate {
    let answer = [&[("refresh_token", json!("rt2")), ("access_token", json!("at2"))], answer].concat();
    let (document, update) = (document(began_with), update_of("u", &answer, NOW));
    let basis = document.user(&update.account.home_account_id, |partition| {
        RefreshBasis::new(&update.authority, &partition.accounts, &partition.refresh_tokens, at(-20))
    });
    TokenUpdate { basis, ..update }
}

fn left(document: &Document) -> [Vec<String>; 2] {
    ["AccessToken", "RefreshToken"].map(|section| {
        let mut secrets = secrets(document, section);
        secrets.sort();
        secrets
    })
}

#[test]
fn a_sign_in_during_the_refresh_stays() {
    for moment in [Moment::First, Moment::Again] {
        for scope in ["User.Read", "User.Read Mail.Read"] {
            let document = document(&old());
            let update = refresh(&old(), &[("scope", json!(scope))]);
            let new = [("refresh_token", json!("rt-new")), ("access_token", json!("at-new"))];
            assert!(update_of("u", &new, at(-15)).apply(&document, Moment::First));
            let before = value(&document);
            assert!(!update.apply(&document, moment), "{scope}");
            assert_eq!(value(&document), before, "{scope}");
        }
    }
}

// Most libraries do not note when the user signed in.
#[test]
fn a_refresh_token_stored_during_the_refresh_stays() {
    let undated = || vec![known(), ("RefreshToken", refresh_token("rt1", &[]))];
    let new_at = |cached_at: i64, scope: &str| {
        ("AccessToken", access_token("at-new", &[("cached_at", text(cached_at)), ("target", json!(scope))]))
    };
    let new_rt = || ("RefreshToken", refresh_token("rt-new", &[]));
    for (there, expected) in [
        // An access token that overlaps with ours was obtained with the new refresh token.
        (vec![known(), new_rt(), new_at(-10, "User.Read Files.Read")], [&["at-new"][..], &["rt-new"]]),
        (vec![known(), new_rt(), new_at(-10, "Files.Read")], [&["at-new", "at2"], &["rt-new"]]),
        (vec![known(), new_rt(), new_at(-30, "User.Read")], [&["at2"], &["rt-new"]]),
        (vec![known(), new_rt()], [&["at2"], &["rt-new"]]),
    ] {
        for moment in [Moment::First, Moment::Again] {
            let document = document(&there);
            refresh(&undated(), &[]).apply(&document, moment);
            assert_eq!(left(&document), expected, "{there:?}");
        }
    }
}

// The redeemed refresh token is worthless: if it is still there, the new one always replaces it.
#[test]
fn a_rotated_refresh_token_is_never_lost() {
    let rt = |secret: &str, changes: &[(&str, Value)]| ("RefreshToken", refresh_token(secret, changes));
    let later = [("last_modification_time", text(60))];
    let familys = [("family_id", json!("1")), ("client_id", json!("another-client"))];
    for (began_with, there, answer, expected) in [
        (old(), old(), vec![], vec!["rt2"]),
        // Another program has written the old one again, or notes a sign-in at each refresh.
        (old(), vec![known(), rt("rt1", &later)], vec![], vec!["rt2"]),
        (old(), vec![("Account", account("ada", &later)), rt("rt1", &[])], vec![], vec!["rt2"]),
        // The pending change was stored after all.
        (old(), vec![known(), rt("rt2", &later)], vec![], vec!["rt2"]),
        // New tokens of other clients do not matter.
        (
            old(),
            [old(), vec![rt("new", &[("client_id", json!("another-client"))])]].concat(),
            vec![],
            vec!["new", "rt2"],
        ),
        (old(), [old(), vec![rt("new", &familys)]].concat(), vec![], vec!["new", "rt2"]),
        // A client that joins a family replaces its token, if that was there when the refresh began.
        (
            [old(), vec![rt("family", &familys)]].concat(),
            [old(), vec![rt("family", &familys)]].concat(),
            vec![("foci", json!("1"))],
            vec!["rt1", "rt2"],
        ),
        (
            [old(), vec![rt("family", &familys)]].concat(),
            [old(), vec![rt("family-new", &familys)]].concat(),
            vec![("foci", json!("1"))],
            vec!["family-new", "rt1"],
        ),
    ] {
        for moment in [Moment::First, Moment::Again] {
            let document = document(&there);
            assert!(refresh(&began_with, &answer).apply(&document, moment));
            assert_eq!(left(&document)[1], expected, "{there:?} {answer:?}");
        }
    }
}

// The second redeemed the refresh token that the first returned.
#[test]
fn two_pending_refreshes_are_stored_in_order() {
    let first = refresh(&old(), &[]);
    let document = document(&old());
    assert!(first.apply(&document, Moment::First));
    let second = refreshing(update_of("u", &[("refresh_token", json!("rt3"))], at(5)), &document);
    let stored = crate::testing::document(&old());
    assert!(first.apply(&stored, Moment::Again) && second.apply(&stored, Moment::Again));
    assert_eq!(left(&stored)[1], ["rt3"]);
}

// They count as rejected.
#[test]
fn tokens_that_a_request_ignored_are_removed() {
    let tokens = [
        ("long", "User.Read Mail.Read", T, false),
        ("all", "User.Read Mail.Read Files.Read", T, false),
        ("other", "Mail.Read", T, true),
        ("elsewhere", "User.Read Mail.Read", GUEST, true),
    ];
    let entries = tokens.map(|(secret, target, realm, _)| {
        ("AccessToken", access_token(secret, &[("target", json!(target)), ("realm", json!(realm))]))
    });
    let entries: Vec<_> = entries.into_iter().chain([known(), ("RefreshToken", refresh_token("rt", &[]))]).collect();
    for bypass in [false, true] {
        for refreshed in [false, true] {
            let document = document(&entries);
            let update = TokenUpdate { bypass, ..update_of("u", &[], NOW) };
            let update = if refreshed { refreshing(update, &document) } else { update };
            assert!(update.apply(&document, Moment::First));
            let left = secrets(&document, "AccessToken");
            for (secret, .., stays) in tokens {
                assert_eq!(left.contains(&secret.to_owned()), stays || !bypass, "{secret} {bypass} {refreshed}");
            }
            assert!(left.contains(&"new-at".to_owned()));
        }
    }
}

#[test]
fn an_applications_own_tokens_that_a_request_ignored_are_removed() {
    let app = |scope: &str, bypass| {
        let answer = [("access_token", json!(scope.replace(" ", "-"))), ("scope", json!(scope))];
        let tokens = Arc::new(tokens(&entra(T), "a", &answer, NOW));
        AppTokenUpdate { bypass, ..AppTokenUpdate::new(Arc::new(entra(T)), client(), tokens) }
    };
    for bypass in [false, true] {
        let document = document(&[]);
        for update in [app("b", false), app("a b", false), app("a", bypass)] {
            update.apply(&document, Moment::First);
        }
        let left = secrets(&document, "AccessToken");
        assert_eq!(left.len(), if bypass { 1 } else { 2 }, "{left:?}");
        assert!(left.contains(&"a".to_owned()));
    }
}
