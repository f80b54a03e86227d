//! Families of clients, and which refresh tokens a client may use.

use std::collections::HashSet;

use auth_core::text::same;
use auth_core::{AccountId, Authority, ClientId};

use crate::document::{Document, Partition, entries};
use crate::entries::{IdTokenEntry, RefreshToken};

/// An account with more ID tokens than this is not honest; they no longer decide whose its entries are.
const MOST_ID_TOKENS: usize = 256;

/// What is known about a client's families.
pub(crate) struct Family {
    /// Whether anything is known.
    is_known: bool,
    /// The families that the client is in.
    ids: HashSet<Box<str>>,
}

/// Whose a usable refresh token is.
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

    /// Whether the client may try a refresh token: its own, one of its family or, if nothing is known about the client,
    /// a family token that it obtained itself (S-85).
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

/// Whether the account's ID tokens can decide whose its entries are.
pub(crate) fn has_plausible_id_tokens(partition: &Partition) -> bool {
    partition.id_tokens.len() <= MOST_ID_TOKENS
}

/// Whether an entry is from the authority's issuer.
///
/// Where several issuers share a host, an entry counts only together with an ID token from the requested issuer, and
/// none from another: otherwise it is unclear whose it is. `realm` is the entry's, if it has one.
pub(crate) fn is_from_issuer(
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
    if !has_plausible_id_tokens(partition) {
        return false;
    }
    let decide = |realm: Option<&str>| {
        let all = entries(&partition.id_tokens).filter(|entry: &&IdTokenEntry| {
            same(&entry.environment, environment)
                && same(&entry.client_id, client_id)
                && realm.is_none_or(|realm| same(&entry.realm, realm))
        });
        let mut issued = all.map(|entry| entry.is_of(authority, account));
        issued.next().map(|first| first && issued.all(|ours| ours))
    };
    // Where there is only one realm, libraries differ in how they write it, even among the tokens of one response.
    decide(realm).or_else(|| authority.has_single_realm().then(|| decide(None)).flatten()) == Some(true)
}
