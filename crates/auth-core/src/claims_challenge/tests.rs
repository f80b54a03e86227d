use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
/// `{"a":1}`
const BASE64: &str = "eyJhIjoxfQ==";

fn of_bytes(lines: &[&[u8]]) -> Option<ClaimsChallenge> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(line).unwrap());
    }
    ClaimsChallenge::from_headers(&headers)
}

/// The claims of the challenge in these lines.
fn claims(lines: &[&str]) -> Option<String> {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    of_bytes(&lines).map(|challenge| challenge.claims.as_str().to_owned())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[test]
fn entras_challenge_is_read() {
    let line = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
         client_id=\"00000003-0000-0000-c000-000000000000\", error=\"insufficient_claims\", claims=\"{}\"",
        STANDARD.encode(CLAIMS)
    );
    let challenge = of_bytes(&[line.as_bytes()]).unwrap();
    assert_eq!(challenge.claims.as_str(), CLAIMS);
    assert_eq!(challenge.error, "insufficient_claims");
    let uri = challenge.authorization_uri.as_ref().map(Uri::to_string);
    assert_eq!(uri.as_deref(), Some("https://login.microsoftonline.com/common/oauth2/authorize"));
    assert_eq!(format!("{challenge:?}"), "ClaimsChallenge { error: \"insufficient_claims\", .. }");
}

#[test]
fn claims_may_be_plain_or_base64() {
    // In the standard alphabet this contains both `+` and `/`, in the URL-safe one `-` and `_`.
    let text = r#"{"a":"~~~???>>>ÿ¾!"}"#;
    let encoded = STANDARD.encode(text);
    assert!(encoded.contains('+') && encoded.contains('/') && encoded.ends_with('='), "{encoded}");
    for value in [
        encoded.clone(),
        STANDARD_NO_PAD.encode(text),
        URL_SAFE.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        text.to_owned(),
    ] {
        let line = format!("Bearer error=\"insufficient_claims\", claims={}", quoted(&value));
        assert_eq!(claims(&[&line]).as_deref(), Some(text), "{value}");
    }
    for value in [
        "",
        " ",
        "[]",
        "null",
        "{",
        r#"{"a":1,"a":2}"#,
        r#"{"a":1}{}"#,
        // Base64 of `[]`, of `"{}"`, and of invalid UTF-8.
        "W10=",
        "Int9Ig==",
        "ewD/fQ==",
        // Mixed alphabets, too little and too much padding, whitespace, and unused bits.
        &encoded.replacen('+', "-", 1),
        "eyJhIjoxfQ=",
        "eyJhIjoxfQ===",
        "eyJhIjoxfQ======",
        "eyJhIjox fQ==",
        "eyJhIjoxfR==",
        "eyJhIjoxfQ==eyJhIjoxfQ==",
        "=",
    ] {
        let line = format!("Bearer error=\"insufficient_claims\", claims={}", quoted(value));
        assert_eq!(claims(&[&line]), None, "{value}");
    }
}

