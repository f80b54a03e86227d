//! How the entries of a response are written.

use std::sync::Arc;

use auth_core::{Account, Secret};

use crate::document::{AccessTokenId, Key, KeyKind, Make, NewEntry, Origin};
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, RefreshToken};
use crate::extension::Extension;

impl Make for AccessToken {
    fn kind(&self) -> KeyKind {
        KeyKind::AccessToken
    }

    fn own_bytes(&self) -> usize {
        // The key contains the realm and the scopes, too.
        let twice = self.scopes.as_str().len().saturating_add(self.realm.len());
        self.secret.expose().len().saturating_add(twice.saturating_mul(2))
    }

    fn key(&self, origin: &Origin) -> Key {
        Key::access_token(&AccessTokenId {
            account: origin.home_account_id.as_str(),
            environment: &self.environment,
            client_id: &self.client_id,
            realm: &self.realm,
            target: self.scopes.as_str(),
            kind: self.token_kind(),
            assertion: self.assertion(),
        })
    }

    fn members<'a>(&'a self, origin: &'a Origin) -> NewEntry<'a> {
        let kind = self.token_kind();
        let mut entry = origin
            .credential(if kind.extension.is_some() { "ATExt" } else { "AccessToken" })
            .with_secret("secret", &self.secret)
            .with_always("realm", &*self.realm)
            .with_always("target", self.scopes.as_str())
            .with("token_type", kind.token_type)
            .with_time("cached_at", self.life.cached_at)
            .with_time("expires_on", self.life.expires_on);
        // A token that ends with its assertion has no extended life (S-84).
        let ends_early = self.life.expires_on < origin.tokens.expires_on;
        if let Some(time) = origin.tokens.extended_expires_on.filter(|_| !ends_early) {
            entry = entry.with_time("extended_expires_on", time).with_time("ext_expires_on", time);
        }
        if let Some(time) = self.life.refresh_on {
            entry = entry.with_time("refresh_on", time);
        }
        // Libraries look for the key ID under different names.
        for name in ["kid", "key_id", "keyid"] {
            entry = entry.with(name, kind.key_id.unwrap_or_default());
        }
        if let Some(extension) = kind.extension {
            entry = entry.with_json("ext", extension.components()).with("ext_cache_key", Extension::hash(extension));
        }
        entry.with("user_assertion_hash", self.assertion())
    }
}

/// The refresh token of a response.
pub(super) fn refresh_token(origin: &Origin, secret: &Secret) -> RefreshToken {
    RefreshToken {
        environment: Arc::clone(&origin.environment),
        client_id: Arc::clone(&origin.client_id),
        family_id: origin.tokens.family_id.as_deref().unwrap_or_default().into(),
        secret: secret.clone(),
        last_modification_time: origin.tokens.received_at,
        is_bound: false,
    }
}

impl Make for RefreshToken {
    fn kind(&self) -> KeyKind {
        if self.family_id.is_empty() { KeyKind::RefreshToken } else { KeyKind::FamilyRefreshToken }
    }

    fn own_bytes(&self) -> usize {
        self.secret.expose().len()
    }

    fn key(&self, origin: &Origin) -> Key {
        let id = origin.home_account_id.as_str();
        if self.family_id.is_empty() {
            Key::refresh_token(id, &self.environment, &self.client_id)
        } else {
            Key::family_refresh_token(id, &self.environment, &self.family_id)
        }
    }

    fn members<'a>(&'a self, origin: &'a Origin) -> NewEntry<'a> {
        origin
            .credential("RefreshToken")
            .with_secret("secret", &self.secret)
            .with("family_id", &*self.family_id)
            .with("target", origin.tokens.granted_scopes.sorted().to_string())
            .with_time("last_modification_time", self.last_modification_time)
    }
}

impl Make for IdTokenEntry {
    fn kind(&self) -> KeyKind {
        KeyKind::IdToken
    }

    fn own_bytes(&self) -> usize {
        self.secret.expose().len().saturating_add(self.realm.len().saturating_mul(2))
    }

    fn key(&self, origin: &Origin) -> Key {
        Key::id_token(origin.home_account_id.as_str(), &self.environment, &self.client_id, &self.realm)
    }

    fn members<'a>(&'a self, origin: &'a Origin) -> NewEntry<'a> {
        origin.credential("IdToken").with_secret("secret", &self.secret).with_always("realm", &*self.realm)
    }
}

impl Make for AccountEntry {
    fn kind(&self) -> KeyKind {
        KeyKind::Account
    }

    fn own_bytes(&self) -> usize {
        let Account { realm, local_account_id, username, .. } = &*self.account;
        let [source, domains] = [&self.source, &self.tenant_domains].map(|text| text.as_deref().unwrap_or_default());
        // The key contains the realm, too.
        [realm, realm, local_account_id, username, source, domains]
            .into_iter()
            .map(str::len)
            .fold(0, usize::saturating_add)
    }

    fn key(&self, origin: &Origin) -> Key {
        Key::account(origin.home_account_id.as_str(), &self.account.environment, &self.account.realm)
    }

    fn members<'a>(&'a self, origin: &'a Origin) -> NewEntry<'a> {
        let account = &*self.account;
        let client_info = origin.tokens.client_info.as_ref().map(|info| info.raw.as_str());
        let entry = NewEntry::new()
            .with("home_account_id", origin.home_account_id.as_str())
            .with("environment", &*account.environment)
            .with_always("realm", &*account.realm)
            .with("local_account_id", &*account.local_account_id)
            .with_always("username", &*account.username)
            .with("authority_type", origin.authority_type)
            .with("name", account.name.as_deref().unwrap_or_default())
            .with("client_info", client_info.unwrap_or_default())
            .with("account_source", self.source.as_deref().unwrap_or_default())
            .with("tenant_domains", self.tenant_domains.as_deref().unwrap_or_default());
        match self.last_modification_time {
            Some(time) => entry.with_time("last_modification_time", time),
            None => entry,
        }
    }
}
