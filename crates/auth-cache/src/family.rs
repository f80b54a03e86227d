//! Which refresh tokens a client may use.

use std::collections::HashSet;

use auth_core::text::same;
use auth_core::{AccountId, Authority, ClientId};

use crate::document::{Document, Partition, entries};
use crate::entries::{IdTokenEntry, RefreshToken};

/// An account with more id_tokens than any honest one has: where they decide whose its entries are, nobody can tell.
const MOST_ID_TOKENS: usize = 256;

/// What is known of a client's families.
pub(crate) struct Family {
    /// Whether anything is.
    is_known: bool,
    /// Those that it is in.
    ids: HashSet<Box<str>>,
}

/// Whose a refresh token is that may be tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Own,
    Family,
}

impl Family {
    pub(crate) fn of(document: &Document, authority: &Authority, client_id: &ClientId) -> Self {
        let common = document.common();
        let notes = entries(&common.app_metadata)
            .filter(|app| same(&app.client_id, client_id.as_str()))
            .filter(|app| authority.is_environment(&app.environment));
        let mut family = Self { is_known: false, ids: HashSet::new() };
        for note in notes {
            family.is_known = true;
            family.ids.extend(Some(note.family_id.clone()).filter(|id| !id.is_empty()));
        }
        family
    }

    fn has(&self, family: &str) -> bool {
        self.ids.contains(family)
    }

    /// Whether the client may try a refresh token: its own, one of its family, and if nothing is known of it the family
    /// tokens that it got itself (S-85).
    pub(crate) fn may_try(&self, token: &RefreshToken, client_id: &ClientId) -> Option<Whose> {
        let first_hand = same(&token.client_id, client_id.as_str());
        if token.is_bound {
            return None;
        }
        if token.family_id.is_empty() {
            return first_hand.then_some(Whose::Own);
        }
        (self.has(&token.family_id) || (!self.is_known && first_hand)).then_some(Whose::Family)
    }
}

/// Whether the id_tokens of the account tell whose its entries are.
pub(crate) fn is_told(partition: &Partition) -> bool {
    partition.id_tokens.len() <= MOST_ID_TOKENS
}

/// Where several issuers share a host, an entry counts only beside an id_token of the issuer that is asked for, and not
/// beside one of another issuer: then nobody could tell whose it is. `realm` is that of the entry, if it has one.
pub(crate) fn is_issued(
    authority: &Authority,
    account: &AccountId,
    partition: &Partition,
    environment: &str,
    client_id: &str,
    realm: Option<&str>,
) -> bool {
    if !authority.issuer_decides() {
        return true;
    }
    if !is_told(partition) {
        return false;
    }
    let beside = |realm: Option<&str>| {
        let all = entries(&partition.id_tokens).filter(|entry: &&IdTokenEntry| {
            same(&entry.environment, environment)
                && same(&entry.client_id, client_id)
                && realm.is_none_or(|realm| same(&entry.realm, realm))
        });
        let mut issued = all.map(|entry| entry.is_of(authority, account));
        issued.next().map(|first| first && issued.all(|ours| ours))
    };
    // Where there is one realm only, libraries differ in what they write as such, even between the tokens of one answer.
    beside(realm).or_else(|| authority.has_single_realm().then(|| beside(None)).flatten()) == Some(true)
}
