//! The token cache of an application.

mod locks;

use core::fmt;
use std::sync::Arc;

use auth_core::{Account, AccountId, Authority, ClientId, Timestamp};
use zeroize::Zeroizing;

use crate::accounts;
use crate::document::{self, Document, PartitionKey};
use crate::documents::{Documents, L1};
use crate::event::{Event, Observer};
use crate::join::join_all;
use crate::limits::Limits;
use crate::live::{ATTEMPTS, LiveDocument, contended, note_skipped};
use crate::lookup::{self, AppQuery, AssertionQuery, GrantLookup, Lookup, Query};
use crate::merge::{merge, merge_at};
use crate::pending::Change;
use crate::removal::{Removal, RemovalScope};
use crate::storage::{DynStorage, LockBudget, NamedLocks, PartitionedStorage, Storage, StorageError, StorageErrorKind};
use crate::update::{self, AppTokenUpdate, AssertionTokenUpdate, TokenUpdate};

/// How many users of a partitioned store are read concurrently.
const AT_ONCE: usize = 16;

/// The text is not a cache document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an MSAL cache: the text is not a JSON object, or is nested deeper than the limit")]
#[non_exhaustive]
pub struct NotACache;

/// A token cache, in memory or backed by a [`Storage`].
///
/// Lookups use immutable partitions, one per account, and wait for no writer. A stored document is read again only when
/// the store has changed. Every write reloads it under the store's lock, applies one change and replaces it, so nothing
/// that another program wrote meanwhile is lost.
///
/// ```
/// use auth_cache::{Lookup, Query, TokenCache};
/// use auth_core::{AccountId, Authority, ClientId, Scopes, Timestamp};
///
/// let cache = TokenCache::in_memory();
/// let (authority, client_id) = (Authority::tenant("common")?, ClientId::new("my-client-id")?);
/// let (account, scopes) = (AccountId::new("u.t"), Scopes::parse("User.Read")?);
/// let query = Query::new(&authority, &client_id, &account, &scopes);
/// let found = cache.try_lookup(&query, Timestamp::from_unix_seconds(1_700_000_000));
/// assert!(matches!(found, Some(Lookup::Nothing)));
/// # Ok::<(), auth_core::Error>(())
/// ```
pub struct TokenCache {
    documents: Documents,
    /// Used without a store, which would have locks of its own.
    locks: NamedLocks,
}

impl TokenCache {
    /// Creates a cache that lives as long as the process. An application can store its content itself with
    /// [`to_json`](Self::to_json) and [`merge_json`](Self::merge_json).
    #[must_use]
    pub fn in_memory() -> Self {
        Self::from_documents(Documents::Whole(Box::default()))
    }

    /// Creates a cache backed by `storage`, which is not read until needed.
    #[must_use]
    pub fn new(storage: impl Storage) -> Self {
        Self::from_shared(Arc::new(storage))
    }

    /// Like [`new`](Self::new), for a storage that is already shared.
    #[must_use]
    pub fn from_shared(storage: Arc<dyn DynStorage>) -> Self {
        Self::from_documents(Documents::Whole(Box::new(LiveDocument::stored_in(storage))))
    }

    /// Creates a cache backed by a store that keeps each partition as a separate value, for many users and machines.
    /// The most recently used ones, about [`Limits::partitions`], are kept in memory.
    #[must_use]
    pub fn partitioned(storage: impl PartitionedStorage) -> Self {
        Self::from_documents(Documents::Partitions(Box::new(L1::new(Arc::new(storage)))))
    }

    fn from_documents(documents: Documents) -> Self {
        Self { documents, locks: NamedLocks::default() }
    }

