//! Pushed authorization requests (RFC 9126, S-12).

use super::*;
use crate::error::{TransportError, TransportFault};
use crate::flow::{Flow as _, Input, OneStep, Step};
use crate::testing::response;

const ENDPOINT: &str = "https://idp.example/par";
const NAME: &str = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c";

fn pushing(changes: &[(&str, Value)]) -> AuthorizationRequest {
    let document: Vec<_> = [("pushed_authorization_request_endpoint", json!(ENDPOINT))]
        .into_iter()
        .chain(changes.iter().cloned())
        .collect();
    request(&document)
}

fn pushed(request: AuthorizationRequest) -> PushedAuthorization {
    request.push(&mut rand::rngs::SysRng, NOW).unwrap()
}

fn named(name: &str) -> Value {
    json!({"request_uri": name, "expires_in": 60})
}

#[test]
fn the_request_is_pushed_and_the_url_only_refers_to_it() {
    let mut request = pushing(&[]);
    request.login_hint = Some("ada@contoso.example".to_owned());
    request.context = context().with_extra_query(vec![("slice".to_owned(), "a b".to_owned())]).unwrap();
    let pushed = pushed(request.clone());
    let http = pushed.request();
    assert_eq!((http.method().as_str(), http.uri().to_string().as_str()), ("POST", ENDPOINT));
    assert_eq!(http.headers()["content-type"], "application/x-www-form-urlencoded");
    let (sent, plain) = (fields(&http), query(&begun(request)));
    assert!(sent.keys().eq(plain.keys()), "{sent:?}");
    assert_eq!((sent["login_hint"].as_str(), sent["slice"].as_str()), ("ada@contoso.example", "a b"));

    let pending = pushed.complete(json_response(201, &named(NAME)), NOW).unwrap();
    let expected = "https://idp.example/authorize?client_id=my-client-id\
                    &request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6esc_11ACC5bwc014ltc14eY22c";
    assert_eq!(pending.url(), expected);
    assert_eq!(sent["state"], pending.state().expose());
    let redemption = accept(pending, "code=c&state=STATE").unwrap();
    let verifier = &fields(&redemption.request())["code_verifier"];
    assert_eq!(sent["code_challenge"], redemption.verifier.challenge());
    assert_eq!(verifier, redemption.verifier.secret().expose());
}

// S-31: the limit of URLs does not apply.
#[test]
fn a_request_of_any_length_can_be_pushed() {
    let mut request = pushing(&[]);
    request.login_hint = Some("x".repeat(70_000));
    let pending = pushed(request).complete(json_response(201, &named(NAME)), NOW).unwrap();
    assert!(pending.url().to_string().len() < 200);
}

#[test]
fn the_query_of_the_authorization_endpoint_is_kept() {
    let own = json!("https://idp.example/authorize?p=1");
    let pending = pushed(pushing(&[("authorization_endpoint", own)])).complete(json_response(201, &named("u")), NOW);
    assert_eq!(pending.unwrap().url(), "https://idp.example/authorize?p=1&client_id=my-client-id&request_uri=u");
}

#[test]
fn a_provider_that_requires_pushing_gets_no_other_request() {
    for (required, endpoint, begins, pushes) in [
        (json!(false), true, true, true),
        (Value::Null, true, true, true),
        (json!("true"), true, true, true),
        (json!(true), true, false, true),
        (json!(true), false, false, false),
        (json!(false), false, true, false),
    ] {
        let endpoint = if endpoint { json!(ENDPOINT) } else { Value::Null };
        let document =
            [("require_pushed_authorization_requests", required), ("pushed_authorization_request_endpoint", endpoint)];
        let refused = request(&document).begin(&mut rand::rngs::SysRng, NOW).err();
        assert_eq!(refused, (!begins).then_some(ConfigError::PushRequired), "{document:?}");
        let refused = request(&document).push(&mut rand::rngs::SysRng, NOW).err();
        let none = ConfigError::NotOffered("pushed authorization requests");
        assert_eq!(refused, (!pushes).then_some(none), "{document:?}");
    }
}

