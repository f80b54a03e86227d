//! The rules of the token endpoint as tables, without sockets.

use crate::directory::{Tenant, TenantId};
use crate::scenario::{CHALLENGE, CLIENT, Scenario, why};
use crate::settings::Rotation;

const OTHER: &str = "c0ffee00-0000-4000-8000-000000000002";

#[test]
fn incomplete_requests_and_other_grant_types_are_rejected() {
    for (changes, code, number) in [
        (&[("grant_type", "")][..], "invalid_request", 900_144),
        (&[("client_id", "")], "invalid_request", 900_144),
        (&[("code", "")], "invalid_request", 900_144),
        (&[("redirect_uri", "")], "invalid_request", 900_144),
        (&[("code_verifier", "")], "invalid_request", 900_144),
        (&[("grant_type", "password")], "unsupported_grant_type", 70_003),
        (&[("claims", "no json")], "invalid_request", 9_000_411),
        (&[("claims", "[]")], "invalid_request", 9_000_411),
    ] {
        let mut scenario = Scenario::new();
        let code_text = scenario.code(&[]);
        let refusal = why(scenario.redeem(&code_text, changes));
        assert_eq!(refusal, (code.into(), number, None), "{changes:?}");
    }
}

#[test]
fn a_code_is_bound_to_everything_it_was_issued_with() {
    for (changes, number) in [
        (&[("code", "1.unknown")][..], 70_000),
        (&[("client_id", OTHER)], 700_051),
        (&[("redirect_uri", "http://localhost:5000")], 50_011),
        (&[("redirect_uri", "http://127.0.0.1:5000/")], 50_011),
        (&[("code_verifier", CHALLENGE)], 501_481),
        (&[("code_verifier", "too-short")], 501_481),
    ] {
        let mut scenario = Scenario::new();
        let code = scenario.code(&[]);
        let refusal = why(scenario.redeem(&code, changes));
        assert_eq!(refusal, ("invalid_grant".into(), number, None), "{changes:?}");
        assert!(scenario.redeem(&code, &[]).is_ok(), "an error does not use up the code");
    }
}

#[test]
fn a_code_expires_after_a_minute() {
    for (seconds, alive) in [(0, true), (59, true), (60, false), (3_000, false)] {
        let mut scenario = Scenario::new();
        let code = scenario.code(&[]);
        scenario.pass(seconds);
        assert_eq!(scenario.redeem(&code, &[]).is_ok(), alive, "{seconds}");
    }
}

#[test]
fn a_code_is_redeemed_once_and_its_second_use_revokes_the_first_tokens() {
    let mut scenario = Scenario::new();
    let code = scenario.code(&[]);
    let first = scenario.redeem(&code, &[]).unwrap();
    assert_eq!(why(scenario.redeem(&code, &[])), ("invalid_grant".into(), 54_005, None));
    let refresh_token = first.refresh_token.unwrap();
    assert_eq!(why(scenario.refresh(&refresh_token, &[])).1, 50_173);
}

#[test]
fn a_code_belongs_to_its_tenant() {
    let mut scenario = Scenario::new();
    let code = scenario.code(&[]);
    scenario.tenant = Tenant::Concrete(TenantId::Second);
    assert_eq!(why(scenario.redeem(&code, &[])).1, 700_005);
    scenario.tenant = Tenant::Concrete(TenantId::Home);
    assert_eq!(scenario.redeem(&code, &[]).unwrap().tenant, TenantId::Home);
}

#[test]
fn rotation_decides_whether_the_old_refresh_token_still_works() {
    // Whether the response contains a new token, whether the old one still works afterwards, and whether the new one
    // works after the old one has been tried again.
    for (rotation, brings, old_works, new_works) in [
        (Rotation::None, false, true, true),
        (Rotation::Overlap, true, true, true),
        (Rotation::Rotate, true, false, true),
        (Rotation::RevokeFamilyOnReuse, true, false, false),
    ] {
        let mut scenario = Scenario::new();
        scenario.state.settings.rotation = rotation;
        let old = scenario.refresh_token();
        let next = scenario.refresh(&old, &[]).unwrap().refresh_token;
        assert_eq!(next.is_some(), brings, "{rotation:?}");
        assert_ne!(next.as_ref(), Some(&old), "{rotation:?}");
        let again = scenario.refresh(&old, &[]);
        assert_eq!(again.is_ok(), old_works, "{rotation:?}");
        if !old_works {
            let expected = ("invalid_grant".into(), 70_000, Some("bad_token".into()));
            assert_eq!(why(again), expected, "{rotation:?}");
        }
        let next = next.unwrap_or(old);
        assert_eq!(scenario.refresh(&next, &[]).is_ok(), new_works, "{rotation:?}");
    }
}

#[test]
fn reuse_revokes_only_the_tokens_of_its_sign_in() {
    let mut scenario = Scenario::new();
    scenario.state.settings.rotation = Rotation::RevokeFamilyOnReuse;
    let bystander = scenario.refresh_token();
    let old = scenario.refresh_token();
    let new = scenario.refresh(&old, &[]).unwrap().refresh_token.unwrap();
    assert!(scenario.refresh(&old, &[]).is_err());
    assert_eq!(why(scenario.refresh(&new, &[])).1, 50_173);
    assert!(scenario.refresh(&bystander, &[]).is_ok());
}

