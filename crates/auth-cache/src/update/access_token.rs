//! Putting an access token into a partition.

use std::sync::Arc;

use auth_core::text::{cmp_folded, same};
use auth_core::{Authority, ClientId, Scopes, Timestamp, Tokens};

use crate::document::{AccessTokenId, Item, Key, NewEntry, entries, put, remove};
use crate::entries::AccessToken;
use crate::extension::Extension;
use crate::pending::Moment;
use crate::token_kind::TokenKind;

/// An access token that is to be cached.
pub(super) struct NewAccessToken<'a> {
    /// Empty for an application's own.
    pub(super) home_account_id: &'a str,
    pub(super) authority: &'a Authority,
    pub(super) client_id: &'a ClientId,
    pub(super) realm: &'a str,
    pub(super) kind: TokenKind<'a>,
    /// Empty unless it was got on behalf of a user.
    pub(super) assertion: &'a str,
    pub(super) expires_on: Timestamp,
    pub(super) tokens: &'a Tokens,
    pub(super) moment: Moment,
}

/// The text of [`Scopes::sorted`].
pub(super) fn sorted(scopes: &Scopes) -> String {
    let mut sorted: Vec<_> = scopes.iter().collect();
    sorted.sort_by(|one, other| cmp_folded(one, other));
    sorted.join(" ")
}

impl NewAccessToken<'_> {
    /// A token that grants no more than the new one goes; what grants more stays. Own tokens that have expired go too.
    /// `target` is what the new one grants, sorted.
    pub(super) fn put(&self, items: &mut Vec<Arc<Item<AccessToken>>>, target: &str) {
        let (received_at, granted) = (self.tokens.received_at, &self.tokens.granted_scopes);
        remove(items, |entry| self.is_own(entry) && entry.life.expires_on <= received_at && !self.is_covered(entry));
        // A token without lifetime is handed out once and not kept (S-62).
        if self.expires_on <= received_at {
            remove(items, |entry| self.is_covered(entry));
            return;
        }
        if entries(items)
            .any(|entry| self.is_later(entry) && entry.scopes.grants(granted) && granted.grants(&entry.scopes))
        {
            return;
        }
        let key = Key::access_token(&AccessTokenId {
            account: self.home_account_id,
            environment: self.authority.environment(),
            client_id: self.client_id.as_str(),
            realm: self.realm,
            target,
            kind: self.kind,
            assertion: self.assertion,
        });
        put(items, key, self.entry(target), |entry| self.is_covered(entry));
    }

    fn entry<'a>(&'a self, target: &'a str) -> NewEntry<'a> {
        let (tokens, extension) = (self.tokens, self.kind.extension.filter(|extension| !extension.is_empty()));
        let credential_type = if extension.is_some() { "ATExt" } else { "AccessToken" };
        let mut entry = NewEntry::new()
            .with("home_account_id", self.home_account_id)
            .with("environment", self.authority.environment())
            .with("credential_type", credential_type)
            .with("client_id", self.client_id.as_str())
            .with_secret("secret", &tokens.access_token)
            .with_always("realm", self.realm)
            .with_always("target", target)
            .with("token_type", self.kind.token_type)
            .with_time("cached_at", tokens.received_at)
            .with_time("expires_on", self.expires_on);
        if let Some(time) = tokens.extended_expires_on {
            entry = entry.with_time("extended_expires_on", time).with_time("ext_expires_on", time);
        }
        if let Some(time) = tokens.refresh_on {
            entry = entry.with_time("refresh_on", time);
        }
        // Each library looks for the key id under a name of its own.
        for name in ["kid", "key_id", "keyid"] {
            entry = entry.with(name, self.kind.key_id.unwrap_or_default());
        }
        if let Some(extension) = extension {
            entry = entry.with_json("ext", extension.components()).with("ext_cache_key", Extension::hash(extension));
        }
        entry.with("user_assertion_hash", self.assertion)
    }

    fn is_own(&self, entry: &AccessToken) -> bool {
        same(&entry.client_id, self.client_id.as_str())
            && self.authority.is_environment(&entry.environment)
            && entry.is_kind(&self.kind)
            && entry.is_got_with(self.assertion)
    }

    fn is_covered(&self, entry: &AccessToken) -> bool {
        self.is_same_tenant(entry) && self.tokens.granted_scopes.grants(&entry.scopes) && !self.is_later(entry)
    }

    /// Whether somebody got the token after this one, which waited to be stored.
    fn is_later(&self, entry: &AccessToken) -> bool {
        self.moment == Moment::Again && self.is_same_tenant(entry) && entry.life.cached_at > self.tokens.received_at
    }

    fn is_same_tenant(&self, entry: &AccessToken) -> bool {
        self.is_own(entry) && self.authority.is_same_realm(&entry.realm, self.realm)
    }
}
