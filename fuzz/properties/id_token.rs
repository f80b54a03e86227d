//! ID tokens: the claims are those of the JSON, and an accepted token passes every check of S-71…S-74.

use auth_core::{
    Application, Authority, ClientId, CorrelationId, Exchange as _, IdToken, OpenIdConfiguration, RefreshRedemption,
    RequestContext, Scopes, Secret, Timestamp,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

const ISSUER: &str = "https://idp.example";
const CLIENT: &str = "my-client-id";
const NOW: u64 = 1_700_000_000;
const SKEW: f64 = 300.0;

/// Takes `input` as the token, and as its header and claims on two lines; an empty header stands for a usual one.
pub(crate) fn holds(input: &[u8]) {
    if let Ok(text) = str::from_utf8(input) {
        check(text);
    }
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (header, claims) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let header = if header.is_empty() { br#"{"alg":"RS256"}"# } else { header };
    let segments = [header, claims, b"signature"].map(|segment| URL_SAFE_NO_PAD.encode(segment));
    check(&segments.join("."));
}

fn check(text: &str) {
    let token = IdToken::parse(&Secret::new(text.to_owned()));
    let accepted = is_accepted(text);
    let Ok(token) = token else {
        assert!(!accepted, "a token that cannot be parsed is not accepted");
        return;
    };
    assert_eq!(format!("{token:?}"), "IdToken([redacted])");
    let mut segments = text.split('.').map(|segment| {
        let json = URL_SAFE_NO_PAD.decode(segment).expect("three segments of base64url");
        serde_json::from_slice::<Value>(&json)
    });
    let mut json = || segments.next().expect("three segments").expect("two of JSON");
    let (header, claims) = (json(), json());
    let alg = header["alg"].as_str().expect("an algorithm");
    assert!(!alg.is_empty() && !alg.eq_ignore_ascii_case("none"), "{alg}");
    assert!(header.get("crit").is_none());
    assert_eq!(Some(token.claims()), claims.as_object());
    for (name, value) in token.claims() {
        assert_eq!(token.text(name), value.as_str().filter(|text| !text.is_empty()), "{name}");
    }
    assert!(token.username().is_none_or(|name| !name.is_empty()));
    if accepted {
        check_accepted(&claims);
    }
}

/// Whether a refresh with this ID token in its response succeeds.
fn is_accepted(text: &str) -> bool {
    let application = Application::new(ClientId::new(CLIENT).expect("a client id"));
    let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").expect("a correlation id");
    let (context, now) = (RequestContext::new(application, id), Timestamp::from_unix_seconds(NOW));
    let authority = Authority::oidc(ISSUER).expect("an issuer");
    let document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://idp.example/token",
    });
    let discovery = OpenIdConfiguration::new(context.clone(), &authority).expect("a URL");
    let metadata = discovery.complete(response(&document), now).expect("good metadata").metadata;
    let scopes = Scopes::parse("User.Read").expect("a scope");
    let refresh = RefreshRedemption::new(context, metadata, Secret::new("rt".to_owned()), scopes, now);
    let body = json!({"token_type": "Bearer", "access_token": "at", "expires_in": 3600, "id_token": text});
    refresh.complete(response(&body), now).is_ok()
}

fn response(body: &Value) -> Response<Bytes> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(body.to_string().into()).expect("a response")
}

fn check_accepted(claims: &Value) {
    assert_eq!(claims["iss"], ISSUER);
    assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty()));
    let alone = claims["aud"] == CLIENT || claims["aud"] == json!([CLIENT]);
    let among = claims["aud"].as_array().is_some_and(|list| list.contains(&json!(CLIENT))) && claims["azp"] == CLIENT;
    assert!(alone || among, "{}", claims["aud"]);
    assert!(claims.get("azp").is_none_or(|azp| azp == CLIENT));
    let time = |name: &str| claims[name].as_f64();
    let now = NOW as f64;
    assert!(time("exp").is_some_and(|exp| exp >= now - SKEW), "{}", claims["exp"]);
    // Fractions of a second are truncated.
    assert!(time("iat").is_some_and(|iat| (0.0..now + SKEW + 1.0).contains(&iat)), "{}", claims["iat"]);
    assert!(claims.get("nbf").is_none() || time("nbf").is_some_and(|nbf| nbf < now + SKEW + 1.0), "{}", claims["nbf"]);
}
