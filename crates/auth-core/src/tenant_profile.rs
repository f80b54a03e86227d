//! The profile of an account in one of its tenants.

use core::fmt;

/// An account's profile in its home tenant, or in a tenant where it is a guest (MSAL.NET's `TenantProfile`, MSAL Node's
/// `tenantProfiles`).
///
/// ```
/// use auth_core::TenantProfile;
///
/// let mut guest = TenantProfile::new("bbbbbbbb-0000-cccc-1111-dddd2222eeee", "00000000-0000-0000-0000-000000000002");
/// guest.username = "ada@contoso.example".to_owned();
/// assert!(!guest.is_home);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantProfile {
    /// The tenant, as in the `realm` of the cache.
    pub tenant_id: String,
    /// The account's id in that tenant.
    pub local_account_id: String,
    /// The name the user signs in with there; empty if unknown.
    pub username: String,
    /// The display name there, if known.
    pub name: Option<String>,
    /// Whether this is the account's home tenant.
    pub is_home: bool,
}

impl TenantProfile {
    /// Creates a profile from the ids; the rest is unknown.
    #[must_use]
    pub fn new(tenant_id: impl Into<String>, local_account_id: impl Into<String>) -> Self {
        Self {
            tenant_id: tenant_id.into(),
            local_account_id: local_account_id.into(),
            username: String::new(),
            name: None,
            is_home: false,
        }
    }
}

impl fmt::Debug for TenantProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantProfile").field("is_home", &self.is_home).finish_non_exhaustive()
    }
}
