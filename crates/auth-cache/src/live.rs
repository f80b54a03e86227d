//! The document as it follows its store: reload, apply one change, replace.

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
use crate::picture::Picture;
use crate::storage::{
    BoxedLock, DynStorage, LockBudget, LockName, Replaced, StorageError, StorageErrorKind, Stored, Version,
};

/// How long a reader waits for whoever may be writing what could not be understood: longer than a write in place takes, and
/// short beside what a call has for the locks that it needs.
const READERS_PATIENCE: Duration = Duration::from_secs(1);
/// How often a write is tried again when somebody else was faster.
pub(crate) const ATTEMPTS: usize = 5;

/// Others write as often as we do.
pub(crate) fn contended() -> StorageError {
    StorageError::new("written", "", "another program keeps changing it")
}

/// Tells of entries that answer nobody.
pub(crate) fn note_skipped(document: &Document, observer: &Observer) {
    let count = document.common().skipped();
    if count > 0 {
        observer.tell(&Event::EntriesSkipped { count });
    }
}

/// A text in the store that could not be understood.
struct NotUnderstood;

/// Whether somebody may be writing while we look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looking {
    Free,
    Locked,
}

/// A document in memory, or in a store that others write too.
#[derive(Default)]
pub(crate) struct LiveDocument {
    pub(crate) storage: Option<Arc<dyn DynStorage>>,
    may_lag: bool,
    picture: ArcSwap<Picture>,
    /// Held while the document is read or replaced.
    reloading: async_lock::Mutex<()>,
    /// Changes that could not be stored yet (S-98).
    pending: Mutex<Pending>,
    /// Whether the store failed one of them, so that it is tried again.
    is_deferring: AtomicBool,
    /// Whether this process knows what is not in the store.
    is_ahead: AtomicBool,
    /// Whether the store could not be read last.
    is_unreadable: AtomicBool,
    /// The keys under which entries of ours cannot be stored, as was told (S-79).
    collided: Mutex<BTreeSet<String>>,
    pub(crate) limits: Limits,
    pub(crate) observer: Observer,
}

impl LiveDocument {
    pub(crate) fn stored_in(storage: Arc<dyn DynStorage>) -> Self {
        Self { storage: Some(storage), ..Self::default() }
    }

    /// A partition of a store that others change unseen.
    pub(crate) fn partition(storage: Arc<dyn DynStorage>, limits: Limits, observer: Observer) -> Self {
        Self { may_lag: true, limits, observer, ..Self::stored_in(storage) }
    }

    /// Whether others may have changed the store although its version is the same.
    pub(crate) const fn may_lag(&self) -> bool {
        self.may_lag
    }

    /// What is known now, without looking at the store.
    pub(crate) fn known(&self) -> Guard<Arc<Picture>> {
        self.picture.load()
    }

    /// Whether nobody has changed the store since the picture was taken.
    pub(crate) fn is_current(&self, picture: &Picture) -> bool {
        match &self.storage {
            Some(storage) => !picture.is_stale && storage.version().is_ok_and(|version| version == picture.version),
            None => true,
        }
    }

    /// The picture of what is stored now. Where the store fails, what this process knows serves on.
    pub(crate) async fn current(&self) -> Result<Guard<Arc<Picture>>, StorageError> {
        let picture = self.picture.load();
        let Some(storage) = &self.storage else { return Ok(picture) };
        if self.is_current(&picture) {
            return Ok(picture);
        }
        drop(picture);
        let followed = self.follow(&**storage).await;
        let picture = self.picture.load();
        match followed {
            Ok(()) => self.is_unreadable.store(false, Ordering::Relaxed),
            Err(error) if !self.is_known() => return Err(error),
            Err(error) if !self.is_unreadable.swap(true, Ordering::Relaxed) => {
                self.observer.tell(&Event::Unreadable { reason: error.to_string() });
            }
            Err(_) => {}
        }
        Ok(picture)
    }

