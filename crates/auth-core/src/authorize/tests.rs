mod clouds;
mod kinds;
mod parameters;
mod push;
mod redirect_uri;
mod user_flows;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::authority::Authority;
use crate::claims::Claims;
use crate::error::{Classification, ConfigError, Error, ProtocolError, UiReason};
use crate::exchange::{CodeRedemption, Exchange as _, OpenIdConfiguration, RefreshRedemption, Replay};
use crate::secret::Secret;
use crate::testing::{
    CAPABLE_CLAIMS, CORRELATION, ISSUER, NOW, capable_context, context, fields, id_claims, json_response, jwt, kind,
    metadata, pairs, scopes, tokens, with,
};
use crate::tokens::Tokens;

const REDIRECT: &str = "http://localhost:8400/done?a=b";

fn request(document: &[(&str, Value)]) -> AuthorizationRequest {
    AuthorizationRequest::new(context(), metadata(document), RedirectUri::parse(REDIRECT).unwrap(), scopes("User.Read"))
}

fn begin(document: &[(&str, Value)]) -> PendingAuthorization {
    begun(request(document))
}

fn begun(request: AuthorizationRequest) -> PendingAuthorization {
    request.begin(&mut rand::rngs::SysRng, NOW).unwrap()
}

fn query(pending: &PendingAuthorization) -> BTreeMap<String, String> {
    pairs(pending.url().query().unwrap().as_bytes())
}

#[test]
fn the_url_has_exactly_the_parameters_of_the_protocol() {
    let pending = begin(&[]);
    let query = query(&pending);
    let expected = [
        ("client_id", "my-client-id"),
        ("client_info", "1"),
        ("client-request-id", CORRELATION),
        ("code_challenge", &pending.verifier.challenge()),
        ("code_challenge_method", "S256"),
        ("nonce", pending.nonce.expose()),
        ("redirect_uri", REDIRECT),
        ("response_mode", "query"),
        ("response_type", "code"),
        ("scope", "User.Read openid profile offline_access"),
        ("state", pending.state.expose()),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let url = pending.url().to_string();
    assert!(url.starts_with("https://idp.example/authorize?client_id=my-client-id&"), "{url}");
    assert!(url.contains("scope=User.Read%20openid%20profile%20offline_access&"), "{url}");
    assert!(url.contains("redirect_uri=http%3A%2F%2Flocalhost%3A8400%2Fdone%3Fa%3Db&"), "{url}");
    assert_eq!((pending.started_at(), pending.redirect_uri().as_str()), (NOW, REDIRECT));
}

// S-01: 256 bits each, and different every time.
#[test]
fn each_sign_in_has_new_random_values() {
    let (a, b) = (query(&begin(&[])), query(&begin(&[])));
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(a[name].len(), 43, "{name}");
        assert_ne!(a[name], b[name], "{name}");
    }
    assert_ne!(a["state"], a["nonce"]);
}

// S-08: a form post if the provider is known to support it, otherwise the query, never a fragment.
#[test]
fn the_response_mode_follows_the_metadata() {
    let mode = |modes: Value| begin(&[("response_modes_supported", modes)]).response_mode();
    assert_eq!(mode(json!(["query", "form_post"])), ResponseMode::FormPost);
    assert_eq!(mode(json!(["query", "fragment"])), ResponseMode::Query);
    assert_eq!(mode(json!("form_post")), ResponseMode::Query);
    assert_eq!(mode(Value::Null), ResponseMode::Query);
    let mut entra = request(&[]);
    entra.metadata = Authority::tenant("common").unwrap().metadata().unwrap();
    let pending = begun(entra);
    assert_eq!(query(&pending)["response_mode"], "form_post");
    assert_eq!(pending.response_mode(), ResponseMode::FormPost);
    for chosen in [ResponseMode::Query, ResponseMode::FormPost] {
        for document in [&[][..], &[("response_modes_supported", json!(["query", "form_post"]))]] {
            let mut request = request(document);
            request.response_mode = Some(chosen);
            let pending = begun(request);
            assert_eq!((query(&pending)["response_mode"].as_str(), pending.response_mode()), (chosen.as_str(), chosen));
        }
    }
}

