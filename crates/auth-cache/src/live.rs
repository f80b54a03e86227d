//! A document that follows its store: reload, apply one change, replace.

use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use auth_core::{ClientId, Timestamp};

use crate::document::{self, Document, Unreadable};
use crate::event::{Event, Observer};
use crate::expiry::drop_expired;
use crate::limits::{Limits, make_room};
use crate::pending::{Change, Moment, Outcome, Pending};
use crate::snapshot::Snapshot;
use crate::storage::{
    BoxedLock, DynStorage, LockBudget, LockName, Replaced, StorageError, StorageErrorKind, Stored, Version,
};

/// How long a reader waits for a program that may be writing a document that could not be parsed: longer than a write
/// in place takes, and short compared with the time that a call has for its locks.
const READERS_PATIENCE: Duration = Duration::from_secs(1);
/// How many times a write is attempted while other programs keep changing the document.
pub(crate) const ATTEMPTS: usize = 5;

/// The error of a write to a document that exceeds a limit.
fn refused(reason: &'static str) -> StorageError {
    StorageError::new("written", "", reason).with_kind(StorageErrorKind::TooLarge)
}

/// The error after [`ATTEMPTS`] attempts.
pub(crate) fn contended() -> StorageError {
    StorageError::new("written", "", "another program keeps changing it")
}

/// Reports entries that are unusable.
pub(crate) fn note_skipped(document: &Document, observer: &Observer) {
    let count = document.common().skipped();
    if count > 0 {
        observer.tell(&Event::EntriesSkipped { count });
    }
}

/// The stored document could not be parsed.
struct NotUnderstood;

/// Whether another program may be writing while we read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Unlocked,
    Locked,
}

/// A document in memory, or in a store that other programs change as well.
#[derive(Default)]
pub(crate) struct LiveDocument {
    pub(crate) storage: Option<Arc<dyn DynStorage>>,
    may_lag: bool,
    snapshot: ArcSwap<Snapshot>,
    /// Held while the document is read or replaced.
    reloading: async_lock::Mutex<()>,
    /// Changes that could not be stored yet (S-98).
    pending: Mutex<Pending>,
    /// Whether the store failed to take one of them, so that it is tried again.
    is_deferring: AtomicBool,
    /// Whether this process knows anything that is not in the store.
    is_ahead: AtomicBool,
    /// Whether the last attempt to read the store failed.
    is_unreadable: AtomicBool,
    /// The keys under which entries of ours cannot be stored, as last reported (S-79).
    collided: Mutex<BTreeSet<String>>,
    pub(crate) limits: Limits,
    pub(crate) observer: Observer,
}

impl LiveDocument {
    pub(crate) fn stored_in(storage: Arc<dyn DynStorage>) -> Self {
        Self { storage: Some(storage), ..Self::default() }
    }

    /// A partition in a store where changes by others may go unnoticed.
    pub(crate) fn partition(storage: Arc<dyn DynStorage>, limits: Limits, observer: Observer) -> Self {
        Self { may_lag: true, limits, observer, ..Self::stored_in(storage) }
    }

    /// Whether others may have changed the store although its version is the same.
    pub(crate) const fn may_lag(&self) -> bool {
        self.may_lag
    }

