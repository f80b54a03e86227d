//! S-110…S-113, P-13: no `Debug` or `Display` of a public type, and no error, shows a secret or names a person, even if
//! it was created from hostile answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail"
)]

use core::fmt::{Debug, Display};

use auth_core::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A word that occurs only in secrets and names; every planted value contains it.
const CANARY: &str = "cAnArY7q";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const CORRELATION: &str = "a1b2c3d4-0000-4000-8000-000000000000";

fn planted(what: &str) -> String {
    format!("{CANARY}-{what}-{CANARY}")
}

/// The canary as plain text, in hexadecimal, and in base64 at each of the three offsets.
fn traces() -> Vec<String> {
    let hex = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Whole groups only: the outer characters depend on their neighbours.
    let base64 = (0..3).map(|offset| {
        let encoded = URL_SAFE_NO_PAD.encode(format!("{}{CANARY}", &"xx"[..offset]));
        encoded[4..encoded.len() - 2].to_owned()
    });
    [CANARY.to_owned(), hex].into_iter().chain(base64).collect()
}

#[track_caller]
fn clean(text: &str) {
    for trace in traces() {
        assert!(!text.contains(&trace), "{trace} in {text}");
    }
}

#[track_caller]
fn shows_nothing(value: &impl Debug) {
    clean(&format!("{value:?}"));
    clean(&format!("{value:#?}"));
}

#[track_caller]
fn says_nothing(error: &(impl Debug + Display)) {
    shows_nothing(error);
    clean(&error.to_string());
}

fn context() -> RequestContext {
    let application = Application::new(ClientId::new("my-client-id").unwrap());
    RequestContext::new(application, CorrelationId::parse(CORRELATION).unwrap())
        .with_extra_query(vec![("slice".to_owned(), planted("extra"))])
        .unwrap()
}

fn provider() -> ProviderMetadata {
    let document = json!({
        "issuer": "https://idp.example",
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://idp.example/token",
        "pushed_authorization_request_endpoint": "https://idp.example/par",
        "more": planted("metadata"),
    });
    let exchange = OpenIdConfiguration::new(context(), &Authority::oidc("https://idp.example").unwrap()).unwrap();
    shows_nothing(&exchange);
    let provider = exchange.complete(response(200, &document), NOW).unwrap();
    shows_nothing(&provider);
    provider.metadata
}

fn response(status: u16, body: &Value) -> http::Response<bytes::Bytes> {
    let response = http::Response::builder().status(status).header("content-type", "application/json");
    response.body(body.to_string().into()).unwrap()
}

fn id_token(nonce: &str) -> String {
    let claims = json!({
        "iss": "https://idp.example", "sub": planted("sub"), "aud": "my-client-id", "nonce": nonce,
        "exp": NOW.as_unix_seconds() + 300, "iat": NOW.as_unix_seconds(), "auth_time": NOW.as_unix_seconds(),
        "preferred_username": planted("name"),
    });
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        segment(&json!({"alg": "RS256"})),
        segment(&claims),
        URL_SAFE_NO_PAD.encode(planted("signature"))
    )
}

fn tokens(nonce: &str) -> Value {
    json!({
        "token_type": "Bearer", "expires_in": 3600, "access_token": planted("at"), "refresh_token": planted("rt"),
        "id_token": id_token(nonce),
        "client_info": URL_SAFE_NO_PAD.encode(json!({"uid": planted("uid"), "utid": planted("utid")}).to_string()),
    })
}

fn sign_in() -> PendingAuthorization {
    let redirect_uri = RedirectUri::parse("http://localhost:8400").unwrap();
    let mut request =
        AuthorizationRequest::new(context(), provider(), redirect_uri, Scopes::parse("User.Read").unwrap());
    request.login_hint = Some(planted("hint"));
    request.domain_hint = Some(planted("domain"));
    request.acr_values = Some(planted("acr"));
    request.max_age = Some(core::time::Duration::from_secs(3600));
    request.claims = Some(Claims::parse(&json!({"a": planted("claims")}).to_string()).unwrap());
    shows_nothing(&request);
    shows_nothing(&request.claims);
    shows_nothing(&request.clone().push(&mut rand::rngs::SysRng, NOW).unwrap());
    request.begin(&mut rand::rngs::SysRng, NOW).unwrap()
}

fn query(url: &http::Uri, name: &str) -> String {
    let found = form_urlencoded::parse(url.query().unwrap().as_bytes()).find(|(own, _)| own == name);
    found.unwrap().1.into_owned()
}

