//! What every hit reads: an access token and what belongs to it, found once and kept close together in memory.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth_core::{Account, ScopeMask, Scopes, Timestamp};
use smallvec::SmallVec;

use super::item::Items;
use crate::entries::{AccessToken, AccountEntry, IdTokenEntry, Life, Seen};
use crate::token_kind::TokenKind;

/// How many entries of an account are searched for each of its tokens; no honest account has more.
const SEARCHED: usize = 64;

/// An access token with the ID token and account of the same environment, client and realm, which is nearly always all that
/// belongs to it. Immutable, so a result shares the whole row at the cost of one reference count.
#[derive(Debug)]
pub(crate) struct Row {
    // Copies of what lookups compare, so that they need not follow the pointer to the token.
    pub(crate) life: Life,
    pub(crate) scopes: Scopes,
    pub(crate) environment: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) realm: Arc<str>,
    is_plain: bool,
    /// A copy of the token's own, for the same reason.
    used_at: AtomicU64,
    seen: OnceLock<Seen>,
    pub(crate) token: Arc<AccessToken>,
    pub(crate) id_token: Option<Arc<IdTokenEntry>>,
    pub(crate) account: Option<Arc<Account>>,
}

/// How many copies of its rows a partition makes, each when a thread first asks. Threads that share a row contend for its
/// reference count.
const LANES: usize = 4;

/// The rows of a partition.
#[derive(Debug, Default)]
pub(super) struct Rows([OnceLock<Lane>; LANES]);

/// The rows as some of the threads see them. Most partitions have a single row, which is stored inline; among many, the mask
/// rules out most without touching the row.
type Lane = SmallVec<[(ScopeMask, Arc<Row>); 1]>;

impl Rows {
    /// The rows whose tokens may be returned for `wanted`, best first. They are built on first use.
    pub(super) fn that_may_grant(
        &self,
        wanted: ScopeMask,
        tokens: &Items<AccessToken>,
        id_tokens: &Items<IdTokenEntry>,
        accounts: &Items<AccountEntry>,
    ) -> impl Iterator<Item = &Arc<Row>> {
        let find = || -> Lane {
            let mut tokens: SmallVec<[_; 1]> = tokens.iter().filter_map(|item| item.shared().as_ref()).collect();
            // The best is the one that lives longest, then the one that grants least.
            tokens.sort_by_key(|token| (Reverse(token.life.expires_on), token.scopes.len()));
            let rows = tokens.into_iter().map(|token| Arc::new(Row::of(token, id_tokens, accounts)));
            rows.map(|row| (row.token.mask(), row)).collect()
        };
        let rows = self.0.get(lane()).map_or(&[][..], |lane| lane.get_or_init(find));
        rows.iter().filter(move |(mask, _)| mask.may_grant(wanted)).map(|(_, row)| row)
    }
}

/// The lane of this thread; threads take them in turn.
fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
    }
    LANE.try_with(|lane| *lane).unwrap_or_default()
}

impl Row {
    fn of(token: &Arc<AccessToken>, id_tokens: &Items<IdTokenEntry>, accounts: &Items<AccountEntry>) -> Self {
        Self {
            life: token.life,
            scopes: token.scopes.clone(),
            environment: Arc::clone(&token.environment),
            client_id: Arc::clone(&token.client_id),
            realm: Arc::clone(&token.realm),
            is_plain: token.is_plain(),
            used_at: AtomicU64::new(0),
            seen: OnceLock::new(),
            id_token: id_token_of(token, id_tokens),
            account: account_of(token, accounts),
            token: Arc::clone(token),
        }
    }

    /// Whether the token is of this kind and was obtained with `assertion`, or with none if that is empty. A plain token is
    /// judged without following the pointer to it.
    pub(crate) fn is_kind(&self, kind: &TokenKind<'_>, assertion: &str) -> bool {
        if self.is_plain {
            kind.is_plain() && assertion.is_empty()
        } else {
            self.token.is_kind(kind) && self.token.is_got_with(assertion)
        }
    }

    /// Records that the token was handed out, which decides what is evicted when the cache is full.
    pub(crate) fn used(&self, now: Timestamp) {
        let second = now.as_unix_seconds();
        // Written only when it changes, so that threads using the same token do not contend.
        if self.used_at.load(Ordering::Relaxed) != second {
            self.used_at.store(second, Ordering::Relaxed);
            self.token.used(now);
        }
    }

    /// The time that the token's age is judged by; never before `now`.
    pub(crate) fn time(&self, now: Timestamp, uptime: Duration) -> Timestamp {
        self.seen.get_or_init(|| self.token.seen(now, uptime)).time(now, uptime)
    }
}

fn id_token_of(token: &AccessToken, id_tokens: &Items<IdTokenEntry>) -> Option<Arc<IdTokenEntry>> {
    let same = |entry: &&IdTokenEntry| {
        (&entry.environment, &entry.client_id, &entry.realm) == (&token.environment, &token.client_id, &token.realm)
    };
    let all = id_tokens.iter().take(SEARCHED).filter_map(|item| item.shared().as_ref());
    all.into_iter().find(|entry| same(&&***entry)).cloned()
}

fn account_of(token: &AccessToken, accounts: &Items<AccountEntry>) -> Option<Arc<Account>> {
    let same = |entry: &&AccountEntry| {
        (&*entry.account.environment, &*entry.account.realm) == (&*token.environment, &*token.realm)
    };
    let all = accounts.iter().take(SEARCHED).filter_map(|item| item.entry());
    all.into_iter().find(same).map(|entry| Arc::clone(&entry.account))
}
