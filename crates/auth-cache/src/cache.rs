//! The cache of an application: a picture of the stored document that follows it.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use auth_core::{Account, AccountId, Authority, ClientId, Timestamp};
use zeroize::Zeroizing;

use crate::accounts;
use crate::document::Document;
use crate::index::Index;
use crate::lookup::{self, Lookup, Query};
use crate::storage::{BoxedLock, DynStorage, LockName, Replaced, Storage, StorageError, Stored, Version};
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
    /// The document itself, where it holds changes of ours that could not be stored yet (S-98).
    unstored: Option<Document>,
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
        let picture = Picture { version: Version::NONE, index: Index::default(), unstored: None };
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
    pub async fn accounts(&self, authority: &Authority, client_id: &ClientId) -> Result<Vec<Account>, StorageError> {
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

    /// Waits until no other process redeems refresh tokens of this account for this client, as far as the store can tell.
    /// Whoever has the lock should look into the cache once more before asking the identity provider.
    ///
    /// # Errors
    /// [`StorageError`] when the lock cannot be had in ten seconds.
    pub async fn refresh_lock(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        account: &AccountId,
    ) -> Result<BoxedLock, StorageError> {
        let account = account.as_str().to_ascii_lowercase();
        let name = [authority.environment(), client_id.as_str(), &account].join("\n");
        self.storage.lock(LockName::Refresh(&name)).await
    }

    /// Remembers that this client is in no family, so that no family's refresh token is tried again (S-85).
    ///
    /// # Errors
    /// [`StorageError`] when the change could not be stored.
    pub async fn leave_family(&self, authority: &Authority, client_id: &ClientId) -> Result<(), StorageError> {
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
        self.replace_picture(Picture { version, index: Index::new(document), unstored: None });
    }

    fn replace_picture(&self, picture: Picture) {
        *self.picture.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(picture);
    }

    /// The picture of what is stored now. Where the store fails, what this process could not store serves on.
    async fn current(&self) -> Result<Arc<Picture>, StorageError> {
        let picture = self.picture();
        let stored = match self.storage.version() {
            Ok(version) if version == picture.version => return Ok(picture),
            Ok(_) => self.storage.read().await,
            Err(error) => Err(error),
        };
        match stored {
            Ok(stored) => match Document::parse(&stored.content) {
                Ok(document) => self.show(&document, stored.version),
                Err(_) => self.repair().await?,
            },
            Err(_) if picture.unstored.is_some() => return Ok(picture),
            Err(error) => return Err(error),
        }
        Ok(self.picture())
    }

    /// Looks again under the lock at a document that could not be understood, as a writer of another kind may just have
    /// been busy; if it is still bad, moves it aside (S-99).
    async fn repair(&self) -> Result<(), StorageError> {
        let _lock = self.storage.lock(LockName::Document).await?;
        let (document, version) = self.reload().await?;
        self.show(&document, version);
        Ok(())
    }

    /// The stored document, read under the lock, with those changes of ours that are still to be stored.
    async fn reload(&self) -> Result<(Document, Version), StorageError> {
        let stored = self.storage.read().await?;
        if let Some(document) = self.understood(&stored) {
            return Ok((document, stored.version));
        }
        let place = self.storage.set_aside().await?;
        tracing::warn!(target: "auth_cache", place, "the token cache was not JSON; it was moved aside and begun anew");
        // Nothing, unless somebody without the lock was faster.
        let stored = self.storage.read().await?;
        Ok((self.understood(&stored).unwrap_or_default(), stored.version))
    }

    fn understood(&self, stored: &Stored) -> Option<Document> {
        let document = Document::parse(&stored.content).ok()?;
        let picture = self.picture();
        let unstored = picture.unstored.as_ref().filter(|_| picture.version == stored.version);
        Some(unstored.cloned().unwrap_or(document))
    }

    async fn change(&self, change: impl Fn(&mut Document) -> bool) -> Result<bool, StorageError> {
        let _lock = match self.storage.lock(LockName::Document).await {
            Ok(lock) => lock,
            Err(error) => return Err(self.keep(&change, error).await),
        };
        for _ in 0..ATTEMPTS {
            let (mut document, version) = match self.reload().await {
                Ok(reloaded) => reloaded,
                Err(error) => return Err(self.keep(&change, error).await),
            };
            if !change(&mut document) {
                return Ok(false);
            }
            match self.storage.replace(Zeroizing::new(document.to_json()), version).await {
                Ok(Replaced::Done(version)) => {
                    self.show(&document, version);
                    return if document.has_unstored() {
                        Err(StorageError::new("written", "", "another account's entry has the same key"))
                    } else {
                        Ok(true)
                    };
                }
                Ok(Replaced::Conflict) => {}
                Err(error) => return Err(self.keep(&change, error).await),
            }
        }
        Err(self.keep(&change, StorageError::new("written", "", "another program keeps changing it")).await)
    }

    /// What could not be stored serves this process at least, and is stored with its next change if nobody else writes
    /// before (S-98, S-101).
    async fn keep(&self, change: &impl Fn(&mut Document) -> bool, error: StorageError) -> StorageError {
        let (mut document, version) = match self.storage.read().await {
            Ok(stored) => (self.understood(&stored).unwrap_or_default(), stored.version),
            Err(_) => {
                let version = self.storage.version().unwrap_or(Version::NONE);
                (self.picture().unstored.clone().unwrap_or_default(), version)
            }
        };
        change(&mut document);
        self.replace_picture(Picture { version, index: Index::new(&document), unstored: Some(document) });
        error
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("version", &self.picture().version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