#[test]
fn the_canary_is_found_in_any_encoding() {
    for hidden in [
        planted("x"),
        hex(&planted("x")),
        URL_SAFE_NO_PAD.encode(planted("x")),
        URL_SAFE_NO_PAD.encode(format!("1{}", planted("x"))),
    ] {
        assert!(traces().iter().any(|trace| hidden.contains(trace)), "{hidden}");
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_sign_in_shows_nothing() {
    let pending = sign_in();
    let shown = format!("{pending:?}");
    clean(&shown);
    let (state, nonce) = (query(pending.url(), "state"), query(pending.url(), "nonce"));
    assert!(!shown.contains(&state) && !shown.contains(&nonce), "{shown}");
    shows_nothing(pending.state());

    let response_text = format!("code={}&state={state}&session_state={}", planted("code"), planted("session"));
    let authorized = AuthorizationResponse::parse(response_text.as_bytes()).unwrap();
    let shown = format!("{authorized:?}");
    clean(&shown);
    assert!(!shown.contains(&state), "{shown}");

    let redemption = pending.accept(authorized, NOW).unwrap();
    shows_nothing(&redemption);
    let request = redemption.request();
    shows_nothing(request.body());
    let tokens = redemption.complete(response(200, &tokens(&nonce)), NOW).unwrap();
    shows_nothing(&tokens);
    shows_nothing(&tokens.id_token);
    shows_nothing(&tokens.client_info);
    shows_nothing(&tokens.refresh_token);
    shows_nothing(&tokens.home_account_id());
    let account = Account::from_tokens(&tokens, &Authority::oidc("https://idp.example").unwrap());
    assert!(account.as_ref().unwrap().username.contains(CANARY));
    shows_nothing(&account);
}

#[test]
fn a_silent_redemption_shows_nothing() {
    let account = AccountId::new(format!("{}.{}", planted("uid"), planted("utid")));
    let mut request = RedemptionRequest::new(context(), provider(), account, Scopes::parse("User.Read").unwrap());
    request.claims = Some(Claims::parse(&json!({"a": planted("claims")}).to_string()).unwrap());
    request.id_tokens = vec![IdToken::parse(&Secret::new(id_token("n"))).unwrap()];
    shows_nothing(&request);
    let candidate = RefreshCandidate::new(Secret::new(planted("rt")), true);
    shows_nothing(&candidate);
    let mut flow = SilentRedemption::new(request, [candidate]);
    shows_nothing(&flow);
    let Step::Send { request, .. } = flow.step(NOW).unwrap() else { panic!() };
    assert!(String::from_utf8_lossy(request.body().as_bytes()).contains(CANARY));
    shows_nothing(request.body());
    shows_nothing(request.headers());
    shows_nothing(&flow);
    flow.handle(NOW, Input::Response(response(200, &tokens("n")))).unwrap();
    shows_nothing(&flow);
    let step = flow.step(NOW).unwrap();
    shows_nothing(&step);
    let Step::Done(outcome) = step else { panic!() };
    assert!(outcome.result.is_ok(), "{outcome:?}");
}

fn refresh(answer: http::Response<bytes::Bytes>) -> Error {
    let token = Secret::new(planted("rt"));
    let scopes = Scopes::parse("User.Read").unwrap();
    let exchange = RefreshRedemption::new(context(), provider(), token, scopes, NOW);
    shows_nothing(&exchange);
    exchange.expecting(AccountId::new("u.t"), Vec::new()).complete(answer, NOW).unwrap_err()
}

/// Error answers with canaries wherever an honest server may put data about the user.
#[test]
fn refusals_do_not_show_the_servers_explanation() {
    for (status, error) in [(400, "invalid_grant"), (400, "invalid_client"), (500, "server_error"), (429, "slow")] {
        let body = json!({
            "error": error, "error_description": planted("description"), "claims": json!({"a": planted("claims")}).to_string(),
            "error_uri": planted("uri"), "access_token": planted("at"), "more": {"deep": planted("more")},
        });
        let refused = refresh(response(status, &body));
        says_nothing(&refused);
        if let Error::UiRequired(ui) = &refused {
            assert!(ui.claims.as_ref().unwrap().contains(CANARY));
            let claims = Claims::parse(&json!({"b": planted("claims")}).to_string()).unwrap();
            says_nothing(&ui.clone().with_login_hint(planted("hint")).with_claims(&claims));
        }
    }
    let pending = sign_in();
    let state = query(pending.url(), "state");
    let response =
        format!("error=access_denied&error_description={}&code={}&state={state}", planted("d"), planted("c"));
    says_nothing(&pending.accept(AuthorizationResponse::parse(response.as_bytes()).unwrap(), NOW).unwrap_err());
    for hostile in [format!("code=a+{CANARY}"), format!("error={CANARY}%0A"), format!("state={CANARY}&state={CANARY}")]
    {
        says_nothing(&AuthorizationResponse::parse(hostile.as_bytes()).unwrap_err());
    }
}

/// Answers that violate the protocol, with canaries in the offending place.
#[test]
fn protocol_errors_do_not_show_the_rejected_value() {
    let bad = |name: &str, value: Value| {
        let mut body = tokens("n");
        body[name] = value;
        response(200, &body)
    };
    let with = |status: u16, name: &str, value: &str, body: String| {
        http::Response::builder().status(status).header(name, value).body(body.into()).unwrap()
    };
    for answer in [
        bad("token_type", json!(planted("type"))),
        bad("expires_in", json!(planted("in"))),
        bad("scope", json!(format!("{CANARY}\u{1}"))),
        bad("access_token", json!(format!("{CANARY} {CANARY}"))),
        bad("refresh_token", json!(format!("{CANARY}\n"))),
        bad("client_info", json!(CANARY)),
        bad("id_token", json!(planted("jwt"))),
        bad("id_token", json!(id_token("n").replace("eyJhbGci", "eyJhbGcj"))),
        bad("client_info", json!(URL_SAFE_NO_PAD.encode(json!({"uid": planted("u"), "utid": "t"}).to_string()))),
        bad("error", json!(format!("{CANARY}\n"))),
        bad("error", json!([CANARY])),
        with(200, "content-type", "text/html", planted("html")),
        with(200, "content-type", "application/json", planted("not json")),
        with(302, "location", &format!("https://portal.example/{CANARY}?{CANARY}#{CANARY}"), planted("body")),
        with(302, "location", &format!("https://{CANARY}:{CANARY}@portal.example/"), planted("body")),
        with(400, "content-type", "text/plain", planted("text")),
        with(200, "client-request-id", &planted("id"), planted("body")),
    ] {
        let what = format!("{answer:?}");
        let refused = refresh(answer);
        says_nothing(&refused);
        assert!(matches!(refused, Error::Protocol(_) | Error::Server(_)), "{refused:?} for {what}");
    }
}

#[test]
fn a_claims_challenge_shows_nothing() {
    let claims = URL_SAFE_NO_PAD.encode(json!({"a": planted("claims")}).to_string());
    let line = format!(
        "Bearer realm=\"{CANARY}\", error=\"insufficient_claims\", claims=\"{claims}\", \
         authorization_uri=\"https://idp.example/{CANARY}\""
    );
    let headers = [(http::header::WWW_AUTHENTICATE, line.parse().unwrap())].into_iter().collect();
    let challenge = ClaimsChallenge::from_headers(&headers).unwrap();
    assert!(challenge.claims.as_str().contains(CANARY));
    shows_nothing(&challenge);
}

#[test]
fn config_errors_do_not_show_the_rejected_value() {
    says_nothing(&Authority::parse(&format!("https://{CANARY}@idp.example/common")).unwrap_err());
    says_nothing(&Authority::oidc(&format!("https://idp.example/?{CANARY}")).unwrap_err());
    says_nothing(&RedirectUri::parse(&format!("https://{CANARY}@app.example/")).unwrap_err());
    says_nothing(&Claims::parse(&planted("claims")).unwrap_err());
    says_nothing(&ClientId::new(format!("{CANARY} ")).unwrap_err());
    let application = Application::new(ClientId::new("my-client-id").unwrap());
    says_nothing(&application.with_capabilities([format!("{CANARY} ")]).unwrap_err());
    says_nothing(&Scopes::parse(&format!("{CANARY}\"")).unwrap_err());
    says_nothing(&CorrelationId::parse(CANARY).unwrap_err());
    says_nothing(&IdToken::parse(&Secret::new(planted("jwt"))).unwrap_err());
}

#[test]
fn random_values_are_not_shown() {
    let rng = &mut rand::rngs::SysRng;
    let verifier = PkceVerifier::generate(rng).unwrap();
    assert!(!format!("{verifier:?}").contains(verifier.secret().expose()));
    assert_eq!(
        format!("{:?} {:?}", State::generate(rng).unwrap(), Nonce::generate(rng).unwrap()),
        "State([redacted]) Nonce([redacted])"
    );
}

/// Any JSON, with a canary for every string.
fn hostile_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,5}".prop_map(|text| json!(format!("{text}{CANARY}{text}"))),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    // P-13. The code (`error`, `suberror`) and the server's ids for support are meant to be shown.
    #[test]
    fn no_error_shows_a_hostile_answer(
        status in prop_oneof![Just(200_u16), Just(400), Just(401), Just(429), Just(500)],
        members in proptest::collection::btree_map(
            "access_token|refresh_token|id_token|token_type|expires_in|refresh_in|scope|client_info|foci|error_description|claims|error_uri",
            hostile_json(), 0..8),
        error in proptest::option::of("invalid_grant|interaction_required|invalid_client|x"),
    ) {
        let mut body = json!(members);
        if let Some(error) = error {
            body["error"] = json!(error);
        }
        says_nothing(&refresh(response(status, &body)));
    }
}
