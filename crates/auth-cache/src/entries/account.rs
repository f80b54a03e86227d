//! Accounts.

use std::sync::Arc;

use auth_core::text::same;
use auth_core::{Account, AccountId, Timestamp};
use serde_json::Value;

use crate::members::{Entry, Members, Text};

/// An account as one tenant sees it.
#[derive(Debug)]
pub(crate) struct AccountEntry {
    pub(crate) account: Arc<Account>,
    /// How the user signed in, in the words of the library that wrote the entry.
    pub(crate) source: Option<Box<str>>,
    pub(crate) last_modification_time: Option<Timestamp>,
    /// The domain names under which tokens of the tenant in `realm` were requested, the latest first, separated by
    /// spaces. A member of our own, so that a new process need not ask which tenant a domain name means.
    pub(crate) tenant_domains: Option<Box<str>>,
    /// The account as other tenants see it, which MSAL Node keeps within a single entry.
    pub(crate) profiles: Box<[Profile]>,
}

/// The account as another tenant sees it, kept within an entry.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) tenant_id: Box<str>,
    pub(crate) local_account_id: Box<str>,
    pub(crate) username: Box<str>,
    pub(crate) name: Option<Box<str>>,
}

impl Entry for AccountEntry {
    /// Only the environment is required.
    fn read(members: &Members<'_>) -> Option<Self> {
        let Text::Is(environment) = members.text("environment") else { return None };
        let id = AccountId::new(members.text("home_account_id").or_empty()?);
        let mut account = Account::new(id, environment, members.text("username").or_empty()?);
        account.realm = members.text("realm").or_empty()?.into_owned();
        account.local_account_id = members.text("local_account_id").or_empty()?.into_owned();
        account.name = members.text("name").or_empty().filter(|name| !name.is_empty()).map(Into::into);
        Some(Self {
            account: Arc::new(account),
            source: Some(members.lenient("account_source")).filter(|text| !text.is_empty()).map(Into::into),
            last_modification_time: members.time("last_modification_time").filter(|time| *time > Timestamp::EPOCH),
            tenant_domains: Some(members.lenient("tenant_domains")).filter(|text| !text.is_empty()).map(Into::into),
            profiles: profiles(members),
        })
    }
}

impl AccountEntry {
    /// When the user last signed in; the epoch if the entry does not say.
    pub(crate) fn signed_in_at(&self) -> Timestamp {
        self.last_modification_time.unwrap_or_default()
    }

    /// The account of a response. It is shared if that is what reading the entry would give.
    pub(crate) fn new(
        account: &Arc<Account>,
        environment: &str,
        realm: &str,
        local_account_id: &str,
        last_modification_time: Option<Timestamp>,
    ) -> Self {
        let is_bare = account.tenant_profiles.is_empty()
            && account.source.is_none()
            && !account.can_refresh
            && account.last_sign_in.is_none()
            && account.name.as_deref() != Some("");
        let is_same = is_bare
            && account.environment == environment
            && account.realm == realm
            && account.local_account_id == local_account_id;
        let bare = || {
            let mut bare = Account::new(account.home_account_id.clone(), environment, &*account.username);
            bare.realm = realm.to_owned();
            bare.local_account_id = local_account_id.to_owned();
            bare.name = account.name.clone().filter(|name| !name.is_empty());
            Arc::new(bare)
        };
        Self {
            account: if is_same { Arc::clone(account) } else { bare() },
            source: None,
            last_modification_time: last_modification_time.filter(|time| *time > Timestamp::EPOCH),
            tenant_domains: None,
            profiles: Box::default(),
        }
    }

    /// Whether tokens of the tenant in `realm` were requested under this domain name.
    pub(crate) fn is_of_domain(&self, domain: &str) -> bool {
        self.tenant_domains.as_deref().is_some_and(|noted| noted.split(' ').any(|noted| same(noted, domain)))
    }
}

/// MSAL Node's `tenantProfiles`: a list of strings that hold JSON. Anything else is ignored.
fn profiles(members: &Members<'_>) -> Box<[Profile]> {
    let texts = members.raw("tenantProfiles").and_then(|raw| serde_json::from_str::<Vec<Value>>(raw.get()).ok());
    let profile = |text: Value| {
        let value: Value = serde_json::from_str(text.as_str()?).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        Some(Profile {
            tenant_id: text("tenantId")?.into(),
            local_account_id: text("localAccountId").unwrap_or_default().into(),
            username: text("username").unwrap_or_default().into(),
            name: text("name").map(Into::into),
        })
    };
    texts.unwrap_or_default().into_iter().filter_map(profile).collect()
}
