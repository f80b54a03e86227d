mod discovery;

use serde_json::json;

use super::*;
use crate::account_id::AccountId;
use crate::authorize::{AuthorizationRequest, AuthorizationResponse, RedirectUri};
use crate::error::{Classification, TransportError, TransportFault, UiReason};
use crate::flow::{Flow as _, Input, OneStep, Step};
use crate::secret::Secret;
use crate::testing::{NOW, context, id_claims, json_response, jwt, kind, metadata, scopes, tokens, with};

fn refresh() -> RefreshRedemption {
    let token = Secret::new("rt".to_owned());
    RefreshRedemption::new(context(), metadata(&[]), token, scopes("User.Read"), NOW)
        .expecting(AccountId::new("ada"), Vec::new())
}

fn code() -> CodeRedemption {
    let redirect_uri = RedirectUri::parse("http://localhost").unwrap();
    let request = AuthorizationRequest::new(context(), metadata(&[]), redirect_uri, scopes("User.Read"));
    let pending = request.begin(&mut rand::rngs::SysRng, NOW).unwrap();
    let response = format!("code=c&state={}", pending.state().expose());
    pending.accept(AuthorizationResponse::parse(response.as_bytes()).unwrap(), NOW).unwrap()
}

// Refusals that signing in can fix are `UiRequired`; others are not.
#[test]
fn refusals_are_classified() {
    let ui = Classification::None;
    for (status, error, suberror, claims, of_refresh, of_code) in [
        (400, "invalid_grant", "", "", ("ui invalid_grant", Some(ui)), "server invalid_grant"),
        (400, "invalid_grant", "", "{}", ("ui invalid_grant", Some(ui)), "ui invalid_grant"),
        (
            400,
            "invalid_grant",
            "basic_action",
            "",
            ("ui invalid_grant", Some(Classification::BasicAction)),
            "server invalid_grant",
        ),
        (
            400,
            "invalid_grant",
            "Message_Only",
            "",
            ("ui invalid_grant", Some(Classification::MessageOnly)),
            "server invalid_grant",
        ),
        (
            400,
            "interaction_required",
            "additional_action",
            "",
            ("ui interaction_required", Some(Classification::AdditionalAction)),
            "ui interaction_required",
        ),
        (400, "invalid_grant", "bad_token", "", ("ui invalid_grant", Some(ui)), "server invalid_grant"),
        (400, "invalid_grant", "client_mismatch", "", ("server invalid_grant", None), "server invalid_grant"),
        (400, "invalid_grant", "Client_Mismatch", "", ("server invalid_grant", None), "server invalid_grant"),
        (
            400,
            "invalid_grant",
            "protection_policy_required",
            "",
            ("server invalid_grant", None),
            "server invalid_grant",
        ),
        (400, "login_required", "", "", ("ui login_required", Some(ui)), "server login_required"),
        (400, "consent_required", "", "", ("ui consent_required", Some(ui)), "server consent_required"),
        (401, "invalid_client", "", "", ("server invalid_client", None), "server invalid_client"),
        (400, "Invalid_Grant", "", "", ("server Invalid_Grant", None), "server Invalid_Grant"),
        (400, "made_up", "basic_action", "", ("server made_up", None), "server made_up"),
        (200, "invalid_grant", "", "", ("ui invalid_grant", Some(ui)), "server invalid_grant"),
        (500, "invalid_grant", "", "{}", ("server invalid_grant", None), "server invalid_grant"),
        (503, "interaction_required", "", "", ("server interaction_required", None), "server interaction_required"),
        (429, "invalid_grant", "", "{}", ("throttled invalid_grant", None), "throttled invalid_grant"),
    ] {
        let what = format!("{status} {error} {suberror} {claims}");
        let body = json!({"error": error, "suberror": suberror, "claims": claims, "error_description": "why"});
        let answer = || {
            let mut body = body.clone();
            body.as_object_mut().unwrap().retain(|_, value| value != "");
            json_response(status, &body)
        };
        let refused = refresh().complete(answer(), NOW).unwrap_err();
        let mut classification = None;
        if let Error::UiRequired(ui) = &refused {
            assert_eq!((ui.reason, ui.claims.as_deref().unwrap_or("")), (UiReason::Server, claims), "{what}");
            classification = Some(ui.classification());
        }
        assert_eq!((kind(&refused).as_str(), classification), of_refresh, "{what}");
        assert_eq!(refused.is_transient(), status >= 429, "{what}");
        assert_eq!(kind(&code().complete(answer(), NOW).unwrap_err()), of_code, "{what}");
    }
}

