//! Sign-ins for the tests.

use auth_core::{
    Application, Authority, AuthorizationRequest, ClientId, CorrelationId, Exchange as _,
    OpenIdConfiguration, PendingAuthorization, RedirectUri, RequestContext, ResponseMode, Scopes,
    Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// A sign-in at `https://idp.example`.
pub(crate) fn pending(redirect_uri: &RedirectUri, mode: ResponseMode) -> PendingAuthorization {
    let rng = &mut rand::rngs::SysRng;
    let application = Application::new(ClientId::new("my-client-id").unwrap());
    let context = RequestContext::new(application, CorrelationId::generate(rng).unwrap());
    let authority = Authority::oidc("https://idp.example").unwrap();
    let exchange = OpenIdConfiguration::new(context.clone(), &authority).unwrap();
    let document = format!(
        r#"{{"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/authorize",
            "token_endpoint":"https://idp.example/token","response_modes_supported":["{}"]}}"#,
        mode.as_str()
    );
    let response = http::Response::builder()
        .header("content-type", "application/json")
        .body(document.into())
        .unwrap();
    let metadata = exchange.complete(response, NOW).unwrap().metadata;
    let request = AuthorizationRequest::new(
        context,
        metadata,
        redirect_uri.clone(),
        Scopes::parse("api/read").unwrap(),
    );
    let pending = request.begin(rng, NOW).unwrap();
    assert_eq!(pending.response_mode(), mode);
    pending
}

/// The state, as the provider sees it.
pub(crate) fn state_of(pending: &PendingAuthorization) -> String {
    let query = pending.url().query().unwrap();
    query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap().to_owned()
}