// Only ADFS does not support `client_info`, whether its endpoints are discovered or not.
#[test]
fn client_info_is_requested_except_from_adfs() {
    let adfs = Authority::parse("https://adfs.contoso.example/adfs").unwrap();
    let document = json!({
        "issuer": "https://adfs.contoso.example/adfs",
        "authorization_endpoint": "https://adfs.contoso.example/adfs/oauth2/authorize/",
        "token_endpoint": "https://adfs.contoso.example/adfs/oauth2/token/",
    });
    let discovered = OpenIdConfiguration::new(context(), &adfs).unwrap().complete(json_response(200, &document), NOW);
    let compiled_in = |text| Authority::parse(text).unwrap().metadata().unwrap();
    for (provider, asked) in [
        (compiled_in("https://login.microsoftonline.com/common"), true),
        (compiled_in("https://contoso.b2clogin.com/contoso.example/b2c_1"), true),
        (compiled_in("https://contoso.ciamlogin.com"), true),
        (compiled_in("https://dsts.example/dstsv2/contoso.example"), true),
        (metadata(&[]), true),
        (adfs.metadata().unwrap(), false),
        (discovered.unwrap().metadata, false),
    ] {
        let redirect = RedirectUri::parse(REDIRECT).unwrap();
        let pending = begun(AuthorizationRequest::new(context(), provider.clone(), redirect, scopes("User.Read")));
        let sign_in = query(&pending);
        let redemption = accept(pending, "code=c&state=STATE").unwrap();
        let token = Secret::new("rt".to_owned());
        let refresh = RefreshRedemption::new(context(), provider, token, scopes("User.Read"), NOW);
        for sent in [sign_in, fields(&redemption.request()), fields(&refresh.request())] {
            assert_eq!(sent.get("client_info").map(String::as_str), asked.then_some("1"), "{sent:?}");
        }
    }
}

// S-02
#[test]
fn a_provider_that_lists_only_other_challenge_methods_is_refused() {
    for (methods, usable) in [
        (Value::Null, true),
        (json!(["S256"]), true),
        (json!(["plain", "S256"]), true),
        (json!(["plain"]), false),
        (json!([]), false),
        (json!(["s256"]), false),
    ] {
        let begun =
            request(&[("code_challenge_methods_supported", methods.clone())]).begin(&mut rand::rngs::SysRng, NOW);
        let expected = if usable { None } else { Some(ConfigError::PkceUnsupported) };
        assert_eq!(begun.err(), expected, "{methods}");
    }
}

#[test]
fn a_url_that_is_too_long_is_refused() {
    let mut request = request(&[]);
    request.login_hint = Some("x".repeat(70_000));
    let refused = request.begin(&mut rand::rngs::SysRng, NOW).err().map(|error| error.to_string());
    assert!(refused.is_some_and(|text| text.starts_with("the authorization URL is too long")));
}

/// Accepts a response, with `STATE` replaced by the right state.
fn accept(pending: PendingAuthorization, response: &str) -> Result<CodeRedemption, Error> {
    let response = response.replace("STATE", pending.state().expose());
    pending.accept(AuthorizationResponse::parse(response.as_bytes())?, NOW)
}

const FOREIGN: &str = "protocol: the authorization response does not belong to this sign-in";
const OTHER_ISSUER: &str = "protocol: the authorization response comes from another issuer";
const NO_CODE: &str = "protocol: the authorization response has no code";

