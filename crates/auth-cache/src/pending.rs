//! Changes that are still to be stored (S-98).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use auth_core::Timestamp;

use crate::document::Document;
use crate::limits::Evicted;

/// The maximum number of pending changes, as a store may fail for months. Dropped ones remain in memory.
const LONGEST: usize = 10_000;
/// How long lookups wait before they retry a store that failed.
const PAUSE: Duration = Duration::from_secs(30);

/// A change to the document, which can be applied to any version of it.
pub(crate) type Change = Arc<dyn Fn(&Document, Moment) -> Outcome + Send + Sync>;

/// When a change is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// For the first time.
    First,
    /// Again, because it could not be stored. What others have written since it was made stays (S-102).
    Again,
}

/// The result of a change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) changed: bool,
    pub(crate) evicted: Option<Evicted>,
}

impl From<bool> for Outcome {
    fn from(changed: bool) -> Self {
        Self { changed, evicted: None }
    }
}

/// The pending changes, oldest first.
#[derive(Default)]
pub(crate) struct Pending {
    changes: VecDeque<Change>,
    /// The number of changes that were stored or dropped.
    gone: u64,
    /// When a lookup last tried to store them.
    retried_at: Option<Timestamp>,
}

/// A point in the order of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Until(u64);

impl Pending {
    pub(crate) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > LONGEST {
            tracing::warn!(target: "auth_cache", "too many changes to the token cache wait to be stored; the oldest is dropped");
            self.pop();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }

    /// Whether a lookup should try to store them at the time `now`, which may be before the last time.
    pub(crate) fn is_retry_due(&self, now: Timestamp) -> bool {
        let recent = |at: Timestamp| at.duration_until(now).max(now.duration_until(at)) < PAUSE;
        !self.is_empty() && !self.retried_at.is_some_and(recent)
    }

    pub(crate) const fn note_retry(&mut self, now: Timestamp) {
        self.retried_at = Some(now);
    }

    /// The point after those pending now.
    pub(crate) fn end(&self) -> Until {
        Until(self.gone.saturating_add(self.changes.len() as u64))
    }

    /// Removes the changes before `until`, which are stored.
    pub(crate) fn stored(&mut self, until: Until) {
        while self.gone < until.0 && !self.changes.is_empty() {
            self.pop();
        }
    }

    fn pop(&mut self) {
        self.changes.pop_front();
        self.gone = self.gone.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_changes_are_removed_first_and_only_once() {
        let nothing: Change = Arc::new(|_, _| false.into());
        let mut pending = Pending::default();
        pending.push(Arc::clone(&nothing));
        let end = pending.end();
        pending.push(Arc::clone(&nothing));
        pending.stored(end);
        pending.stored(end);
        assert_eq!(pending.iter().count(), 1, "the later change is still pending");
        let end = pending.end();
        for _ in 0..LONGEST {
            pending.push(Arc::clone(&nothing));
        }
        assert_eq!(pending.iter().count(), LONGEST);
        pending.stored(end);
        assert_eq!(pending.iter().count(), LONGEST, "dropped changes are not counted twice");
    }
}
