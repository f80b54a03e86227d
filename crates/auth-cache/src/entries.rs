//! Entries as typed values: identity is fields, never a joined key (S-77).

use auth_core::{Account, AccountId, Scopes, Secret, Timestamp};

use crate::document::{Members, Text};

/// An access token that a plain Bearer request may be answered with.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) environment: String,
    pub(crate) client_id: String,
    pub(crate) realm: String,
    pub(crate) scopes: Scopes,
    pub(crate) secret: Secret,
    pub(crate) cached_at: Timestamp,
    pub(crate) expires_on: Timestamp,
    pub(crate) refresh_on: Option<Timestamp>,
}

impl AccessToken {
    /// `None` for a broken entry and for a token that a plain request must not get.
    pub(crate) fn read(members: &Members) -> Option<Self> {
        let is = |name: &str, plain: &str| {
            members.text(name).or_empty().is_some_and(|text| text.is_empty() || text.eq_ignore_ascii_case(plain))
        };
        if !is_plain(members) || !is("token_type", "Bearer") || !is("credential_type", "AccessToken") {
            return None;
        }
        Some(Self {
            environment: members.text("environment").or_empty()?,
            client_id: members.text("client_id").or_empty()?,
            realm: members.text("realm").or_empty()?,
            scopes: Scopes::parse(&members.text("target").or_empty()?).ok()?,
            secret: members.secret("secret")?,
            cached_at: members.time("cached_at").unwrap_or_default(),
            expires_on: members.time("expires_on").unwrap_or_default(),
            refresh_on: members.time("refresh_on").filter(|time| *time > Timestamp::EPOCH),
        })
    }
}

/// A refresh token of a client or of a family of clients.
#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    pub(crate) environment: String,
    pub(crate) client_id: String,
    pub(crate) family_id: String,
    pub(crate) secret: Secret,
    pub(crate) last_modification_time: Timestamp,
}

impl RefreshToken {
    pub(crate) fn read(members: &Members) -> Option<Self> {
        if !is_plain(members) {
            return None;
        }
        Some(Self {
            environment: members.text("environment").or_empty()?,
            client_id: members.text("client_id").or_empty()?,
            family_id: members.text("family_id").or_empty()?,
            secret: members.secret("secret")?,
            last_modification_time: members.time("last_modification_time").unwrap_or_default(),
        })
    }
}

/// An id_token, still raw.
#[derive(Clone, Debug)]
pub(crate) struct IdTokenEntry {
    pub(crate) environment: String,
    pub(crate) client_id: String,
    pub(crate) realm: String,
    pub(crate) secret: Secret,
}

impl IdTokenEntry {
    pub(crate) fn read(members: &Members) -> Option<Self> {
        Some(Self {
            environment: members.text("environment").or_empty()?,
            client_id: members.text("client_id").or_empty()?,
            realm: members.text("realm").or_empty()?,
            secret: members.secret("secret")?,
        })
    }
}

/// Reads an account; every field may be missing but the environment.
pub(crate) fn read_account(members: &Members) -> Option<Account> {
    let Text::Is(environment) = members.text("environment") else { return None };
    let id = AccountId::new(members.text("home_account_id").or_empty()?);
    let mut account = Account::new(id, environment, members.text("username").or_empty()?);
    account.realm = members.text("realm").or_empty()?;
    account.local_account_id = members.text("local_account_id").or_empty()?;
    account.name = members.text("name").or_empty().filter(|name| !name.is_empty());
    Some(account)
}

/// Whether this client is in a family of clients.
#[derive(Clone, Debug)]
pub(crate) struct AppMetadata {
    pub(crate) environment: String,
    pub(crate) client_id: String,
    pub(crate) family_id: String,
}

impl AppMetadata {
    pub(crate) fn read(members: &Members) -> Option<Self> {
        Some(Self {
            environment: members.text("environment").or_empty()?,
            client_id: members.text("client_id").or_empty()?,
            family_id: members.text("family_id").or_empty()?,
        })
    }
}

/// Whether the entry has nothing that sets it apart from a plain one: extension components, a key, an assertion.
pub(crate) fn is_plain(members: &Members) -> bool {
    const SPECIAL: [&str; 9] = [
        "ext",
        "ext_cache_key",
        "additionalCacheKeyComponents",
        "additionalCacheKeyComponentsHash",
        "user_assertion_hash",
        "userAssertionHash",
        "kid",
        "key_id",
        "keyid",
    ];
    !SPECIAL.iter().any(|name| members.has(name))
}