#[test]
fn a_refresh_token_expires() {
    let mut scenario = Scenario::new();
    let token = scenario.refresh_token();
    scenario.pass(90 * 86_400);
    let expected = ("invalid_grant".into(), 700_082, Some("bad_token".into()));
    assert_eq!(why(scenario.refresh(&token, &[])), expected);
}

#[test]
fn a_refresh_grants_only_consented_scopes() {
    for (scope, widen, expected) in [
        ("User.Read", false, Ok("User.Read")),
        ("", false, Ok("User.Read Mail.Read")),
        ("https://graph.microsoft.com/mail.read", false, Ok("https://graph.microsoft.com/mail.read")),
        ("https://graph.microsoft.com/.default", false, Ok("https://graph.microsoft.com/.default Mail.Read User.Read")),
        ("api://a/x", false, Ok("api://a/x")),
        ("Files.Read", false, Err((65_001, Some("consent_required")))),
        ("Files.Read", true, Ok("Files.Read")),
        ("api://b/x", true, Err((65_001, Some("consent_required")))),
        ("User.Read api://a/x", false, Err((28_000, None))),
    ] {
        let mut scenario = Scenario::new();
        scenario.state.settings.widen_on_refresh = widen;
        let code = scenario.code(&[("scope", "User.Read Mail.Read api://a/x openid offline_access")]);
        let token = scenario.redeem(&code, &[("scope", "User.Read openid offline_access")]);
        let token = token.unwrap().refresh_token.unwrap();
        let seen = scenario.refresh(&token, &[("scope", scope)]).map(|grant| {
            let texts: Vec<&str> = grant.scopes.scopes.iter().map(|scope| scope.text()).collect();
            texts.join(" ")
        });
        let seen = seen.map_err(|error| (error.number, error.suberror));
        let expected = expected
            .map(str::to_owned)
            .map_err(|(number, suberror): (u32, Option<&'static str>)| (number, suberror.map(Into::into)));
        assert_eq!(seen, expected, "{scope} {widen}");
    }
}

#[test]
fn a_code_grants_only_consented_scopes() {
    let mut scenario = Scenario::new();
    let code = scenario.code(&[]);
    let refusal = why(scenario.redeem(&code, &[("scope", "Mail.Read")]));
    assert_eq!(refusal, ("invalid_grant".into(), 65_001, Some("consent_required".into())));
}

#[test]
fn a_refresh_token_belongs_to_its_client_or_to_the_family() {
    for (family, expected) in [
        (&[][..], Some((70_000, None))),
        (&[CLIENT], Some((70_000, Some("client_mismatch".to_owned())))),
        (&[OTHER], Some((70_000, None))),
        (&[CLIENT, OTHER], None),
    ] {
        let mut scenario = Scenario::new();
        scenario.state.settings.family_clients.extend(family.iter().map(|id| (*id).to_owned()));
        let token = scenario.refresh_token();
        let seen = scenario.refresh(&token, &[("client_id", OTHER)]);
        let seen = seen.err().map(|error| (error.number, error.suberror.map(String::from)));
        assert_eq!(seen, expected, "{family:?}");
    }
}

#[test]
fn a_refresh_token_works_in_each_tenant_of_its_account() {
    for (tenant, expected) in [
        (Tenant::Common, Some(TenantId::Home)),
        (Tenant::Organizations, Some(TenantId::Home)),
        (Tenant::Concrete(TenantId::Home), Some(TenantId::Home)),
        (Tenant::Concrete(TenantId::Second), Some(TenantId::Second)),
        (Tenant::Concrete(TenantId::Personal), None),
    ] {
        let mut scenario = Scenario::new();
        let token = scenario.refresh_token();
        scenario.tenant = tenant;
        let seen = scenario.refresh(&token, &[]).ok().map(|grant| grant.tenant);
        assert_eq!(seen, expected, "{tenant:?}");
    }
}

#[test]
fn revocation_affects_only_the_tokens_of_its_user() {
    let mut scenario = Scenario::new();
    let token = scenario.refresh_token();
    let nobody = scenario.state.refresh_tokens.revoke(|sign_in| sign_in.user.username() == "x");
    assert_eq!(nobody, 0);
    let ada = scenario.state.users[0].clone();
    assert_eq!(scenario.state.refresh_tokens.revoke(|sign_in| sign_in.user == ada), 1);
    assert_eq!(why(scenario.refresh(&token, &[])).1, 50_173);
}

#[test]
fn the_grant_contains_the_claims_of_the_tokens() {
    let mut scenario = Scenario::new();
    let claims = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    let code = scenario.code(&[("nonce", "n-1"), ("claims", claims)]);
    let grant = scenario.redeem(&code, &[("client_info", "1")]).unwrap();
    assert_eq!(grant.nonce.as_deref(), Some("n-1"));
    assert_eq!(grant.capabilities, ["cp1"]);
    assert_eq!(grant.resource, "https://graph.microsoft.com");
    assert!(grant.client_info && !grant.family);
    let refreshed = scenario.refresh(&grant.refresh_token.unwrap(), &[]).unwrap();
    assert_eq!(refreshed.nonce, None, "a nonce belongs only to the sign-in");
}

#[test]
fn without_offline_access_there_is_no_refresh_token() {
    let mut scenario = Scenario::new();
    let code = scenario.code(&[("scope", "User.Read openid")]);
    assert_eq!(scenario.redeem(&code, &[]).unwrap().refresh_token, None);
}
