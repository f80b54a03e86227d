//! The document as it follows its store: reload, apply one change, replace.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::document::{self, Document, Unreadable};
use crate::event::{Event, Observer};
use crate::limits::Limits;
use crate::pending::{Change, Moment, Outcome, Pending};
use crate::storage::{DynStorage, LockName, Replaced, StorageError, Stored, Version};

/// How often a write is tried again when somebody else was faster.
pub(crate) const ATTEMPTS: usize = 5;

/// Others write as often as we do.
pub(crate) fn contended() -> StorageError {
    StorageError::new("written", "", "another program keeps changing it")
}

/// The document at one version.
#[derive(Debug)]
pub(crate) struct Picture {
    version: Version,
    pub(crate) document: Arc<Document>,
    /// Whether it must be read anew although the version is the same.
    is_stale: bool,
    /// Why what is stored is not touched, in which case the document is what this process knows.
    refused: Option<&'static str>,
}

impl Default for Picture {
    fn default() -> Self {
        Self::new(Version::NONE, Arc::default())
    }
}

impl Picture {
    const fn new(version: Version, document: Arc<Document>) -> Self {
        Self { version, document, is_stale: false, refused: None }
    }
}

/// A text in the store that could not be understood.
struct NotUnderstood;

/// A document in memory, or in a store that others write too.
#[derive(Default)]
pub(crate) struct LiveDocument {
    pub(crate) storage: Option<Arc<dyn DynStorage>>,
    picture: ArcSwap<Picture>,
    /// Held while the document is read or replaced.
    reloading: async_lock::Mutex<()>,
    /// Changes that could not be stored yet (S-98).
    pending: Mutex<Pending>,
    /// The keys under which entries of ours cannot be stored, as was told (S-79).
    collided: Mutex<BTreeSet<String>>,
    pub(crate) limits: Limits,
    pub(crate) observer: Observer,
}

