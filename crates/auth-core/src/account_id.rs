//! The id of an account that is the same in every tenant.

use core::fmt;

/// The `home_account_id`: `{uid}.{utid}` at Entra, else the subject. Compares ASCII-case-insensitively.
///
/// ```
/// use auth_core::AccountId;
///
/// let id = AccountId::new("Uid.Tenant");
/// assert_eq!(id, AccountId::new("uid.tenant"));
/// assert_eq!(id.home_tenant(), Some("Tenant"));
/// ```
#[derive(Clone)]
pub struct AccountId(String);

impl AccountId {
    /// Takes the id as it stands in a cache.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The home tenant: what follows the last dot. A subject without dots has none.
    #[must_use]
    pub fn home_tenant(&self) -> Option<&str> {
        self.0.rsplit_once('.').map(|(_, tenant)| tenant)
    }
}

impl PartialEq for AccountId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for AccountId {}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId([pii])")
    }
}
