use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::account_id::AccountId;
use crate::claims::Claims;
use crate::error::{Classification, TransportError, TransportFault};
use crate::id_token::IdToken;
use crate::testing::{
    CAPABLE_CLAIMS, NOW, capable_context, context, fields, id_claims, json_response, jwt, kind, metadata, response,
    scopes, tokens, with,
};

/// The result of one redemption.
#[derive(Clone, Debug)]
enum Answer {
    Json(u16, Value),
    Raw(u16, &'static [(&'static str, &'static str)], &'static str),
    Lost,
}

fn success() -> Answer {
    Answer::Json(200, tokens())
}

fn refusal(error: &str, suberror: &str) -> Answer {
    Answer::Json(400, json!({"error": error, "suberror": suberror}))
}

fn input(answer: Answer) -> Input {
    match answer {
        Answer::Json(status, body) => Input::Response(json_response(status, &body)),
        Answer::Raw(status, headers, body) => Input::Response(response(status, headers, body)),
        Answer::Lost => Input::Failed(TransportError::after_send(TransportFault::Timeout, "idp.example", "")),
    }
}

/// `*` marks a token of a family.
fn candidates(tokens: &[&str]) -> Vec<RefreshCandidate> {
    let candidate = |token: &str| Secret::new(token.trim_start_matches('*').to_owned());
    tokens.iter().map(|token| RefreshCandidate::new(candidate(token), token.starts_with('*'))).collect()
}

fn request() -> RedemptionRequest {
    RedemptionRequest::new(context(), metadata(&[]), AccountId::new("ada"), scopes("User.Read"))
}

fn flow(tokens: &[&str]) -> SilentRedemption {
    SilentRedemption::new(request(), candidates(tokens))
}

/// The form that the flow sends next.
fn sent(flow: &mut SilentRedemption) -> BTreeMap<String, String> {
    match flow.step(NOW).unwrap() {
        Step::Send { request, replay } => {
            assert_eq!(replay, Replay::Once);
            assert_eq!(request.uri(), "https://idp.example/token");
            fields(&request)
        }
        Step::Done(outcome) => panic!("over: {outcome:?}"),
        Step::Wait { .. } => panic!("redemption never waits"),
    }
}

/// Answers until the flow is over; returns the refresh tokens sent and the outcome.
fn run(mut flow: SilentRedemption, answers: impl IntoIterator<Item = Answer>) -> (Vec<String>, SilentOutcome) {
    let (mut tried, mut answers) = (Vec::new(), answers.into_iter());
    loop {
        match flow.step(NOW).unwrap() {
            Step::Send { request, .. } => {
                tried.push(fields(&request)["refresh_token"].clone());
                flow.handle(NOW, input(answers.next().expect("more was sent than expected"))).unwrap();
            }
            Step::Done(outcome) => return (tried, outcome),
            Step::Wait { .. } => panic!("redemption never waits"),
        }
    }
}

fn verdict(outcome: &SilentOutcome) -> String {
    match &outcome.result {
        Ok(_) => "tokens".to_owned(),
        Err(error) => kind(error),
    }
}

