//! The rules of the authorization endpoint as tables, without sockets.

use super::*;
use crate::scenario::{CLIENT, Scenario, field, reply, why};

#[test]
fn without_a_safe_redirect_uri_the_user_gets_the_error() {
    for (changes, number) in [
        (&[("client_id", "")][..], 900_144),
        (&[("redirect_uri", "")], 900_144),
        (&[("redirect_uri", "https://contoso.example/cb")], 50_011),
        (&[("redirect_uri", "urn:ietf:wg:oauth:2.0:oob")], 50_011),
        (&[("redirect_uri", "not an address")], 50_011),
    ] {
        let mut scenario = Scenario::new();
        assert_eq!(why(scenario.authorize(changes)).1, number, "{changes:?}");
    }
}

#[test]
fn other_errors_go_to_the_client_with_its_state() {
    for (changes, code, number) in [
        (&[("response_type", "")][..], "invalid_request", 900_144),
        (&[("response_type", "token")], "unsupported_response_type", 700_054),
        (&[("response_mode", "fragment")], "invalid_request", 70_007),
        (&[("scope", "")], "invalid_request", 900_144),
        (&[("code_challenge", "")], "invalid_request", 900_144),
        (&[("code_challenge", "short")], "invalid_request", 9_002_325),
        (&[("code_challenge_method", "")], "invalid_request", 9_002_325),
        (&[("code_challenge_method", "plain")], "invalid_request", 9_002_325),
        (&[("claims", "7")], "invalid_request", 9_000_411),
        (&[("prompt", "create")], "invalid_request", 90_023),
    ] {
        let mut scenario = Scenario::new();
        let reply = reply(scenario.authorize(changes).unwrap());
        assert_eq!(reply.to.state.as_deref(), Some("state-1"), "{changes:?}");
        assert!(!reply.cancelled, "{changes:?}");
        let refusal = why(reply.outcome);
        assert_eq!(refusal, (code.into(), number, None), "{changes:?}");
    }
}

#[test]
fn consent_is_requested_once_for_the_same_scopes() {
    // The scopes consented to first, the next request, and whether it asks for consent.
    for (changes, asks) in [
        (&[][..], false),
        (&[("scope", "User.Read openid")], false),
        (&[("scope", "Mail.Read openid")], true),
        (&[("client_id", "c0ffee00-0000-4000-8000-000000000002")], true),
        (&[("prompt", "consent")], true),
        (&[("prompt", "login")], false),
        (&[("prompt", "select_account")], false),
    ] {
        let mut scenario = Scenario::new();
        scenario.code(&[]);
        let page = scenario.authorize(changes).unwrap();
        assert!(matches!(page, Step::SignIn { .. }), "the users are always shown");
        let ada = scenario.state.users[0].object_id().to_owned();
        let step = scenario.choose(&page, Choice::User(&ada)).unwrap();
        assert_eq!(matches!(step, Step::Consent { .. }), asks, "{changes:?}");
    }
}

#[test]
fn cancel_is_access_denied_on_both_pages() {
    let mut scenario = Scenario::new();
    let page = scenario.authorize(&[]).unwrap();
    let answer = reply(scenario.choose(&page, Choice::Cancel).unwrap());
    assert!(answer.cancelled);
    assert_eq!(why(answer.outcome).0, "access_denied");

    let page = scenario.authorize(&[]).unwrap();
    let ada = scenario.state.users[0].object_id().to_owned();
    let page = scenario.choose(&page, Choice::User(&ada)).unwrap();
    let answer = reply(scenario.choose(&page, Choice::Cancel).unwrap());
    assert!(answer.cancelled);
    assert_eq!(why(answer.outcome).1, 65_004);
}

#[test]
fn a_form_is_accepted_once_in_time_and_only_on_its_page() {
    let mut scenario = Scenario::new();
    let ada = scenario.state.users[0].object_id().to_owned();

    let page = scenario.authorize(&[]).unwrap();
    assert!(scenario.choose(&page, Choice::User(&ada)).is_ok());
    assert_eq!(why(scenario.choose(&page, Choice::User(&ada))).1, 50_196);

    let page = scenario.authorize(&[]).unwrap();
    assert_eq!(why(scenario.choose(&page, Choice::Accept)).1, 90_000);

    let page = scenario.authorize(&[]).unwrap();
    assert_eq!(why(scenario.choose(&page, Choice::User("nobody"))).1, 50_034);

    let page = scenario.authorize(&[]).unwrap();
    scenario.pass(900);
    assert_eq!(why(scenario.choose(&page, Choice::Cancel)).1, 50_196);
}

#[test]
fn prompt_none_responds_without_a_page() {
    let none = ("prompt", "none");
    let mut scenario = Scenario::new();
    let ask = |scenario: &mut Scenario, more: &[(&str, &str)]| {
        let changes: Vec<_> = more.iter().copied().chain([none]).collect();
        reply(scenario.authorize(&changes).unwrap()).outcome.map_err(|error| error.code.to_string())
    };
    assert_eq!(ask(&mut scenario, &[]).unwrap_err(), "login_required");
    scenario.code(&[]);
    assert!(ask(&mut scenario, &[]).is_ok());
    assert!(ask(&mut scenario, &[("login_hint", "ADA@contoso.example")]).is_ok());
    let other = [("login_hint", "grace@contoso.example")];
    assert_eq!(ask(&mut scenario, &other).unwrap_err(), "login_required");
    let more = [("scope", "Mail.Read")];
    assert_eq!(ask(&mut scenario, &more).unwrap_err(), "consent_required");

    scenario.pass(60);
    assert!(ask(&mut scenario, &[("max_age", "60")]).is_ok());
    assert_eq!(ask(&mut scenario, &[("max_age", "59")]).unwrap_err(), "login_required");
    assert_eq!(ask(&mut scenario, &[("max_age", "-1")]).unwrap_err(), "invalid_request");

    let grace = scenario.state.users[1].object_id().to_owned();
    scenario.state.signed_in.insert(grace, scenario.now);
    assert_eq!(ask(&mut scenario, &[]).unwrap_err(), "interaction_required");
}

#[test]
fn the_response_names_the_account_if_requested() {
    let mut scenario = Scenario::new();
    scenario.code(&[]);
    for (changes, expected) in [(&[][..], false), (&[("client_info", "1")], true)] {
        let page = scenario.authorize(changes).unwrap();
        let ada = scenario.state.users[0].object_id().to_owned();
        let answer = reply(scenario.choose(&page, Choice::User(&ada)).unwrap());
        assert_eq!(field(&answer, "session_state").len(), 36);
        let names: Vec<_> = answer.outcome.unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.contains(&"client_info"), expected);
        assert_eq!(names[0], "code");
    }
    assert_eq!(scenario.state.settings.client_name(CLIENT), CLIENT);
}