// S-03, S-05, S-06: state, issuer, error and code are checked in this order.
#[test]
fn a_response_is_checked_in_order() {
    let (right, wrong) = ("&iss=https%3A%2F%2Fidp.example", "&iss=https%3A%2F%2Fevil.example");
    for (promised, response, expected) in [
        (false, "code=c&state=STATE".to_owned(), "code"),
        (false, "state=STATE&code=c&session_state=s&more=%00".to_owned(), "code"),
        (false, format!("code=c&state=STATE{right}"), "code"),
        (true, format!("code=c&state=STATE{right}"), "code"),
        (false, "code=c".to_owned(), FOREIGN),
        (false, "code=c&state=".to_owned(), FOREIGN),
        (false, "code=c&state=STATEx".to_owned(), FOREIGN),
        (false, "code=c&state=%20STATE".to_owned(), FOREIGN),
        (false, "error=access_denied".to_owned(), FOREIGN),
        (false, "error=access_denied&state=x".to_owned(), FOREIGN),
        (false, format!("error=access_denied&state=x{wrong}"), FOREIGN),
        (false, format!("code=c&state=STATE{wrong}"), OTHER_ISSUER),
        (false, format!("code=c&state=STATE{right}%2F"), OTHER_ISSUER),
        (false, "code=c&state=STATE&iss=".to_owned(), OTHER_ISSUER),
        (false, format!("error=access_denied&state=STATE{wrong}"), OTHER_ISSUER),
        (true, "code=c&state=STATE".to_owned(), OTHER_ISSUER),
        (true, "error=access_denied&state=STATE".to_owned(), OTHER_ISSUER),
        (false, "error=access_denied&state=STATE".to_owned(), "server access_denied"),
        (false, "code=c&error=access_denied&state=STATE".to_owned(), "server access_denied"),
        (false, "state=STATE".to_owned(), NO_CODE),
    ] {
        let pending = begin(&[("authorization_response_iss_parameter_supported", json!(promised))]);
        let verdict = accept(pending, &response).map_or_else(|error| kind(&error), |_| "code".to_owned());
        assert_eq!(verdict, expected, "{response}, iss promised: {promised}");
    }
}

// S-09, S-63, S-66: repeated parameters, and values that no provider may send.
#[test]
fn unusable_parameters_reject_the_response() {
    for (response, culprit) in [
        ("code=c&code=c&state=s", Some("code")),
        ("code=c&state=s&state=s", Some("state")),
        ("code=c&%73tate=s&state=s", Some("state")),
        ("iss=i&iss=i&code=c&state=s", Some("iss")),
        ("error=a&error=a&state=s", Some("error")),
        ("error=a&error_description=b&error_description=c&state=s", Some("error_description")),
        ("error=a&suberror=b&error_subcode=c&state=s", Some("error_subcode")),
        ("code=&state=s", Some("code")),
        ("code=a+b&state=s", Some("code")),
        ("code=a%0D%0Ab&state=s", Some("code")),
        ("code=%C3%A9&state=s", Some("code")),
        ("error=&state=s", Some("error")),
        ("error=a%0Ab&state=s", Some("error")),
        ("error=a%22b&state=s", Some("error")),
        ("code=c&state=s&session_state=1&session_state=2", None),
        ("", None),
    ] {
        let refused = AuthorizationResponse::parse(response.as_bytes()).err();
        let expected = culprit.map(|name| ProtocolError::Invalid { message: "authorization response", name });
        assert_eq!(refused, expected, "{response}");
    }
    let long = format!("state=s&code={}", "x".repeat(64 * 1024 + 1));
    assert!(AuthorizationResponse::parse(long.as_bytes()).is_err());
}

#[test]
fn a_refusal_keeps_the_providers_error() {
    let response = "state=STATE&error=access_denied&error_description=no%1B%5B31m+way&error_subcode=cancel&unknown=1";
    let Err(Error::Server(server)) = accept(begin(&[]), response) else { panic!() };
    assert_eq!(server.error, "access_denied");
    assert_eq!(server.description.as_deref(), Some("no[31m way"));
    assert!(server.has_suberror("cancel"));
    assert_eq!(server.status, None);
    assert!(!server.is_transient());
}