// S-76: every exchange refuses an ID token that was issued with another access token or code.
#[test]
fn an_id_token_must_match_the_access_token_and_the_code() {
    // The left halves of the SHA-256 of "at" and "c".
    let (at_hash, c_hash) = ("sda5G2fCr6XjIpiNlGJjjQ", "Ln0sA6lQeuJl7PW1NWiFpQ");
    for (claim, value, of_refresh, of_code) in [
        ("at_hash", at_hash, true, true),
        ("at_hash", c_hash, false, false),
        ("c_hash", c_hash, true, true),
        ("c_hash", at_hash, true, false),
    ] {
        let answer = |nonce: Option<&str>| {
            let claims = with(id_claims(), &[(claim, json!(value)), ("nonce", json!(nonce))]);
            json_response(200, &with(tokens(), &[("id_token", json!(jwt(&claims)))]))
        };
        assert_eq!(refresh().complete(answer(None), NOW).is_ok(), of_refresh, "{claim} {value} of a refresh");
        let code = code();
        let nonce = code.nonce.expose().to_owned();
        assert_eq!(code.complete(answer(Some(&nonce)), NOW).is_ok(), of_code, "{claim} {value} of a code");
    }
}

// S-112: the members of an error; S-66: their form.
#[test]
fn an_error_answer_is_read_member_by_member() {
    let body = json!({
        "error": "invalid_request", "error_description": format!("a\u{1b}b\r\n{}", "x".repeat(5000)),
        "error_codes": [900144, "65001", -1, 1.5, null, "x"], "suberror": "s\u{202e}ub", "trace_id": "t",
        "correlation_id": "c", "timestamp": "now", "claims": "{}", "error_uri": "https://evil.example",
    });
    let Error::Server(error) = refresh().complete(json_response(400, &body), NOW).unwrap_err() else { panic!() };
    assert_eq!(error.error_codes, [900144, 65001]);
    assert_eq!(error.suberror.as_deref(), Some("sub"));
    let description = error.description.as_deref().unwrap();
    assert!(description.starts_with("abxx") && description.len() == 4096, "{} bytes", description.len());
    assert_eq!((error.trace_id.as_deref(), error.correlation_id.as_deref()), (Some("t"), Some("c")));
    assert_eq!(
        (error.timestamp.as_deref(), error.claims.as_deref(), error.status),
        (Some("now"), Some("{}"), Some(400))
    );
    assert_eq!(
        error.to_string(),
        "the identity provider answered invalid_request, sub, AADSTS900144, AADSTS65001 (HTTP 400)"
    );

    for unusable in [json!(1), json!(""), json!("a\nb"), json!("a\"b"), json!("é"), json!("x".repeat(257))] {
        let refused = refresh().complete(json_response(400, &json!({"error": unusable})), NOW).unwrap_err();
        assert_eq!(kind(&refused), "server http_status_not_200", "{unusable}");
        let refused = refresh().complete(json_response(200, &json!({"error": unusable})), NOW).unwrap_err();
        assert_eq!(kind(&refused), "protocol: the token response has an unusable error", "{unusable}");
    }
}

#[test]
fn granted_scopes_are_distinguished_from_requested_ones() {
    for (scope, granted, declined) in [
        (None, "User.Read", ""),
        (Some(""), "User.Read", ""),
        (Some("user.read openid"), "user.read openid", ""),
        (Some("Mail.Read"), "Mail.Read", "User.Read"),
    ] {
        let body = with(tokens(), &[("scope", json!(scope))]);
        let tokens = refresh().complete(json_response(200, &body), NOW).unwrap();
        assert_eq!(tokens.granted_scopes.to_string(), granted, "{scope:?}");
        assert_eq!(tokens.declined_scopes().to_string(), declined, "{scope:?}");
    }
}

// S-57: a code may have been used although there was no answer; a refresh token may be sent once more.
#[test]
fn only_a_code_is_never_sent_again() {
    assert_eq!(CodeRedemption::REPLAY, Replay::Never);
    assert_eq!(RefreshRedemption::REPLAY, Replay::Once);
    assert_eq!(OpenIdConfiguration::REPLAY, Replay::Once);
    assert_eq!(InstanceDiscovery::REPLAY, Replay::Once);
}

#[test]
fn an_exchange_is_a_flow_of_one_step() {
    let out_of_order = "protocol: the flow was driven out of order";
    let lost = || Input::Failed(TransportError::before_send(TransportFault::Connect, "idp.example", "refused"));
    let answer = || Input::Response(json_response(200, &tokens()));

    let mut flow = OneStep::new(refresh());
    for _ in 0..2 {
        let Step::Send { request, replay } = flow.step(NOW).unwrap() else { panic!() };
        assert_eq!((request.uri().path(), replay), ("/token", Replay::Once));
    }
    flow.handle(NOW, answer()).unwrap();
    assert_eq!(kind(&flow.handle(NOW, lost()).unwrap_err()), out_of_order);
    let Step::Done(tokens) = flow.step(NOW).unwrap() else { panic!() };
    assert_eq!(tokens.access_token.expose(), "at", "a second answer changed nothing");
    assert_eq!(kind(&flow.step(NOW).unwrap_err()), out_of_order);
    assert_eq!(kind(&flow.handle(NOW, answer()).unwrap_err()), out_of_order);

    let mut flow = OneStep::new(code());
    flow.handle(NOW, lost()).unwrap();
    assert_eq!(kind(&flow.step(NOW).unwrap_err()), "transport");
    assert_eq!(kind(&flow.step(NOW).unwrap_err()), out_of_order);
}
