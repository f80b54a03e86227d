//! The id of an account, the same in every tenant.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::text::same;

/// A `home_account_id`: `{uid}.{utid}` at Entra, otherwise the subject. Compared ASCII-case-insensitively. Clones share
/// the text.
///
/// ```
/// use auth_core::AccountId;
///
/// let id = AccountId::new("Uid.Tenant");
/// assert_eq!(id, AccountId::new("uid.tenant"));
/// assert_eq!(id.home_tenant(), Some("Tenant"));
/// ```
#[derive(Clone)]
pub struct AccountId {
    given: Arc<str>,
    /// In lower case, if that differs.
    folded: Option<Arc<str>>,
}

impl AccountId {
    /// Creates an id from the text in a cache entry.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        let given = id.into();
        let folds = given.bytes().any(|byte| byte.is_ascii_uppercase());
        Self { folded: folds.then(|| given.to_ascii_lowercase().into()), given }
    }

    /// Returns the text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// Returns the text in ASCII lower case: equal ids have equal folded texts.
    ///
    /// ```
    /// # use auth_core::AccountId;
    /// assert_eq!(AccountId::new("Uid.Tenant").folded(), "uid.tenant");
    /// ```
    #[must_use]
    pub fn folded(&self) -> &str {
        self.folded.as_ref().unwrap_or(&self.given)
    }

    /// Whether this is the id that Entra forms from `uid` and `utid`.
    pub(crate) fn is_of(&self, uid: &str, utid: &str) -> bool {
        let Some((own, rest)) = self.given.split_at_checked(uid.len()) else { return false };
        same(own, uid) && rest.strip_prefix('.').is_some_and(|rest| same(rest, utid))
    }

    /// The user and the home tenant, if this is a B2C id that ends with this user flow.
    pub(crate) fn without_user_flow(&self, name: &str) -> Option<(&str, &str)> {
        let (uid, tenant) = self.given.rsplit_once('.')?;
        let (user, flow) = uid.split_at_checked(uid.len().checked_sub(name.len())?)?;
        let user = user.strip_suffix('-').filter(|user| !user.is_empty() && same(flow, name))?;
        Some((user, tenant))
    }

    /// Returns the home tenant: the part after the last dot. `None` for a subject without dots.
    #[must_use]
    pub fn home_tenant(&self) -> Option<&str> {
        self.given.rsplit_once('.').map(|(_, tenant)| tenant)
    }
}

impl PartialEq for AccountId {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for AccountId {}

impl Hash for AccountId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId([pii])")
    }
}

#[cfg(test)]
mod tests {
    use core::hash::BuildHasher as _;

    use super::*;

    #[test]
    fn a_b2c_id_is_split_before_its_user_flow() {
        for (id, name, expected) in [
            ("u-b2c_1_edit.t", "B2C_1_Edit", Some(("u", "t"))),
            ("u-x-b2c_1_edit.t", "b2c_1_edit", Some(("u-x", "t"))),
            ("u-b2c_1_edit.t", "edit", None),
            ("u-b2c_1_edit.t", "b2c_1_edit_profile_of_all", None),
            ("ub2c_1_edit.t", "b2c_1_edit", None),
            ("-b2c_1_edit.t", "b2c_1_edit", None),
            ("é.t", "a", None),
            ("u-b2c_1_edit", "b2c_1_edit", None),
        ] {
            assert_eq!(AccountId::new(id).without_user_flow(name), expected, "{id} {name}");
        }
    }

    #[test]
    fn equal_ids_have_equal_hashes() {
        let state = std::collections::hash_map::RandomState::new();
        for (one, other, equal) in [
            ("uid.tenant", "UID.Tenant", true),
            ("Ä.b", "Ä.B", true),
            ("ä.b", "Ä.b", false),
            ("", "", true),
            ("a", "a.", false),
        ] {
            let (one, other) = (AccountId::new(one), AccountId::new(other));
            assert_eq!(one == other, equal, "{one} {other}");
            assert_eq!(state.hash_one(&one) == state.hash_one(&other), equal, "{one} {other}");
            assert_eq!(one.folded(), one.as_str().to_ascii_lowercase());
        }
    }
}
