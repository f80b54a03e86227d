//! Putting an access token into a partition.

use std::sync::Arc;

use auth_core::text::same;
use auth_core::{Authority, Timestamp};

use crate::document::{Item, Origin, entries, make, remove};
use crate::entries::AccessToken;
use crate::pending::Moment;
use crate::token_kind::TokenKind;

/// An access token that is to be cached.
pub(super) struct NewAccessToken<'a> {
    pub(super) origin: &'a Arc<Origin>,
    pub(super) authority: &'a Authority,
    pub(super) realm: &'a str,
    pub(super) kind: TokenKind<'a>,
    /// Empty unless it was got on behalf of a user.
    pub(super) assertion: &'a str,
    pub(super) expires_on: Timestamp,
    pub(super) moment: Moment,
}

impl NewAccessToken<'_> {
    /// A token that grants no more than the new one goes; what grants more stays. Own tokens that have expired go too.
    pub(super) fn put(&self, items: &mut Vec<Arc<Item<AccessToken>>>) {
        let (received_at, granted) = (self.origin.tokens.received_at, &self.origin.tokens.granted_scopes);
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
        let (names, tokens) = (self.origin.names(), &self.origin.tokens);
        let entry = AccessToken::new(names, self.realm, tokens, &self.kind, self.assertion, self.expires_on);
        make(items, entry, self.origin, |entry| self.is_covered(entry));
    }

    fn is_own(&self, entry: &AccessToken) -> bool {
        same(&entry.client_id, &self.origin.client_id)
            && self.authority.is_environment(&entry.environment)
            && entry.is_kind(&self.kind)
            && entry.is_got_with(self.assertion)
    }

    fn is_covered(&self, entry: &AccessToken) -> bool {
        self.is_same_tenant(entry) && self.origin.tokens.granted_scopes.grants(&entry.scopes) && !self.is_later(entry)
    }

    /// Whether somebody got the token after this one, which waited to be stored.
    fn is_later(&self, entry: &AccessToken) -> bool {
        self.moment == Moment::Again
            && self.is_same_tenant(entry)
            && entry.life.cached_at > self.origin.tokens.received_at
    }

    fn is_same_tenant(&self, entry: &AccessToken) -> bool {
        self.is_own(entry) && self.authority.is_same_realm(&entry.realm, self.realm)
    }
}