#[test]
fn answers_are_checked_member_by_member() {
    let missing = |name| format!("protocol: the pushed authorization response has no {name}");
    let invalid = |name| format!("protocol: the pushed authorization response has an unusable {name}");
    let refusal = json!({"error": "invalid_request", "error_description": "no"});
    for (status, body, expected) in [
        (201, named(NAME), String::new()),
        (200, named(NAME), String::new()),
        (201, with(named(NAME), &[("expires_in", json!("5"))]), String::new()),
        (201, with(named(NAME), &[("request_uri", Value::Null)]), missing("request_uri")),
        (201, with(named(NAME), &[("expires_in", Value::Null)]), missing("expires_in")),
        (201, named(""), invalid("request_uri")),
        (201, named("urn:a b"), invalid("request_uri")),
        (201, named("urn:\n"), invalid("request_uri")),
        (201, with(named(NAME), &[("request_uri", json!(1))]), missing("request_uri")),
        (201, with(named(NAME), &[("expires_in", json!(0))]), invalid("expires_in")),
        (201, with(named(NAME), &[("expires_in", json!(-1))]), invalid("expires_in")),
        (201, with(named(NAME), &[("error", json!("invalid_request"))]), "server invalid_request".to_owned()),
        (202, named(NAME), "server http_status_not_200".to_owned()),
        (400, refusal.clone(), "server invalid_request".to_owned()),
        (401, refusal, "server invalid_request".to_owned()),
        (429, json!({}), "throttled request_throttled".to_owned()),
        (503, json!({}), "server service_not_available".to_owned()),
    ] {
        let outcome = pushed(pushing(&[])).complete(json_response(status, &body), NOW);
        assert_eq!(outcome.map_or_else(|error| kind(&error), |_| String::new()), expected, "{status} {body}");
    }
    let html = response(201, &[("content-type", "text/html")], "<h1>Hotel</h1>");
    let refused = pushed(pushing(&[])).complete(html, NOW).unwrap_err();
    assert!(matches!(refused, Error::Protocol(error) if matches!(*error, ProtocolError::NotJson { .. })));
}

// A request that is pushed twice gets two `request_uri`s, of which only one is used.
#[test]
fn a_request_uri_appears_in_one_url_only() {
    assert_eq!(PushedAuthorization::REPLAY, Replay::Once);
    let mut flow = OneStep::new(pushed(pushing(&[])));
    let Step::Send { request, replay } = flow.step(NOW).unwrap() else { panic!() };
    assert_eq!((request.uri().path(), replay), ("/par", Replay::Once));
    flow.handle(NOW, Input::Response(json_response(201, &named("urn:1")))).unwrap();
    let Step::Done(pending) = flow.step(NOW).unwrap() else { panic!() };
    assert!(pending.url().to_string().ends_with("&request_uri=urn%3A1"));
    assert!(flow.step(NOW).is_err(), "it was returned before");

    let mut lost = OneStep::new(pushed(pushing(&[])));
    let gone = TransportError::after_send(TransportFault::Interrupted, "idp.example", "gone");
    lost.handle(NOW, Input::Failed(gone)).unwrap();
    assert!(matches!(lost.step(NOW), Err(Error::Transport(_))), "and there is no URL");
}

#[test]
fn debug_shows_nothing_of_the_request() {
    let mut request = pushing(&[]);
    request.login_hint = Some("ada@contoso.example".to_owned());
    let pushed = pushed(request);
    let secret = fields(&pushed.request())["state"].clone();
    let shown = format!("{pushed:?} {:?}", pushed.request());
    assert!(!shown.contains("contoso.example") && !shown.contains(&secret), "{shown}");
}

// S-42
#[test]
fn the_endpoint_is_checked_like_every_other() {
    for address in ["http://idp.example/par", "https://127.0.0.1/par", "javascript:alert(1)", "/par", ""] {
        let document = with(crate::testing::document(), &[("pushed_authorization_request_endpoint", json!(address))]);
        let issuer = Authority::oidc(ISSUER).unwrap();
        let outcome =
            OpenIdConfiguration::new(context(), &issuer).unwrap().complete(json_response(200, &document), NOW);
        let expected = "protocol: the provider metadata has an unusable pushed_authorization_request_endpoint";
        assert_eq!(kind(&outcome.unwrap_err()), expected, "{address}");
    }
}
