//! Token responses: lifetimes stay within the limits (S-61), tokens are those of the JSON, and no text for people
//! depends on a secret.

use auth_core::{
    Application, Authority, ClientId, ClientInfo, CorrelationId, Error, Exchange as _, RefreshRedemption,
    RequestContext, Scopes, Secret, Timestamp, Tokens,
};
use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};

const NOW: u64 = 1_700_000_000;
const TEN_YEARS: u64 = 10 * 365 * 24 * 60 * 60;
/// The secret members; their characters do not affect parsing.
const SECRETS: [&str; 2] = ["access_token", "refresh_token"];

/// `input` is the body of a success and of a refusal.
pub(crate) fn holds(input: &[u8]) {
    let members = serde_json::from_slice::<Map<String, Value>>(input).ok();
    for status in [200, 400, 503] {
        let result = complete(status, input.to_vec());
        check_texts(&result);
        match (&result, &members) {
            (Ok(tokens), Some(members)) => {
                assert_eq!(status, 200);
                check_tokens(tokens, members);
            }
            (Ok(_), None) => panic!("tokens without JSON"),
            (Err(_), _) => {}
        }
        if let Some(members) = &members {
            let shown = |members: &Map<String, Value>| {
                texts(&complete(status, serde_json::to_vec(members).expect("JSON"))).concat()
            };
            assert_eq!(shown(members), shown(&with_other_secrets(members)), "a secret affects the text");
        }
    }
}

fn complete(status: u16, body: Vec<u8>) -> Result<Tokens, Error> {
    let application = Application::new(ClientId::new("my-client-id").expect("a client id"));
    let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").expect("a correlation id");
    let metadata = Authority::tenant("common").expect("an authority").metadata().expect("metadata");
    let scopes = Scopes::parse("User.Read openid").expect("scopes");
    let (token, now) = (Secret::new("rt".to_owned()), Timestamp::from_unix_seconds(NOW));
    let refresh = RefreshRedemption::new(RequestContext::new(application, id), metadata, token, scopes, now);
    let response = Response::builder().status(status).header("content-type", "application/json");
    refresh.complete(response.body(Bytes::from(body)).expect("a response"), now)
}

fn check_tokens(tokens: &Tokens, members: &Map<String, Value>) {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    assert!(text("token_type").is_some_and(|token_type| token_type.eq_ignore_ascii_case("Bearer")));
    assert!(!members.contains_key("error"), "a response with `error` is a refusal");
    assert_eq!(text("access_token"), Some(tokens.access_token.expose()));
    assert_eq!(text("refresh_token"), tokens.refresh_token.as_ref().map(Secret::expose));
    assert_eq!(text("id_token"), tokens.id_token.as_ref().map(|token| token.secret().expose()));
    // One that cannot be decoded is refused; one that names no one counts as missing (S-67).
    let client_info = text("client_info").and_then(|text| ClientInfo::parse(text).expect("it can be decoded"));
    assert_eq!(tokens.client_info, client_info);
    for secret in [Some(&tokens.access_token), tokens.refresh_token.as_ref()].into_iter().flatten() {
        let secret = secret.expose();
        assert!((1..=64 * 1024).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    let lifetime =
        |time: Timestamp| time.as_unix_seconds().checked_sub(NOW).expect("no token expires before it arrives");
    assert_eq!(lifetime(tokens.expires_on), seconds(members.get("expires_in")).unwrap_or_default());
    assert_eq!(tokens.extended_expires_on.map(lifetime), seconds(members.get("ext_expires_in")));
    let refresh_in = seconds(members.get("refresh_in")).filter(|refresh_in| *refresh_in < lifetime(tokens.expires_on));
    assert_eq!(tokens.refresh_on.map(lifetime), refresh_in);
    let declined = tokens.declined_scopes();
    assert!(declined.is_empty() == tokens.granted_scopes.grants(&tokens.requested_scopes), "{declined:?}");
}

/// A whole number, also as text of at most ten digits, capped at ten years (S-61).
fn seconds(value: Option<&Value>) -> Option<u64> {
    let seconds = match value? {
        Value::Number(number) => number.as_u64().expect("a whole number"),
        Value::String(text) => text.parse().expect("digits"),
        other => panic!("{other} was accepted"),
    };
    assert!(seconds < 10_000_000_000, "{seconds} was accepted");
    Some(seconds.min(TEN_YEARS))
}

fn check_texts(result: &Result<Tokens, Error>) {
    for text in texts(result) {
        assert!(text.len() < 32 * 1024, "{} bytes", text.len());
        let steers = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
        assert!(!text.contains(steers), "{text:?}");
    }
}

/// The texts of a response that people may see.
fn texts(result: &Result<Tokens, Error>) -> Vec<String> {
    match result {
        Ok(tokens) => vec![format!("{tokens:?}")],
        Err(error) => vec![format!("{error:?}"), error.to_string()],
    }
}

/// The same response with other secrets of the same shape.
fn with_other_secrets(members: &Map<String, Value>) -> Map<String, Value> {
    let mut members = members.clone();
    for name in SECRETS {
        if let Some(Value::String(secret)) = members.get_mut(name) {
            *secret = secret.chars().map(other).collect();
        }
    }
    members
}

fn other(c: char) -> char {
    match c {
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(u32::from(c) + 1).unwrap_or(c),
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        _ => c,
    }
}
