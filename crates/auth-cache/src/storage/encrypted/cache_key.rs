//! The key of a cache, as last obtained from its source.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::keys::{DynKeySource, EncryptionKey, KeyError, KeyId, KeySource, Turn};

/// The key of one cache. Clones share what they know.
#[derive(Clone)]
pub(super) struct CacheKey {
    /// The name of the cache, independent of its file name.
    name: Arc<str>,
    source: Arc<dyn DynKeySource>,
    /// The key that the source returned last.
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

    /// Returns the key with this id. Asks the source only if the key is not known: another program may have created it.
    pub(super) async fn of_id(&self, id: KeyId) -> Result<Option<EncryptionKey>, KeyError> {
        let fits = move |key: &EncryptionKey| key.id() == id;
        if let Some(key) = self.known().clone().filter(fits) {
            return Ok(Some(key));
        }
        let this = self.clone();
        let found = self.turn.ask(async move {
            // The previous caller may have obtained it.
            let known = this.known().clone().filter(fits);
            if known.is_some() { Ok(known) } else { this.ask().await }
        });
        Ok(found.await?.filter(fits))
    }

    /// Returns the key that the source holds now, even if one is known: no one else could open what is sealed with a
    /// key that the source has lost.
    pub(super) async fn current(&self) -> Result<Option<EncryptionKey>, KeyError> {
        let this = self.clone();
        self.turn.ask(async move { this.ask().await }).await
    }

    /// Like [`current`](Self::current), but creates a key if there is none. The caller holds the document's lock.
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

    /// Returns the key that is known, or else the current or a new one. The caller holds the document's lock.
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
        // Replaced as a whole, so poison does not matter.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
