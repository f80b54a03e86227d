//! Merging another document: what it has that is newer, or missing here.

use std::collections::HashMap;
use std::sync::Arc;

use auth_core::Timestamp;

use crate::document::{Document, Draft, Item, Partition, PartitionKey};
use crate::entries::{AccessToken, AccountEntry, AppMetadata, IdTokenEntry, RefreshToken};
use crate::members::Entry;

/// Merges all of `other`. Of two entries with the same identity, the one written later stays; if neither is later, that
/// of `other`.
pub(crate) fn merge(document: &Document, other: &Document) {
    for (key, theirs) in other.all() {
        document.edit(&key, |ours| merge_partition(ours, &theirs));
    }
    let theirs = other.common();
    document.edit_common(|ours| {
        merge_items(&mut ours.app_metadata, &theirs.app_metadata);
        ours.adopt(&theirs);
    });
}

/// Merges one partition of `other`, and the app metadata.
pub(crate) fn merge_at(document: &Document, other: &Document, key: &PartitionKey) {
    other.partition(key, |theirs| document.edit(key, |ours| merge_partition(ours, theirs)));
    let theirs = other.common();
    document.edit_common(|ours| merge_items(&mut ours.app_metadata, &theirs.app_metadata));
}

fn merge_partition(ours: &mut Draft, theirs: &Partition) {
    merge_items(&mut ours.access_tokens, &theirs.access_tokens);
    merge_items(&mut ours.refresh_tokens, &theirs.refresh_tokens);
    merge_items(&mut ours.id_tokens, &theirs.id_tokens);
    merge_items(&mut ours.accounts, &theirs.accounts);
}

fn merge_items<E: Merge>(ours: &mut Vec<Arc<Item<E>>>, theirs: &[Arc<Item<E>>]) {
    // An empty section takes the entries as they are, so that none is parsed before it is needed.
    if ours.is_empty() {
        ours.extend(theirs.iter().map(Arc::clone));
        return;
    }
    let mut known = Known::default();
    for (position, item) in ours.iter().enumerate() {
        known.note(item, position);
    }
    for item in theirs {
        let found = known.find(item, ours);
        match found.and_then(|position| Some((position, ours.get_mut(position)?))) {
            Some((_, own)) if is_newer(own, item) => {}
            Some((position, own)) => {
                *own = Arc::clone(item);
                known.note(item, position);
            }
            None => {
                known.note(item, ours.len());
                ours.push(Arc::clone(item));
            }
        }
    }
}

fn is_newer<E: Merge>(one: &Item<E>, other: &Item<E>) -> bool {
    one.entry().map(Merge::written_at) > other.entry().map(Merge::written_at)
}

/// What distinguishes an entry from others of its section and partition, in lower case.
type Identity = Vec<String>;

/// Where entries are in a list.
#[derive(Default)]
struct Known {
    keys: HashMap<Box<str>, usize>,
    identities: HashMap<Identity, usize>,
}

impl Known {
    fn note<E: Merge>(&mut self, item: &Item<E>, position: usize) {
        self.keys.entry(item.key().into()).or_insert(position);
        if let Some(identity) = identity(item) {
            self.identities.entry(identity).or_insert(position);
        }
    }

    /// The position of the entry that `item` may replace: one with the same identity, preferably under the same key;
    /// otherwise the one under its key.
    fn find<E: Merge>(&self, item: &Item<E>, items: &[Arc<Item<E>>]) -> Option<usize> {
        let identity = identity(item);
        let under = self.keys.get(item.key()).and_then(|position| Some((*position, items.get(*position)?)));
        let under = under.filter(|(_, own)| own.key() == item.key());
        let is_same = |own: &Item<E>| self::identity(own) == identity;
        match under {
            Some((position, own)) if is_same(own) => Some(position),
            Some((position, _)) => identity.and_then(|own| self.identities.get(&own).copied()).or(Some(position)),
            None => self.identities.get(&identity?).copied(),
        }
    }
}

fn identity<E: Merge>(item: &Item<E>) -> Option<Identity> {
    item.entry()?.identity()
}

/// An entry that can be told apart from others of its section.
trait Merge: Entry {
    /// `None` if only its key identifies it.
    fn identity(&self) -> Option<Identity>;

    fn written_at(&self) -> Timestamp;
}

fn folded<const N: usize>(texts: [&str; N]) -> Identity {
    texts.map(str::to_ascii_lowercase).into()
}

impl Merge for AccessToken {
    fn identity(&self) -> Option<Identity> {
        let mut identity = folded([&self.environment, &self.client_id, &self.realm]);
        identity.extend(self.kind_and_assertion()?);
        let mut scopes: Vec<_> = self.scopes.to_string().split(' ').map(str::to_ascii_lowercase).collect();
        scopes.sort_unstable();
        scopes.dedup();
        identity.extend(scopes);
        Some(identity)
    }

    fn written_at(&self) -> Timestamp {
        self.life.cached_at
    }
}

impl Merge for RefreshToken {
    fn identity(&self) -> Option<Identity> {
        let client_id = if self.family_id.is_empty() { &self.client_id } else { "" };
        (!self.is_bound).then(|| folded([&self.environment, &self.family_id, client_id]))
    }

    fn written_at(&self) -> Timestamp {
        self.last_modification_time
    }
}

impl Merge for IdTokenEntry {
    fn identity(&self) -> Option<Identity> {
        Some(folded([&self.environment, &self.client_id, &self.realm]))
    }

    fn written_at(&self) -> Timestamp {
        self.issued_at()
    }
}

impl Merge for AccountEntry {
    fn identity(&self) -> Option<Identity> {
        let account = &self.account;
        Some(folded([&account.environment, &account.realm, &account.local_account_id]))
    }

    fn written_at(&self) -> Timestamp {
        self.signed_in_at()
    }
}

impl Merge for AppMetadata {
    fn identity(&self) -> Option<Identity> {
        Some(folded([&self.environment, &self.client_id]))
    }

    fn written_at(&self) -> Timestamp {
        Timestamp::EPOCH
    }
}

#[cfg(test)]
mod tests;
