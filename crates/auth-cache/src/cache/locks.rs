//! The locks held while a refresh token is redeemed or a user signs in.

use auth_core::{AccountId, Authority, ClientId};

use super::TokenCache;
use crate::document::PartitionKey;
use crate::documents::Documents;
use crate::storage::{BoxedLock, LockBudget, LockName, StorageError, StorageLock};

impl TokenCache {
    /// Takes the lock for redeeming this account's refresh tokens for this client.
    ///
    /// It excludes every other client that uses this cache or its store, in other processes as far as the store can.
    /// Once it is held, look into the cache again before asking the identity provider. The time spent waiting is
    /// deducted from `budget`; pass the rest on to [`store_within`](Self::store_within).
    ///
    /// # Errors
    /// [`StorageError`] if the lock is not free in time or the store fails.
    pub async fn refresh_lock(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        account: &AccountId,
        budget: &mut LockBudget,
    ) -> Result<BoxedLock, StorageError> {
        let live = self.documents.of(|| PartitionKey::user(account));
        let name = [authority.environment(), client_id.as_str(), account.folded()].join("\n");
        match &live.storage {
            Some(storage) => live.lock(&**storage, LockName::Refresh(&name), budget).await,
            None => self.locks.lock(LockName::Refresh(&name), budget).await,
        }
    }

    /// Takes the lock for signing a user in to this client, shared by all users of this cache or its store.
    ///
    /// A caller that had to wait should look into the cache again before showing a page. A
    /// [partitioned](Self::partitioned) store has no such lock, because its users need not wait for each other.
    ///
    /// # Errors
    /// [`StorageError`] if the lock is not free in time or the store fails.
    pub async fn sign_in_lock(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        budget: &mut LockBudget,
    ) -> Result<BoxedLock, StorageError> {
        let Documents::Whole(live) = &self.documents else { return Ok(Box::new(NoLock)) };
        let name = [authority.environment(), client_id.as_str()].join("\n");
        match &live.storage {
            // Not `live.lock`, which reports a timeout: a slow user is not worth an event.
            Some(storage) => storage.lock(LockName::SignIn(&name), budget, &live.observer).await,
            None => self.locks.lock(LockName::SignIn(&name), budget).await,
        }
    }
}

/// A partitioned store has no sign-in lock.
struct NoLock;

impl StorageLock for NoLock {}