    /// Sets how much the cache may hold; by default [`Limits::DEFAULT`].
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.documents.set_limits(limits);
        self
    }

    /// Calls `observe` for each [`Event`], within the operation that causes it, so it should return quickly.
    ///
    /// ```
    /// use auth_cache::{Event, TokenCache};
    ///
    /// let cache = TokenCache::in_memory().on_event(|event| {
    ///     if let Event::Quarantined { place } = event {
    ///         eprintln!("the token cache was damaged; it is now at {place}");
    ///     }
    /// });
    /// # drop(cache);
    /// ```
    #[must_use]
    pub fn on_event(mut self, observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.documents.set_observer(Observer::new(observe));
        self
    }

    /// Returns whether the cache is backed by a store.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        match &self.documents {
            Documents::Whole(live) => live.storage.is_some(),
            Documents::Partitions(_) => true,
        }
    }

    /// Returns whether everything this process knows about the account is in the store. Never waits.
    ///
    /// `false` without a store, while a change is pending (S-98), the stored document is refused (S-90) or another
    /// program's entry occupies a key (S-79), and if the account is not in memory.
    #[must_use]
    pub fn is_persisted(&self, account: &AccountId) -> bool {
        match &self.documents {
            Documents::Whole(live) => live.is_persisted(),
            Documents::Partitions(_) => {
                self.documents.known_user(account.folded()).is_some_and(|live| live.is_persisted())
            }
        }
    }

    /// Answers `query` at the time `now` if that takes no waiting, otherwise returns `None`.
    ///
    /// Without a store there is always an answer. With one, there is none when the store has changed or a pending
    /// change is due for a retry; a [partitioned](Self::partitioned) store answers only with a token that can be handed
    /// out.
    #[must_use]
    pub fn try_lookup(&self, query: &Query<'_>, now: Timestamp) -> Option<Lookup> {
        let live = self.documents.known_user(query.account.folded())?;
        if live.is_retry_due(now) {
            return None;
        }
        let snapshot = live.known();
        let found = live.is_current(&snapshot).then(|| lookup::lookup(&snapshot.document, query, now))?;
        (found.serves() || !live.may_lag()).then_some(found)
    }

    /// Answers `query` at the time `now`. First retries pending changes, at most every 30 seconds (S-98).
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot be read and nothing from it is in memory.
    pub async fn lookup(&self, query: &Query<'_>, now: Timestamp) -> Result<Lookup, StorageError> {
        let live = self.documents.of(|| PartitionKey::user(query.account));
        live.retry(now).await;
        live.answer(|document| lookup::lookup(document, query, now), Lookup::serves).await
    }

    /// Answers a query for an application's own token.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot be read and nothing from it is in memory.
    pub async fn lookup_app(&self, query: &AppQuery<'_>, now: Timestamp) -> Result<GrantLookup, StorageError> {
        if let Documents::Whole(live) = &self.documents {
            live.retry(now).await;
            return Ok(lookup::lookup_app(&live.current().await?.document, query, now));
        }
        let (mut realms, mut best) = (query.realms(), query.nothing());
        while let Some(realm) = realms.next().filter(|_| !best.serves()) {
            let live = self.documents.of(|| PartitionKey::app(query.client_id.as_str(), realm));
            live.retry(now).await;
            let ask = |document: &Document| lookup::lookup_app_in(document, query, realm, now);
            let is_enough = |found: &Option<GrantLookup>| found.as_ref().is_some_and(GrantLookup::serves);
            best = best.or(live.answer(ask, is_enough).await?);
        }
        Ok(best)
    }

    /// Answers a query for a token on behalf of a user.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot be read and nothing from it is in memory.
    pub async fn lookup_assertion(
        &self,
        query: &AssertionQuery<'_>,
        now: Timestamp,
    ) -> Result<GrantLookup, StorageError> {
        let live = self.documents.of(|| PartitionKey::assertion(query.assertion));
        live.retry(now).await;
        live.answer(|document| lookup::lookup_assertion(document, query, now), GrantLookup::serves).await
    }

    /// Returns the accounts that signed in to `authority`, one per home account: most recent sign-in first, then by
    /// username. Each says whether there is a refresh token that `client_id` may use.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot be read and nothing from it is in memory.
    pub async fn accounts(&self, authority: &Authority, client_id: &ClientId) -> Result<Vec<Account>, StorageError> {
        self.accounts_among(core::slice::from_ref(authority), client_id).await
    }

    /// Like [`accounts`](Self::accounts), but for several authorities, such as one in each cloud of Entra, as one list.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot be read and nothing from it is in memory. Over a
    /// [partitioned](Self::partitioned) store, an account that cannot be read is left out, unless the store is
    /// unreachable.
    pub async fn accounts_among(
        &self,
        authorities: &[Authority],
        client_id: &ClientId,
    ) -> Result<Vec<Account>, StorageError> {
        let l1 = match &self.documents {
            Documents::Whole(live) => {
                return Ok(accounts::accounts_among(&live.current().await?.document, authorities, client_id));
            }
            Documents::Partitions(l1) => l1,
        };
        let (mut all, users) = (Vec::new(), l1.users().await?);
        for users in users.chunks(AT_ONCE) {
            let look = |document: &Document| accounts::accounts_among(document, authorities, client_id);
            for found in join_all(users.iter().map(|user| l1.look(user, look))).await {
                match found {
                    Ok(found) => all.extend(found),
                    Err(error) if error.kind == StorageErrorKind::Unreachable => return Err(error),
                    // One unreadable value does not hide the others.
                    Err(error) => self.documents.observer().tell(&Event::Unreadable { reason: error.to_string() }),
                }
            }
        }
        accounts::sort(&mut all);
        Ok(all)
    }

    /// Returns the account with this home account ID, if it signed in to `authority`. Unlike
    /// [`accounts`](Self::accounts), reads only one value of a [partitioned](Self::partitioned) store.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot be read and nothing from it is in memory.
    pub async fn account(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        id: &AccountId,
    ) -> Result<Option<Account>, StorageError> {
        let live = self.documents.of(|| PartitionKey::user(id));
        let find = |document: &Document| accounts::account(document, authority, client_id, id);
        live.answer(find, Option::is_some).await
    }

    /// Caches a user's tokens. Returns `false` if nothing was cached, because the account was removed or the user
    /// signed in again while the tokens were being refreshed.
    ///
    /// # Errors
    /// [`StorageError`] if the tokens could not be stored; this process keeps them.
    pub async fn store(&self, update: TokenUpdate) -> Result<bool, StorageError> {
        self.store_within(update, &mut LockBudget::default()).await
    }

    /// Like [`store`](Self::store), for a call that has already waited for locks, or has a deadline (S-101).
    ///
    /// # Errors
    /// [`StorageError`] if the tokens could not be stored; this process keeps them.
    pub async fn store_within(&self, update: TokenUpdate, budget: &mut LockBudget) -> Result<bool, StorageError> {
        let key = update.account.home_account_id.as_str().to_owned();
        let (client_id, now) = (update.client_id.clone(), update.tokens.received_at);
        let live = self.documents.of(|| PartitionKey::user(&update.account.home_account_id));
        let put = move |document: &Document, moment| update.apply(document, moment);
        live.put(Some(key), client_id, now, budget, put).await
    }

    /// Caches an application's own token.
    ///
    /// # Errors
    /// [`StorageError`] if the token could not be stored; this process keeps it.
    pub async fn store_app(&self, update: AppTokenUpdate) -> Result<(), StorageError> {
        let key = update.suggested_key();
        let (client_id, now) = (update.client_id.clone(), update.tokens.received_at);
        let live = self.documents.of(|| update.place());
        let put = move |document: &Document, moment| {
            update.apply(document, moment);
            true
        };
        live.put(Some(key), client_id, now, &mut LockBudget::default(), put).await.map(drop)
    }

    /// Caches a token on behalf of a user.
    ///
    /// # Errors
    /// [`StorageError`] if the token could not be stored; this process keeps it.
    pub async fn store_assertion(&self, update: AssertionTokenUpdate) -> Result<(), StorageError> {
        let key = update.assertion.as_str().to_owned();
        let (client_id, now) = (update.app.client_id.clone(), update.app.tokens.received_at);
        let (place, expires_on) = (PartitionKey::assertion(&update.assertion), update.expires_on());
        let account = update.app.tokens.home_account_id();
        let live = self.documents.of(|| place.clone());
        let put = move |document: &Document, moment| {
            update.apply(document, moment);
            true
        };
        let stored = live.put(Some(key), client_id, now, &mut LockBudget::default(), put).await.map(drop);
        // After the token, because a store may drop links to values that do not exist.
        if let (Documents::Partitions(l1), Some(account)) = (&self.documents, account) {
            // Without the link a sign-out may miss this token, which expires soon anyway.
            if let Err(error) = l1.link(&PartitionKey::user(&account), &place, expires_on).await {
                tracing::warn!(target: "auth_cache", %error, "a token could not be linked to its user; a sign-out may miss it");
            }
        }
        stored
    }

    /// Removes `account` for the clients selected by `scope`, and returns whether it was cached.
    ///
    /// Tokens obtained on its behalf go at the same time; over a [partitioned](Self::partitioned) store, just before.
    /// The store is then read again, and anything that another program has written back is removed too (S-87). The
    /// provider is not informed: tokens already handed out stay valid until they expire.
    ///
    /// # Errors
    /// [`StorageError`] if the change could not be stored, or other programs kept writing the account back. This
    /// process has forgotten the account anyway; its next change removes the account from the store, unless the user
    /// has signed in again by then. If a partitioned store cannot list what was obtained on behalf of the account,
    /// tokens that this process does not know stay until they expire.
    pub async fn remove_account(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        account: &Account,
        scope: RemovalScope,
    ) -> Result<bool, StorageError> {
        let key = account.home_account_id.as_str();
        let removal = Arc::new(Removal::new(authority.clone(), client_id.clone(), account.clone(), scope));
        let change = {
            let removal = Arc::clone(&removal);
            Arc::new(move |document: &Document, moment| removal.apply(document, moment).into()) as Change
        };
        let (user, mut removed, mut budget) =
            (PartitionKey::user(&account.home_account_id), false, LockBudget::default());
        let (places, mut done) = match &self.documents {
            Documents::Whole(_) => (vec![user.clone()], Ok(())),
            Documents::Partitions(l1) => {
                // Only the user's own partition, which goes last, says whose tokens go.
                if let Ok(own) = l1.at(&user).current().await {
                    removal.select(&own.document);
                }
                l1.partitions_of(&user, |document| removal.finds(document)).await
            }
        };
        // A failure in one partition does not stop the others.
        for place in &places {
            let live = self.documents.of(|| place.clone());
            match remove(&live, &removal, &change, key, &mut budget).await {
                Ok(any) => removed |= any,
                Err(error) => done = done.and(Err(error)),
            }
        }
        if let (Documents::Partitions(l1), Ok(())) = (&self.documents, &done) {
            l1.forget_links(&user).await;
        }
        done.map(|()| removed)
    }

    /// Records that this client is in no family, so that it does not try family refresh tokens again (S-85). Over a
    /// [partitioned](Self::partitioned) store, this applies to `account` only.
    ///
    /// # Errors
    /// [`StorageError`] if the change could not be stored; this process keeps it.
    pub async fn leave_family(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        account: &AccountId,
        budget: &mut LockBudget,
    ) -> Result<(), StorageError> {
        let live = self.documents.of(|| PartitionKey::user(account));
        let (authority, client_id) = (authority.clone(), client_id.clone());
        let leave = move |document: &Document, _| {
            update::put_app_metadata(document, &authority, &client_id, "");
            true.into()
        };
        live.change(None, Arc::new(leave), budget).await.map(drop)
    }

    /// Stores pending changes: those that the store refused before (S-98). The next change or lookup would do so too;
    /// call this before the program ends.
    ///
    /// # Errors
    /// [`StorageError`] if they still cannot be stored.
    pub async fn flush(&self) -> Result<(), StorageError> {
        let (mut budget, mut flushed) = (LockBudget::default(), Ok(()));
        for live in self.documents.known() {
            flushed = flushed.and(live.flush(&mut budget).await);
        }
        flushed
    }

    /// Returns the document as this process knows it, for applications that own their store; over a
    /// [partitioned](Self::partitioned) store, the partitions in memory. It contains secrets.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        match &self.documents {
            Documents::Whole(live) => document::write(&live.known().document).0,
            Documents::Partitions(_) => {
                let all = Document::default();
                self.documents.known().iter().for_each(|live| merge(&all, &live.known().document));
                document::write(&all).0
            }
        }
    }

    /// Merges a document that the application kept. Of two entries with the same identity, the more recent one stays. A
    /// store receives the result with the next change.
    ///
    /// ```
    /// let cache = auth_cache::TokenCache::in_memory();
    /// cache.merge_json(br#"{"Account": {}}"#)?;
    /// # Ok::<(), auth_cache::NotACache>(())
    /// ```
    ///
    /// # Errors
    /// [`NotACache`] if `json` is not a JSON object, or is nested deeper than [`Limits::document_depth`].
    pub fn merge_json(&self, json: &[u8]) -> Result<(), NotACache> {
        let levels = self.documents.limits().document_depth;
        let other = document::parse(Zeroizing::new(json.to_vec()), levels).map_err(|_| NotACache)?;
        note_skipped(&other, self.documents.observer());
        match &self.documents {
            Documents::Whole(live) => live.remember(Arc::new(move |document, _| {
                merge(document, &other);
                true.into()
            })),
            Documents::Partitions(l1) => {
                let other = Arc::new(other);
                for (place, _) in other.all() {
                    let (other, live) = (Arc::clone(&other), l1.at(&place));
                    live.remember(Arc::new(move |document, _| {
                        merge_at(document, &other, &place);
                        true.into()
                    }));
                }
            }
        }
        Ok(())
    }
}

/// Removes an account from one document, and checks that it is gone from the store (S-87).
async fn remove(
    live: &LiveDocument,
    removal: &Removal,
    change: &Change,
    key: &str,
    budget: &mut LockBudget,
) -> Result<bool, StorageError> {
    let mut removed = false;
    for _ in 0..ATTEMPTS {
        removed |= live.change(Some(key.to_owned()), Arc::clone(change), budget).await?;
        if !removed || !removal.finds(&live.reread().await?.document) {
            return Ok(removed);
        }
    }
    live.remember(Arc::clone(change));
    Err(contended())
}

#[cfg(test)]
impl TokenCache {
    /// The single document of a cache that is not partitioned.
    fn whole(&self) -> &LiveDocument {
        match &self.documents {
            Documents::Whole(live) => live,
            Documents::Partitions(_) => panic!("a partitioned cache has many documents"),
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TokenCache");
        match &self.documents {
            Documents::Whole(live) => shown.field("snapshot", &*live.known()),
            Documents::Partitions(l1) => shown.field("partitions", l1),
        };
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
