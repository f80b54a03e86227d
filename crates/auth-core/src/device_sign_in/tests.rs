use bytes::Bytes;
use http::Response;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::authority::Authority;
use crate::claims::Claims;
use crate::error::{ConfigError, TransportError, TransportFault};
use crate::testing::{
    CAPABLE_CLAIMS, NOW, capable_context, context, fields, json_response, kind, metadata, response, scopes, tokens,
    with,
};

fn code_answer() -> Value {
    json!({
        "device_code": "dc", "user_code": "WDJB-MJHT", "verification_uri": "https://idp.example/device",
        "expires_in": 900, "interval": 5,
    })
}

fn begin() -> DeviceAuthorization {
    let metadata = metadata(&[("device_authorization_endpoint", json!("https://idp.example/devicecode"))]);
    DeviceAuthorization::new(context(), metadata, scopes("User.Read")).unwrap()
}

fn code(changes: &[(&str, Value)]) -> Result<DeviceCode, Error> {
    begin().complete(json_response(200, &with(code_answer(), changes)), NOW)
}

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

#[test]
fn the_first_request_asks_for_a_code() {
    let sent = fields(&begin().request());
    let expected = [("client_id", "my-client-id"), ("scope", "User.Read openid profile offline_access")];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(begin().request().uri(), "https://idp.example/devicecode");

    let entra = Authority::tenant("organizations").unwrap().metadata().unwrap();
    let claims = Some(Claims::parse(r#"{"id_token":{}}"#).unwrap());
    let request = DeviceAuthorization::new(capable_context(), entra, scopes("a")).unwrap().with_claims(claims);
    assert_eq!(request.request().uri().path(), "/organizations/oauth2/v2.0/devicecode");
    assert_eq!(fields(&request.request())["claims"], CAPABLE_CLAIMS);
}

#[test]
fn only_some_kinds_offer_device_codes() {
    for (authority, path) in [
        ("https://login.microsoftonline.com/contoso.example", Some("/contoso.example/oauth2/v2.0/devicecode")),
        ("https://contoso.ciamlogin.com", Some("/contoso.onmicrosoft.com/oauth2/v2.0/devicecode")),
        ("https://adfs.contoso.example/adfs", Some("/adfs/oauth2/devicecode")),
        ("https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin", None),
    ] {
        let metadata = Authority::parse(authority).unwrap().metadata().unwrap();
        let endpoint = metadata.device_authorization_endpoint().map(|endpoint| endpoint.path().to_owned());
        assert_eq!(endpoint.as_deref(), path, "{authority}");
        let request = DeviceAuthorization::new(context(), metadata, scopes("a"));
        assert_eq!(request.is_ok(), path.is_some(), "{authority}");
    }
    let error = DeviceAuthorization::new(context(), metadata(&[]), scopes("a")).unwrap_err();
    assert_eq!(error, ConfigError::NotOffered("sign-in with a device code"));
}

#[test]
fn each_member_of_the_answer_is_checked() {
    for (name, value, accepted) in [
        ("device_code", json!(null), false),
        ("device_code", json!(""), false),
        ("device_code", json!("a b"), false),
        ("user_code", json!(null), false),
        ("user_code", json!(""), false),
        ("user_code", json!(" \u{1b}\r\n"), false),
        ("user_code", json!(7), false),
        ("verification_uri", json!(null), false),
        ("verification_uri", json!("http://idp.example/device"), false),
        ("verification_uri", json!("https://10.0.0.1/device"), false),
        ("verification_uri", json!("javascript:alert(1)"), false),
        ("verification_uri", json!("https://microsoft.example/devicelogin"), true),
        ("verification_uri_complete", json!("http://idp.example/device?c=1"), true),
        ("expires_in", json!(null), false),
        ("expires_in", json!("900"), true),
        ("expires_in", json!(-1), false),
        ("interval", json!(null), true),
        ("interval", json!("5"), true),
        ("interval", json!("soon"), false),
        ("message", json!(7), true),
    ] {
        assert_eq!(code(&[(name, value.clone())]).is_ok(), accepted, "{name}: {value}");
    }
    let old = [("verification_uri", json!(null)), ("verification_url", json!("https://idp.example/old"))];
    assert_eq!(code(&old).unwrap().verification_uri.path(), "/old");
    let complete = |text: &str| code(&[("verification_uri_complete", json!(text))]).unwrap().verification_uri_complete;
    assert_eq!(complete("https://idp.example/d?c=1").unwrap().query(), Some("c=1"));
    assert_eq!(complete("http://idp.example/d?c=1"), None, "an unusable optional URL is ignored");
    let refused = begin().complete(json_response(200, &json!({"error": "invalid_client"})), NOW).unwrap_err();
    assert_eq!(kind(&refused), "server invalid_client");
}

#[test]
fn texts_are_made_safe_and_times_limited() {
    let hostile = "A\u{1b}[2J-B\u{202e}C";
    let shown = code(&[("user_code", json!(hostile)), ("message", json!(hostile))]).unwrap();
    assert_eq!((shown.user_code.as_str(), shown.message.as_deref()), ("A[2J-BC", Some("A[2J-BC")));
    for (expires_in, interval, life, pause) in
        [(json!(900), json!(null), 900, 5), (json!(90_000), json!(0), 3600, 1), (json!(1), json!(600), 1, 60)]
    {
        let code = code(&[("expires_in", expires_in), ("interval", interval)]).unwrap();
        assert_eq!((code.expires_on, code.interval.as_secs()), (later(life), pause));
    }
    let debug = format!("{shown:?}");
    assert!(!debug.contains("dc\"") && !debug.contains("A[2J"), "{debug}");
}

/// The result of one poll.
enum Answer {
    Tokens,
    Says(u16, &'static str),
    Busy(u16, &'static [(&'static str, &'static str)]),
    Lost,
    Garbage,
}

fn input(answer: &Answer) -> Input {
    Input::Response(match answer {
        Answer::Tokens => json_response(200, &tokens()),
        Answer::Says(status, error) => json_response(*status, &json!({ "error": error })),
        Answer::Busy(status, headers) => response(*status, headers, ""),
        Answer::Garbage => response(200, &[("content-type", "text/html")], "<html>"),
        Answer::Lost => {
            return Input::Failed(TransportError::after_send(TransportFault::Timeout, "idp.example", ""));
        }
    })
}

/// Polls until the end; returns the pause before each poll, and the result.
fn drive(answers: &[Answer]) -> (Vec<u64>, String) {
    let (mut now, mut pauses, mut answers) = (NOW, Vec::new(), answers.iter());
    let mut flow = DeviceSignIn::new(begin(), &code(&[]).unwrap(), NOW);
    let mut waited = 0;
    loop {
        match flow.step(now) {
            Ok(Step::Wait { until }) => {
                assert!(until > now);
                let again = flow.step(now).unwrap();
                assert!(matches!(again, Step::Wait { until: same } if same == until), "the step is repeated");
                waited = now.duration_until(until).as_secs();
                now = until;
            }
            Ok(Step::Send { request, replay }) => {
                assert_eq!((request.uri().path(), replay), ("/token", crate::exchange::Replay::Never));
                let sent = fields(&request);
                assert_eq!(sent["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
                assert_eq!((sent["device_code"].as_str(), sent["client_id"].as_str()), ("dc", "my-client-id"));
                pauses.push(waited);
                flow.handle(now, input(answers.next().expect("an unexpected poll"))).unwrap();
            }
            Ok(Step::Done(tokens)) => return (pauses, tokens.access_token.expose().to_owned()),
            Err(error) => {
                assert!(matches!(flow.step(now), Err(Error::Protocol(_))), "it is over");
                return (pauses, kind(&error));
            }
        }
    }
}

#[test]
fn answers_determine_when_polling_continues_or_ends() {
    use Answer::{Busy, Garbage, Lost, Says, Tokens};
    const PENDING: Answer = Says(400, "authorization_pending");
    for (answers, pauses, end) in [
        (vec![Tokens], vec![5], "at"),
        (vec![PENDING, Says(200, "authorization_pending"), Tokens], vec![5, 5, 5], "at"),
        // Permanently slower.
        (vec![Says(400, "slow_down"), PENDING, Says(400, "slow_down"), Tokens], vec![5, 10, 10, 15], "at"),
        (vec![Lost, Lost, Lost, Lost, Lost, PENDING, Tokens], vec![5, 10, 20, 40, 60, 60, 60], "at"),
        (vec![Busy(503, &[]), Tokens], vec![5, 10], "at"),
        (vec![Busy(503, &[("retry-after", "30")]), Tokens], vec![5, 30], "at"),
        (vec![Busy(429, &[("retry-after", "2")]), Tokens], vec![5, 10], "at"),
        (vec![PENDING, Says(400, "expired_token")], vec![5, 5], "ui expired_token"),
        (vec![Says(400, "code_expired")], vec![5], "ui code_expired"),
        (vec![Says(400, "bad_verification_code")], vec![5], "ui bad_verification_code"),
        (vec![Says(400, "authorization_declined")], vec![5], "server authorization_declined"),
        (vec![Says(400, "access_denied")], vec![5], "server access_denied"),
        (vec![Says(400, "invalid_grant")], vec![5], "server invalid_grant"),
        (vec![Says(401, "invalid_client")], vec![5], "server invalid_client"),
    ] {
        assert_eq!(drive(&answers), (pauses, end.to_owned()));
    }
    assert!(drive(&[Garbage]).1.starts_with("protocol"));
}

#[test]
fn polling_ends_when_the_code_expires() {
    let pending: Vec<_> = (0..200).map(|_| Answer::Says(400, "authorization_pending")).collect();
    let (pauses, end) = drive(&pending);
    assert_eq!((pauses.len(), end.as_str()), (179, "ui code_expired"));
    let lost: Vec<_> = (0..200).map(|_| Answer::Lost).collect();
    let (pauses, end) = drive(&lost);
    assert_eq!((pauses.len() < 20, end.as_str()), (true, "ui code_expired"));
    // The machine was suspended until then.
    let mut flow = DeviceSignIn::new(begin(), &code(&[]).unwrap(), NOW);
    assert!(matches!(flow.step(NOW), Ok(Step::Wait { .. })));
    assert_eq!(kind(&flow.step(later(4000)).unwrap_err()), "ui code_expired");
}

// R-33.
#[test]
fn setting_the_clock_back_postpones_nothing() {
    const DAY: Duration = Duration::from_secs(86_400);
    let set_forward = NOW.saturating_add(DAY);
    let code = begin().complete(json_response(200, &code_answer()), set_forward).unwrap();
    let begin = || DeviceSignIn::new(begin(), &code, set_forward);
    let after = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    // The next poll follows after the usual interval.
    let mut flow = begin();
    assert!(matches!(flow.step(set_forward), Ok(Step::Wait { .. })));
    assert!(matches!(flow.step(NOW), Ok(Step::Wait { until }) if until == after(5)));
    assert!(matches!(flow.step(after(5)), Ok(Step::Send { .. })));
    // The code does not live a day longer.
    let mut flow = begin();
    assert!(matches!(flow.step(NOW), Ok(Step::Wait { .. })));
    assert!(matches!(flow.step(after(899)), Ok(Step::Send { .. })));
    flow.handle(after(899), input(&Answer::Lost)).unwrap();
    assert!(matches!(flow.step(after(899)), Ok(Step::Wait { until }) if until == after(900)));
    assert_eq!(kind(&flow.step(after(900)).unwrap_err()), "ui code_expired");
}

#[test]
fn unrequested_input_is_an_error() {
    let mut flow = DeviceSignIn::new(begin(), &code(&[]).unwrap(), NOW);
    for now in [NOW, later(4)] {
        assert!(matches!(flow.step(now), Ok(Step::Wait { .. })));
        let unasked = flow.handle(now, input(&Answer::Tokens));
        assert!(matches!(unasked, Err(Error::Protocol(_))));
    }
    assert!(matches!(flow.step(later(5)), Ok(Step::Send { .. })));
    assert!(matches!(flow.step(later(5)), Ok(Step::Send { .. })), "the step is repeated");
}

/// Whether this is C0, DEL, C1, a line separator, or changes the direction of text.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A member's value: valid, arbitrary, or text with control characters.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("https://idp.example/device".to_owned()),
        Just("authorization_pending".to_owned()),
        Just("slow_down".to_owned()),
        "[A-Z]{4}-[A-Z]{4}",
        "\\PC*",
        ".*",
        "[\u{0}-\u{9f}\u{61c}\u{200b}-\u{202e}\u{2060}-\u{206f}A-C]{0,80}",
        "https://idp\\.example/.{0,10}",
    ];
    prop_oneof![
        6 => text.prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(json!([{}, null])),
    ]
}

/// An answer with some members, its own and others, set to arbitrary values.
fn answer(valid: fn() -> Value) -> impl Strategy<Value = Response<Bytes>> {
    const MEMBERS: [&str; 11] = [
        "device_code",
        "user_code",
        "verification_uri",
        "verification_url",
        "verification_uri_complete",
        "message",
        "expires_in",
        "interval",
        "error",
        "error_description",
        "access_token",
    ];
    let changes = proptest::collection::vec((proptest::sample::select(&MEMBERS[..]), value()), 0..5);
    let body = prop_oneof![
        6 => changes.prop_map(move |changes| with(valid(), &changes).to_string().into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..200),
    ];
    let status = proptest::sample::select(&[200, 200, 200, 400, 401, 429, 503][..]);
    (status, body).prop_map(|(status, body)| {
        let response = Response::builder().status(status).header("content-type", "application/json");
        response.body(Bytes::from(body)).unwrap()
    })
}

fn refusal() -> Value {
    json!({"error": "authorization_pending"})
}

/// The texts of an error that users may see, including the server's description.
fn texts(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string(), format!("{error:?}")];
    if let Error::Server(server) = error {
        texts.extend(server.description.clone());
    }
    texts
}

proptest! {
    // P-14.
    #[test]
    fn no_answer_with_a_code_panics_or_controls_the_terminal(answer in answer(code_answer)) {
        let shown = match begin().complete(answer, NOW) {
            Ok(code) => {
                prop_assert!(!code.user_code.trim().is_empty() && code.user_code.len() <= 64);
                prop_assert!((later(0)..=later(3600)).contains(&code.expires_on));
                prop_assert!((1..=60).contains(&code.interval.as_secs()));
                prop_assert_eq!(code.verification_uri.scheme_str(), Some("https"));
                let complete = code.verification_uri_complete.as_ref().map(ToString::to_string);
                let debug = format!("{code:?}");
                let texts = [Some(code.user_code), Some(code.verification_uri.to_string()), complete, code.message];
                texts.into_iter().flatten().chain([debug]).collect()
            }
            Err(error) => texts(&error),
        };
        for text in shown {
            prop_assert!(!text.contains(is_control), "{:?}", text);
        }
    }

    #[test]
    fn no_answer_to_a_poll_panics_or_outlives_the_code(
        answers in proptest::collection::vec(
            proptest::option::weighted(0.9, prop_oneof![9 => answer(refusal), 1 => answer(tokens)]),
            0..20,
        ),
    ) {
        let (mut flow, mut now) = (DeviceSignIn::new(begin(), &code(&[]).unwrap(), NOW), NOW);
        let mut answers = answers.into_iter();
        let end = loop {
            match flow.step(now) {
                Ok(Step::Wait { until }) => {
                    prop_assert!(until > now && until <= later(900));
                    now = until;
                }
                Ok(Step::Send { .. }) => {
                    let lost = || Input::Failed(TransportError::after_send(TransportFault::Timeout, "idp.example", ""));
                    flow.handle(now, answers.next().flatten().map_or_else(lost, Input::Response)).unwrap();
                }
                Ok(Step::Done(_)) => break None,
                Err(error) => break Some(error),
            }
        };
        for text in end.iter().flat_map(texts) {
            prop_assert!(!text.contains(is_control), "{:?}", text);
        }
    }
}