impl LiveDocument {
    pub(crate) fn stored_in(storage: Arc<dyn DynStorage>) -> Self {
        Self { storage: Some(storage), ..Self::default() }
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

    /// The picture of what is stored now. Where the store fails, what this process could not store serves on.
    pub(crate) async fn current(&self) -> Result<Guard<Arc<Picture>>, StorageError> {
        let picture = self.picture.load();
        let Some(storage) = &self.storage else { return Ok(picture) };
        if self.is_current(&picture) {
            return Ok(picture);
        }
        drop(picture);
        match self.follow(&**storage).await {
            Err(error) if self.pending().is_empty() => Err(error),
            Ok(()) | Err(_) => Ok(self.picture.load()),
        }
    }

    /// The same, read from the store even where that says that nobody has changed it.
    pub(crate) async fn reread(&self) -> Result<Guard<Arc<Picture>>, StorageError> {
        if self.storage.is_some() {
            let _reloading = self.reloading.lock().await;
            self.distrust(&self.picture.load());
        }
        self.current().await
    }

    /// Has the store read again before its version is believed.
    fn distrust(&self, picture: &Picture) {
        let document = Arc::clone(&picture.document);
        self.picture.store(Arc::new(Picture { is_stale: true, ..Picture::new(picture.version, document) }));
    }

    /// Reads what is stored. A document that cannot be understood is looked at again under the lock, as a writer of another
    /// kind may just have been busy; if it is still bad, it is moved aside (S-99).
    async fn follow(&self, storage: &dyn DynStorage) -> Result<(), StorageError> {
        {
            let _reloading = self.reloading.lock().await;
            if let Ok(()) = self.reload(storage).await? {
                return Ok(());
            }
        }
        let _lock = storage.lock(LockName::Document).await?;
        let _reloading = self.reloading.lock().await;
        self.reload_or_repair(storage).await
    }

    /// Takes a new picture if what is stored is another version.
    async fn reload(&self, storage: &dyn DynStorage) -> Result<Result<(), NotUnderstood>, StorageError> {
        let version = storage.version()?;
        if version == self.picture.load().version && !self.picture.load().is_stale {
            return Ok(Ok(()));
        }
        let stored = storage.read().await?;
        Ok(self.take(stored))
    }

    /// Shows what was read, or refuses it where it is beyond a limit.
    fn take(&self, stored: Stored) -> Result<(), NotUnderstood> {
        let bytes = stored.content.len();
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
                self.note_skipped(&document);
                self.show(stored.version, document);
            }
        }
        Ok(())
    }

    async fn reload_or_repair(&self, storage: &dyn DynStorage) -> Result<(), StorageError> {
        if let Ok(()) = self.reload(storage).await? {
            return Ok(());
        }
        let place = storage.set_aside().await?;
        self.observer.tell(&Event::Quarantined { place });
        // Nothing, unless somebody without the lock was faster.
        let stored = storage.read().await?;
        let version = stored.version;
        self.take(stored).unwrap_or_else(|NotUnderstood| self.show(version, Document::default()));
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
        }
        outcomes.into_iter().for_each(|outcome| self.note_evicted(outcome));
    }

    /// Leaves what is stored alone, and goes on with what this process knows (S-90).
    fn refuse(&self, version: Version, reason: &'static str) {
        let known = Arc::clone(&self.picture.load().document);
        self.picture.store(Arc::new(Picture { refused: Some(reason), ..Picture::new(version, known) }));
        self.observer.tell(&Event::Refused { reason });
    }

    /// Applies a change: in memory at once, else to what is stored.
    pub(crate) async fn change(&self, suggested_key: Option<String>, change: Change) -> Result<bool, StorageError> {
        let changed = match &self.storage {
            None => {
                let outcome = change(&self.picture.load().document, Moment::First);
                self.note_evicted(outcome);
                Ok(outcome.changed)
            }
            Some(storage) => self.change_stored(&**storage, change).await,
        };
        if changed != Ok(false) {
            self.observer.tell(&Event::Changed { suggested_key });
        }
        changed
    }

    async fn change_stored(&self, storage: &dyn DynStorage, change: Change) -> Result<bool, StorageError> {
        let _lock = match storage.lock(LockName::Document).await {
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
                return Err(self.keep(change, StorageError::new("written", "", reason)));
            }
            let (until, waiting) = {
                let pending = self.pending();
                (pending.end(), !pending.is_empty())
            };
            let outcome = change(&picture.document, Moment::First);
            if !outcome.changed && !waiting {
                return Ok(false);
            }
            let (json, collided) = document::write(&picture.document);
            if let Some(reason) = self.limits.excess(json.len(), picture.document.entries()) {
                self.pending().push(change);
                self.note_evicted(outcome);
                self.observer.tell(&Event::Refused { reason });
                return Err(StorageError::new("written", "", reason));
            }
            match storage.replace(json, picture.version).await {
                Ok(Replaced::Done(version)) => {
                    self.pending().stored(until);
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
                    self.pending().push(change);
                    self.note_evicted(outcome);
                    return Err(error);
                }
            }
        }
        Err(self.keep(change, contended()))
    }

    /// What could not be stored serves this process at least, and is stored with its next change (S-98, S-101).
    fn keep(&self, change: Change, error: StorageError) -> StorageError {
        self.remember(change);
        error
    }

    /// Applies a change to what this process knows, and keeps it for the store, if there is one.
    pub(crate) fn remember(&self, change: Change) {
        let outcome = {
            let mut pending = self.pending();
            let outcome = change(&self.picture.load().document, Moment::First);
            if self.storage.is_some() {
                pending.push(change);
            }
            outcome
        };
        self.note_evicted(outcome);
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

    pub(crate) fn note_skipped(&self, document: &Document) {
        let count = document.common().unfiled();
        if count > 0 {
            self.observer.tell(&Event::EntriesSkipped { count });
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // A list of changes is whole at any time: poison tells nothing.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
