//! `WWW-Authenticate`: the claims found can be sent, and no header line hides a later challenge (S-70).

use auth_core::{Claims, ClaimsChallenge};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

/// Each line of `input` is one header line.
pub(crate) fn holds(input: &[u8]) {
    let lines = input.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    // `HeaderMap` has a limit of its own.
    let lines = lines.take(1000);
    let mut headers: HeaderMap = lines.map(|line| (WWW_AUTHENTICATE, line)).collect();
    let found = ClaimsChallenge::from_headers(&headers);
    if let Some(challenge) = &found {
        let claims = challenge.claims.as_str();
        serde_json::from_str::<Map<String, Value>>(claims).expect("an object");
        assert!(claims.len() <= 16 * 1024 && challenge.error == "insufficient_claims");
        assert_eq!(format!("{challenge:?}"), r#"ClaimsChallenge { error: "insufficient_claims", .. }"#);
        let again = ClaimsChallenge::from_headers(&HeaderMap::from_iter([(WWW_AUTHENTICATE, line(&challenge.claims))]));
        assert!(again.is_none_or(|again| again.claims == challenge.claims));
    }
    let good = Claims::parse(r#"{"access_token":{"acrs":{"value":"c1"}}}"#).expect("good claims");
    headers.append(WWW_AUTHENTICATE, line(&good));
    let first = found.map_or(good, |challenge| challenge.claims);
    assert_eq!(ClaimsChallenge::from_headers(&headers).expect("the last line").claims, first);
}

fn line(claims: &Claims) -> HeaderValue {
    let claims = URL_SAFE_NO_PAD.encode(claims.as_str());
    let line = format!("Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{claims}\"");
    line.parse().expect("a header value")
}
