//! S-39…S-42: which answers of discovery are accepted.

use serde_json::{Value, json};

use super::super::*;
use crate::authority::Authority;
use crate::error::{ConfigError, ProtocolError};
use crate::testing::{ISSUER, NOW, context, document, json_response, kind, response, with};

const T1: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const T2: &str = "bbbbbbbb-0000-cccc-1111-dddd2222eeee";

fn discover(authority: &Authority, document: &Value) -> Result<Provider, Error> {
    OpenIdConfiguration::new(context(), authority).unwrap().complete(json_response(200, document), NOW)
}

fn oidc(changes: &[(&str, Value)]) -> Result<Provider, Error> {
    discover(&Authority::oidc(ISSUER).unwrap(), &with(document(), changes))
}

fn verdict<T>(result: Result<T, Error>) -> String {
    result.map_or_else(|error| kind(&error), |_| "ok".to_owned())
}

#[test]
fn the_document_is_requested_below_the_issuer() {
    for (authority, url) in [
        (Authority::oidc("https://idp.example/a/b/"), "https://idp.example/a/b/.well-known/openid-configuration"),
        (
            Authority::tenant("contoso.example"),
            "https://login.microsoftonline.com/contoso.example/v2.0/.well-known/openid-configuration",
        ),
    ] {
        let request = OpenIdConfiguration::new(context(), &authority.unwrap()).unwrap().request();
        assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("GET", url));
        assert!(request.body().as_bytes().is_empty());
        assert_eq!(request.headers()["accept"], "application/json");
    }
}

// S-40: compared code point by code point.
#[test]
fn the_document_must_name_the_issuer() {
    assert_eq!(verdict(oidc(&[])), "ok");
    for found in ["https://idp.example/", "https://IDP.example", "http://idp.example", "https://evil.example", ""] {
        let refused = oidc(&[("issuer", json!(found))]).unwrap_err();
        let expected = ProtocolError::IssuerMismatch { expected: ISSUER.to_owned(), found: found.to_owned() };
        assert_eq!(refused, expected.into());
    }
    for missing in [Value::Null, json!(1), json!([ISSUER])] {
        assert_eq!(verdict(oidc(&[("issuer", missing)])), "protocol: the provider metadata has no issuer");
    }
    let hostile = kind(&oidc(&[("issuer", json!(format!("a\u{1b}[31m{}", "x".repeat(1000))))]).unwrap_err());
    assert!(!hostile.contains('\u{1b}') && hostile.len() < 400, "{hostile}");
}

#[test]
fn endpoints_are_required_and_checked() {
    for name in ["authorization_endpoint", "token_endpoint"] {
        assert_eq!(verdict(oidc(&[(name, Value::Null)])), format!("protocol: the provider metadata has no {name}"));
        assert_eq!(verdict(oidc(&[(name, json!(7))])), format!("protocol: the provider metadata has no {name}"));
        for (endpoint, accepted) in [
            ("https://idp.example:8443/x?p=1", true),
            // Another host is allowed: large providers serve tokens elsewhere.
            ("https://tokens.elsewhere.example/x", true),
            ("http://idp.example/x", false),
            ("https://10.0.0.1/x", false),
            ("https://169.254.169.254/x", false),
            ("https://localhost/x", false),
            ("https://user:password@idp.example/x", false),
            ("https://idp.example/x#y", false),
            ("file:///etc/passwd", false),
            ("--remote-debugging-port=1", false),
        ] {
            let expected = if accepted {
                "ok".to_owned()
            } else {
                format!("protocol: the provider metadata has an unusable {name}")
            };
            assert_eq!(verdict(oidc(&[(name, json!(endpoint))])), expected, "{endpoint}");
        }
    }
    let provider = oidc(&[("token_endpoint", json!("https://tokens.elsewhere.example/x"))]).unwrap();
    assert!(format!("{:?}", provider.metadata).contains("tokens.elsewhere.example"), "`Debug` shows endpoints");
}

