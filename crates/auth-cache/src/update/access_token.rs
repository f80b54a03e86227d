//! How an access token is put into a partition.

use std::sync::Arc;

use auth_core::text::same;
use auth_core::{Authority, Timestamp};

use crate::document::{Item, Origin, entries, make, remove};
use crate::entries::AccessToken;
use crate::token_kind::TokenKind;

/// An access token to be cached.
pub(super) struct NewAccessToken<'a> {
    pub(super) origin: &'a Arc<Origin>,
    pub(super) authority: &'a Authority,
    pub(super) realm: &'a str,
    pub(super) kind: TokenKind<'a>,
    /// Empty unless the token was obtained on behalf of a user.
    pub(super) assertion: &'a str,
    pub(super) expires_on: Timestamp,
    /// Tokens cached after this time stay.
    pub(super) since: Option<Timestamp>,
    /// Whether the request ignored cached tokens.
    pub(super) bypass: bool,
}

impl NewAccessToken<'_> {
    /// Puts the token in place of those that overlap with it or were rejected, and returns whether it is in the cache
    /// now. A token that grants all its scopes and more stays. The client's own expired tokens go too.
    pub(super) fn put(&self, items: &mut Vec<Arc<Item<AccessToken>>>) -> bool {
        let received_at = self.origin.tokens.received_at;
        let granted = self.origin.tokens.granted_scopes.without_oidc();
        let is_partly_covered = |entry: &AccessToken| {
            self.is_replaceable(entry) && granted.intersects(&entry.scopes) && !entry.scopes.grants(&granted)
        };
        remove(items, |entry| {
            let is_expired = self.is_own(entry) && entry.life.expires_on <= received_at;
            !self.is_covered(entry) && (is_expired || is_partly_covered(entry) || self.is_rejected(entry))
        });
        // A token without a lifetime is handed out once and not cached (S-62).
        if self.expires_on <= received_at {
            remove(items, |entry| self.is_covered(entry));
            return false;
        }
        // Tokens of which either could answer requests for the other.
        let is_like = |entry: &AccessToken| {
            granted.intersects(&entry.scopes) || (granted.grants(&entry.scopes) && entry.scopes.grants(&granted))
        };
        if entries(items).any(|entry| self.is_later(entry) && is_like(entry)) {
            return false;
        }
        let (names, tokens) = (self.origin.names(), &self.origin.tokens);
        let entry = AccessToken::new(names, self.realm, tokens, &self.kind, self.assertion, self.expires_on);
        make(items, entry, self.origin, |entry| self.is_covered(entry));
        true
    }

    fn is_own(&self, entry: &AccessToken) -> bool {
        same(&entry.client_id, &self.origin.client_id)
            && self.authority.is_environment(&entry.environment)
            && entry.is_kind(&self.kind)
            && entry.is_got_with(self.assertion)
    }

    fn is_same_tenant(&self, entry: &AccessToken) -> bool {
        self.is_own(entry) && self.authority.is_same_realm(&entry.realm, self.realm)
    }

    /// Whether the token was obtained after this one.
    fn is_later(&self, entry: &AccessToken) -> bool {
        self.since.is_some_and(|since| entry.life.cached_at > since) && self.is_same_tenant(entry)
    }

    fn is_replaceable(&self, entry: &AccessToken) -> bool {
        self.is_same_tenant(entry) && !self.is_later(entry)
    }

    fn is_covered(&self, entry: &AccessToken) -> bool {
        self.is_replaceable(entry) && self.origin.tokens.granted_scopes.grants(&entry.scopes)
    }

    /// Whether the request ignored this token although it grants the requested scopes.
    fn is_rejected(&self, entry: &AccessToken) -> bool {
        let requested = &self.origin.tokens.requested_scopes;
        let answers = || entry.scopes.grants(requested) || entry.declined(requested).is_some();
        self.bypass && self.is_replaceable(entry) && answers()
    }
}
