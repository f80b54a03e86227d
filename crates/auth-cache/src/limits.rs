//! How much a cache may hold, and what goes when it holds more.

use std::collections::HashSet;
use std::sync::Arc;

use auth_core::text::same;
use auth_core::{ClientId, Timestamp};

use crate::document::{Document, Item, PartitionKey, Size};
use crate::entries::AccessToken;

/// How much a cache may hold.
///
/// Where a limit is reached only access tokens of the own client go: those that have expired, then those that nobody asked
/// for longest. A refresh token, an account and another program's entry never go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many bytes a stored document may have; a longer one is neither read nor written (S-90). 256 MiB by default.
    pub document_bytes: usize,
    /// How many entries a stored document may have; one with more is neither read nor written (S-90). 1,000,000 by default.
    pub document_entries: usize,
    /// How many bytes a partition may have that is stored as a value of its own; a longer one is neither read nor written
    /// (S-90). 16 MiB by default.
    pub partition_bytes: usize,
    /// How many partitions of such a store are in memory, about; those that nobody asked for longest go first, and are read
    /// again when they are asked for. 10,000 by default.
    pub partitions: usize,
    /// How many levels of objects and lists a stored document may have; one with more is neither read nor written (S-90). What
    /// libraries write has four. 32 by default.
    pub document_depth: usize,
    /// How many access tokens there may be, of such a store in memory. 100,000 by default.
    pub access_tokens: usize,
    /// About how many bytes of memory all entries may take before access tokens go: their texts, and of access tokens, which
    /// are read in order to be handed out, as much again. 256 MiB by default. Of such a store partitions go instead, those that
    /// nobody asked for longest.
    pub bytes: usize,
}

impl Limits {
    /// What holds unless an application says otherwise. To change one, begin with these:
    ///
    /// ```
    /// use auth_cache::Limits;
    ///
    /// let mut limits = Limits::default();
    /// limits.access_tokens = 1_000;
    /// ```
    pub const DEFAULT: Self = Self {
        document_bytes: 256 * 1024 * 1024,
        partition_bytes: 16 * 1024 * 1024,
        partitions: 10_000,
        document_entries: 1_000_000,
        document_depth: 32,
        access_tokens: 100_000,
        bytes: 256 * 1024 * 1024,
    };

    /// Why a document that is deeper than the limit is not touched.
    pub(crate) const TOO_DEEP: &str =
        "it is deeper than the limit; it is left as it is, and tokens are kept in memory only";

    /// Why a document of this size is not touched, if it is too large.
    pub(crate) fn excess(&self, bytes: usize, entries: usize) -> Option<&'static str> {
        if bytes > self.document_bytes {
            Some("it is larger than the limit; it is left as it is, and tokens are kept in memory only")
        } else if entries > self.document_entries {
            Some("it has more entries than the limit; it is left as it is, and tokens are kept in memory only")
        } else {
            None
        }
    }

    pub(crate) const fn is_exceeded(&self, size: Size) -> bool {
        size.access_tokens > self.access_tokens || memory(size) > self.bytes
    }
}

/// What is in memory beside the text of an access token and what was read of it, about.
const BESIDE: usize = 1536;

/// About how much memory so much takes.
pub(crate) const fn memory(size: Size) -> usize {
    size.bytes.saturating_add(size.access_token_bytes).saturating_add(size.access_tokens.saturating_mul(BESIDE))
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How many access tokens went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evicted {
    /// As they had expired.
    pub expired: usize,
    /// As nobody had asked for them longest.
    pub least_recently_used: usize,
}

/// Makes room for further tokens where a limit is exceeded, if anything may go. An eighth more than needed goes, so that it
/// happens seldom.
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
    let (mut size, mut evicted, mut going) = (document.size(), Evicted::default(), Vec::new());
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
        going.push(token);
    }
    let any = !going.is_empty();
    remove(document, going);
    any.then_some(evicted)
}

struct Own {
    place: PartitionKey,
    item: Arc<Item<AccessToken>>,
    expires_on: Timestamp,
    used_at: u64,
}

fn own_tokens(document: &Document, client_id: &ClientId) -> Vec<Own> {
    let mut own = Vec::new();
    for (place, partition) in document.all() {
        for item in &partition.access_tokens {
            if let Some(token) = item.entry().filter(|token| same(&token.client_id, client_id.as_str())) {
                let (expires_on, used_at) = (token.life.expires_on, token.used_at());
                own.push(Own { place: place.clone(), item: Arc::clone(item), expires_on, used_at });
            }
        }
    }
    own
}

fn remove(document: &Document, mut going: Vec<Own>) {
    going.sort_by(|one, other| one.place.cmp(&other.place));
    for together in going.chunk_by(|one, other| one.place == other.place) {
        let items: HashSet<_> = together.iter().map(|token| Arc::as_ptr(&token.item)).collect();
        if let Some(first) = together.first() {
            document.edit(&first.place, |draft| draft.access_tokens.retain(|item| !items.contains(&Arc::as_ptr(item))));
        }
    }
}

#[cfg(test)]
mod tests;
