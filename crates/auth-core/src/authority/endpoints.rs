//! The endpoints of an authority that follow from its kind, and the URLs of discovery.

use std::sync::Arc;

use http::Uri;

use crate::authority::issuer::Issuer;
use crate::authority::kind::Kind;
use crate::authority::metadata::{Endpoints, ProviderMetadata};
use crate::authority::names::Names;
use crate::authority::raw::Site;

/// The host that answers instance discovery for hosts unknown at compile time.
pub(crate) const PUBLIC_CLOUD: &str = "login.microsoftonline.com";

/// The endpoints that follow from the kind; `None` if they must be discovered.
pub(crate) fn compiled_in(site: &Site, kind: &Kind, issuer: &Arc<Issuer>) -> Option<ProviderMetadata> {
    let version = match kind {
        Kind::Entra { names: Names::Unknown, .. } | Kind::Oidc { .. } => return None,
        Kind::Entra { .. } | Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Dsts { .. } => "oauth2/v2.0",
        Kind::Adfs => "oauth2",
    };
    let endpoint = |name: &str| format!("{}{}/{version}/{name}", site.origin(), kind.path()).parse().ok();
    // B2C has no page for entering a code.
    let device_authorization = match kind {
        Kind::B2c { .. } | Kind::Oidc { .. } => None,
        Kind::Entra { .. } | Kind::ExternalId { .. } | Kind::Adfs | Kind::Dsts { .. } => endpoint("devicecode"),
    };
    let keys = if matches!(kind, Kind::Adfs) { "discovery/keys" } else { "discovery/v2.0/keys" };
    let mut endpoints = Endpoints::new(endpoint("authorize")?, endpoint("token")?, device_authorization);
    endpoints.jwks = format!("{}{}/{keys}", site.origin(), kind.path()).parse().ok();
    Some(ProviderMetadata {
        issuer: Arc::clone(issuer),
        endpoints: Arc::new(endpoints),
        // Not every version of ADFS supports it, and an unknown response mode is refused.
        form_post: !matches!(kind, Kind::Adfs),
        iss_parameter: false,
        pkce: true,
        client_info: kind.asks_client_info(),
        push_required: false,
        routes_by_mailbox: kind.routes_by_mailbox(),
    })
}

/// The URL of the OpenID configuration document (OpenID Connect Discovery §4).
pub(crate) fn configuration_url(site: &Site, kind: &Kind) -> Option<Uri> {
    let base = match kind {
        Kind::Entra { .. } | Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Dsts { .. } => {
            format!("{}{}/v2.0", site.origin(), kind.path())
        }
        Kind::Adfs => format!("{}{}", site.origin(), kind.path()),
        Kind::Oidc { issuer, .. } => issuer.trim_end_matches('/').to_owned(),
    };
    format!("{base}/.well-known/openid-configuration").parse().ok()
}

/// The URL that returns the names of an Entra host, always on a host known at compile time (S-39).
pub(crate) fn instance_discovery_url(site: &Site, kind: &Kind) -> Option<Uri> {
    let Kind::Entra { .. } = kind else { return None };
    let authorize = format!("{}{}/oauth2/v2.0/authorize", site.origin(), kind.path());
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("api-version", "1.1")
        .append_pair("authorization_endpoint", &authorize)
        .finish();
    format!("https://{PUBLIC_CLOUD}/common/discovery/instance?{query}").parse().ok()
}
