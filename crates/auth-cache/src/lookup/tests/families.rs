//! Which family refresh tokens are tried.

use super::*;

// S-85: a client that was refused once is no member.
#[test]
fn family_tokens_are_only_for_members() {
    let other_client = [("client_id", json!("another-client")), ("family_id", json!("1"))];
    let family = rt_entry("family", &other_client);
    let first_hand = rt_entry("first-hand", &[("family_id", json!("1"))]);
    let own = rt_entry("own", &[]);
    let note = |family: &str, changes: &[_]| ("AppMetadata", app_metadata(family, changes));
    let elsewhere = note("1", &[("environment", json!("login.microsoftonline.us"))]);
    let of_other = note("1", &[("client_id", json!("another-client"))]);
    for (notes, tokens, expected) in [
        (vec![note("1", &[])], vec![&own, &family], "family own"),
        (vec![note("1", &[("environment", json!("sts.windows.net"))])], vec![&family], "family"),
        (vec![note("1", &[])], vec![&first_hand, &own], "first-hand own"),
        (vec![], vec![&own, &family], "own"),
        (vec![], vec![&own, &first_hand], "first-hand own"),
        (vec![of_other], vec![&own, &family], "own"),
        (vec![elsewhere], vec![&own, &family], "own"),
        (vec![note("2", &[])], vec![&own, &family], "own"),
        (vec![note("", &[])], vec![&own, &family], "own"),
        (vec![note("", &[])], vec![&own, &first_hand], "own"),
        (vec![note("", &[("family_id", Value::Null)])], vec![&own, &first_hand], "own"),
    ] {
        let entries: Vec<_> = notes.into_iter().chain(tokens.into_iter().cloned()).collect();
        let expected = format!("refresh: NoCachedAccessToken with {expected}");
        assert_eq!(find(&entra(T), &entries, "User.Read"), expected, "{entries:?}");
    }
}

#[test]
fn a_candidate_says_whether_it_belongs_to_a_family() {
    let entries = [
        ("AppMetadata", app_metadata("1", &[])),
        rt_entry("family", &[("family_id", json!("1"))]),
        rt_entry("own", &[]),
    ];
    let Lookup::MustRefresh(refresh, None) = Ask::new(entra(T), "User.Read").answer(&entries) else { panic!() };
    let families: Vec<_> = refresh.candidates.iter().map(|candidate| candidate.family).collect();
    assert_eq!(families, [true, false]);
}
