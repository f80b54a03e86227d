use super::*;
use crate::client::{Application, ClientId};
use crate::correlation::CorrelationId;
use crate::testing::{CORRELATION, NOW, response};

fn context() -> RequestContext {
    let id = CorrelationId::parse(CORRELATION).unwrap();
    let application = Application::new(ClientId::new("c").unwrap()).with_name("inventory", "2.1").unwrap();
    RequestContext::new(application, id)
}

const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

#[test]
fn requests_identify_the_application_and_the_call() {
    let uri = "https://idp.example/token".parse().unwrap();
    let request = post_form(&context(), &uri, &[("a", "1 2"), ("empty", ""), ("b", "&")]);
    assert_eq!(request.body().as_bytes(), b"a=1+2&b=%26");
    for (name, value) in [
        ("accept", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("client-request-id", CORRELATION),
        ("x-client-sku", "auth.rs"),
        ("x-app-name", "inventory"),
        ("x-app-ver", "2.1"),
        ("x-ms-lib-capability", "retry-after, h429"),
    ] {
        assert_eq!(request.headers()[name], value, "{name}");
    }
    assert_eq!(request.headers().len(), 10);
    assert!(!format!("{request:?}").contains("1+2"));
}

#[test]
fn each_request_has_its_own_headers() {
    let uri = "https://idp.example/keys".parse().unwrap();
    let other = "b1b2c3d4-0000-4000-8000-000000000000";
    let anonymous =
        RequestContext::new(Application::new(ClientId::new("c").unwrap()), CorrelationId::parse(other).unwrap());
    let (named, anonymous) = (get(&context(), &uri), get(&anonymous, &uri));
    assert_eq!(named.headers()["client-request-id"], CORRELATION);
    assert_eq!(named.headers()["x-app-name"], "inventory");
    assert_eq!(anonymous.headers()["client-request-id"], other);
    assert_eq!(anonymous.headers().get("x-app-name"), None);
    assert_eq!(anonymous.headers().get("content-type"), None, "it has no body");
}

#[test]
fn extra_query_parameters_are_appended() {
    let uri: Uri = "https://idp.example/token?p=1".parse().unwrap();
    let extra = [("slice".to_owned(), "a b&c".to_owned())];
    assert_eq!(with_extra_query(&uri, &extra).to_string(), "https://idp.example/token?p=1&slice=a%20b%26c");
    assert_eq!(with_extra_query(&uri, &[]), uri);
    for name in ["state", "Client_ID", "code_challenge_method", "scope"] {
        assert!(context().with_extra_query(vec![(name.to_owned(), "x".to_owned())]).is_err(), "{name}");
    }
}

#[test]
fn answers_are_classified() {
    let judged = |status, headers: &[(&str, &str)], body| match judge(
        &context(),
        &response(status, headers, body),
        "token response",
        NOW,
    ) {
        Ok(Answer::Success(_)) => "success".to_owned(),
        Ok(Answer::Refusal(error)) => error.error,
        Err(error) => error.to_string(),
    };
    for (status, headers, body, expected) in [
        (200, &[JSON][..], r#"{"a":1}"#, "success"),
        (200, &[("content-type", "application/problem+json")], "{}", "success"),
        (200, &[JSON], r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        (200, &[JSON], r#"{"error":1}"#, "the token response has an unusable error"),
        (200, &[JSON], "", "the token response is not a well-formed JSON object"),
        (200, &[JSON], r#"{"a":1,"a":2}"#, "the token response is not a well-formed JSON object"),
        (400, &[JSON], r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        (400, &[JSON], "{}", "http_status_not_200"),
        (400, &[("content-type", "text/html")], "<html>", "http_status_not_200"),
        (404, &[], "", "not_found"),
        (500, &[JSON], "{}", "service_not_available"),
        (201, &[JSON], "{}", "http_status_not_200"),
    ] {
        assert_eq!(judged(status, headers, body), expected, "{status} {body}");
    }
    let html = judged(200, &[("content-type", "text/html")], "<html>secret</html>");
    assert!(html.contains("not JSON") && !html.contains("secret"), "{html}");
    let portal = judged(302, &[("location", "http://portal.example/login?token=x")], "");
    assert!(portal.contains("portal.example") && !portal.contains("token"), "{portal}");
    let foreign = judged(200, &[JSON, ("client-request-id", "b1b2c3d4-0000-4000-8000-000000000000")], "{}");
    assert!(foreign.contains("client-request-id"), "{foreign}");
}

#[test]
fn throttling_is_distinguished_from_refusal() {
    let wait = |status, header: Option<&str>| {
        let mut headers = vec![JSON];
        headers.extend(header.map(|value| ("retry-after", value)));
        let body = if status == 200 { r#"{"error":"invalid_grant"}"# } else { "{}" };
        match judge(&context(), &response(status, &headers, body), "x", NOW) {
            Err(Error::Throttled(throttled)) => {
                assert_eq!(throttled.retry_after, throttled.server.retry_after);
                Some(throttled.retry_after)
            }
            Ok(Answer::Refusal(error)) => {
                assert_eq!(error.retry_after, header.map(|_| Duration::from_secs(3)), "a refusal keeps it as well");
                None
            }
            _ => None,
        }
    };
    let seconds = |s| Some(Some(Duration::from_secs(s)));
    for (status, header, expected) in [
        (429, None, Some(None)),
        (429, Some("3"), seconds(3)),
        (503, Some("3"), seconds(3)),
        (503, None, None),
        (400, Some("3"), None),
        (200, Some("3"), None),
        (200, None, None),
        (429, Some("0"), seconds(0)),
        (429, Some("-1"), Some(None)),
        (429, Some("1e9"), Some(None)),
        (429, Some("abc"), Some(None)),
        (429, Some("99999999999999999999"), seconds(3600)),
        (429, Some("Tue, 14 Nov 2023 22:13:30 GMT"), seconds(10)),
        (429, Some("Tue, 14 Nov 2000 22:13:30 GMT"), seconds(0)),
        (429, Some("Sat, 14 Nov 2099 22:13:30 GMT"), seconds(3600)),
        (429, Some("Tue, 14 Nov 2099 22:13:30 GMT"), Some(None)),
    ] {
        assert_eq!(wait(status, header), expected, "{status} {header:?}");
    }
    let mut headers = HeaderMap::new();
    headers.append(RETRY_AFTER, HeaderValue::from_static("1"));
    headers.append(RETRY_AFTER, HeaderValue::from_static("2"));
    assert_eq!(retry_after(&headers, NOW), None);
}

#[test]
fn the_scope_parameter_adds_the_scopes_of_openid_connect() {
    for text in ["", "User.Read", "b A a B", "x OpenID y", "offline_access profile openid", "PROFILE email"] {
        let scopes = Scopes::parse(text).unwrap();
        assert_eq!(scope_parameter(&scopes), scopes.with_oidc().to_string(), "{text}");
    }
}
