//! The cache of an application: a picture of the stored document that follows it.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use auth_core::{Account, Authority, ClientId, Timestamp};
use zeroize::Zeroizing;

use crate::accounts;
use crate::document::Document;
use crate::index::Index;
use crate::lookup::{self, Lookup, Query};
use crate::storage::{DynStorage, Replaced, Storage, StorageError, Version};
use crate::update::{self, TokenUpdate};

/// How often a write is tried again when somebody else was faster.
const ATTEMPTS: usize = 5;

/// A token cache over a [`Storage`].
///
/// Lookups work on an immutable picture of the document, which is read anew only when the store has changed. Every write
/// reloads the document under the store's lock, applies one change and replaces it: nothing that another program wrote
/// meanwhile is lost.
///
/// ```
/// use auth_cache::{Lookup, MemoryStorage, Query, TokenCache};
/// use auth_core::{AccountId, Authority, ClientId, Scopes, Timestamp};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cache = TokenCache::new(MemoryStorage::new());
/// let (authority, client_id) = (Authority::tenant("common")?, ClientId::new("my-client-id")?);
/// let (account, scopes) = (AccountId::new("u.t"), Scopes::parse("User.Read")?);
/// let query = Query::new(&authority, &client_id, &account, &scopes);
/// let found = cache.lookup(&query, Timestamp::from_unix_seconds(1_700_000_000)).await;
/// assert!(matches!(found, Ok(Lookup::Nothing)));
/// # Ok::<(), auth_core::Error>(()) }).unwrap();
/// ```
pub struct TokenCache {
    storage: Arc<dyn DynStorage>,
    picture: RwLock<Arc<Picture>>,
}

/// The document at one version.
struct Picture {
    version: Version,
    index: Index,
}

impl TokenCache {
    /// A cache over `storage`. Nothing is read before it is needed.
    #[must_use]
    pub fn new(storage: impl Storage) -> Self {
        Self::from_shared(Arc::new(storage))
    }

    /// The same over a storage that is already shared.
    #[must_use]
    pub fn from_shared(storage: Arc<dyn DynStorage>) -> Self {
        let picture = Picture { version: Version::NONE, index: Index::default() };
        Self { storage, picture: RwLock::new(Arc::new(picture)) }
    }

    /// Answers `query` at the time `now`.
    ///
    /// # Errors
    /// [`StorageError`] when the store has changed and cannot be read.
    pub async fn lookup(&self, query: &Query<'_>, now: Timestamp) -> Result<Lookup, StorageError> {
        Ok(lookup::lookup(&self.current().await?.index, query, now))
    }

    /// The accounts that signed in to `authority`, one for each home account, by username.
    ///
    /// # Errors
    /// [`StorageError`] when the store has changed and cannot be read.
    pub async fn accounts(
        &self,
        authority: &Authority,
        client_id: &ClientId,
    ) -> Result<Vec<Account>, StorageError> {
        Ok(accounts::accounts(&self.current().await?.index, authority, client_id))
    }

    /// Caches tokens. When the store fails, this process at least keeps them.
    ///
    /// `false` when the account was removed while its refresh was under way; then nothing was cached.
    ///
    /// # Errors
    /// [`StorageError`] when the tokens could not be stored.
    pub async fn store(&self, update: &TokenUpdate<'_>) -> Result<bool, StorageError> {
        self.change(|document| update.apply(document)).await
    }

    /// Forgets `account` for this client and tells whether it was there. The server is not told: tokens that were handed
    /// out stay valid until they expire.
    ///
    /// # Errors
    /// [`StorageError`] when the change could not be stored.
    pub async fn remove_account(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        account: &Account,
    ) -> Result<bool, StorageError> {
        self.change(|document| accounts::remove(document, authority, client_id, account)).await
    }

    /// Remembers that this client is in no family, so that no family's refresh token is tried again (S-85).
    ///
    /// # Errors
    /// [`StorageError`] when the change could not be stored.
    pub async fn leave_family(
        &self,
        authority: &Authority,
        client_id: &ClientId,
    ) -> Result<(), StorageError> {
        let leave = |document: &mut Document| {
            update::put_app_metadata(document, authority, client_id, "");
            true
        };
        self.change(leave).await.map(drop)
    }

    fn picture(&self) -> Arc<Picture> {
        // The guarded value is an Arc that is replaced whole: poison tells nothing.
        Arc::clone(&self.picture.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, document: &Document, version: Version) {
        let picture = Arc::new(Picture { version, index: Index::new(document) });
        *self.picture.write().unwrap_or_else(PoisonError::into_inner) = picture;
    }

    /// The picture of what is stored now.
    async fn current(&self) -> Result<Arc<Picture>, StorageError> {
        let picture = self.picture();
        if self.storage.version()? == picture.version {
            return Ok(picture);
        }
        let stored = self.storage.read().await?;
        match Document::parse(&stored.content) {
            Ok(document) => self.show(&document, stored.version),
            Err(_) => drop(self.repair().await?),
        }
        Ok(self.picture())
    }

    /// Looks again under the lock at a document that could not be understood, as a writer of another kind may just have
    /// been busy; if it is still bad, moves it aside (S-99).
    async fn repair(&self) -> Result<Document, StorageError> {
        let _lock = self.storage.lock().await?;
        let (document, version) = self.reload().await?;
        self.show(&document, version);
        Ok(document)
    }

    /// The stored document, read under the lock.
    async fn reload(&self) -> Result<(Document, Version), StorageError> {
        let stored = self.storage.read().await?;
        if let Ok(document) = Document::parse(&stored.content) {
            return Ok((document, stored.version));
        }
        let place = self.storage.set_aside().await?;
        tracing::warn!(target: "auth_cache", place, "the token cache was not JSON; it was moved aside and begun anew");
        Ok((Document::default(), self.storage.version()?))
    }

    async fn change(&self, change: impl Fn(&mut Document) -> bool) -> Result<bool, StorageError> {
        let _lock = self.storage.lock().await?;
        for _ in 0..ATTEMPTS {
            let (mut document, version) = self.reload().await?;
            if !change(&mut document) {
                self.show(&document, version);
                return Ok(false);
            }
            let content = Zeroizing::new(document.to_json());
            match self.storage.replace(content, version).await {
                Ok(Replaced::Done(version)) => {
                    self.show(&document, version);
                    return Ok(true);
                }
                Ok(Replaced::Conflict) => {}
                Err(error) => {
                    // The file stays as it was; the process goes on with what it knows.
                    self.show(&document, version);
                    return Err(error);
                }
            }
        }
        Err(StorageError::new("written", "", "another program keeps changing it"))
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("version", &self.picture().version)
            .finish_non_exhaustive()
    }
}
