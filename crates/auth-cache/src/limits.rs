//! How much a cache may hold, and what is dropped when it holds more.

use std::collections::HashSet;
use std::sync::Arc;

use auth_core::text::same;
use auth_core::{ClientId, Timestamp};

use crate::document::{Document, Item, PartitionKey, Size};
use crate::entries::AccessToken;

/// How much a cache may hold.
///
/// When a limit is exceeded, only access tokens of the client itself are dropped: expired ones first, then the least
/// recently used. Refresh tokens, accounts and entries of other programs are never dropped.
///
/// ```
/// use auth_cache::{Limits, TokenCache};
///
/// let mut limits = Limits::default();
/// limits.access_tokens = 1_000;
/// let cache = TokenCache::in_memory().with_limits(limits);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum size of a stored document in bytes, at most 4 GiB. A larger one is neither read nor written (S-90).
    /// 256 MiB by default.
    pub document_bytes: usize,
    /// The maximum number of entries in a stored document. One with more is neither read nor written (S-90). 1,000,000
    /// by default.
    pub document_entries: usize,
    /// The maximum size in bytes of a partition that is stored as a separate value. A larger one is neither read nor
    /// written (S-90). 16 MiB by default.
    pub partition_bytes: usize,
    /// About how many partitions of a [partitioned](crate::TokenCache::partitioned) store are kept in memory. The least
    /// recently used are dropped first, and read again when needed. 10,000 by default.
    pub partitions: usize,
    /// How deeply objects and lists in a stored document may be nested. A deeper document is neither read nor written
    /// (S-90). Those of other libraries have four levels. 32 by default.
    pub document_depth: usize,
    /// The maximum number of access tokens; for a partitioned store, of those in memory. 100,000 by default.
    pub access_tokens: usize,
    /// About how many bytes of memory all entries may take: their texts and, for access tokens, which are parsed before
    /// use, as much again. Beyond it, access tokens are dropped, or, for a partitioned store, the least recently used
    /// partitions are dropped from memory. 256 MiB by default.
    pub bytes: usize,
}

impl Limits {
    /// The limits of a cache that is given no others.
    pub const DEFAULT: Self = Self {
        document_bytes: 256 * 1024 * 1024,
        partition_bytes: 16 * 1024 * 1024,
        partitions: 10_000,
        document_entries: 1_000_000,
        document_depth: 32,
        access_tokens: 100_000,
        bytes: 256 * 1024 * 1024,
    };

    /// Why a document that is nested too deeply is left alone.
    pub(crate) const TOO_DEEP: &str =
        "it is nested more deeply than the limit; it is left unchanged, and tokens are kept in memory only";

    /// Why a document that is larger than the limit is not used.
    pub(crate) const TOO_LARGE: &str =
        "it is larger than the limit; it is left unchanged, and tokens are kept in memory only";

    /// Why a document of this size is left alone, if it is too large.
    pub(crate) fn excess(&self, bytes: usize, entries: usize) -> Option<&'static str> {
        if bytes > self.document_bytes.min(ADDRESSABLE) {
            Some(Self::TOO_LARGE)
        } else if entries > self.document_entries {
            Some("it has more entries than the limit; it is left unchanged, and tokens are kept in memory only")
        } else {
            None
        }
    }

    pub(crate) const fn is_exceeded(&self, size: Size) -> bool {
        size.access_tokens > self.access_tokens || memory(size) > self.bytes
    }
}

/// The texts of entries are found by 32-bit offsets: what is beyond would be lost when the document is written.
const ADDRESSABLE: usize = u32::MAX as usize;

/// About how much memory an access token takes besides its text and what was parsed from it, in bytes.
const OVERHEAD: usize = 1536;

/// About how many bytes of memory this takes.
pub(crate) const fn memory(size: Size) -> usize {
    size.bytes.saturating_add(size.access_token_bytes).saturating_add(size.access_tokens.saturating_mul(OVERHEAD))
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How many access tokens were dropped because the cache was full.
///
/// ```
/// use auth_cache::{Event, TokenCache};
///
/// let cache = TokenCache::in_memory().on_event(|event| {
///     if let Event::Evicted(evicted) = event {
///         eprintln!("{} access tokens were dropped unused", evicted.least_recently_used);
///     }
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evicted {
    /// Because they had expired.
    pub expired: usize,
    /// Because they were least recently used.
    pub least_recently_used: usize,
}

/// Drops access tokens of this client if a limit is exceeded: all expired ones, then as many as it takes to get an
/// eighth below the limit, so that it happens seldom.
pub(crate) fn make_room(document: &Document, client_id: &ClientId, limits: &Limits, now: Timestamp) -> Option<Evicted> {
    if !limits.is_exceeded(document.size()) {
        return None;
    }
    let mut own = own_tokens(document, client_id);
    own.sort_unstable_by_key(|token| (token.expires_on > now, token.used_at));
    let room = Limits {
        access_tokens: limits.access_tokens.saturating_sub(limits.access_tokens / 8),
        bytes: limits.bytes.saturating_sub(limits.bytes / 8),
        ..*limits
    };
    let (mut size, mut evicted, mut dropped) = (document.size(), Evicted::default(), Vec::new());
    for token in own {
        let expired = token.expires_on <= now;
        if !expired && !room.is_exceeded(size) {
            break;
        }
        size.access_tokens = size.access_tokens.saturating_sub(1);
        size.access_token_bytes = size.access_token_bytes.saturating_sub(token.item.size());
        size.bytes = size.bytes.saturating_sub(token.item.size());
        let counter = if expired { &mut evicted.expired } else { &mut evicted.least_recently_used };
        *counter = counter.saturating_add(1);
        dropped.push(token);
    }
    let any = !dropped.is_empty();
    remove(document, dropped);
    any.then_some(evicted)
}

/// An access token of this client.
struct Own {
    key: PartitionKey,
    item: Arc<Item<AccessToken>>,
    expires_on: Timestamp,
    used_at: u64,
}

fn own_tokens(document: &Document, client_id: &ClientId) -> Vec<Own> {
    let mut own = Vec::new();
    for (key, partition) in document.all() {
        for item in &partition.access_tokens {
            if let Some(token) = item.entry().filter(|token| same(&token.client_id, client_id.as_str())) {
                let (expires_on, used_at) = (token.life.expires_on, token.used_at());
                own.push(Own { key: key.clone(), item: Arc::clone(item), expires_on, used_at });
            }
        }
    }
    own
}

fn remove(document: &Document, mut dropped: Vec<Own>) {
    dropped.sort_by(|one, other| one.key.cmp(&other.key));
    for together in dropped.chunk_by(|one, other| one.key == other.key) {
        let items: HashSet<_> = together.iter().map(|token| Arc::as_ptr(&token.item)).collect();
        if let Some(first) = together.first() {
            document.edit(&first.key, |draft| draft.access_tokens.retain(|item| !items.contains(&Arc::as_ptr(item))));
        }
    }
}

#[cfg(test)]
mod tests;