#[test]
fn the_challenge_is_found_among_others() {
    let good = format!("Bearer error=\"insufficient_claims\", claims=\"{BASE64}\"");
    for line in [
        good.clone(),
        format!("bearer ERROR=insufficient_claims,Claims=\"{BASE64}\""),
        format!("PoP error=\"insufficient_claims\", claims=\"{BASE64}\""),
        format!("Bearer error = \"insufficient_claims\" ,\t, claims\t=\t\"{BASE64}\" , "),
        format!(", ,Bearer  ,error=\"insufficient_claims\",claims=\"{BASE64}\""),
        "Bearer error=insufficient_claims, claims=eyJhIjoxfQ".to_owned(),
        format!("Bearer error=\"insufficient\\_claims\", claims=\"{BASE64}\""),
        format!("Basic realm=\"a, Bearer error=\\\"insufficient_claims\\\", b\", {good}"),
        format!("Negotiate, {good}"),
        format!("Negotiate abc/+==, {good}, Basic realm=x"),
        format!("NTLM TlRMTVNTUAACAAAA , {good}"),
        format!("Bearer error=\"invalid_token\", {good}"),
        format!("Bearer, {good}"),
        format!("Digest qop=a, qop=b, {good}"),
        format!("Bearer error=\"insufficient_claims\", claims=\"[]\", {good}"),
    ] {
        assert_eq!(claims(&[&line]).as_deref(), Some(r#"{"a":1}"#), "{line}");
    }
    for lines in [
        &["Negotiate", "Bearer error=\"invalid_token\"", &good][..],
        &["Bearer \"broken", &good],
        &[&good, "Bearer error=\"insufficient_claims\", claims=\"{}\""],
        &["", &good],
        &[&format!("Negotiate {}", "a".repeat(MAX)), &good],
    ] {
        assert_eq!(claims(lines).as_deref(), Some(r#"{"a":1}"#), "{lines:?}");
    }
}

#[test]
fn other_challenges_and_malformed_lines_are_ignored() {
    let pair = format!("error=\"insufficient_claims\", claims=\"{BASE64}\"");
    for line in [
        "",
        ",",
        "Bearer",
        &format!("Bearer claims=\"{BASE64}\""),
        "Bearer error=\"insufficient_claims\"",
        &format!("Bearer error=\"invalid_token\", claims=\"{BASE64}\""),
        &format!("Bearer error=\"INSUFFICIENT_CLAIMS\", claims=\"{BASE64}\""),
        &format!("Basic {pair}"),
        &format!("BearerX {pair}"),
        // The parameters belong to two challenges.
        &format!("Bearer error=\"insufficient_claims\", Basic claims=\"{BASE64}\""),
        // A repeated parameter is ambiguous.
        &format!("Bearer {pair}, claims=\"{BASE64}\""),
        &format!("Bearer {pair}, CLAIMS=\"{BASE64}\""),
        &format!("Bearer error=\"invalid_token\", {pair}"),
        &format!("Bearer realm=a, realm=b, {pair}"),
        // These violate the grammar.
        &pair,
        &format!("Bearer abc, {pair}"),
        &format!("Bearer abc=, {pair}"),
        &format!("Bearer realm=\"a\" {pair}"),
        &format!("Bearer realm=a b, {pair}"),
        &format!("Bearer realm=, {pair}"),
        &format!("Bearer {pair}; a=b"),
        &format!("Bearer \"a\", {pair}"),
        &format!("Bearer\"a\"=b, {pair}"),
        &format!("Basic/abc, Bearer {pair}"),
        &format!("Bearer realm=\"a\"b, {pair}"),
        &format!("Bearer error=\"insufficient_claims\", claims={BASE64}"),
        &format!("Bearer {pair}, realm=\"open"),
        &format!("Bearer {pair}, realm=\"open\\"),
        &format!("Bearer {pair}, realm=\"open\\\""),
        r#"Bearer error="insufficient_claims", claims="{"a":1}""#,
    ] {
        assert_eq!(claims(&[line]), None, "{line}");
    }
    // A challenge ends with its line.
    assert_eq!(claims(&["Bearer error=\"insufficient_claims\"", &format!("claims=\"{BASE64}\"")]), None);
    assert!(ClaimsChallenge::from_headers(&HeaderMap::new()).is_none());
}

#[test]
fn other_bytes_than_ascii_matter_only_in_the_parameters_that_are_read() {
    let latin1 = [b"Bearer realm=\"\xe9\", error=\"insufficient_claims\", claims=\"{}\""].map(|line| &line[..]);
    assert!(of_bytes(&latin1).is_some());
    let claims = [b"Bearer error=\"insufficient_claims\", claims=\"{\\\"a\\\":\\\"\xe9\\\"}\""].map(|line| &line[..]);
    assert!(of_bytes(&claims).is_none());
    let uri =
        [b"Bearer authorization_uri=\"\xe9\", error=\"insufficient_claims\", claims=\"{}\""].map(|line| &line[..]);
    assert_eq!(of_bytes(&uri).unwrap().authorization_uri, None);
}

#[test]
fn the_length_of_a_line_is_limited() {
    let line = |length: usize| {
        let empty = "Bearer error=insufficient_claims, claims=\"{}\", realm=\"\"";
        empty.replace("realm=\"", &format!("realm=\"{}", "a".repeat(length - empty.len())))
    };
    assert_eq!(line(MAX).len(), MAX);
    assert_eq!(claims(&[&line(MAX)]).as_deref(), Some("{}"));
    assert_eq!(claims(&[&line(MAX + 1)]), None);
}

proptest! {
    // P-08
    #[test]
    fn no_bytes_panic(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..4)) {
        for line in &lines {
            let _ = header::parse(line);
        }
        let legal: Vec<_> = lines.iter().map(Vec::as_slice).filter(|line| HeaderValue::from_bytes(line).is_ok()).collect();
        let _ = of_bytes(&legal);
    }

    #[test]
    fn no_line_of_likely_words_panics(
        words in proptest::collection::vec("Bearer|PoP|error|claims|insufficient_claims|eyJhIjoxfQ|[ =,\"\\\\{}]", 0..24),
    ) {
        let line = words.concat();
        let _ = claims(&[&line]);
        let good = format!("Bearer error=insufficient_claims, claims=\"{BASE64}\"");
        prop_assert!(claims(&[&line, &good]).is_some(), "lines are independent");
    }

    #[test]
    fn any_text_survives_quoting(text in "[ -~é]{0,40}") {
        let sent = serde_json::json!({"a": text}).to_string();
        let line = format!("Basic realm={}, Bearer claims={}, error=insufficient_claims", quoted(&text), quoted(&sent));
        prop_assert_eq!(claims(&[&line]), Some(sent));
    }
}
