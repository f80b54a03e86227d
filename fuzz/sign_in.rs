//! Pending sign-ins, for responses to answer.

use auth_core::{
    Application, Authority, AuthorizationRequest, ClientId, CorrelationId, Exchange as _, OpenIdConfiguration,
    PendingAuthorization, RedirectUri, RequestContext, ResponseMode, Scopes, Timestamp,
};
use http::Response;
use serde_json::json;

pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const REDIRECT: &str = "http://localhost:8400/done";

pub(crate) fn begin(mode: ResponseMode) -> PendingAuthorization {
    let application = Application::new(ClientId::new("my-client-id").expect("a client id"));
    let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").expect("a correlation id");
    let (context, now) = (RequestContext::new(application, id), Timestamp::from_unix_seconds(NOW));
    let authority = Authority::oidc(ISSUER).expect("an issuer");
    let document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://idp.example/token",
        "response_modes_supported": [mode.as_str()],
    });
    let response = Response::builder().header("content-type", "application/json").body(document.to_string().into());
    let discovery = OpenIdConfiguration::new(context.clone(), &authority).expect("a URL");
    let metadata = discovery.complete(response.expect("a response"), now).expect("good metadata").metadata;
    let (redirect_uri, scopes) = (RedirectUri::parse(REDIRECT).expect("a URI"), Scopes::parse("api").expect("a scope"));
    let request = AuthorizationRequest::new(context, metadata, redirect_uri, scopes);
    request.begin(&mut rand::rngs::SysRng, now).expect("randomness")
}

/// The `state` that the provider receives.
pub(crate) fn state_of(pending: &PendingAuthorization) -> String {
    let query = pending.url().query().expect("a query");
    query.split('&').find_map(|pair| pair.strip_prefix("state=")).expect("a state").to_owned()
}

/// Replaces `{state}` in `input` with the state, which no fuzzer could guess.
pub(crate) fn with_state(input: &[u8], state: &str) -> Vec<u8> {
    let mut rest = input;
    let mut whole = Vec::with_capacity(input.len());
    while let Some(at) = rest.windows(7).position(|window| window == b"{state}") {
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(state.as_bytes());
        rest = &rest[at + 7..];
    }
    whole.extend_from_slice(rest);
    whole
}