#[test]
fn the_answer_decides_whether_the_next_candidate_is_tried() {
    let invalid = || refusal("invalid_grant", "");
    let mismatch = || refusal("invalid_grant", "client_mismatch");
    let retry_after: &[_] = &[("content-type", "application/json"), ("retry-after", "7")];
    let slow_down = Answer::Raw(429, retry_after, "{}");
    let html = Answer::Raw(200, &[("content-type", "text/html")], "<html>");
    let broken = Answer::Json(503, json!({"error": "invalid_grant"}));
    for (found, answers, expected, tried, family_left) in [
        (&[][..], vec![], "ui no_tokens_found", &[][..], false),
        (&["a"], vec![success()], "tokens", &["a"], false),
        (&["*f", "a"], vec![success()], "tokens", &["f"], false),
        (&["*f", "a"], vec![mismatch(), success()], "tokens", &["f", "a"], true),
        (&["*f"], vec![mismatch()], "ui no_tokens_found", &["f"], true),
        // S-85: one refusal counts for all tokens of the family.
        (&["*f", "*g", "a"], vec![mismatch(), success()], "tokens", &["f", "a"], true),
        (&["*f", "*g", "*h"], vec![mismatch()], "ui no_tokens_found", &["f"], true),
        (&["*f", "*g"], vec![invalid(), success()], "tokens", &["f", "g"], false),
        (&["a", "*f"], vec![mismatch(), success()], "tokens", &["a", "f"], false),
        (&["*f", "a"], vec![mismatch(), invalid()], "ui invalid_grant", &["f", "a"], true),
        (&["a", "b"], vec![mismatch(), success()], "tokens", &["a", "b"], false),
        (&["a", "b"], vec![invalid(), success()], "tokens", &["a", "b"], false),
        (&["a", "b"], vec![invalid(), invalid()], "ui invalid_grant", &["a", "b"], false),
        (&["a", "*f"], vec![invalid(), mismatch()], "ui invalid_grant", &["a", "f"], true),
        (&["a", "a", "*a", "b"], vec![invalid(), invalid()], "ui invalid_grant", &["a", "b"], false),
        (&["a", "b"], vec![refusal("interaction_required", "")], "ui interaction_required", &["a"], false),
        (
            &["a", "b"],
            vec![refusal("invalid_grant", "protection_policy_required")],
            "server invalid_grant",
            &["a"],
            false,
        ),
        (&["a", "b"], vec![refusal("invalid_client", "")], "server invalid_client", &["a"], false),
        (&["a", "b"], vec![Answer::Lost], "transport", &["a"], false),
        (&["a", "b"], vec![broken], "server invalid_grant", &["a"], false),
        (&["a", "b"], vec![Answer::Raw(500, &[], "")], "server service_not_available", &["a"], false),
        (&["a", "b"], vec![slow_down], "throttled request_throttled", &["a"], false),
        (
            &["a", "b"],
            vec![html],
            "protocol: the answer is not JSON (status 200, content type text/html); a proxy or a captive portal may be in the way",
            &["a"],
            false,
        ),
        (
            &["a", "b"],
            vec![Answer::Json(200, json!({}))],
            "protocol: the token response has no token_type",
            &["a"],
            false,
        ),
    ] {
        let what = format!("{found:?}: {answers:?}");
        let (sent, outcome) = run(flow(found), answers);
        assert_eq!(verdict(&outcome), expected, "{what}");
        assert_eq!(sent, tried, "{what}");
        assert_eq!(outcome.not_in_family, family_left, "{what}");
    }
}

