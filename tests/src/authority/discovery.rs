//! Discovery answers of each kind of provider: Entra's instance discovery, and OpenID Connect Discovery.

use serde_json::{Value, json};

use super::documents::Documents;
use crate::fixtures::Kind;

const INSTANCE: &str = "/common/discovery/instance";
const SUFFIX: &str = "/.well-known/openid-configuration";

/// Returns the document at a path; `None` if there is none.
pub(super) fn answer(documents: &Documents, host: &str, path: &str) -> Option<Value> {
    if path == INSTANCE {
        return Some(instance());
    }
    configuration(documents, host, path)
}

/// Returns those of Entra's clouds that the fixtures use.
fn instance() -> Value {
    let cloud = |network: &str, cache: &str, aliases: &[&str]| json!({"preferred_network": network, "preferred_cache": cache, "aliases": aliases});
    let public = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];
    let government = ["login.microsoftonline.us", "login.usgovcloudapi.net"];
    json!({
        "tenant_discovery_endpoint": "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [cloud(public[0], public[1], &public), cloud(government[0], government[0], &government)],
    })
}

fn configuration(documents: &Documents, host: &str, path: &str) -> Option<Value> {
    let base = path.strip_suffix(SUFFIX)?;
    let kind = documents.kind(host)?;
    let first = base.split('/').nth(1).unwrap_or_default();
    let tenant = documents.tenant_id(first);
    let issuer = documents.issuer(host, tenant)?;
    let endpoints = match kind {
        Kind::Aad | Kind::Ciam => format!("https://{host}/{tenant}/oauth2/v2.0"),
        Kind::B2c => format!("https://{host}{}/oauth2/v2.0", base.strip_suffix("/v2.0")?),
        Kind::Adfs => format!("https://{host}{base}/oauth2"),
        Kind::Oidc => format!("https://{host}{base}"),
    };
    Some(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{endpoints}/authorize"),
        "token_endpoint": format!("{endpoints}/token"),
        "jwks_uri": format!("{endpoints}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }))
}
