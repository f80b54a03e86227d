//! Taking another document in: what it has that is newer, or that is not here.

use std::sync::Arc;

use auth_core::Timestamp;
use auth_core::text::same;

use crate::document::{Document, Draft, Item, Partition};
use crate::entries::{AccessToken, AccountEntry, AppMetadata, IdTokenEntry, RefreshToken};
use crate::members::Entry;

/// Takes in everything of `other`. Of two entries of one identity the one that was written last stays; where neither tells,
/// the one that comes in.
pub(crate) fn merge(document: &Document, other: &Document) {
    for (place, theirs) in other.all() {
        document.edit(&place, |ours| merge_partition(ours, &theirs));
    }
    let theirs = other.common();
    document.edit_common(|ours| {
        take_in(&mut ours.app_metadata, &theirs.app_metadata);
        ours.adopt(&theirs);
    });
}

fn merge_partition(ours: &mut Draft, theirs: &Partition) {
    take_in(&mut ours.access_tokens, &theirs.access_tokens);
    take_in(&mut ours.refresh_tokens, &theirs.refresh_tokens);
    take_in(&mut ours.id_tokens, &theirs.id_tokens);
    take_in(&mut ours.accounts, &theirs.accounts);
}

fn take_in<E: Merge>(ours: &mut Vec<Arc<Item<E>>>, theirs: &[Arc<Item<E>>]) {
    for item in theirs {
        match ours.iter_mut().find(|own| is_same(own, item)) {
            Some(own) if is_newer(own, item) => {}
            Some(own) => *own = Arc::clone(item),
            None => ours.push(Arc::clone(item)),
        }
    }
}

/// What cannot be read is the same as what lies under the same key.
fn is_same<E: Merge>(one: &Item<E>, other: &Item<E>) -> bool {
    match (one.entry(), other.entry()) {
        (Some(one), Some(other)) => one.is_same(other),
        (None, None) => one.key() == other.key(),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn is_newer<E: Merge>(one: &Item<E>, other: &Item<E>) -> bool {
    one.entry().map(Merge::written_at) > other.entry().map(Merge::written_at)
}

/// An entry that can be told from others of its section.
trait Merge: Entry {
    fn is_same(&self, other: &Self) -> bool;

    fn written_at(&self) -> Timestamp;
}

impl Merge for AccessToken {
    fn is_same(&self, other: &Self) -> bool {
        same(&self.environment, &other.environment)
            && same(&self.client_id, &other.client_id)
            && same(&self.realm, &other.realm)
            && self.scopes.contains_all(&other.scopes)
            && other.scopes.contains_all(&self.scopes)
            && self.is_bound_like(other)
    }

    fn written_at(&self) -> Timestamp {
        self.cached_at
    }
}

impl Merge for RefreshToken {
    fn is_same(&self, other: &Self) -> bool {
        same(&self.environment, &other.environment)
            && same(&self.family_id, &other.family_id)
            && (!self.family_id.is_empty() || same(&self.client_id, &other.client_id))
            && (!(self.is_bound || other.is_bound) || self.secret.ct_eq(other.secret.expose()))
    }

    fn written_at(&self) -> Timestamp {
        self.last_modification_time
    }
}

impl Merge for IdTokenEntry {
    fn is_same(&self, other: &Self) -> bool {
        same(&self.environment, &other.environment)
            && same(&self.client_id, &other.client_id)
            && same(&self.realm, &other.realm)
    }

    fn written_at(&self) -> Timestamp {
        self.issued_at()
    }
}

impl Merge for AccountEntry {
    fn is_same(&self, other: &Self) -> bool {
        same(&self.account.environment, &other.account.environment)
            && same(&self.account.realm, &other.account.realm)
            && same(&self.account.local_account_id, &other.account.local_account_id)
    }

    fn written_at(&self) -> Timestamp {
        self.last_modification_time.unwrap_or_default()
    }
}

impl Merge for AppMetadata {
    fn is_same(&self, other: &Self) -> bool {
        same(&self.environment, &other.environment) && same(&self.client_id, &other.client_id)
    }

    fn written_at(&self) -> Timestamp {
        Timestamp::EPOCH
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write as _;

    use crate::TokenCache;

    // The bytes of a document that nobody changed stay the same, so that an application need not store it again.
    #[test]
    fn what_is_taken_in_keeps_its_order() {
        let mut accounts = String::new();
        for n in (0..100).rev() {
            write!(accounts, r#","{n}":{{"home_account_id":"{n}.t","environment":"login.windows.net"}}"#).unwrap();
        }
        let (none, accounts) = (r#""AccessToken":{},"RefreshToken":{},"IdToken":{}"#, accounts.trim_start_matches(','));
        let json = format!(r#"{{{none},"Account":{{{accounts}}},"AppMetadata":{{}}}}"#);
        let cache = TokenCache::in_memory();
        cache.merge_json(json.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(cache.to_json().to_vec()).unwrap(), json);
        cache.merge_json(json.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(cache.to_json().to_vec()).unwrap(), json);
    }
}
