use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::authorize::{AuthorizationRequest, AuthorizationResponse};
use crate::client::ClientId;
use crate::exchange::Exchange as _;
use crate::testing::{CLIENT, ISSUER, NOW, context, fields, metadata, scopes, with};

const REDIRECT: &str = "https://app.example/signed-in";
const TENANT: &str = "https://login.microsoftonline.com/contoso.example";

fn application(client_id: &str) -> Application {
    Application::new(ClientId::new(client_id).unwrap())
}

fn request(metadata: ProviderMetadata) -> AuthorizationRequest {
    AuthorizationRequest::new(context(), metadata, RedirectUri::parse(REDIRECT).unwrap(), scopes("User.Read"))
}

fn begun(request: AuthorizationRequest) -> PendingAuthorization {
    request.begin(&mut rand::rngs::SysRng, NOW).unwrap()
}

fn provider() -> Authority {
    Authority::oidc(ISSUER).unwrap()
}

fn entra() -> Authority {
    Authority::parse(TENANT).unwrap()
}

fn pending_at(authority: &Authority) -> PendingAuthorization {
    begun(request(authority.metadata().unwrap_or_else(|| metadata(&[]))))
}

fn kept(pending: &PendingAuthorization) -> Value {
    serde_json::from_str(pending.to_json().expose()).unwrap()
}

fn read(text: &str, authority: &Authority) -> Result<PendingAuthorization, ProtocolError> {
    PendingAuthorization::from_json(&Secret::new(text.to_owned()), application(CLIENT), authority)
}

/// The form of the redemption.
fn redemption(pending: PendingAuthorization) -> (String, Option<String>, BTreeMap<String, String>) {
    let response = format!("code=c&state={}", pending.state().expose());
    let request = pending.accept(AuthorizationResponse::parse(response.as_bytes()).unwrap(), NOW).unwrap().request();
    let mailbox = request.headers().get("x-anchormailbox").map(|mailbox| mailbox.to_str().unwrap().to_owned());
    (request.uri().to_string(), mailbox, fields(&request))
}