#[test]
fn the_form_contains_the_request() {
    let mut flow = flow(&["rt 1&"]);
    let expected = [
        ("client_id", "my-client-id"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "rt 1&"),
        ("scope", "User.Read openid profile offline_access"),
        ("client_info", "1"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent(&mut flow), expected.clone().into());

    let mut wanted = request();
    wanted.claims = Some(Claims::parse(r#"{"access_token":{}}"#).unwrap());
    let mut flow = SilentRedemption::new(wanted, candidates(&["rt 1&"]));
    let claims = ("claims".to_owned(), r#"{"access_token":{}}"#.to_owned());
    assert_eq!(sent(&mut flow), expected.into_iter().chain([claims]).collect());

    let mut wanted = request();
    wanted.context = capable_context();
    for (claims, sent_claims) in
        [(None, r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#), (Some(r#"{"id_token":{}}"#), CAPABLE_CLAIMS)]
    {
        wanted.claims = claims.map(|text| Claims::parse(text).unwrap());
        let mut flow = SilentRedemption::new(wanted.clone(), candidates(&["rt 1&"]));
        assert_eq!(sent(&mut flow)["claims"], sent_claims);
    }
}

#[test]
fn the_first_refusal_is_reported_in_full() {
    let first = json!({
        "error": "invalid_grant", "suberror": "consent_required", "claims": r#"{"id_token":{}}"#,
        "error_codes": [65001],
    });
    let second = refusal("invalid_grant", "basic_action");
    let (_, outcome) = run(flow(&["a", "b"]), [Answer::Json(400, first), second]);
    let Err(Error::UiRequired(ui)) = outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(ui.reason, UiReason::Server);
    assert_eq!(ui.classification(), Classification::ConsentRequired);
    assert_eq!(ui.claims.as_deref(), Some(r#"{"id_token":{}}"#));
    assert_eq!(ui.correlation_id, context().correlation_id);
    assert_eq!(ui.server.unwrap().error_codes, [65001]);
}

#[test]
fn throttling_says_how_long_to_wait() {
    let answer = Answer::Raw(503, &[("retry-after", "7")], "");
    let (_, outcome) = run(flow(&["a"]), [answer]);
    let Err(Error::Throttled(throttled)) = outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(throttled.retry_after, Some(core::time::Duration::from_secs(7)));
}

// S-75: tokens of another user are discarded, and no further candidate is tried.
#[test]
fn tokens_of_another_user_are_refused() {
    let answer = |changes: &[(&str, Value)], account: Option<(&str, &str)>| {
        let id_token = jwt(&with(id_claims(), changes));
        let info = account.map_or(Value::Null, |(uid, utid)| json!(crate::testing::client_info(uid, utid)));
        Answer::Json(200, with(tokens(), &[("id_token", json!(id_token)), ("client_info", info)]))
    };
    let stored = Some(IdToken::parse(&Secret::new(jwt(&id_claims()))).unwrap());
    let mismatch = "protocol: the tokens belong to another account than the requested one";
    for (account, stored, answer, expected) in [
        ("ada", &stored, answer(&[], None), "tokens"),
        // S-80: subjects are case-sensitive, Entra's ids are not.
        ("ADA", &stored, answer(&[], None), mismatch),
        ("U.T", &None, answer(&[], Some(("u", "t"))), "tokens"),
        ("ada", &None, answer(&[], None), "tokens"),
        ("ada", &None, answer(&[("sub", json!("bob"))], None), mismatch),
        ("ada", &stored, answer(&[("aud", json!(["my-client-id"]))], None), mismatch),
        ("ada", &stored, answer(&[("azp", json!("my-client-id"))], None), mismatch),
        ("u.t", &None, answer(&[], Some(("u", "t"))), "tokens"),
        ("u.t", &stored, answer(&[], Some(("u", "t"))), "tokens"),
        ("u.t", &None, answer(&[], Some(("v", "t"))), mismatch),
        ("u.t", &None, answer(&[], Some(("u", "w"))), mismatch),
        // The account matches, but the subject does not.
        ("u.t", &stored, answer(&[("sub", json!("bob"))], Some(("u", "t"))), mismatch),
        (
            "ada",
            &None,
            answer(&[("iss", json!("https://evil.example"))], None),
            "protocol: the ID token is not acceptable: it comes from another issuer",
        ),
        // The answer identifies no one, so it is about the requested account.
        ("ada", &stored, success(), "tokens"),
    ] {
        let what = format!("{account}: {answer:?}");
        let mut wanted = request();
        wanted.account = Some(AccountId::new(account));
        wanted.id_tokens.extend(stored.clone());
        let (tried, outcome) = run(SilentRedemption::new(wanted, candidates(&["a", "b"])), [answer]);
        assert_eq!(verdict(&outcome), expected, "{what}");
        assert_eq!(tried, ["a"], "{what}");
    }
}

// S-75: a stored token of another issuer does not match.
#[test]
fn the_issuer_must_be_that_of_the_stored_token() {
    const T: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    let claims = |host: &str| {
        let iss = json!(format!("https://{host}/{T}/v2.0"));
        jwt(&with(id_claims(), &[("iss", iss), ("tid", json!(T))]))
    };
    let run_with = |stored: &str, new: &str| {
        let mut wanted = request();
        wanted.metadata = crate::Authority::tenant(T).unwrap().metadata().unwrap();
        wanted.id_tokens = vec![IdToken::parse(&Secret::new(claims(stored))).unwrap()];
        let answer = Answer::Json(200, with(tokens(), &[("id_token", json!(claims(new)))]));
        verdict(&run(SilentRedemption::new(wanted, candidates(&["a"])), [answer]).1)
    };
    assert_eq!(run_with("login.microsoftonline.com", "login.microsoftonline.com"), "tokens");
    assert!(run_with("sts.windows.net", "login.microsoftonline.com").contains("another account"));
}

// S-75: a domain name does not determine the tenant; the new ID token does.
#[test]
fn with_a_domain_only_stored_tokens_of_the_same_tenant_count() {
    const T: [&str; 2] = ["aaaabbbb-0000-cccc-1111-dddd2222eeee", "bbbbcccc-1111-dddd-2222-eeee3333ffff"];
    let id_token = |tenant: usize, sub: &str| {
        let iss = format!("https://login.microsoftonline.com/{}/v2.0", T[tenant]);
        jwt(&with(id_claims(), &[("iss", json!(iss)), ("tid", json!(T[tenant])), ("sub", json!(sub))]))
    };
    for (authority, stored, new, expected) in [
        ("contoso.example", &[][..], (0, "s0"), "tokens"),
        ("contoso.example", &[(0, "s0")], (0, "s0"), "tokens"),
        ("contoso.example", &[(0, "s0")], (0, "other"), "mismatch"),
        ("contoso.example", &[(1, "s1"), (0, "s0")], (0, "s0"), "tokens"),
        ("contoso.example", &[(1, "s1"), (0, "s0")], (0, "s1"), "mismatch"),
        // The domain has moved to another tenant.
        ("contoso.example", &[(1, "s1")], (0, "s0"), "tokens"),
        (T[0], &[(0, "s0")], (0, "s0"), "tokens"),
        (T[0], &[(1, "s1")], (0, "s0"), "mismatch"),
    ] {
        let mut wanted = request();
        wanted.account = Some(AccountId::new("u.t"));
        wanted.metadata = crate::Authority::tenant(authority).unwrap().metadata().unwrap();
        let stored_tokens = stored.iter().map(|(tenant, sub)| Secret::new(id_token(*tenant, sub)));
        wanted.id_tokens = stored_tokens.map(|raw| IdToken::parse(&raw).unwrap()).collect();
        let info = crate::testing::client_info("u", "t");
        let changes = [("id_token", json!(id_token(new.0, new.1))), ("client_info", json!(info))];
        let answer = Answer::Json(200, with(tokens(), &changes));
        let found = verdict(&run(SilentRedemption::new(wanted, candidates(&["a"])), [answer]).1);
        assert!(found.contains(expected) || (expected == "mismatch" && found.contains("another account")), "{found}");
        assert_eq!(found == "tokens", expected == "tokens", "{authority} {stored:?} {new:?}: {found}");
    }
}

#[test]
fn the_lifetime_starts_at_the_request() {
    let mut flow = flow(&["a"]);
    sent(&mut flow);
    let later = NOW.saturating_add(core::time::Duration::from_secs(20));
    flow.handle(later, input(success())).unwrap();
    let Step::Done(outcome) = flow.step(later).unwrap() else { panic!() };
    let tokens = outcome.result.unwrap();
    assert_eq!((tokens.received_at, tokens.expires_on.as_unix_seconds()), (later, NOW.as_unix_seconds() + 3600));
}

#[test]
fn a_step_is_repeated_until_it_is_answered() {
    let mut flow = flow(&["a", "b"]);
    let first = sent(&mut flow);
    assert_eq!(sent(&mut flow), first);
    flow.handle(NOW, input(refusal("invalid_grant", ""))).unwrap();
    let second = sent(&mut flow);
    assert_ne!(second, first);
    assert_eq!(sent(&mut flow), second);
}

#[test]
fn driving_out_of_order_is_an_error_and_changes_nothing() {
    let out_of_order = Error::from(ProtocolError::OutOfOrder);
    let mut flow = flow(&["a"]);
    assert_eq!(flow.handle(NOW, input(Answer::Lost)), Err(out_of_order.clone()), "nothing was requested yet");
    sent(&mut flow);
    flow.handle(NOW, input(success())).unwrap();
    assert_eq!(flow.handle(NOW, input(Answer::Lost)), Err(out_of_order.clone()), "already answered");
    let Step::Done(outcome) = flow.step(NOW).unwrap() else { panic!() };
    assert_eq!(verdict(&outcome), "tokens");
    assert_eq!(flow.step(NOW).unwrap_err(), out_of_order, "the flow is over");
    assert_eq!(flow.handle(NOW, input(Answer::Lost)), Err(out_of_order), "the flow is over");
}

/// A call of the driver, correct or not.
#[derive(Clone, Debug)]
enum Event {
    Step,
    Handle(Answer),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Step),
        1 => Just(Event::Handle(success())),
        3 => Just(Event::Handle(refusal("invalid_grant", ""))),
        2 => Just(Event::Handle(refusal("invalid_grant", "client_mismatch"))),
        1 => Just(Event::Handle(refusal("interaction_required", ""))),
        1 => Just(Event::Handle(Answer::Lost)),
        1 => Just(Event::Handle(Answer::Raw(200, &[("content-type", "application/json")], "{\"a\":"))),
        1 => Just(Event::Handle(Answer::Raw(429, &[("retry-after", "x")], "\u{0}"))),
        1 => Just(Event::Handle(Answer::Raw(302, &[("location", "http://[")], ""))),
    ]
}

proptest! {
    // P-16: whatever happens, the flow ends, and no refresh token is redeemed twice.
    #[test]
    fn any_sequence_ends_and_sends_each_token_once(
        found in proptest::collection::vec("[a-d]", 0..6),
        events in proptest::collection::vec(event(), 0..40),
    ) {
        let found: Vec<_> = found.iter().map(|token| RefreshCandidate::new(Secret::new(token.clone()), token == "a")).collect();
        let mut flow = SilentRedemption::new(request(), found);
        let mut sent: Vec<String> = Vec::new();
        let (mut asked, mut done) = (false, 0);
        // The end is driven correctly, against a server that refuses everything.
        let ending = [Event::Step, Event::Handle(refusal("invalid_grant", ""))].into_iter().cycle().take(20);
        for event in events.into_iter().chain(ending) {
            match event {
                Event::Step => match flow.step(NOW) {
                    Ok(Step::Send { request, .. }) => {
                        let token = fields(&request)["refresh_token"].clone();
                        if asked {
                            prop_assert_eq!(sent.last(), Some(&token));
                        } else {
                            prop_assert!(!sent.contains(&token), "{} was already sent", token);
                            sent.push(token);
                        }
                        asked = true;
                    }
                    Ok(Step::Done(_)) => done += 1,
                    Ok(Step::Wait { .. }) => prop_assert!(false, "redemption never waits"),
                    Err(error) => prop_assert_eq!((error, done), (ProtocolError::OutOfOrder.into(), 1)),
                },
                Event::Handle(answer) => {
                    prop_assert_eq!(flow.handle(NOW, input(answer)).is_ok(), asked);
                    asked = false;
                }
            }
        }
        prop_assert_eq!(done, 1);
    }

    // P-16: no answer panics.
    #[test]
    fn no_bytes_are_accepted_as_tokens(status in 200_u16..600, body in proptest::collection::vec(any::<u8>(), 0..200), json in any::<bool>()) {
        let mut flow = flow(&["a"]);
        sent(&mut flow);
        let mut response = http::Response::builder().status(status);
        if json {
            response = response.header("content-type", "application/json");
        }
        flow.handle(NOW, Input::Response(response.body(Bytes::from(body)).unwrap())).unwrap();
        let failed = matches!(flow.step(NOW), Ok(Step::Done(outcome)) if outcome.result.is_err());
        prop_assert!(failed);
    }
}
