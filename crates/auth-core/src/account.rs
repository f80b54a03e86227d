//! Accounts: who a token belongs to.

use core::fmt;

use crate::account_id::AccountId;
use crate::authority::Authority;
use crate::tenant_profile::TenantProfile;
use crate::time::Timestamp;
use crate::tokens::Tokens;

/// What MSAL for .NET writes where a token response names nobody; it matches no login hint.
const NO_USERNAME: &str = "Missing from the token response";

/// An account that has signed in.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The id that is the same in every tenant.
    pub home_account_id: AccountId,
    /// The cloud or host, under its name in the shared cache.
    pub environment: String,
    /// The tenant in which this picture of the account was taken; empty where there are no tenants.
    pub realm: String,
    /// The id in that tenant.
    pub local_account_id: String,
    /// What the user signs in with; the user and the provider choose it, so authorise by ids only.
    pub username: String,
    /// The display name, where it is known.
    pub name: Option<String>,
    /// What the account is in each tenant that a cache knows of; empty where no cache was asked.
    pub tenant_profiles: Vec<TenantProfile>,
    /// How the account came into the cache, as other libraries note it (`account_source`); MSAL.NET's `AccountSource`.
    pub source: Option<String>,
    /// Whether the cache holds a refresh token that this client may use, its own or its family's. That it does is no
    /// promise that the server still takes it.
    pub can_refresh: bool,
    /// When the user last signed in, as far as the cache knows.
    pub last_sign_in: Option<Timestamp>,
}

impl Account {
    /// An account from its parts, as a cache knows them.
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

    /// The account of a token response: `uid.utid` of its `client_info` when both are there, else the `sub` of its
    /// id_token. `None` when it identifies nobody.
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

    /// Whether `hint` names this account: its home account id or its username whole, ASCII-case-insensitively, never a
    /// prefix. An account without home account id goes by its local account id.
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

    /// Whether the account signed in with this user flow of B2C, whose name ends its id (MSAL.NET's `GetAccountsAsync` of a
    /// user flow).
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

    /// The username, unless it stands for a missing one.
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