#[test]
fn other_answers_than_documents_are_refused() {
    for (status, content_type, body, expected) in [
        (200, "text/html", "<html>", "protocol: the answer is not JSON"),
        (200, "application/json", "[]", "protocol: the provider metadata is not a well-formed JSON object"),
        (200, "application/json", r#"{"issuer":"a","issuer":"b"}"#, "protocol: the provider metadata is not"),
        (404, "application/json", "", "server not_found"),
        (503, "text/plain", "busy", "server service_not_available"),
        (302, "text/html", "", "protocol: unexpected redirect (302) to ?"),
    ] {
        let exchange = OpenIdConfiguration::new(context(), &Authority::oidc(ISSUER).unwrap()).unwrap();
        let answer = response(status, &[("content-type", content_type)], body);
        let verdict = verdict(exchange.complete(answer, NOW));
        assert!(verdict.starts_with(expected), "{status} {body}: {verdict}");
    }
}

// S-42: the issuer and the endpoints must be on hosts of the cloud.
#[test]
fn entras_documents_must_stay_within_the_cloud() {
    let origin = "https://login.microsoftonline.com";
    let entra = |issuer: &str, token_endpoint: &str| {
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{origin}/{T1}/oauth2/v2.0/authorize"),
            "token_endpoint": token_endpoint,
        })
    };
    let own = format!("{origin}/{T1}/v2.0");
    let token = format!("{origin}/{T1}/oauth2/v2.0/token");
    let foreign_endpoint = "protocol: the provider metadata has an unusable token_endpoint";
    for (tenant, issuer, token_endpoint, expected, tenant_id) in [
        ("contoso.example", own.as_str(), token.as_str(), "ok", Some(T1)),
        (T1, &own, &token, "ok", Some(T1)),
        (T1, &format!("https://sts.windows.net/{T1}/v2.0"), &token, "ok", Some(T1)),
        (T1, &own, "https://login.windows.net/x/oauth2/v2.0/token", "ok", Some(T1)),
        ("common", "https://login.microsoftonline.com/{tenantid}/v2.0", &token, "ok", None),
        (T2, &own, &token, "mismatch", None),
        (T1, "https://login.microsoftonline.com/{tenantid}/v2.0", &token, "mismatch", None),
        (T1, &format!("https://login.microsoftonline.us/{T1}/v2.0"), &token, "mismatch", None),
        (T1, &format!("https://evil.example/{T1}/v2.0"), &token, "mismatch", None),
        (T1, &own, "https://evil.example/oauth2/v2.0/token", foreign_endpoint, None),
        (T1, &own, "https://login.microsoftonline.com:8443/token", foreign_endpoint, None),
        (T1, &own, "https://login.microsoftonline.com.evil.example/token", foreign_endpoint, None),
        (T1, &own, "http://login.microsoftonline.com/token", foreign_endpoint, None),
    ] {
        let found = discover(&Authority::tenant(tenant).unwrap(), &entra(issuer, token_endpoint));
        let what = format!("{tenant}: {issuer} {token_endpoint}");
        assert_eq!(found.as_ref().ok().and_then(|provider| provider.tenant_id.as_deref()), tenant_id, "{what}");
        match found {
            Err(Error::Protocol(error)) if matches!(*error, ProtocolError::IssuerMismatch { .. }) => {
                assert_eq!("mismatch", expected, "{what}");
            }
            other => assert_eq!(verdict(other), expected, "{what}"),
        }
    }
}

fn unknown_host() -> Authority {
    Authority::parse("https://sts.contoso.example/common").unwrap()
}

fn instance(status: u16, answer: &Value) -> Result<crate::InstanceMetadata, Error> {
    let exchange = InstanceDiscovery::new(context(), &unknown_host()).unwrap();
    exchange.complete(json_response(status, answer), NOW)
}

// S-39
#[test]
fn the_public_cloud_is_asked_about_unknown_hosts() {
    let request = InstanceDiscovery::new(context(), &unknown_host()).unwrap().request();
    assert_eq!(
        request.uri().to_string(),
        "https://login.microsoftonline.com/common/discovery/instance?api-version=1.1&authorization_endpoint=\
         https%3A%2F%2Fsts.contoso.example%2Fcommon%2Foauth2%2Fv2.0%2Fauthorize"
    );
    let refused = InstanceDiscovery::new(context(), &Authority::oidc(ISSUER).unwrap()).err();
    assert_eq!(refused, Some(ConfigError::Authority("it is not an Entra authority")));
}

#[test]
fn the_answer_must_name_the_host() {
    let unknown = || ConfigError::UnknownAuthorityHost { host: "sts.contoso.example".to_owned() }.into();
    let cloud = |aliases: Value, preferred: Value| json!({"aliases": aliases, "preferred_cache": preferred});
    let good = cloud(json!(["STS.contoso.example", "cache.example"]), json!("Cache.example"));
    let other = cloud(json!(["login.microsoftonline.com"]), json!("login.windows.net"));

    let found = instance(200, &json!({"metadata": [other, good]})).unwrap();
    assert_eq!(
        (found.aliases, found.preferred_cache.as_str()),
        (vec!["sts.contoso.example".to_owned(), "cache.example".to_owned()], "cache.example")
    );

    let hostile = |name: &str| cloud(json!(["sts.contoso.example", name]), json!("sts.contoso.example"));
    for clouds in [
        json!([]),
        json!([other]),
        json!([null, 1, "x", {}]),
        json!([cloud(json!("sts.contoso.example"), json!("sts.contoso.example"))]),
        json!([cloud(json!(["sts.contoso.example"]), json!("elsewhere.example"))]),
        json!([cloud(json!(["sts.contoso.example"]), json!(null))]),
        json!([cloud(json!(["sts.contoso.example", 1]), json!("sts.contoso.example"))]),
        json!([hostile("")]),
        json!([hostile("evil.example/path")]),
        json!([hostile("user@evil.example")]),
        json!([hostile("evil.example:443")]),
        json!([hostile("evil example")]),
        json!([hostile(&"x".repeat(254))]),
    ] {
        assert_eq!(instance(200, &json!({"metadata": clouds})), Err(unknown()), "{clouds:.200}");
    }
    assert_eq!(instance(400, &json!({"error": "invalid_instance"})), Err(unknown()));
    assert_eq!(verdict(instance(400, &json!({"error": "other"}))), "server other");
    assert_eq!(verdict(instance(200, &json!({}))), "protocol: the instance discovery answer has no metadata");
    assert_eq!(
        verdict(instance(200, &json!({"metadata": {}}))),
        "protocol: the instance discovery answer has no metadata"
    );
}

// S-39: a confirmed host gains names, but secrets still go to the host that the user specified.
#[test]
fn no_answer_moves_the_token_endpoint() {
    let cloud = json!({"aliases": ["sts.contoso.example", "evil.example"], "preferred_cache": "evil.example"});
    let known = unknown_host().with_instance(instance(200, &json!({"metadata": [cloud]})).unwrap());
    assert_eq!(known.metadata().unwrap().token_endpoint().host(), Some("sts.contoso.example"));
}