    /// The latest snapshot, without a look at the store.
    pub(crate) fn known(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Whether the store is unchanged since the snapshot was taken.
    pub(crate) fn is_current(&self, snapshot: &Snapshot) -> bool {
        match &self.storage {
            Some(storage) => !snapshot.is_stale && storage.version().is_ok_and(|version| version == snapshot.version),
            None => true,
        }
    }

    /// A snapshot of what is stored now. If the store fails, the last one serves, if there is any.
    pub(crate) async fn current(&self) -> Result<Guard<Arc<Snapshot>>, StorageError> {
        let snapshot = self.snapshot.load();
        let Some(storage) = &self.storage else { return Ok(snapshot) };
        if self.is_current(&snapshot) {
            return Ok(snapshot);
        }
        drop(snapshot);
        let followed = self.follow(&**storage).await;
        let snapshot = self.snapshot.load();
        match followed {
            Ok(()) => self.is_unreadable.store(false, Ordering::Relaxed),
            Err(error) if !self.is_known() => return Err(error),
            Err(error) if !self.is_unreadable.swap(true, Ordering::Relaxed) => {
                self.observer.tell(&Event::Unreadable { reason: error.to_string() });
            }
            Err(_) => {}
        }
        Ok(snapshot)
    }

    /// Queries the document. Where changes by others may go unnoticed, the store is read again before an answer is
    /// given that is not `enough`.
    pub(crate) async fn answer<R>(
        &self,
        answer: impl Fn(&Document) -> R,
        enough: impl FnOnce(&R) -> bool,
    ) -> Result<R, StorageError> {
        let is_believed = self.may_lag && self.is_current(&self.known());
        let answered = answer(&self.current().await?.document);
        if !is_believed || enough(&answered) {
            return Ok(answered);
        }
        {
            let _reloading = self.reloading.lock().await;
            self.distrust(&self.snapshot.load());
        }
        Ok(answer(&self.current().await?.document))
    }

    /// Like [`current`](Self::current), but reads the store even if its version is the same, and fails if the store
    /// does.
    pub(crate) async fn reread(&self) -> Result<Guard<Arc<Snapshot>>, StorageError> {
        if let Some(storage) = &self.storage {
            {
                let _reloading = self.reloading.lock().await;
                self.distrust(&self.snapshot.load());
            }
            self.follow(&**storage).await?;
        }
        Ok(self.snapshot.load())
    }

    /// Makes the next access read the store, whatever its version.
    fn distrust(&self, snapshot: &Snapshot) {
        let document = Arc::clone(&snapshot.document);
        self.snapshot.store(Arc::new(Snapshot { is_stale: true, ..Snapshot::new(snapshot.version, document) }));
    }

    /// Reads what is stored. If it is empty or cannot be parsed, it is read again under the lock, as another program
    /// may have been writing it in place. If it is still bad, it is moved aside (S-99).
    async fn follow(&self, storage: &dyn DynStorage) -> Result<(), StorageError> {
        {
            let _reloading = self.reloading.lock().await;
            if let Ok(()) = self.reload(storage, Reading::Unlocked).await? {
                return Ok(());
            }
        }
        let _lock = self.lock(storage, LockName::Document, &mut LockBudget::new(READERS_PATIENCE)).await?;
        let _reloading = self.reloading.lock().await;
        self.reload_or_repair(storage).await
    }

    /// Takes a new snapshot if the stored version has changed.
    async fn reload(
        &self,
        storage: &dyn DynStorage,
        reading: Reading,
    ) -> Result<Result<(), NotUnderstood>, StorageError> {
        let version = storage.version()?;
        if version == self.snapshot.load().version && !self.snapshot.load().is_stale {
            return Ok(Ok(()));
        }
        let stored = match storage.read(&self.observer).await {
            Err(error) if error.kind == StorageErrorKind::Damaged => return Ok(Err(NotUnderstood)),
            Err(error) if error.kind == StorageErrorKind::TooLarge => {
                self.refuse(version, Limits::TOO_LARGE);
                return Ok(Ok(()));
            }
            stored => stored?,
        };
        // The version was uncertain, but nothing has changed.
        if stored.version == self.snapshot.load().version && !self.snapshot.load().is_stale {
            return Ok(Ok(()));
        }
        Ok(self.take(stored, reading))
    }

    /// Publishes what was read, or refuses it if it exceeds a limit.
    fn take(&self, stored: Stored, reading: Reading) -> Result<(), NotUnderstood> {
        let bytes = stored.content.len();
        if bytes == 0 && stored.version != Version::NONE && reading == Reading::Unlocked {
            return Err(NotUnderstood);
        }
        if let Some(reason) = self.limits.excess(bytes, 0) {
            self.refuse(stored.version, reason);
            return Ok(());
        }
        let document = match document::parse(stored.content, self.limits.document_depth) {
            Ok(document) => document,
            Err(Unreadable::TooDeep) => {
                self.refuse(stored.version, Limits::TOO_DEEP);
                return Ok(());
            }
            Err(Unreadable::NotADocument) => return Err(NotUnderstood),
        };
        match self.limits.excess(bytes, document.entries()) {
            Some(reason) => self.refuse(stored.version, reason),
            None => {
                note_skipped(&document, &self.observer);
                self.show(stored.version, document);
            }
        }
        Ok(())
    }

    async fn reload_or_repair(&self, storage: &dyn DynStorage) -> Result<(), StorageError> {
        if let Ok(()) = self.reload(storage, Reading::Locked).await? {
            return Ok(());
        }
        let place = storage.set_aside().await?;
        self.observer.tell(&Event::Quarantined { place });
        // Empty, unless a program that takes no lock was faster.
        let stored = storage.read(&self.observer).await?;
        let version = stored.version;
        self.take(stored, Reading::Locked).unwrap_or_else(|NotUnderstood| self.show(version, Document::default()));
        Ok(())
    }

    /// Publishes a document that was read, with our changes that are still to be stored.
    fn show(&self, version: Version, document: Document) {
        document.keep_uses(&self.snapshot.load().document);
        let mut outcomes = Vec::new();
        {
            // Held until the snapshot is published, so that no change is applied to one that is about to go.
            let pending = self.pending();
            outcomes.extend(pending.iter().map(|change| change(&document, Moment::Again)));
            self.snapshot.store(Arc::new(Snapshot::new(version, Arc::new(document))));
            self.is_ahead.store(!pending.is_empty(), Ordering::Relaxed);
        }
        outcomes.into_iter().for_each(|outcome| self.note_evicted(outcome));
    }

    /// Leaves the stored document alone and continues with what this process knows (S-90).
    fn refuse(&self, version: Version, reason: &'static str) {
        let known = Arc::clone(&self.snapshot.load().document);
        self.snapshot.store(Arc::new(Snapshot { refused: Some(reason), ..Snapshot::new(version, known) }));
        self.is_ahead.store(true, Ordering::Relaxed);
        self.observer.tell(&Event::Refused { reason });
    }

    /// Applies a change to what is stored, or in memory if there is no store.
    pub(crate) async fn change(
        &self,
        suggested_key: Option<String>,
        change: Change,
        budget: &mut LockBudget,
    ) -> Result<bool, StorageError> {
        let changed = match &self.storage {
            None => {
                let outcome = change(&self.snapshot.load().document, Moment::First);
                self.note_evicted(outcome);
                Ok(outcome.changed)
            }
            Some(storage) => self.write(&**storage, Some(change), budget).await,
        };
        if changed != Ok(false) {
            self.observer.tell(&Event::Changed { suggested_key });
        }
        changed
    }

    /// Caches tokens, and drops those that have expired or that there is no room for.
    pub(crate) async fn put(
        &self,
        suggested_key: Option<String>,
        client_id: ClientId,
        now: Timestamp,
        budget: &mut LockBudget,
        put: impl Fn(&Document, Moment) -> bool + Send + Sync + 'static,
    ) -> Result<bool, StorageError> {
        let limits = self.limits;
        let change = move |document: &Document, moment| {
            let changed = put(document, moment);
            drop_expired(document, &client_id, now);
            let evicted = if changed { make_room(document, &client_id, &limits, now) } else { None };
            Outcome { changed, evicted }
        };
        self.change(suggested_key, Arc::new(change), budget).await
    }

    /// Stores the pending changes (S-98).
    pub(crate) async fn flush(&self, budget: &mut LockBudget) -> Result<(), StorageError> {
        match &self.storage {
            Some(storage) if !self.pending().is_empty() => self.write(&**storage, None, budget).await.map(drop),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether this process has read a stored document, or has changes for it.
    pub(crate) fn is_known(&self) -> bool {
        self.snapshot.load().version != Version::NONE || self.is_waiting()
    }

    /// Whether a change is still to be stored.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending().is_empty()
    }

    /// Whether everything that this process knows is in the store.
    #[inline]
    pub(crate) fn is_persisted(&self) -> bool {
        self.storage.is_some() && !self.is_ahead.load(Ordering::Relaxed)
    }

    /// Whether a lookup at the time `now` should try again to store the pending changes.
    #[inline]
    pub(crate) fn is_retry_due(&self, now: Timestamp) -> bool {
        self.is_deferring.load(Ordering::Relaxed) && self.pending().is_retry_due(now)
    }

    /// Tries again to store the pending changes, if it is time to. It does not wait for a lock, because a caller is
    /// waiting for an answer.
    pub(crate) async fn retry(&self, now: Timestamp) {
        if self.is_retry_due(now) {
            self.pending().note_retry(now);
            if let Err(error) = self.flush(&mut LockBudget::new(Duration::ZERO)).await {
                tracing::debug!(target: "auth_cache", %error, "pending changes could still not be stored");
            }
        }
    }

    /// Takes a lock of the store, and reports it if there is not enough time.
    pub(crate) async fn lock(
        &self,
        storage: &dyn DynStorage,
        name: LockName<'_>,
        budget: &mut LockBudget,
    ) -> Result<BoxedLock, StorageError> {
        let locked = storage.lock(name, budget, &self.observer).await;
        if matches!(&locked, Err(error) if error.kind == StorageErrorKind::LockTimedOut) {
            self.observer.tell(&Event::LockTimedOut { refresh: matches!(name, LockName::Refresh(_)) });
        }
        locked
    }

    /// Stores the pending changes and, if given, a new one.
    async fn write(
        &self,
        storage: &dyn DynStorage,
        change: Option<Change>,
        budget: &mut LockBudget,
    ) -> Result<bool, StorageError> {
        let _lock = match self.lock(storage, LockName::Document, budget).await {
            Ok(lock) => lock,
            Err(error) => return Err(self.keep(change, error)),
        };
        for _ in 0..ATTEMPTS {
            let _reloading = self.reloading.lock().await;
            if let Err(error) = self.reload_or_repair(storage).await {
                return Err(self.keep(change, error));
            }
            let snapshot = self.snapshot.load_full();
            if let Some(reason) = snapshot.refused {
                if let Some(change) = change {
                    self.remember(change);
                }
                return Err(refused(reason));
            }
            let (until, waiting) = {
                let pending = self.pending();
                (pending.end(), !pending.is_empty())
            };
            let outcome =
                change.as_ref().map_or_else(Outcome::default, |change| change(&snapshot.document, Moment::First));
            if !outcome.changed && !waiting {
                return Ok(false);
            }
            let (json, collided) = document::write(&snapshot.document);
            if let Some(reason) = self.limits.excess(json.len(), snapshot.document.entries()) {
                return Err(self.outgrown(change, outcome, reason));
            }
            match storage.replace(json, snapshot.version, snapshot.document.keep_until(), &self.observer).await {
                Ok(Replaced::Done(version)) => {
                    let still_waiting = {
                        let mut pending = self.pending();
                        pending.stored(until);
                        !pending.is_empty()
                    };
                    self.is_deferring.store(still_waiting, Ordering::Relaxed);
                    self.is_ahead.store(still_waiting || !collided.is_empty(), Ordering::Relaxed);
                    self.snapshot.store(Arc::new(Snapshot::new(version, Arc::clone(&snapshot.document))));
                    self.note_evicted(outcome);
                    return match self.note_collided(collided) {
                        true => Err(StorageError::new("written", "", "another account's entry has the same key")),
                        false => Ok(outcome.changed),
                    };
                }
                // The snapshot has a change that is not stored.
                Ok(Replaced::Conflict) => self.distrust(&snapshot),
                Err(error) if error.kind == StorageErrorKind::TooLarge => {
                    return Err(self.outgrown(change, outcome, Limits::TOO_LARGE));
                }
                Err(error) => {
                    self.note_evicted(outcome);
                    return Err(self.defer(change, error));
                }
            }
        }
        Err(self.keep(change, contended()))
    }

    /// Keeps a change that could not be stored: it takes effect in this process now, and is stored later (S-98, S-101).
    fn keep(&self, change: Option<Change>, error: StorageError) -> StorageError {
        if let Some(change) = change {
            self.remember(change);
        }
        self.defer(None, error)
    }

    /// Notes that the store failed and, if given, a change that the snapshot already has.
    fn defer(&self, change: Option<Change>, error: StorageError) -> StorageError {
        if let Some(change) = change {
            self.push(&mut self.pending(), change);
        }
        if !self.is_deferring.swap(true, Ordering::Relaxed) {
            self.observer.tell(&Event::Deferred { reason: error.to_string() });
        }
        error
    }

    /// Keeps a change with which the document exceeds a limit (S-90). That is not a failure of the store, and is not
    /// tried again before the next change.
    fn outgrown(&self, change: Option<Change>, outcome: Outcome, reason: &'static str) -> StorageError {
        if let Some(change) = change {
            self.push(&mut self.pending(), change);
        }
        self.note_evicted(outcome);
        self.observer.tell(&Event::Refused { reason });
        refused(reason)
    }

    /// Applies a change to what this process knows, and keeps it for the store, if there is one.
    pub(crate) fn remember(&self, change: Change) {
        let outcome = {
            let mut pending = self.pending();
            let outcome = change(&self.snapshot.load().document, Moment::First);
            if self.storage.is_some() {
                self.push(&mut pending, change);
            }
            outcome
        };
        self.note_evicted(outcome);
    }

    /// Keeps a change for the store.
    fn push(&self, pending: &mut Pending, change: Change) {
        pending.push(change);
        self.is_ahead.store(true, Ordering::Relaxed);
    }

    fn note_evicted(&self, outcome: Outcome) {
        if let Some(evicted) = outcome.evicted {
            self.observer.tell(&Event::Evicted(evicted));
        }
    }

    /// Reports new key collisions, and returns whether there are any.
    fn note_collided(&self, now: BTreeSet<String>) -> bool {
        let before = {
            let mut collided = self.collided.lock().unwrap_or_else(PoisonError::into_inner);
            core::mem::replace(&mut *collided, now.clone())
        };
        let is_new = !now.is_subset(&before);
        if is_new {
            self.observer.tell(&Event::KeyCollision);
        }
        is_new
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // The list is always whole, so poison does not matter.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
