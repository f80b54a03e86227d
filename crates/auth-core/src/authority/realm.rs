//! The `realm` of cache entries: which one is written, and which ones other libraries write for the same tenant.
//!
//! | kind | written | also read |
//! |---|---|---|
//! | Entra, dSTS | `tid` of the ID token, else the tenant | the tenant as given, its id, the home tenant for `common` |
//! | External ID | as Entra | as Entra; on the tenant's own host also the account's home tenant |
//! | B2C | the tenant as given | the policy (MSAL Node) |
//! | ADFS | `adfs` (MSAL Python, Node and Go find it) | the empty realm (MSAL.NET) |
//! | OpenID Connect | the first segment of the issuer's path | any: the issuer of the ID token decides |

use crate::account_id::AccountId;
use crate::authority::kind::{Kind, is_own_tenant};
use crate::authority::raw::Site;
use crate::authority::tenant::Tenant;
use crate::text;

const ADFS: &str = "adfs";

/// The realm to write, given the `tid` of the ID token.
pub(crate) fn written<'a>(kind: &'a Kind, tid: Option<&'a str>) -> &'a str {
    match kind {
        Kind::Entra { tenant, .. } | Kind::ExternalId { tenant } | Kind::Dsts { tenant } => {
            tid.unwrap_or_else(|| tenant.as_str())
        }
        // B2C's ID tokens name no tenant unless a policy adds it.
        Kind::B2c { tenant, .. } => tenant.as_str(),
        Kind::Adfs => ADFS,
        Kind::Oidc { realm, .. } => realm,
    }
}

/// Whether an entry of `account` in this realm belongs to the authority (S-82). `tenant_id` comes from discovery.
pub(crate) fn matches(site: &Site, kind: &Kind, realm: &str, account: &AccountId, tenant_id: Option<&str>) -> bool {
    let is = |name: &str| text::same(name, realm);
    let is_home = || account.home_tenant().is_some_and(is);
    let named = |tenant: &Tenant| is(tenant.as_str()) || tenant.id().is_some_and(is) || tenant_id.is_some_and(is);
    match kind {
        Kind::Entra { tenant, .. } | Kind::Dsts { tenant } if tenant.is_multi_tenant() => {
            is(tenant.as_str()) || is_home()
        }
        Kind::Entra { tenant, .. } | Kind::Dsts { tenant } => named(tenant),
        // The host is the tenant's own, and its customers have their home in it.
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

/// Whether the realm does not distinguish entries of the authority.
pub(crate) fn is_single(kind: &Kind) -> bool {
    matches!(kind, Kind::B2c { .. } | Kind::Adfs | Kind::Oidc { .. })
}

/// Whether any realm is accepted.
pub(crate) fn is_free(kind: &Kind) -> bool {
    matches!(kind, Kind::Oidc { .. })
}

/// Whether discovering the tenant's id could find more entries.
pub(crate) fn wants_tenant_id(kind: &Kind) -> bool {
    match kind {
        Kind::Entra { tenant, .. } | Kind::ExternalId { tenant } | Kind::Dsts { tenant } => {
            matches!(tenant, Tenant::Domain(_))
        }
        Kind::B2c { .. } | Kind::Adfs | Kind::Oidc { .. } => false,
    }
}