    /// What the document answers. Where the store may have changed unseen, it is read before an answer is given that is not
    /// `enough`.
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
            self.distrust(&self.picture.load());
        }
        Ok(answer(&self.current().await?.document))
    }

    /// The same, read from the store even where that says that nobody has changed it.
    pub(crate) async fn reread(&self) -> Result<Guard<Arc<Picture>>, StorageError> {
        if let Some(storage) = &self.storage {
            {
                let _reloading = self.reloading.lock().await;
                self.distrust(&self.picture.load());
            }
            // Here what this process knows is no answer.
            self.follow(&**storage).await?;
        }
        Ok(self.picture.load())
    }

    /// Has the store read again before its version is believed.
    fn distrust(&self, picture: &Picture) {
        let document = Arc::clone(&picture.document);
        self.picture.store(Arc::new(Picture { is_stale: true, ..Picture::new(picture.version, document) }));
    }

    /// Reads what is stored. A document that cannot be understood, or is empty, is looked at again under the lock, as a
    /// writer that writes in place may just have been busy; if it is still bad, it is moved aside (S-99).
    async fn follow(&self, storage: &dyn DynStorage) -> Result<(), StorageError> {
        {
            let _reloading = self.reloading.lock().await;
            if let Ok(()) = self.reload(storage, Looking::Free).await? {
                return Ok(());
            }
        }
        let _lock = self.lock(storage, LockName::Document, &mut LockBudget::new(READERS_PATIENCE)).await?;
        let _reloading = self.reloading.lock().await;
        self.reload_or_repair(storage).await
    }

    /// Takes a new picture if what is stored is another version.
    async fn reload(
        &self,
        storage: &dyn DynStorage,
        looking: Looking,
    ) -> Result<Result<(), NotUnderstood>, StorageError> {
        let version = storage.version()?;
        if version == self.picture.load().version && !self.picture.load().is_stale {
            return Ok(Ok(()));
        }
        let stored = match storage.read(&self.observer).await {
            Err(error) if error.kind == StorageErrorKind::Damaged => return Ok(Err(NotUnderstood)),
            stored => stored?,
        };
        // What could not promise to stay the same stayed the same.
        if stored.version == self.picture.load().version && !self.picture.load().is_stale {
            return Ok(Ok(()));
        }
        Ok(self.take(stored, looking))
    }

    /// Shows what was read, or refuses it where it is beyond a limit.
    fn take(&self, stored: Stored, looking: Looking) -> Result<(), NotUnderstood> {
        let bytes = stored.content.len();
        if bytes == 0 && stored.version != Version::NONE && looking == Looking::Free {
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
        if let Ok(()) = self.reload(storage, Looking::Locked).await? {
            return Ok(());
        }
        let place = storage.set_aside().await?;
        self.observer.tell(&Event::Quarantined { place });
        // Nothing, unless somebody without the lock was faster.
        let stored = storage.read(&self.observer).await?;
        let version = stored.version;
        self.take(stored, Looking::Locked).unwrap_or_else(|NotUnderstood| self.show(version, Document::default()));
        Ok(())
    }

    /// Shows a document that was read, with those changes of ours that are still to be stored.
    fn show(&self, version: Version, document: Document) {
        document.keep_uses(&self.picture.load().document);
        let mut outcomes = Vec::new();
        {
            // Held until the picture is shown, so that no change is added to one that nobody will see.
            let pending = self.pending();
            outcomes.extend(pending.iter().map(|change| change(&document, Moment::Again)));
            self.picture.store(Arc::new(Picture::new(version, Arc::new(document))));
            self.is_ahead.store(!pending.is_empty(), Ordering::Relaxed);
        }
        outcomes.into_iter().for_each(|outcome| self.note_evicted(outcome));
    }

    /// Leaves what is stored alone, and goes on with what this process knows (S-90).
    fn refuse(&self, version: Version, reason: &'static str) {
        let known = Arc::clone(&self.picture.load().document);
        self.picture.store(Arc::new(Picture { refused: Some(reason), ..Picture::new(version, known) }));
        self.is_ahead.store(true, Ordering::Relaxed);
        self.observer.tell(&Event::Refused { reason });
    }

    /// Applies a change: in memory at once, else to what is stored.
    pub(crate) async fn change(
        &self,
        suggested_key: Option<String>,
        change: Change,
        budget: &mut LockBudget,
    ) -> Result<bool, StorageError> {
        let changed = match &self.storage {
            None => {
                let outcome = change(&self.picture.load().document, Moment::First);
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

    /// Caches tokens, and drops what goes with it: what has expired, and what there is no room for.
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

    /// Stores what waits (S-98).
    pub(crate) async fn flush(&self, budget: &mut LockBudget) -> Result<(), StorageError> {
        match &self.storage {
            Some(storage) if !self.pending().is_empty() => self.write(&**storage, None, budget).await.map(drop),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether this process knows anything of it.
    pub(crate) fn is_known(&self) -> bool {
        self.picture.load().version != Version::NONE || self.is_waiting()
    }

    /// Whether a change waits for the store.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending().is_empty()
    }

    /// Whether all that this process knows is in the store.
    #[inline]
    pub(crate) fn is_persisted(&self) -> bool {
        self.storage.is_some() && !self.is_ahead.load(Ordering::Relaxed)
    }

    /// Whether a lookup at the time `now` should try once more to store what waits.
    #[inline]
    pub(crate) fn is_retry_due(&self, now: Timestamp) -> bool {
        self.is_deferring.load(Ordering::Relaxed) && self.pending().is_retry_due(now)
    }

    /// Tries once more to store what waits, if it is time to: without waiting for anybody, as somebody waits for an answer.
    pub(crate) async fn retry(&self, now: Timestamp) {
        if self.is_retry_due(now) {
            self.pending().note_retry(now);
            if let Err(error) = self.flush(&mut LockBudget::new(Duration::ZERO)).await {
                tracing::debug!(target: "auth_cache", %error, "what waits is still not stored");
            }
        }
    }

    /// A lock of the store. That it could not be had is told.
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

    /// Brings a change into the store, and what waits; without a change only what waits.
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
            let picture = self.picture.load_full();
            if let Some(reason) = picture.refused {
                if let Some(change) = change {
                    self.remember(change);
                }
                return Err(StorageError::new("written", "", reason));
            }
            let (until, waiting) = {
                let pending = self.pending();
                (pending.end(), !pending.is_empty())
            };
            let outcome =
                change.as_ref().map_or_else(Outcome::default, |change| change(&picture.document, Moment::First));
            if !outcome.changed && !waiting {
                return Ok(false);
            }
            let (json, collided) = document::write(&picture.document);
            if let Some(reason) = self.limits.excess(json.len(), picture.document.entries()) {
                if let Some(change) = change {
                    self.push(&mut self.pending(), change);
                }
                self.note_evicted(outcome);
                self.observer.tell(&Event::Refused { reason });
                return Err(StorageError::new("written", "", reason));
            }
            match storage.replace(json, picture.version, picture.document.keep_until(), &self.observer).await {
                Ok(Replaced::Done(version)) => {
                    let still_waiting = {
                        let mut pending = self.pending();
                        pending.stored(until);
                        !pending.is_empty()
                    };
                    self.is_deferring.store(still_waiting, Ordering::Relaxed);
                    self.is_ahead.store(still_waiting || !collided.is_empty(), Ordering::Relaxed);
                    self.picture.store(Arc::new(Picture::new(version, Arc::clone(&picture.document))));
                    self.note_evicted(outcome);
                    return match self.note_collided(collided) {
                        true => Err(StorageError::new("written", "", "another account's entry has the same key")),
                        false => Ok(outcome.changed),
                    };
                }
                // The picture shows a change that is not stored.
                Ok(Replaced::Conflict) => self.distrust(&picture),
                Err(error) => {
                    self.note_evicted(outcome);
                    return Err(self.defer(change, error));
                }
            }
        }
        Err(self.keep(change, contended()))
    }

    /// What could not be stored serves this process at least, and is stored later (S-98, S-101).
    fn keep(&self, change: Option<Change>, error: StorageError) -> StorageError {
        if let Some(change) = change {
            self.remember(change);
        }
        self.defer(None, error)
    }

    /// Notes that the store failed, and a change that this process shows already. A document that is beyond a limit is no
    /// failure of the store, and not tried again before the next change.
    fn defer(&self, change: Option<Change>, error: StorageError) -> StorageError {
        if let Some(change) = change {
            self.push(&mut self.pending(), change);
        }
        if !self.is_deferring.swap(true, Ordering::Relaxed) {
            self.observer.tell(&Event::Deferred { reason: error.to_string() });
        }
        error
    }

    /// Applies a change to what this process knows, and keeps it for the store, if there is one.
    pub(crate) fn remember(&self, change: Change) {
        let outcome = {
            let mut pending = self.pending();
            let outcome = change(&self.picture.load().document, Moment::First);
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

    /// Tells of a collision that is new.
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
        // A list of changes is whole at any time: poison tells nothing.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
