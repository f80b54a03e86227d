//! Pending sign-ins for the tests.

pub(crate) mod table;

use auth_core::{
    Application, Authority, AuthorizationRequest, ClientId, CorrelationId, Exchange as _, OpenIdConfiguration,
    PendingAuthorization, ProviderMetadata, RedirectUri, RequestContext, ResponseMode, Scopes, Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// A sign-in at `https://idp.example`.
pub(crate) fn pending(redirect_uri: &RedirectUri, mode: ResponseMode) -> PendingAuthorization {
    let context = context();
    let authority = Authority::oidc("https://idp.example").unwrap();
    let exchange = OpenIdConfiguration::new(context.clone(), &authority).unwrap();
    let document = format!(
        r#"{{"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/authorize",
            "token_endpoint":"https://idp.example/token","response_modes_supported":["{}"]}}"#,
        mode.as_str()
    );
    let response = http::Response::builder().header("content-type", "application/json").body(document.into()).unwrap();
    let metadata = exchange.complete(response, NOW).unwrap().metadata;
    let pending = begin(context, metadata, redirect_uri);
    assert_eq!(pending.response_mode(), mode);
    pending
}

/// A sign-in with any account at Entra's public cloud, by form post.
pub(crate) fn pending_at_entra(redirect_uri: &RedirectUri) -> PendingAuthorization {
    let metadata = Authority::tenant("common").unwrap().metadata().unwrap();
    let pending = begin(context(), metadata, redirect_uri);
    assert_eq!(pending.response_mode(), ResponseMode::FormPost);
    pending
}

fn context() -> RequestContext {
    let application = Application::new(ClientId::new("my-client-id").unwrap());
    RequestContext::new(application, CorrelationId::generate(&mut rand::rngs::SysRng).unwrap())
}

fn begin(context: RequestContext, metadata: ProviderMetadata, redirect_uri: &RedirectUri) -> PendingAuthorization {
    let scopes = Scopes::parse("api/read").unwrap();
    let request = AuthorizationRequest::new(context, metadata, redirect_uri.clone(), scopes);
    request.begin(&mut rand::rngs::SysRng, NOW).unwrap()
}

/// The `state` that the provider gets.
pub(crate) fn state_of(pending: &PendingAuthorization) -> String {
    let query = pending.url().query().unwrap();
    query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap().to_owned()
}
