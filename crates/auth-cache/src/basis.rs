//! What was cached when a refresh began. Its response is stored only as far as that still holds.

use core::{fmt, ptr};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use ahash::RandomState;
use auth_core::{Authority, Timestamp};

use crate::digest::digest;
use crate::document::{Item, entries};
use crate::entries::{AccountEntry, RefreshToken};

/// How many entries are compared by address before digests are computed.
const COMPARED: usize = 8;

/// What the cache held for an account when a refresh began.
///
/// The response may come much later. With this, [`TokenUpdate::from_refresh`](crate::TokenUpdate::from_refresh) makes
/// the write a compare-and-swap: it neither replaces a refresh token that a sign-in or another program has stored
/// meanwhile, nor restores an account that was removed.
#[derive(Clone)]
pub struct RefreshBasis {
    began_at: Timestamp,
    /// The result of [`last_sign_in`].
    last_sign_in: Option<Timestamp>,
    refresh_tokens: Vec<Arc<RefreshToken>>,
    /// Digests of the refresh tokens, which are needed only if the cache was read again.
    digests: OnceLock<HashSet<u64, RandomState>>,
}

impl RefreshBasis {
    pub(crate) fn new(
        authority: &Authority,
        accounts: &[Arc<Item<AccountEntry>>],
        refresh_tokens: &[Arc<Item<RefreshToken>>],
        began_at: Timestamp,
    ) -> Self {
        let refresh_tokens = refresh_tokens.iter().filter_map(|item| item.shared().clone()).collect();
        let last_sign_in = last_sign_in(authority, accounts);
        Self { began_at, last_sign_in, refresh_tokens, digests: OnceLock::new() }
    }

    pub(crate) const fn began_at(&self) -> Timestamp {
        self.began_at
    }

    /// Whether the refresh token was in the cache.
    pub(crate) fn knows(&self, token: &RefreshToken) -> bool {
        let digest_of = |token: &RefreshToken| digest(&token.secret);
        // An entry that was not replaced is the same object.
        let is_same = |own: &Arc<RefreshToken>| ptr::eq(&**own, token);
        self.refresh_tokens.iter().take(COMPARED).any(is_same) || {
            let digests = || self.refresh_tokens.iter().map(|own| digest_of(own)).collect();
            self.digests.get_or_init(digests).contains(&digest_of(token))
        }
    }

    /// Whether the account is gone; if it had no entry, whether its refresh tokens are gone.
    pub(crate) fn is_gone(
        &self,
        authority: &Authority,
        accounts: &[Arc<Item<AccountEntry>>],
        refresh_tokens: &[Arc<Item<RefreshToken>>],
    ) -> bool {
        let is_left = || entries(refresh_tokens).any(|token| self.knows(token));
        last_sign_in(authority, accounts).is_none() && (self.last_sign_in.is_some() || !is_left())
    }

    /// Whether the user has signed in since.
    pub(crate) fn is_before_sign_in(&self, authority: &Authority, accounts: &[Arc<Item<AccountEntry>>]) -> bool {
        last_sign_in(authority, accounts) > self.last_sign_in
    }
}

/// When the user last signed in, in any tenant; the epoch if the account does not say, `None` without an account.
fn last_sign_in(authority: &Authority, accounts: &[Arc<Item<AccountEntry>>]) -> Option<Timestamp> {
    let here = entries(accounts).filter(|entry| authority.is_environment(&entry.account.environment));
    here.map(AccountEntry::signed_in_at).max()
}

impl fmt::Debug for RefreshBasis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshBasis").field("began_at", &self.began_at).finish_non_exhaustive()
    }
}
