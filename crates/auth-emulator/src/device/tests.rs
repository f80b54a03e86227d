//! The rules of a sign-in on another device as tables, without sockets: its pages, and its grant at the token endpoint.

use std::time::Duration;

use super::*;
use crate::directory::TenantId;
use crate::scenario::{CLIENT, Scenario, why};

const OTHER: &str = "c0ffee00-0000-4000-8000-000000000002";
const URN: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");

#[test]
fn an_incomplete_device_request_is_rejected() {
    for (changes, number) in
        [(&[("client_id", "")][..], 900_144), (&[("scope", "")], 900_144), (&[("claims", "no json")], 9_000_411)]
    {
        assert_eq!(why(Scenario::new().device(changes)), ("invalid_request".into(), number, None), "{changes:?}");
    }
}

#[test]
fn a_user_code_is_accepted_however_it_is_typed() {
    let mut scenario = Scenario::new();
    let code = scenario.device(&[]).unwrap();
    let (one, two) = code.user_code.split_once('-').unwrap();
    assert_eq!((one.len(), two.len()), (4, 4));
    assert!(code.user_code.chars().all(|c| c == '-' || (c.is_ascii_uppercase() && !"AEIOUY".contains(c))));
    for (typed, known) in [
        (code.user_code.clone(), true),
        (code.user_code.to_lowercase(), true),
        (format!(" {one} {two} "), true),
        (format!("{one}{two}"), true),
        (one.to_owned(), false),
        (format!("{one}{two}X"), false),
        (String::new(), false),
        ("-".to_owned(), false),
    ] {
        let page = scenario.enter(&typed);
        assert_eq!(page.is_ok(), known, "{typed:?}");
        if !known {
            assert_eq!(why(page).1, 70_018, "{typed:?}");
        }
    }
}

#[test]
fn both_names_of_the_grant_type_return_tokens_once() {
    for changes in [&[][..], &[URN], &[URN, ("scope", "User.Read")]] {
        let mut scenario = Scenario::new();
        let code = scenario.device(&[]).unwrap();
        let done = scenario.answer_device(&code.user_code, Choice::Accept);
        assert!(matches!(done, Step::Done { allowed: true, .. }));
        scenario.pass(5);
        let grant = scenario.poll(&code.device_code, changes).unwrap();
        assert_eq!((grant.user.username(), grant.tenant), ("ada@contoso.example", TenantId::Home));
        assert_eq!((grant.nonce, grant.resource.as_str()), (None, "https://graph.microsoft.com"));
        scenario.pass(5);
        let again = scenario.poll(&code.device_code, changes);
        assert_eq!(why(again), ("invalid_grant".into(), 54_005, None), "{changes:?}");
        assert!(scenario.refresh(&grant.refresh_token.unwrap(), &[]).is_ok());
    }
}

