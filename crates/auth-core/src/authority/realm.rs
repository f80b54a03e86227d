//! Under which `realm` entries are filed, and which realms other libraries give to the same thing.
//!
//! | kind | written | read beside it |
//! |---|---|---|
//! | Entra, dSTS | `tid` of the id_token, else the tenant | the tenant as named, its id, the home tenant for `common` |
//! | External ID | the same | the same; at the tenant's own host also the account's home tenant |
//! | B2C | the tenant as named | the policy (MSAL Node) |
//! | ADFS | `adfs` (MSAL Python, Node and Go find it) | nothing (MSAL.NET) |
//! | OpenID Connect | the first segment of the issuer's path | any: the issuer of the id_token decides |

use crate::account_id::AccountId;
use crate::authority::kind::{Kind, is_own_tenant};
use crate::authority::raw::Site;
use crate::authority::tenant::Tenant;
use crate::text;

const ADFS: &str = "adfs";

/// The realm that is written, where the id_token has this `tid`.
pub(crate) fn written<'a>(kind: &'a Kind, tid: Option<&'a str>) -> &'a str {
    match kind {
        Kind::Entra { tenant, .. } | Kind::ExternalId { tenant } | Kind::Dsts { tenant } => {
            tid.unwrap_or_else(|| tenant.as_str())
        }
        // Its id_tokens name no tenant, unless a policy adds it.
        Kind::B2c { tenant, .. } => tenant.as_str(),
        Kind::Adfs => ADFS,
        Kind::Oidc { realm, .. } => realm,
    }
}

/// Whether an entry of `account` in this realm is one of the authority's (S-82). `tenant_id` is what discovery told.
pub(crate) fn matches(site: &Site, kind: &Kind, realm: &str, account: &AccountId, tenant_id: Option<&str>) -> bool {
    let is = |name: &str| text::same(name, realm);
    let is_home = || account.home_tenant().is_some_and(is);
    let named = |tenant: &Tenant| is(tenant.as_str()) || tenant.id().is_some_and(is) || tenant_id.is_some_and(is);
    match kind {
        Kind::Entra { tenant, .. } | Kind::Dsts { tenant } if tenant.is_multi_tenant() => {
            is(tenant.as_str()) || is_home()
        }
        Kind::Entra { tenant, .. } | Kind::Dsts { tenant } => named(tenant),
        // The tenant has the host for itself, and its customers are at home in it.
        Kind::ExternalId { tenant } => named(tenant) || (is_own_tenant(&site.host, tenant) && is_home()),
        Kind::B2c { tenant, policy, .. } => is(tenant.as_str()) || is(policy) || tenant_id.is_some_and(is),
        Kind::Adfs => is("") || is(ADFS),
        Kind::Oidc { .. } => true,
    }
}

/// Whether two realms are spellings of the same one.
pub(crate) fn same(kind: &Kind, one: &str, other: &str) -> bool {
    let known = |realm: &str| match kind {
        Kind::B2c { tenant, policy, .. } => {
            [tenant.as_str(), policy].iter().any(|name| name.eq_ignore_ascii_case(realm))
        }
        Kind::Adfs => realm.is_empty() || realm.eq_ignore_ascii_case(ADFS),
        Kind::Oidc { realm: own, .. } => realm.is_empty() || text::same(own, realm),
        Kind::Entra { .. } | Kind::ExternalId { .. } | Kind::Dsts { .. } => false,
    };
    text::same(one, other) || (known(one) && known(other))
}

/// Whether the realm tells no two entries of the authority apart.
pub(crate) fn is_single(kind: &Kind) -> bool {
    matches!(kind, Kind::B2c { .. } | Kind::Adfs | Kind::Oidc { .. })
}

/// Whether every realm is as good as any other.
pub(crate) fn is_free(kind: &Kind) -> bool {
    matches!(kind, Kind::Oidc { .. })
}

/// Whether a discovery of the tenant's id could find more.
pub(crate) fn wants_tenant_id(kind: &Kind) -> bool {
    match kind {
        Kind::Entra { tenant, .. } | Kind::ExternalId { tenant } | Kind::Dsts { tenant } => {
            matches!(tenant, Tenant::Domain(_))
        }
        Kind::B2c { .. } | Kind::Adfs | Kind::Oidc { .. } => false,
    }
}
