//! The key of a cache: what is known of it, and whom to ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::keys::{DynKeySource, EncryptionKey, KeyError, KeyId, KeySource, Turn};

/// The key of one cache. Clones share what they know.
#[derive(Clone)]
pub(super) struct CacheKey {
    /// What the cache is called, whatever its file is called.
    name: Arc<str>,
    source: Arc<dyn DynKeySource>,
    /// The key that the source gave last.
    known: Arc<Mutex<Option<EncryptionKey>>>,
    turn: Arc<Turn>,
}

impl CacheKey {
    pub(super) fn new(name: Arc<str>, source: impl KeySource) -> Self {
        Self { name, source: Arc::new(source), known: Arc::default(), turn: Arc::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The key with this id. The source is asked only for one that is not known: another program may have made it since.
    pub(super) async fn of_id(&self, id: KeyId) -> Result<Option<EncryptionKey>, KeyError> {
        let fits = move |key: &EncryptionKey| key.id() == id;
        if let Some(key) = self.known().clone().filter(fits) {
            return Ok(Some(key));
        }
        let this = self.clone();
        let found = self.turn.ask(async move {
            // Whoever had the turn before may have brought it.
            let known = this.known().clone().filter(fits);
            if known.is_some() { Ok(known) } else { this.ask().await }
        });
        Ok(found.await?.filter(fits))
    }

    /// The key that the source has now. One that it has lost opens nothing for anybody else.
    pub(super) async fn current(&self) -> Result<Option<EncryptionKey>, KeyError> {
        let this = self.clone();
        self.turn.ask(async move { this.ask().await }).await
    }

    /// The same, made where there is none. Whoever calls this holds the lock of the document.
    pub(super) async fn current_or_new(&self) -> Result<EncryptionKey, KeyError> {
        let this = self.clone();
        let made = self.turn.ask(async move {
            if let Some(key) = this.ask().await? {
                return Ok(key);
            }
            let key = this.source.create(&this.name).await?;
            *this.known() = Some(key.clone());
            Ok(key)
        });
        made.await
    }

    /// The key that was used last, or else the one that there is. Whoever calls this holds the lock of the document.
    pub(super) async fn known_or_new(&self) -> Result<EncryptionKey, KeyError> {
        let known = self.known().clone();
        match known {
            Some(key) => Ok(key),
            None => self.current_or_new().await,
        }
    }

    async fn ask(&self) -> Result<Option<EncryptionKey>, KeyError> {
        let found = self.source.key(&self.name).await?;
        self.known().clone_from(&found);
        Ok(found)
    }

    fn known(&self) -> MutexGuard<'_, Option<EncryptionKey>> {
        // A key is there or not, whoever panicked.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
