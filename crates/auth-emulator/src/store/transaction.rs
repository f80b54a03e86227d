//! Sign-ins in progress, between the request and the user's decision.

use std::collections::BTreeMap;

use rand::Rng;

use crate::clock::UnixTime;
use crate::ids;

/// A sign-in that waits for the user: the request behind it, and the page that the user sees.
#[derive(Clone)]
pub(crate) struct Transaction<R> {
    pub(crate) request: R,
    pub(crate) stage: Stage,
}

/// The page that the user sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    SignIn,
    /// The consent page, for the user with this object ID.
    Consent {
        object_id: String,
    },
}

/// The transactions by their identifiers, which only the sign-in page knows.
pub(crate) struct Transactions<R>(BTreeMap<String, (UnixTime, Transaction<R>)>);

/// How long a user may take, in seconds.
const LIFETIME: u64 = 900;

impl<R> Default for Transactions<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<R> Transactions<R> {
    /// Beyond this many at once, the oldest is dropped.
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

    /// Removes and returns a transaction, so that each form is accepted only once.
    pub(crate) fn take(&mut self, id: &str, now: UnixTime) -> Option<Transaction<R>> {
        let (opened, transaction) = self.0.remove(id)?;
        is_fresh(opened, now).then_some(transaction)
    }
}

fn is_fresh(opened: UnixTime, now: UnixTime) -> bool {
    opened.as_secs().saturating_add(LIFETIME) > now.as_secs()
}
