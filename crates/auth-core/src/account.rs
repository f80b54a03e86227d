//! Accounts: the users that tokens belong to.

use core::fmt;

use crate::account_id::AccountId;
use crate::authority::Authority;
use crate::tenant_profile::TenantProfile;
use crate::time::Timestamp;
use crate::tokens::Tokens;

/// The username that MSAL for .NET stores if a token response contains none. It matches no login hint.
const NO_USERNAME: &str = "Missing from the token response";

/// An account that has signed in.
///
/// ```
/// use auth_core::{Account, AccountId};
///
/// let ada = Account::new(AccountId::new("uid.utid"), "login.windows.net", "ada@contoso.example");
/// assert_eq!(ada.login_hint(), Some("ada@contoso.example"));
/// assert_eq!(ada.home_account_id.home_tenant(), Some("utid"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The account's id, which is the same in every tenant.
    pub home_account_id: AccountId,
    /// The cloud or host, by its name in the shared cache.
    pub environment: String,
    /// The tenant that this view of the account comes from; empty where there are no tenants.
    pub realm: String,
    /// The account's id in that tenant.
    pub local_account_id: String,
    /// The name the user signs in with. Both the user and the provider can choose it, so authorise by id only.
    pub username: String,
    /// The display name, if known.
    pub name: Option<String>,
    /// The account's profile in each tenant known to the cache; empty if no cache was consulted.
    pub tenant_profiles: Vec<TenantProfile>,
    /// How the account was added to the cache, as other libraries record it (`account_source`; MSAL.NET's
    /// `AccountSource`).
    pub source: Option<String>,
    /// Whether the cache holds a refresh token that this client may use, its own or its family's. The server may still
    /// reject it.
    pub can_refresh: bool,
    /// When the user last signed in, if the cache knows.
    pub last_sign_in: Option<Timestamp>,
}

impl Account {
    /// Creates an account with the given ids and name; everything else is empty.
    #[must_use]
    pub fn new(home_account_id: AccountId, environment: impl Into<String>, username: impl Into<String>) -> Self {
        Self {
            home_account_id,
            environment: environment.into(),
            realm: String::new(),
            local_account_id: String::new(),
            username: username.into(),
            name: None,
            tenant_profiles: Vec::new(),
            source: None,
            can_refresh: false,
            last_sign_in: None,
        }
    }

    /// Returns the account of a token response. Its id is `uid.utid` from `client_info` if both are present, otherwise
    /// the `sub` of the ID token; `None` if neither is available.
    #[must_use]
    pub fn from_tokens(tokens: &Tokens, authority: &Authority) -> Option<Self> {
        let id_token = tokens.id_token.as_ref();
        let text = |claim: Option<&str>| claim.unwrap_or_default().to_owned();
        let username = id_token.and_then(|token| token.username()).unwrap_or(NO_USERNAME);
        let mut account = Self::new(tokens.home_account_id()?, authority.environment(), username);
        account.realm = tokens.realm(authority).to_owned();
        account.local_account_id = text(id_token.and_then(|token| token.local_account_id()));
        account.name = id_token.and_then(|token| token.text("name")).map(str::to_owned);
        Some(account)
    }

    /// Returns whether `hint` is this account's home account id or username, in full and ASCII-case-insensitively. An
    /// account without a home account id is matched by its local account id.
    ///
    /// ```
    /// use auth_core::{Account, AccountId};
    ///
    /// let ada = Account::new(AccountId::new("u.t"), "login.windows.net", "ada@contoso.example");
    /// assert!(ada.is_named("ADA@contoso.example"));
    /// assert!(ada.is_named("u.t"));
    /// assert!(!ada.is_named("ada"));
    /// ```
    #[must_use]
    pub fn is_named(&self, hint: &str) -> bool {
        let is = |name: &str| !name.is_empty() && name.eq_ignore_ascii_case(hint);
        let by_local_id = self.home_account_id.as_str().is_empty() && is(&self.local_account_id);
        is(self.home_account_id.as_str()) || self.login_hint().is_some_and(is) || by_local_id
    }

    /// Returns whether the account signed in with this B2C user flow, whose name is part of its id (as
    /// `GetAccountsAsync` for a user flow in MSAL.NET).
    ///
    /// ```
    /// use auth_core::{Account, AccountId};
    ///
    /// let ada = Account::new(AccountId::new("u-b2c_1_signin.t"), "contoso.b2clogin.com", "ada");
    /// assert!(ada.is_of_user_flow("B2C_1_SignIn") && !ada.is_of_user_flow("SignIn"));
    /// ```
    #[must_use]
    pub fn is_of_user_flow(&self, name: &str) -> bool {
        self.home_account_id.without_user_flow(name).is_some()
    }

    /// Returns the username, unless it is empty or a placeholder.
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        Some(self.username.as_str()).filter(|name| !name.is_empty() && *name != NO_USERNAME)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("environment", &self.environment).finish_non_exhaustive()
    }
}