#[test]
fn a_restored_sign_in_redeems_the_code_like_the_original() {
    let mut full = request(metadata(&[("authorization_response_iss_parameter_supported", json!(false))]));
    full.claims = Some(Claims::parse(r#"{ "id_token" : {"acr":null} }"#).unwrap());
    full.context = context().with_extra_query(vec![("dc".to_owned(), "\"ä \\\n".to_owned())]).unwrap();
    full.response_mode = Some(ResponseMode::FormPost);
    full.max_age = Some(Duration::from_secs(3600));
    let mut roaming = request(entra().metadata().unwrap());
    roaming.multi_cloud = Some(entra());
    roaming.login_hint = Some("ada@contoso.example".to_owned());
    let all = [(provider(), begun(full)), (entra(), begun(roaming)), (entra(), pending_at(&entra()))];
    for (authority, pending) in all {
        let resumed = read(pending.to_json().expose(), &authority).unwrap();
        assert_eq!(kept(&resumed), kept(&pending));
        assert_eq!((resumed.url(), resumed.response_mode()), (pending.url(), pending.response_mode()));
        assert_eq!((&resumed.multi_cloud, resumed.max_age), (&None, pending.max_age));
        let mut as_begun = read(pending.to_json().expose(), &authority).unwrap();
        if let Some(authority) = &pending.multi_cloud {
            as_begun = as_begun.with_multi_cloud(authority.clone());
        }
        assert_eq!(as_begun.multi_cloud, pending.multi_cloud);
        assert_eq!(as_begun.response_origins(), pending.response_origins());
        assert!(resumed.is_of(&ClientId::new(CLIENT).unwrap(), &authority));
        assert_eq!(redemption(resumed), redemption(pending));
    }
}

// S-109: the text is a secret with plain members.
#[test]
fn the_text_is_a_secret_of_version_1() {
    let pending = pending_at(&entra());
    assert_eq!(format!("{:?}", pending.to_json()), "[redacted]");
    let mut members = kept(&pending);
    let taken = ["state", "nonce", "code_verifier", "url"].map(|name| members.as_object_mut().unwrap().remove(name));
    assert!(taken.iter().all(Option::is_some));
    let expected = json!({
        "version": 1,
        "client_id": CLIENT,
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
        "authorization_endpoint": "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
        "authorization_response_iss_parameter_supported": false,
        "redirect_uri": REDIRECT,
        "response_mode": "form_post",
        "scope": "User.Read",
        "correlation_id": crate::testing::CORRELATION,
        "extra_query": [],
        "started_at": NOW.as_unix_seconds(),
    });
    assert_eq!(members, expected);
}

/// The reason why a text with some members changed is refused.
fn verdict(authority: &Authority, changes: &[(&str, Value)]) -> String {
    let forged = with(kept(&pending_at(authority)), changes);
    read(&forged.to_string(), authority).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

// S-06: an attacker who can write to a session can neither redirect a code nor weaken a sign-in.
#[test]
fn a_forged_text_is_refused() {
    let unusable = |name: &str| format!("the pending authorization has an unusable {name}");
    let token = "token_endpoint";
    for (authority, name, value) in [
        (entra(), "version", json!(2)),
        (entra(), "version", json!("1")),
        (entra(), "client_id", json!("another")),
        (entra(), "issuer", json!("https://login.microsoftonline.us/{tenantid}/v2.0")),
        (entra(), "issuer", json!(ISSUER)),
        (entra(), token, json!("https://evil.example/token")),
        (entra(), token, json!("https://login.microsoftonline.com/evil.example/oauth2/v2.0/token")),
        (entra(), token, json!("http://login.microsoftonline.com/contoso.example/oauth2/v2.0/token")),
        (entra(), "authorization_endpoint", json!("https://evil.example/authorize")),
        (
            entra(),
            "authorization_endpoint",
            json!("https://login.microsoftonline.com/evil.example/oauth2/v2.0/authorize"),
        ),
        (provider(), "issuer", json!("https://idp.example/")),
        (provider(), token, json!("http://idp.example/token")),
        (provider(), token, json!("https://169.254.169.254/token")),
        (provider(), token, json!("https://localhost/token")),
        (provider(), token, json!("https://user@idp.example/token")),
        (provider(), "authorization_response_iss_parameter_supported", json!("true")),
        (provider(), "redirect_uri", json!("http://app.example/")),
        (provider(), "redirect_uri", json!("javascript:alert(1)")),
        (provider(), "response_mode", json!("fragment")),
        (provider(), "scope", json!("a\"b")),
        (provider(), "claims", json!("[]")),
        (provider(), "claims", json!({})),
        (provider(), "login_hint", json!(1)),
        (provider(), "max_age", json!("1")),
        (provider(), "max_age", json!(-1)),
        (provider(), "correlation_id", json!("1")),
        (provider(), "state", json!("")),
        (provider(), "state", json!("x".repeat(42))),
        (provider(), "state", json!("é".repeat(22))),
        (provider(), "nonce", json!("x".repeat(44))),
        (provider(), "nonce", json!(1)),
        (provider(), "code_verifier", json!(format!("{}=", "x".repeat(42)))),
        (provider(), "started_at", json!(-1)),
        (provider(), "started_at", json!(1.5)),
        (provider(), "extra_query", json!([["code", "c"]])),
        (provider(), "extra_query", json!([["a"]])),
        (provider(), "extra_query", json!({"a": "b"})),
        (provider(), "url", json!("https://evil.example/authorize?a=b")),
        (provider(), "url", json!("https://idp.example/authorize.evil.example/?a=b")),
        (provider(), "url", json!("https://idp.example/authorize? ")),
    ] {
        assert_eq!(verdict(&authority, &[(name, value.clone())]), unusable(name), "{value}");
    }
    assert_eq!(verdict(&entra(), &[("unknown", json!(1)), ("redirect_uri", json!("https://b.example"))]), "accepted");
}

#[test]
fn an_incomplete_or_malformed_text_is_refused() {
    let whole = kept(&pending_at(&provider()));
    for name in whole.as_object().unwrap().keys() {
        let error = read(&with(whole.clone(), &[(name, Value::Null)]).to_string(), &provider()).unwrap_err();
        assert_eq!(error.to_string(), format!("the pending authorization has no {name}"));
    }
    let twice = whole.to_string().replacen('{', r#"{"version":1,"#, 1);
    for text in ["", "{", "[]", "null", "\u{feff}{}", &twice] {
        assert_eq!(read(text, &provider()).unwrap_err(), ProtocolError::Malformed(MESSAGE), "{text}");
    }
}

#[test]
fn a_text_of_another_client_or_authority_is_refused() {
    let pending = pending_at(&entra());
    let at = |text| Authority::parse(text).unwrap();
    let text = pending.to_json();
    for (client, authority, accepted) in [
        (CLIENT, entra(), true),
        ("another", entra(), false),
        (CLIENT, at("https://login.microsoftonline.com/common"), false),
        (CLIENT, at("https://login.microsoftonline.us/contoso.example"), false),
        (CLIENT, at("https://contoso.b2clogin.com/contoso.example/b2c_1"), false),
        (CLIENT, provider(), false),
    ] {
        let resumed = PendingAuthorization::from_json(&text, application(client), &authority);
        assert_eq!(resumed.is_ok(), accepted, "{client} {authority}");
        let is_of = pending.is_of(&ClientId::new(client).unwrap(), &authority);
        assert_eq!(is_of, accepted, "{client} {authority}");
    }
}

// S-04: after ten minutes, or if the start is in the future.
#[test]
fn a_sign_in_expires() {
    let mut pending = pending_at(&entra());
    for (started_at, expired) in
        [(0, false), (-600, false), (-601, true), (-1_700_000_000, true), (300, false), (301, true), (i64::MAX, true)]
    {
        pending.started_at = Timestamp::from_unix_seconds(NOW.as_unix_seconds().saturating_add_signed(started_at));
        assert_eq!(pending.is_expired(NOW), expired, "{started_at}");
    }
}

proptest! {
    /// Whatever the session contains, the result is typed, and the code goes to the endpoint of the authority.
    #[test]
    fn no_text_panics_or_redirects_the_code(
        name in prop::sample::select(vec![
            "version", "client_id", "issuer", "authorization_endpoint", "token_endpoint", "redirect_uri", "response_mode",
            "scope", "claims", "state", "nonce", "code_verifier", "correlation_id", "extra_query", "started_at", "url",
        ]),
        value in prop_oneof![
            any::<String>().prop_map(Value::String),
            any::<f64>().prop_map(|number| json!(number)),
            any::<i64>().prop_map(|number| json!(number)),
            prop::collection::vec(any::<String>(), 0..4).prop_map(|list| json!([list])),
            Just(Value::Null),
        ],
        cut in any::<prop::sample::Index>(),
    ) {
        let forged = with(kept(&pending_at(&entra())), &[(name, value)]).to_string();
        if let Ok(pending) = read(&forged, &entra()) {
            let (endpoint, ..) = redemption(pending);
            let metadata = entra().metadata().unwrap();
            prop_assert_eq!(endpoint.split('?').next(), Some(metadata.token_endpoint_text().as_ref()));
        }
        let characters: Vec<_> = forged.chars().collect();
        let cut: String = characters[..cut.index(characters.len())].iter().collect();
        prop_assert_eq!(read(&cut, &entra()).unwrap_err(), ProtocolError::Malformed(MESSAGE));
    }
}
