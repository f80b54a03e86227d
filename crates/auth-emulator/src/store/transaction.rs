//! Sign-ins that are under way: what lies between a request and what the user says to it.

use std::collections::BTreeMap;

use rand::Rng;

use crate::clock::UnixTime;
use crate::ids;

/// A sign-in that waits for its user: for whom it is, and which page the user looks at.
#[derive(Clone)]
pub(crate) struct Transaction<R> {
    pub(crate) request: R,
    pub(crate) stage: Stage,
}

/// Which page the user looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    SignIn,
    /// The consent page, for the user with this object id.
    Consent {
        object_id: String,
    },
}

/// The transactions by their identifiers, which only the page of the sign-in knows.
pub(crate) struct Transactions<R>(BTreeMap<String, (UnixTime, Transaction<R>)>);

/// Seconds that a user may take.
const LIFETIME: u64 = 900;

impl<R> Default for Transactions<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<R> Transactions<R> {
    /// More than this many at once, and the oldest gives way.
    const LIMIT: usize = 1_000;

    pub(crate) fn open<G: Rng + ?Sized>(&mut self, rng: &mut G, now: UnixTime, transaction: Transaction<R>) -> String {
        self.0.retain(|_, (opened, _)| is_fresh(*opened, now));
        if self.0.len() >= Self::LIMIT {
            let oldest = self.0.iter().min_by_key(|(_, (opened, _))| *opened);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                self.0.remove(&id);
            }
        }
        let id = ids::opaque(rng, "");
        self.0.insert(id.clone(), (now, transaction));
        id
    }

    /// Takes a transaction out, so that each of its forms counts once.
    pub(crate) fn take(&mut self, id: &str, now: UnixTime) -> Option<Transaction<R>> {
        let (opened, transaction) = self.0.remove(id)?;
        is_fresh(opened, now).then_some(transaction)
    }
}

fn is_fresh(opened: UnixTime, now: UnixTime) -> bool {
    opened.as_secs().saturating_add(LIFETIME) > now.as_secs()
}
