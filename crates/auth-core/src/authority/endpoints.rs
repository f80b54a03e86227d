//! Where the endpoints of an authority stand, as far as no discovery is needed.

use std::sync::Arc;

use http::Uri;

use crate::authority::issuer::Issuer;
use crate::authority::kind::Kind;
use crate::authority::metadata::{Endpoints, ProviderMetadata};
use crate::authority::names::Names;
use crate::authority::raw::Site;

/// The host that answers instance discovery for hosts that are not compiled in.
pub(crate) const PUBLIC_CLOUD: &str = "login.microsoftonline.com";

/// The endpoints that the rules of the kind tell. `None` where only discovery does.
pub(crate) fn compiled_in(site: &Site, kind: &Kind, issuer: &Arc<Issuer>) -> Option<ProviderMetadata> {
    let version = match kind {
        Kind::Entra { names: Names::Unknown, .. } | Kind::Oidc { .. } => return None,
        Kind::Entra { .. } | Kind::B2c { .. } | Kind::ExternalId { .. } | Kind::Dsts { .. } => "oauth2/v2.0",
        Kind::Adfs => "oauth2",
    };
    let endpoint = |name: &str| format!("{}{}/{version}/{name}", site.origin(), kind.path()).parse().ok();
    // B2C has no page to enter a code at.
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
        // Not every version of ADFS knows it, and an unknown response mode is refused.
        form_post: !matches!(kind, Kind::Adfs),
        iss_parameter: false,
        pkce: true,
        client_info: kind.asks_client_info(),
        push_required: false,
        routes_by_mailbox: kind.routes_by_mailbox(),
    })
}

/// Where the OpenID configuration document stands (Discovery §4, RFC 8414 is for others).
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

/// Where to ask for the names of an Entra host: always a compiled-in host (S-39).
pub(crate) fn instance_discovery_url(site: &Site, kind: &Kind) -> Option<Uri> {
    let Kind::Entra { .. } = kind else { return None };
    let authorize = format!("{}{}/oauth2/v2.0/authorize", site.origin(), kind.path());
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("api-version", "1.1")
        .append_pair("authorization_endpoint", &authorize)
        .finish();
    format!("https://{PUBLIC_CLOUD}/common/discovery/instance?{query}").parse().ok()
}
