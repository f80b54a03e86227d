//! A token response as a change of the document.

use auth_core::{Account, Authority, ClientId, IdToken, Scopes, Tokens};

use crate::document::{Document, Key, Members, Section};
use crate::entries::is_plain;

/// Tokens to be cached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenUpdate<'a> {
    /// Who issued them.
    pub authority: &'a Authority,
    /// For which client.
    pub client_id: &'a ClientId,
    /// Whose they are.
    pub account: &'a Account,
    /// The tokens.
    pub tokens: &'a Tokens,
    /// Whether they come from a refresh token rather than from a sign-in. Then an account that was removed meanwhile
    /// stays removed.
    pub refreshed: bool,
}

impl<'a> TokenUpdate<'a> {
    /// The tokens of a sign-in.
    #[must_use]
    pub fn of_sign_in(
        authority: &'a Authority,
        client_id: &'a ClientId,
        account: &'a Account,
        tokens: &'a Tokens,
    ) -> Self {
        Self { authority, client_id, account, tokens, refreshed: false }
    }

    /// The tokens of a refresh.
    #[must_use]
    pub fn of_refresh(
        authority: &'a Authority,
        client_id: &'a ClientId,
        account: &'a Account,
        tokens: &'a Tokens,
    ) -> Self {
        Self { refreshed: true, ..Self::of_sign_in(authority, client_id, account, tokens) }
    }

    /// Applies the change to the newest document. `false` when the account is gone and nothing was changed.
    pub(crate) fn apply(&self, document: &mut Document) -> bool {
        let known = document.entries(Section::Account).any(|(_, entry)| self.is_account(&entry));
        let other_issuers = self.other_issuers(document);
        let gone = !known || !other_issuers.is_empty();
        if self.id().is_empty() || (self.refreshed && gone) {
            return false;
        }
        self.displace(document, &other_issuers);
        self.put_access_token(document);
        self.put_refresh_token(document);
        self.put_id_token_and_account(document);
        self.put_app_metadata(document);
        true
    }

    /// The environments in which this account and client have an id_token of another issuer. Where several issuers share
    /// a host, nothing else in an entry tells them apart.
    fn other_issuers(&self, document: &Document) -> Vec<String> {
        if !self.authority.issuer_decides() {
            return Vec::new();
        }
        let issued_elsewhere = |entry: &Members| {
            let token = entry.secret("secret").and_then(|secret| IdToken::parse(&secret).ok());
            token.is_some_and(|token| token.text("iss").is_some_and(|iss| !self.authority.is_issuer(iss)))
        };
        document
            .entries(Section::IdToken)
            .filter(|(_, entry)| self.is_account(entry) && self.is_client(entry) && issued_elsewhere(entry))
            .map(|(_, entry)| entry.lenient("environment"))
            .collect()
    }

    /// Makes room for this issuer: no token of another one may be taken for its own, or be sent to it.
    fn displace(&self, document: &mut Document, environments: &[String]) {
        if environments.is_empty() {
            return;
        }
        let theirs = |entry: &Members| {
            let environment = entry.lenient("environment");
            self.is_account(entry)
                && self.is_client(entry)
                && environments.iter().any(|other| other.eq_ignore_ascii_case(&environment))
        };
        for section in [Section::AccessToken, Section::RefreshToken, Section::IdToken] {
            document.remove(section, theirs);
        }
    }

    fn id(&self) -> &str {
        self.account.home_account_id.as_str()
    }

    fn environment(&self) -> &str {
        self.authority.environment()
    }

    fn realm(&self) -> &str {
        self.tokens.realm(self.authority)
    }

    fn is_account(&self, entry: &Members) -> bool {
        entry.lenient("home_account_id").eq_ignore_ascii_case(self.id())
            && self.authority.is_environment(&entry.lenient("environment"))
    }

    fn is_client(&self, entry: &Members) -> bool {
        entry.lenient("client_id").eq_ignore_ascii_case(self.client_id.as_str())
    }

    fn is_realm(&self, entry: &Members) -> bool {
        self.authority.is_same_realm(&entry.lenient("realm"), self.realm())
    }

    fn entry(&self, credential_type: &str) -> Members {
        Members::new()
            .with("home_account_id", self.id())
            .with("environment", self.environment())
            .with("credential_type", credential_type)
            .with("client_id", self.client_id.as_str())
    }

