//! Every parameter of the authorization request, and its effect on the redemption.

use core::time::Duration;

use super::*;
use crate::client::Application;
use crate::error::IdTokenFault;
use crate::testing::CLIENT;
use crate::time::Timestamp;

#[test]
fn optional_parameters_are_sent_only_if_set() {
    let mut request = request(&[]);
    request.prompt = Some(Prompt::SelectAccount);
    request.login_hint = Some("ada+x@contoso.example".to_owned());
    request.domain_hint = Some("contoso.example".to_owned());
    request.claims = Some(Claims::parse(r#"{"id_token":{"a":null}}"#).unwrap());
    request.max_age = Some(Duration::from_millis(90_500));
    request.acr_values = Some("urn:example:gold silver".to_owned());
    request.ui_locales = Some("nb-NO en".to_owned());
    request.multi_cloud = Some(Authority::tenant("common").unwrap());
    request.context = context().with_extra_query(vec![("slice".to_owned(), "a b".to_owned())]).unwrap();
    let (bare, full) = (query(&begin(&[])), begun(request));
    let added = [
        ("acr_values", "urn:example:gold silver"),
        ("claims", r#"{"id_token":{"a":null}}"#),
        ("domain_hint", "contoso.example"),
        ("instance_aware", "true"),
        ("login_hint", "ada+x@contoso.example"),
        ("max_age", "90"),
        ("prompt", "select_account"),
        ("slice", "a b"),
        ("ui_locales", "nb-NO en"),
    ];
    let found: Vec<_> = query(&full).into_iter().filter(|(name, _)| !bare.contains_key(name)).collect();
    assert_eq!(found, added.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // S-46: hints do not change the endpoint.
    assert!(full.url().to_string().starts_with("https://idp.example/authorize?client_id="));
    assert!(full.url().to_string().ends_with("&slice=a%20b"));
    assert!(full.url().to_string().contains("login_hint=ada%2Bx%40contoso.example"));
}

#[test]
fn every_prompt_has_its_value() {
    for (prompt, value) in [
        (Prompt::SelectAccount, "select_account"),
        (Prompt::Login, "login"),
        (Prompt::Consent, "consent"),
        (Prompt::Create, "create"),
        (Prompt::None, "none"),
    ] {
        let mut request = request(&[]);
        request.prompt = Some(prompt);
        assert_eq!((query(&begun(request))["prompt"].as_str(), value.parse()), (value, Ok(prompt)));
    }
    assert!("attempt_none".parse::<Prompt>().is_err());
}

// They are sent to the authorization endpoint only.
#[test]
fn extra_scopes_are_requested_for_consent_only() {
    for (extra, expected) in [
        ("", "User.Read openid profile offline_access"),
        ("Mail.Read user.read", "User.Read Mail.Read openid profile offline_access"),
        ("openid https://orders.example/read", "User.Read openid https://orders.example/read profile offline_access"),
    ] {
        let mut request = request(&[]);
        request.extra_scopes_to_consent = Some(scopes(extra));
        let pending = begun(request);
        assert_eq!(query(&pending)["scope"], expected);
        let redemption = accept(pending, "code=c&state=STATE").unwrap();
        assert_eq!(fields(&redemption.request())["scope"], "User.Read openid profile offline_access");
    }
    for client in [CLIENT.to_owned(), CLIENT.to_uppercase()] {
        let mut request = request(&[]);
        request.extra_scopes_to_consent = Some(scopes(&format!("Mail.Read {client}")));
        let refused = request.begin(&mut rand::rngs::SysRng, NOW).err();
        assert_eq!(refused, Some(ConfigError::ConsentScope));
    }
}

// S-10
#[test]
fn extra_parameters_cannot_override_those_of_the_protocol() {
    let typed = [
        "prompt",
        "login_hint",
        "domain_hint",
        "claims",
        "max_age",
        "acr_values",
        "ui_locales",
        "instance_aware",
        "code_verifier",
        "grant_type",
        "refresh_token",
        "request_uri",
        "request",
        "STATE",
        "Redirect_Uri",
        "Max_Age",
    ];
    for name in query(&begin(&[])).into_keys().chain(typed.map(str::to_owned)) {
        let refused = context().with_extra_query(vec![("ok".to_owned(), String::new()), (name.clone(), String::new())]);
        assert_eq!(refused.unwrap_err(), ConfigError::ReservedParameter { name });
    }
}

// RFC 6749 §3.1: no parameter appears twice, wherever it comes from.
#[test]
fn a_repeated_parameter_is_an_error() {
    let twice = |name: &str| ConfigError::DuplicateParameter { name: name.to_owned() };
    let two = |one: &str, other: &str| {
        let parameters = [one, other].map(|name| (name.to_owned(), "1".to_owned())).into();
        context().with_extra_query(parameters).err()
    };
    assert_eq!(two("slice", "dc"), None);
    assert_eq!(two("slice", "slice"), Some(twice("slice")));
    assert_eq!(two("slice", "SLICE"), Some(twice("slice")));

    for (own, extra, expected) in [
        ("p=B2C_1", "slice", None),
        ("p=B2C_1&q", "slice", None),
        ("p=B2C_1", "p", Some("p")),
        ("p=B2C_1", "P", Some("p")),
        ("client_id=evil", "slice", Some("client_id")),
        ("%73tate=fixed", "slice", Some("state")),
        ("prompt=none", "slice", None),
    ] {
        let mut request = request(&[("authorization_endpoint", json!(format!("https://idp.example/authorize?{own}")))]);
        request.context = context().with_extra_query(vec![(extra.to_owned(), "1".to_owned())]).unwrap();
        match request.begin(&mut rand::rngs::SysRng, NOW) {
            Ok(pending) => {
                let url = pending.url().to_string();
                assert!(url.starts_with(&format!("https://idp.example/authorize?{own}&client_id=")), "{url}");
                assert_eq!(None, expected, "{own} {extra}");
            }
            Err(error) => assert_eq!(Some(error), expected.map(twice), "{own} {extra}"),
        }
    }
}

const MINUTE: u64 = 60;

/// Redeems a sign-in with a `max_age` of an hour that began ten minutes ago.
fn redeem_aged(auth_time: Value, skew: u64) -> Result<Tokens, Error> {
    let mut request = request(&[]);
    let application = Application::new(request.context.client_id().clone());
    let application = application.with_clock_skew(Duration::from_secs(skew)).unwrap();
    request.context.application = application;
    request.max_age = Some(Duration::from_secs(60 * MINUTE));
    let pending = begun(request);
    let claims = with(id_claims(), &[("nonce", json!(pending.nonce.expose())), ("auth_time", auth_time)]);
    let later = NOW.saturating_add(Duration::from_secs(10 * MINUTE));
    let claims = with(claims, &[("exp", json!(later.as_unix_seconds() + 300))]);
    let body = with(tokens(), &[("id_token", json!(jwt(&claims)))]);
    accept(pending, "code=c&state=STATE")?.complete(json_response(200, &body), later)
}

// S-74: with `max_age`, the time of the sign-in must be there and recent enough.
#[test]
fn max_age_is_enforced() {
    let begun = NOW.as_unix_seconds();
    let (old, future) = (begun - 60 * MINUTE, begun + 10 * MINUTE);
    let missing = || Some(IdTokenFault::Claim("auth_time"));
    let time = Timestamp::from_unix_seconds;
    let age = |auth_time| Some(IdTokenFault::Age { auth_time: time(auth_time), since: time(old) });
    let clock = |value| Some(IdTokenFault::Clock { claim: "auth_time", value: time(value), now: time(future) });
    for (auth_time, skew, expected) in [
        (json!(begun), 300, None),
        (json!(old), 0, None),
        (json!(old - 1), 0, age(old - 1)),
        (json!(old - 300), 300, None),
        (json!(old - 301), 300, age(old - 301)),
        (json!(future), 0, None),
        (json!(future + 1), 0, clock(future + 1)),
        (json!(future + 600), 600, None),
        (json!(future + 601), 600, clock(future + 601)),
        (Value::Null, 300, missing()),
        (json!("1700000000"), 300, missing()),
        (json!(-1), 300, missing()),
    ] {
        let verdict = redeem_aged(auth_time.clone(), skew).err();
        let expected = expected.map(|fault| Error::from(ProtocolError::from(fault)));
        assert_eq!(verdict, expected, "{auth_time} with a skew of {skew} s");
    }
    assert!(redeem(&[], true).is_ok(), "`auth_time` is optional without `max_age`");
}

#[test]
fn the_clock_skew_is_at_most_ten_minutes() {
    let skew = |seconds| {
        let application = Application::new(context().client_id().clone());
        application.with_clock_skew(Duration::from_secs(seconds)).map(|application| application.clock_skew.as_secs())
    };
    assert_eq!((skew(0), skew(600), skew(601)), (Ok(0), Ok(600), Err(ConfigError::ClockSkew)));
    assert_eq!(context().application.clock_skew, Duration::from_secs(300));
}