/// A step in the life of a device code.
enum Then {
    Passes(u64),
    Accepted,
    Declined,
    Says(&'static str),
}

#[test]
fn a_device_gets_the_right_error_until_its_user_has_decided() {
    use Then::{Accepted, Declined, Passes, Says};
    const PENDING: Then = Says("authorization_pending");
    const SLOW: Then = Says("slow_down");
    for (number, course) in [
        vec![Passes(5), PENDING, Passes(5), PENDING, Accepted, Passes(5), Says("")],
        vec![SLOW, Passes(10), PENDING],
        // Each early poll lengthens the interval by five seconds for good.
        vec![Passes(5), PENDING, Passes(4), SLOW, Passes(9), SLOW, Passes(15), PENDING, Passes(15), PENDING],
        vec![Accepted, SLOW, Passes(10), Says("")],
        vec![Declined, Passes(5), Says("authorization_declined"), Passes(5), Says("authorization_declined")],
        vec![Passes(899), PENDING, Passes(1), Says("expired_token"), Says("expired_token")],
        vec![Accepted, Passes(900), Says("expired_token")],
        vec![Passes(900 + 3_600), Says("expired_token")],
    ]
    .into_iter()
    .enumerate()
    {
        let mut scenario = Scenario::new();
        let code = scenario.device(&[]).unwrap();
        for then in course {
            match then {
                Passes(seconds) => scenario.pass(seconds),
                Accepted => drop(scenario.answer_device(&code.user_code, Choice::Accept)),
                Declined => drop(scenario.answer_device(&code.user_code, Choice::Cancel)),
                Says(expected) => {
                    let error = scenario.poll(&code.device_code, &[URN]).err();
                    let said = error.map(|error| error.code.into_owned()).unwrap_or_default();
                    assert_eq!(said, expected, "course {number}");
                }
            }
        }
    }
}

#[test]
fn a_device_code_is_bound_to_what_it_was_issued_for() {
    for (changes, tenant, code, number) in [
        (&[("device_code", "")][..], Tenant::Common, "invalid_request", 900_144),
        (&[("device_code", "1.D.unknown")], Tenant::Common, "invalid_grant", 70_000),
        (&[("client_id", OTHER)], Tenant::Common, "invalid_grant", 700_051),
        (&[("scope", "Mail.Read")], Tenant::Common, "invalid_grant", 65_001),
        (&[], Tenant::Concrete(TenantId::Second), "invalid_grant", 700_005),
    ] {
        let mut scenario = Scenario::new();
        let device = scenario.device(&[]).unwrap();
        scenario.answer_device(&device.user_code, Choice::Accept);
        scenario.pass(5);
        scenario.tenant = tenant;
        let refusal = why(scenario.poll(&device.device_code, changes));
        assert_eq!((refusal.0.as_str(), refusal.1), (code, number), "{changes:?}");
        scenario.pass(5);
        scenario.tenant = Tenant::Common;
        assert!(scenario.poll(&device.device_code, &[]).is_ok(), "an error does not use up the code: {changes:?}");
    }
}

#[test]
fn consent_is_always_requested_and_the_first_decision_counts() {
    let mut scenario = Scenario::new();
    scenario.code(&[]);
    let code = scenario.device(&[]).unwrap();
    let (first, second) = (scenario.enter(&code.user_code).unwrap(), scenario.enter(&code.user_code).unwrap());
    let ada = scenario.state.users[0].object_id().to_owned();
    let consent = scenario.press(&first, Choice::User(&ada)).unwrap();
    assert!(matches!(consent, Step::Consent { .. }), "even though the user has consented before");
    assert!(matches!(scenario.press(&second, Choice::Cancel), Ok(Step::Done { allowed: false, .. })));
    assert_eq!(why(scenario.press(&consent, Choice::Accept)).1, 50_196);
    assert_eq!(why(scenario.enter(&code.user_code)).1, 70_018);
}

#[test]
fn a_form_is_accepted_once_in_time_and_only_on_its_page() {
    for (choice, seconds, number) in
        [(Choice::Accept, 0, 90_000), (Choice::User("nobody"), 0, 50_034), (Choice::Cancel, 900, 50_196)]
    {
        let mut scenario = Scenario::new();
        let code = scenario.device(&[]).unwrap();
        let page = scenario.enter(&code.user_code).unwrap();
        scenario.pass(seconds);
        assert_eq!(why(scenario.press(&page, choice)).1, number, "{choice:?}");
        assert_eq!(why(scenario.press(&page, choice)).1, 50_196, "{choice:?}");
    }
}

#[test]
fn settings_and_requested_claims_are_applied() {
    let mut scenario = Scenario::new();
    scenario.state.settings.device_interval = Duration::from_secs(1);
    scenario.state.settings.device_code_lifetime = Duration::from_secs(2);
    let claims = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    let code = scenario.device(&[("claims", claims), ("scope", "User.Read openid")]).unwrap();
    scenario.answer_device(&code.user_code, Choice::Accept);
    scenario.pass(1);
    let grant = scenario.poll(&code.device_code, &[]).unwrap();
    assert_eq!((grant.capabilities.as_slice(), grant.refresh_token), (&["cp1".to_owned()][..], None));
    assert_eq!(grant.client_id, CLIENT);
    let late = scenario.device(&[]).unwrap();
    scenario.pass(2);
    assert_eq!(why(scenario.enter(&late.user_code)).1, 70_018);
    assert_eq!(why(scenario.poll(&late.device_code, &[])).0, "expired_token");
}