    /// A token that grants no more than the new one goes; what grants more stays. Own tokens that have expired go too.
    fn put_access_token(&self, document: &mut Document) {
        let tokens = self.tokens;
        let own = |entry: &Members| {
            let bearer = matches!(entry.lenient("token_type").to_ascii_lowercase().as_str(), "" | "bearer");
            self.is_account(entry) && self.is_client(entry) && bearer && is_plain(entry)
        };
        let covered = |entry: &Members| {
            let scopes = Scopes::parse(&entry.lenient("target"));
            own(entry)
                && self.is_realm(entry)
                && scopes.is_ok_and(|scopes| tokens.granted_scopes.contains_all(&scopes.without_oidc()))
        };
        let expired =
            |entry: &Members| own(entry) && entry.time("expires_on").is_none_or(|time| time <= tokens.received_at);
        document.remove(Section::AccessToken, |entry| expired(entry) && !covered(entry));
        // A token without lifetime is handed out once and not kept (S-62).
        if tokens.expires_on <= tokens.received_at {
            document.remove(Section::AccessToken, covered);
            return;
        }
        let target = tokens.granted_scopes.sorted().to_string();
        let mut entry = self
            .entry("AccessToken")
            .with("secret", tokens.access_token.expose())
            .with_always("realm", self.realm())
            .with_always("target", &target)
            .with("token_type", "Bearer")
            .with_time("cached_at", tokens.received_at)
            .with_time("expires_on", tokens.expires_on);
        if let Some(time) = tokens.extended_expires_on {
            entry = entry.with_time("extended_expires_on", time).with_time("ext_expires_on", time);
        }
        if let Some(time) = tokens.refresh_on {
            entry = entry.with_time("refresh_on", time);
        }
        let key = Key::access_token(self.id(), self.environment(), self.client_id.as_str(), self.realm(), &target);
        document.put(&key, entry, covered);
    }

    /// Without a new refresh token the stored one stays.
    fn put_refresh_token(&self, document: &mut Document) {
        let Some(secret) = &self.tokens.refresh_token else { return };
        let family = self.tokens.family_id.as_deref().unwrap_or_default();
        let key = if family.is_empty() {
            Key::refresh_token(self.id(), self.environment(), self.client_id.as_str())
        } else {
            Key::family_refresh_token(self.id(), self.environment(), family)
        };
        let entry = self
            .entry("RefreshToken")
            .with("secret", secret.expose())
            .with("family_id", family)
            .with("target", &self.tokens.granted_scopes.sorted().to_string())
            .with_time("last_modification_time", self.tokens.received_at);
        let same_owner = |entry: &Members| match entry.lenient("family_id") {
            own if own.is_empty() => family.is_empty() && self.is_client(entry),
            own => own == family,
        };
        let same = |entry: &Members| self.is_account(entry) && is_plain(entry) && same_owner(entry);
        document.put(&key, entry, same);
    }

    fn put_id_token_and_account(&self, document: &mut Document) {
        let Some(token) = &self.tokens.id_token else { return };
        let entry = self.entry("IdToken").with("secret", token.secret().expose()).with_always("realm", self.realm());
        let same = |entry: &Members| self.is_account(entry) && self.is_client(entry) && self.is_realm(entry);
        let key = Key::id_token(self.id(), self.environment(), self.client_id.as_str(), self.realm());
        document.put(&key, entry, same);

        let account = self.account;
        let client_info = self.tokens.client_info.as_ref().map(|info| info.raw.as_str());
        let entry = Members::new()
            .with("home_account_id", self.id())
            .with("environment", self.environment())
            .with_always("realm", self.realm())
            .with("local_account_id", token.local_account_id().unwrap_or_default())
            .with_always("username", &account.username)
            .with("authority_type", self.authority.authority_type())
            .with("name", account.name.as_deref().unwrap_or_default())
            .with("client_info", client_info.unwrap_or_default());
        let same = |entry: &Members| self.is_account(entry) && self.is_realm(entry);
        document.put(&Key::account(self.id(), self.environment(), self.realm()), entry, same);
    }

    /// Always written: other readers use no refresh token of a client that they know nothing of.
    fn put_app_metadata(&self, document: &mut Document) {
        let family = self.tokens.family_id.as_deref().unwrap_or_default();
        put_app_metadata(document, self.authority, self.client_id, family);
    }
}

/// Notes which family a client is in, none being a finding too (S-85).
pub(crate) fn put_app_metadata(document: &mut Document, authority: &Authority, client_id: &ClientId, family: &str) {
    let entry = Members::new()
        .with("client_id", client_id.as_str())
        .with("environment", authority.environment())
        .with("family_id", family);
    let same = |entry: &Members| {
        entry.lenient("client_id").eq_ignore_ascii_case(client_id.as_str())
            && authority.is_environment(&entry.lenient("environment"))
    };
    document.put(&Key::app_metadata(authority.environment(), client_id.as_str()), entry, same);
}

#[cfg(test)]
mod tests;
