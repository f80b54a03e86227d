//! Which partitions are in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;

use crate::document::Place;
use crate::live::LiveDocument;

/// What goes when there is no room: an eighth at once, so that it is looked for seldom.
const PART: usize = 8;

#[derive(Default)]
pub(super) struct Lru {
    users: Kind,
    apps: Kind,
    assertions: Kind,
    /// How often anybody asked.
    asked: AtomicU64,
}

type Kind = HashMap<Arc<str>, Entry, RandomState>;

struct Entry {
    live: Arc<LiveDocument>,
    used: AtomicU64,
}

impl Lru {
    /// The partition of a user, if it is here.
    pub(super) fn user(&self, folded: &str) -> Option<Arc<LiveDocument>> {
        self.users.get(folded).map(|entry| self.used(entry))
    }

    pub(super) fn get(&self, place: &Place) -> Option<Arc<LiveDocument>> {
        let (kind, name) = match place {
            Place::User(name) => (&self.users, name),
            Place::App(name) => (&self.apps, name),
            Place::Assertion(name) => (&self.assertions, name),
        };
        kind.get(name).map(|entry| self.used(entry))
    }

    pub(super) fn all(&self) -> Vec<(Place, Arc<LiveDocument>)> {
        fn of(kind: &Kind, place: fn(Arc<str>) -> Place) -> impl Iterator<Item = (Place, &Entry)> {
            kind.iter().map(move |(name, entry)| (place(Arc::clone(name)), entry))
        }
        let all = of(&self.users, Place::User).chain(of(&self.apps, Place::App));
        let all = all.chain(of(&self.assertions, Place::Assertion));
        all.map(|(place, entry)| (place, Arc::clone(&entry.live))).collect()
    }

    /// The partition, made where it is not here. With more than `most` of them, those go that nobody uses and nobody asked for
    /// longest; first those without a change that is still to be stored.
    pub(super) fn get_or_insert(
        &mut self,
        place: &Place,
        most: usize,
        make: impl FnOnce() -> LiveDocument,
    ) -> Arc<LiveDocument> {
        if let Some(live) = self.get(place) {
            return live;
        }
        if self.len() >= most {
            self.make_room(most);
        }
        let live = Arc::new(make());
        let entry = Entry { live: Arc::clone(&live), used: AtomicU64::new(self.asked.fetch_add(1, Ordering::Relaxed)) };
        let (kind, name) = self.kind(place);
        kind.insert(Arc::clone(name), entry);
        live
    }

    fn make_room(&mut self, most: usize) {
        let kinds =
            [(&self.users, Place::User as fn(_) -> _), (&self.apps, Place::App), (&self.assertions, Place::Assertion)];
        let mut idle: Vec<_> = kinds
            .iter()
            .flat_map(|(kind, place)| kind.iter().map(move |(name, entry)| (place(Arc::clone(name)), entry)))
            .filter(|(_, entry)| Arc::strong_count(&entry.live) == 1)
            .map(|(place, entry)| (entry.live.is_waiting(), entry.used.load(Ordering::Relaxed), place))
            .collect();
        idle.sort_unstable();
        let going = self.len().saturating_sub(most).saturating_add(most.div_ceil(PART));
        let waiting = |(is_waiting, ..): &&(bool, u64, Place)| *is_waiting;
        let lost = idle.iter().take(going).filter(waiting).count();
        if lost > 0 {
            tracing::warn!(target: "auth_cache", lost, "partitions that waited for the store in vain were given up");
        }
        for (_, _, place) in idle.into_iter().take(going) {
            let (kind, name) = self.kind(&place);
            kind.remove(name);
        }
    }

    fn kind<'a>(&mut self, place: &'a Place) -> (&mut Kind, &'a Arc<str>) {
        match place {
            Place::User(name) => (&mut self.users, name),
            Place::App(name) => (&mut self.apps, name),
            Place::Assertion(name) => (&mut self.assertions, name),
        }
    }

    fn len(&self) -> usize {
        [self.users.len(), self.apps.len(), self.assertions.len()].into_iter().fold(0, usize::saturating_add)
    }

    fn used(&self, entry: &Entry) -> Arc<LiveDocument> {
        entry.used.store(self.asked.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Arc::clone(&entry.live)
    }
}
