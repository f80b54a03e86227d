//! The users and tenants of the emulator, all made up.

use serde_json::json;

use crate::error::OAuthError;
use crate::ids;

/// The tenant that the users belong to.
pub(crate) const HOME_TENANT_ID: &str = "4f1c2b7e-93d8-4c65-a1b0-6d2e8f3a9c17";
/// A second organization, where the same users are guests.
pub(crate) const SECOND_TENANT_ID: &str = "b8e5d0a3-27f4-4196-8c3b-51d7e9046fa2";
/// The tenant of personal accounts, the same as at Entra.
pub(crate) const PERSONAL_TENANT_ID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// The domain name of the home tenant.
pub(crate) const HOME_DOMAIN: &str = "contoso.example";

/// A made-up user who can sign in at the emulator.
///
/// ```
/// use auth_emulator::User;
///
/// let user = User::new("mira@contoso.example", "Mira Solberg");
/// assert_eq!(user.username(), "mira@contoso.example");
/// assert_eq!(user.object_id().len(), 36);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    username: String,
    name: String,
    object_id: String,
}

impl User {
    /// Creates a user whose object ID is derived from the username, so that it is the same at every start.
    #[must_use]
    pub fn new(username: impl Into<String>, name: impl Into<String>) -> Self {
        let username = username.into();
        let object_id = ids::derived_guid(&["user", &username]);
        Self { username, name: name.into(), object_id }
    }

    /// Sets the object ID (`oid`), a GUID.
    #[must_use]
    pub fn with_object_id(mut self, object_id: impl Into<String>) -> Self {
        self.object_id = object_id.into();
        self
    }

    /// Returns the username; `preferred_username` in an ID token.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns the display name; `name` in an ID token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the object ID in the home tenant; `oid` in an ID token.
    #[must_use]
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// Up to two letters for a round avatar.
    pub(crate) fn initials(&self) -> String {
        self.name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect()
    }
}

/// The default users.
pub(crate) fn default_users() -> Vec<User> {
    [
        ("ada@contoso.example", "Ada Lindqvist", "0b7d5f4e-1c92-4d3a-8e60-7a5c9f2b1d01"),
        ("grace@contoso.example", "Grace Okafor", "3e9a1c60-84b7-4f25-9d1e-c04b6a7f2e02"),
        ("tomas@contoso.example", "Tomás Rivera", "6c2f8b35-d70e-4a91-b5c8-1f9e3d6a4c03"),
        ("yuki@contoso.example", "Yuki Tanaka", "91e4a7d2-5b36-4c08-a2f7-e85d0c1b9f04"),
    ]
    .into_iter()
    .map(|(username, name, object_id)| User::new(username, name).with_object_id(object_id))
    .collect()
}

/// The tenant segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tenant {
    Common,
    Organizations,
    Concrete(TenantId),
}

/// A tenant that tokens are issued for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TenantId {
    Home,
    Second,
    Personal,
}

impl Tenant {
    /// # Errors
    ///
    /// `invalid_tenant` if there is no tenant with this name.
    pub(crate) fn parse(segment: &str) -> Result<Self, OAuthError> {
        match segment.to_ascii_lowercase().as_str() {
            "common" => Ok(Self::Common),
            "organizations" => Ok(Self::Organizations),
            "consumers" | PERSONAL_TENANT_ID => Ok(Self::Concrete(TenantId::Personal)),
            HOME_TENANT_ID | HOME_DOMAIN => Ok(Self::Concrete(TenantId::Home)),
            SECOND_TENANT_ID => Ok(Self::Concrete(TenantId::Second)),
            _ => Err(OAuthError::unknown_tenant(segment)),
        }
    }

    /// The tenant that users sign in at with this path.
    pub(crate) fn signs_in_at(self) -> TenantId {
        match self {
            Self::Common | Self::Organizations => TenantId::Home,
            Self::Concrete(id) => id,
        }
    }

    /// The tenant in the issuer of the metadata.
    pub(crate) fn in_issuer(self) -> &'static str {
        match self {
            Self::Common | Self::Organizations => "{tenantid}",
            Self::Concrete(id) => id.guid(),
        }
    }
}

impl TenantId {
    pub(crate) fn guid(self) -> &'static str {
        match self {
            Self::Home => HOME_TENANT_ID,
            Self::Second => SECOND_TENANT_ID,
            Self::Personal => PERSONAL_TENANT_ID,
        }
    }

    /// The home tenant of an account that signs in here; guests keep theirs.
    pub(crate) fn home(self) -> Self {
        match self {
            Self::Home | Self::Second => Self::Home,
            Self::Personal => Self::Personal,
        }
    }

    /// The object ID of a user in this tenant; each tenant has its own.
    pub(crate) fn object_id_of(self, user: &User) -> String {
        match self {
            Self::Home => user.object_id.clone(),
            Self::Second | Self::Personal => ids::derived_guid(&[&user.object_id, self.guid()]),
        }
    }

    /// The account of a user across tenants (`client_info`): base64url of `{"uid":…,"utid":…}`.
    pub(crate) fn client_info(self, user: &User) -> String {
        let home = self.home();
        let json = json!({ "uid": home.object_id_of(user), "utid": home.guid() });
        ids::base64url(json.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_several_names() {
        for (segment, issuer) in [
            ("common", Some("{tenantid}")),
            ("Organizations", Some("{tenantid}")),
            ("consumers", Some(PERSONAL_TENANT_ID)),
            (HOME_TENANT_ID, Some(HOME_TENANT_ID)),
            ("Contoso.Example", Some(HOME_TENANT_ID)),
            (SECOND_TENANT_ID, Some(SECOND_TENANT_ID)),
            ("fabrikam.example", None),
            ("", None),
        ] {
            assert_eq!(Tenant::parse(segment).ok().map(Tenant::in_issuer), issuer, "{segment}");
        }
    }

    #[test]
    fn a_guest_has_its_own_object_id_and_keeps_its_home_account() {
        let user = User::new("a@contoso.example", "A B C");
        assert_eq!(TenantId::Home.object_id_of(&user), user.object_id());
        assert_ne!(TenantId::Second.object_id_of(&user), user.object_id());
        assert_eq!(TenantId::Second.home(), TenantId::Home);
        assert_eq!(TenantId::Second.client_info(&user), TenantId::Home.client_info(&user));
        assert_ne!(TenantId::Personal.client_info(&user), TenantId::Home.client_info(&user));
        assert_eq!(user.initials(), "AB");
    }
}