#[test]
fn a_sign_in_without_a_prompt_reports_that_it_needs_one() {
    for error in ["login_required", "interaction_required", "consent_required", "account_selection_required"] {
        let mut request = request(&[]);
        request.prompt = Some(Prompt::None);
        let response = format!("state=STATE&error={error}");
        let Err(Error::UiRequired(ui)) = accept(begun(request), &response) else { panic!("{error}") };
        assert_eq!(ui.reason, UiReason::NoPromptFailed, "{error}");
        assert_eq!(ui.classification(), Classification::PromptNeverFailed, "{error}");
        assert_eq!(ui.code(), error);
        assert_eq!(ui.correlation_id.to_string(), CORRELATION);
    }
}

#[test]
fn both_requests_contain_the_clients_capabilities() {
    let mut request = request(&[]);
    request.context = capable_context();
    request.claims = Some(Claims::parse(r#"{"id_token":{}}"#).unwrap());
    let pending = begun(request);
    assert_eq!(query(&pending)["claims"], CAPABLE_CLAIMS);
    let redemption = accept(pending, "code=c&state=STATE").unwrap();
    assert_eq!(fields(&redemption.request())["claims"], CAPABLE_CLAIMS);
}

// S-02, S-06: the same provider and redirect URI, and the verifier of the challenge.
#[test]
fn the_redemption_matches_the_request() {
    let mut request = request(&[]);
    request.claims = Some(Claims::parse("{}").unwrap());
    let pending = begun(request);
    let (challenge, verifier) = (query(&pending)["code_challenge"].clone(), pending.verifier.clone());
    assert_eq!(verifier.challenge(), challenge);
    let redemption = accept(pending, "code=c%26d&state=STATE").unwrap();
    let request = redemption.request();
    assert_eq!(request.uri(), "https://idp.example/token");
    assert_eq!(CodeRedemption::REPLAY, Replay::Never);
    let expected = [
        ("claims", "{}"),
        ("client_id", "my-client-id"),
        ("client_info", "1"),
        ("code", "c&d"),
        ("code_verifier", verifier.secret().expose()),
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT),
        ("scope", "User.Read openid profile offline_access"),
    ];
    assert_eq!(fields(&request), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

/// Signs in and answers the redemption with an ID token with changed claims, or without one.
fn redeem(changes: &[(&str, Value)], id_token: bool) -> Result<Tokens, Error> {
    let pending = begin(&[]);
    let nonce = pending.nonce.expose().to_owned();
    let claims = with(with(id_claims(), &[("nonce", json!(nonce))]), changes);
    let body = if id_token { with(tokens(), &[("id_token", json!(jwt(&claims)))]) } else { tokens() };
    accept(pending, "code=c&state=STATE")?.complete(json_response(200, &body), NOW)
}

// S-07: the ID token must belong to this sign-in.
#[test]
fn the_id_token_must_contain_the_nonce() {
    assert!(redeem(&[], true).is_ok());
    let verdict = |changes: &[(&str, Value)], id_token| kind(&redeem(changes, id_token).unwrap_err());
    let foreign = "protocol: the ID token is not acceptable: it does not belong to this sign-in";
    assert_eq!(verdict(&[("nonce", Value::Null)], true), foreign);
    assert_eq!(verdict(&[("nonce", json!("other"))], true), foreign);
    assert_eq!(verdict(&[], false), "protocol: the token response has no id_token");
    assert_eq!(
        verdict(&[("iss", json!("https://idp.example/"))], true),
        "protocol: the ID token is not acceptable: it comes from another issuer"
    );
}

#[test]
fn only_the_provider_may_post_the_response() {
    assert_eq!(begin(&[]).response_origins(), [ISSUER]);
    let mut entra = request(&[]);
    entra.metadata = Authority::tenant("common").unwrap().metadata().unwrap();
    let origins = begun(entra).response_origins();
    assert!(origins.contains(&"https://login.microsoftonline.com".to_owned()), "{origins:?}");
    assert!(origins.contains(&"https://login.live.com".to_owned()), "{origins:?}");
    assert!(origins.iter().all(|origin| origin.starts_with("https://")), "{origins:?}");
}

#[test]
fn a_failing_generator_is_an_error() {
    let refused = request(&[]).begin(&mut crate::testing::BrokenRng, NOW).err();
    assert_eq!(refused, Some(ConfigError::Randomness));
}
