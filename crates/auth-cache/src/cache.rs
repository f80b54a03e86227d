//! The cache of an application: a picture of the stored document that follows it.

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
use crate::storage::{
    BoxedLock, DynStorage, LockBudget, LockName, NamedLocks, PartitionedStorage, Storage, StorageError,
    StorageErrorKind, StorageLock,
};
use crate::update::{self, AppTokenUpdate, AssertionTokenUpdate, TokenUpdate};

/// How many users of a partitioned store are looked at at the same time.
const AT_ONCE: usize = 16;

/// A text that is no cache document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no MSAL cache: not a JSON object, or deeper than the limit")]
#[non_exhaustive]
pub struct NotACache;

/// A token cache, in memory or over a [`Storage`].
///
/// Lookups work on partitions that nobody changes, one for each account, and wait for no writer. Over a storage, the
/// document is read anew only when the store has changed; every write reloads it under the store's lock, applies one
/// change and replaces it: nothing that another program wrote meanwhile is lost.
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
    /// Those of a cache without a store.
    locks: NamedLocks,
}

impl TokenCache {
    /// A cache that lives as long as the process. An application may keep its content itself: [`to_json`](Self::to_json),
    /// [`merge_json`](Self::merge_json).
    #[must_use]
    pub fn in_memory() -> Self {
        Self::of(Documents::Whole(Box::default()))
    }

    /// A cache over `storage`. Nothing is read before it is needed.
    #[must_use]
    pub fn new(storage: impl Storage) -> Self {
        Self::from_shared(Arc::new(storage))
    }

    /// The same over a storage that is already shared.
    #[must_use]
    pub fn from_shared(storage: Arc<dyn DynStorage>) -> Self {
        Self::of(Documents::Whole(Box::new(LiveDocument::stored_in(storage))))
    }

    /// A cache over a store that has each partition as a value of its own, for many users and many machines. In memory are
    /// those that were asked for last, [`Limits::partitions`] of them.
    #[must_use]
    pub fn partitioned(storage: impl PartitionedStorage) -> Self {
        Self::of(Documents::Partitions(Box::new(L1::new(Arc::new(storage)))))
    }

    fn of(documents: Documents) -> Self {
        Self { documents, locks: NamedLocks::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.documents.set_limits(limits);
        self
    }

    /// The same, telling `observe` what happens. It is called by whoever causes the event, and should be quick.
    #[must_use]
    pub fn on_event(mut self, observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.documents.set_observer(Observer::new(observe));
        self
    }

    /// Whether tokens outlive the process.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        match &self.documents {
            Documents::Whole(live) => live.storage.is_some(),
            Documents::Partitions(_) => true,
        }
    }

    /// Whether all that this process knows of the account is in the store: not without one, nor while something waits that the
    /// store refused (S-98), nor beside an entry of another program under the same key (S-79). It never waits.
    #[must_use]
    pub fn is_persisted(&self, account: &AccountId) -> bool {
        match &self.documents {
            Documents::Whole(live) => live.is_persisted(),
            Documents::Partitions(_) => {
                self.documents.known_user(account.folded()).is_some_and(|live| live.is_persisted())
            }
        }
    }

    /// Answers `query` at the time `now`, if there is nothing to do for it: always in memory, and over a storage as long as
    /// it has not changed and nothing waits to be stored. It never waits.
    #[must_use]
    pub fn try_lookup(&self, query: &Query<'_>, now: Timestamp) -> Option<Lookup> {
        let live = self.documents.known_user(query.account.folded())?;
        if live.is_retry_due(now) {
            return None;
        }
        let picture = live.known();
        let found = live.is_current(&picture).then(|| lookup::lookup(&picture.document, query, now))?;
        (found.serves() || !live.may_lag()).then_some(found)
    }

    /// Answers `query` at the time `now`. What waits to be stored is tried again before, at most every 30 seconds (S-98).
    ///
    /// # Errors
    /// [`StorageError`] when the store has changed and cannot be read.
    pub async fn lookup(&self, query: &Query<'_>, now: Timestamp) -> Result<Lookup, StorageError> {
        let live = self.documents.of(|| PartitionKey::user(query.account));
        live.retry(now).await;
        live.answer(|document| lookup::lookup(document, query, now), Lookup::serves).await
    }

    /// Answers a query for a token of an application itself.
    ///
    /// # Errors
    /// [`StorageError`] when the store has changed and cannot be read.
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
    /// [`StorageError`] when the store has changed and cannot be read.
    pub async fn lookup_assertion(
        &self,
        query: &AssertionQuery<'_>,
        now: Timestamp,
    ) -> Result<GrantLookup, StorageError> {
        let live = self.documents.of(|| PartitionKey::assertion(query.assertion));
        live.retry(now).await;
        live.answer(|document| lookup::lookup_assertion(document, query, now), GrantLookup::serves).await
    }

    /// The accounts that signed in to `authority`, one for each home account: those that signed in last first, then by
    /// username. Whether there is a refresh token that `client_id` may use stands in each.
    ///
    /// # Errors
    /// [`StorageError`] when the store has changed and cannot be read.
    pub async fn accounts(&self, authority: &Authority, client_id: &ClientId) -> Result<Vec<Account>, StorageError> {
        self.accounts_among(core::slice::from_ref(authority), client_id).await
    }

    /// The same of several authorities, such as one in each cloud of Entra, in one order.
    ///
    /// # Errors
    /// As [`accounts`](Self::accounts).
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
                    // A value that nobody can read hides nobody else's.
                    Err(error) => self.documents.observer().tell(&Event::Unreadable { reason: error.to_string() }),
                }
            }
        }
        accounts::sort(&mut all);
        Ok(all)
    }

    /// The account with this home account id, if it signed in to `authority`: where there are many users, this asks for one.
    ///
    /// # Errors
    /// [`StorageError`] when the store has changed and cannot be read.
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

    /// Caches tokens of a user. When the store fails, this process at least keeps them.
    ///
    /// `false` when nothing was cached: while its refresh was under way, the account was removed, or the user signed in
    /// anew.
    ///
    /// # Errors
    /// [`StorageError`] when the tokens could not be stored.
    pub async fn store(&self, update: TokenUpdate) -> Result<bool, StorageError> {
        self.store_within(update, &mut LockBudget::default()).await
    }

    /// The same for a call that has waited for locks before, or has a deadline (S-101).
    ///
    /// # Errors
    /// As [`store`](Self::store).
    pub async fn store_within(&self, update: TokenUpdate, budget: &mut LockBudget) -> Result<bool, StorageError> {
        let key = update.account.home_account_id.as_str().to_owned();
        let (client_id, now) = (update.client_id.clone(), update.tokens.received_at);
        let live = self.documents.of(|| PartitionKey::user(&update.account.home_account_id));
        let put = move |document: &Document, moment| update.apply(document, moment);
        live.put(Some(key), client_id, now, budget, put).await
    }

    /// Caches a token of an application itself.
    ///
    /// # Errors
    /// [`StorageError`] when the token could not be stored; this process keeps it.
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
    /// [`StorageError`] when the token could not be stored; this process keeps it.
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
        // After the token, as a store forgets links to what is not there.
        if let (Documents::Partitions(l1), Some(account)) = (&self.documents, account) {
            // Without it a sign-out would not find the token, which expires soon all the same.
            if let Err(error) = l1.link(&PartitionKey::user(&account), &place, expires_on).await {
                tracing::warn!(target: "auth_cache", %error, "on whose behalf a token was got was not stored");
            }
        }
        stored
    }

    /// Forgets `account` for the clients that `scope` selects, and tells whether it was there. What a service got on behalf of
    /// it goes in the same moment; over a [partitioned](Self::partitioned) store shortly before. The store is read again
    /// afterwards, and what another program wrote back at the same time is removed, too (S-87). The server is not told:
    /// tokens that were handed out stay valid until they expire.
    ///
    /// # Errors
    /// [`StorageError`] when the change could not be stored, or others wrote the account back again and again. This process
    /// has forgotten the account, and the store will with its next change, unless the user signed in again by then. Over a
    /// partitioned store that could not tell what was got on behalf of the account, what this process does not know stays
    /// until it expires.
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
                // What goes first does not tell whose tokens go.
                if let Ok(own) = l1.at(&user).current().await {
                    removal.select(&own.document);
                }
                l1.partitions_of(&user, |document| removal.finds(document)).await
            }
        };
        // A store that fails for one keeps the others from nothing.
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

    /// Waits until nobody else over this cache or its store redeems refresh tokens of this account for this client: no other
    /// client of this process, and no other process as far as the store can tell. With the lock, look into the cache once
    /// more before asking the identity provider. The time waited is taken off `budget`, which is then passed to
    /// [`store_within`](Self::store_within).
    ///
    /// # Errors
    /// [`StorageError`] when the lock cannot be had in time.
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

    /// Waits until nobody else over this cache or its store has a user sign in for this client. Whoever had to wait
    /// should look into the cache once more before showing a page. Where each user is a partition, the page of one is no
    /// reason for another to wait, and there is no such lock.
    ///
    /// # Errors
    /// [`StorageError`] when the lock cannot be had in time.
    pub async fn sign_in_lock(
        &self,
        authority: &Authority,
        client_id: &ClientId,
        budget: &mut LockBudget,
    ) -> Result<BoxedLock, StorageError> {
        let Documents::Whole(live) = &self.documents else { return Ok(Box::new(NoLock)) };
        let name = [authority.environment(), client_id.as_str()].join("\n");
        match &live.storage {
            // That a user takes long is nothing to tell of, so that the store is asked itself.
            Some(storage) => storage.lock(LockName::SignIn(&name), budget, &live.observer).await,
            None => self.locks.lock(LockName::SignIn(&name), budget).await,
        }
    }

    /// Remembers that this client is in no family, so that no family's refresh token is tried again (S-85): where each user
    /// is a partition, none of this account.
    ///
    /// # Errors
    /// [`StorageError`] when the change could not be stored.
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

    /// Stores what could not be stored before (S-98). Otherwise that happens with the next change or lookup; a program that
    /// ends should not leave it at that.
    ///
    /// # Errors
    /// [`StorageError`] when it still cannot be stored.
    pub async fn flush(&self) -> Result<(), StorageError> {
        let (mut budget, mut flushed) = (LockBudget::default(), Ok(()));
        for live in self.documents.known() {
            flushed = flushed.and(live.flush(&mut budget).await);
        }
        flushed
    }

    /// The document as this process knows it, for applications that own their store: of a [partitioned](Self::partitioned)
    /// store the partitions in memory. It holds secrets.
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

    /// Takes in a document that the application kept. Of two entries of one identity the one that was written last stays.
    /// Over a storage, it is stored with the next change.
    ///
    /// ```
    /// let cache = auth_cache::TokenCache::in_memory();
    /// cache.merge_json(br#"{"Account": {}}"#)?;
    /// # Ok::<(), auth_cache::NotACache>(())
    /// ```
    ///
    /// # Errors
    /// [`NotACache`] when it is not a JSON object, or deeper than [`Limits::document_depth`].
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

/// Forgets an account in one document, until it is gone from the store (S-87).
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
    /// The document that has all partitions.
    fn whole(&self) -> &LiveDocument {
        match &self.documents {
            Documents::Whole(live) => live,
            Documents::Partitions(_) => panic!("it has many"),
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TokenCache");
        match &self.documents {
            Documents::Whole(live) => shown.field("picture", &*live.known()),
            Documents::Partitions(l1) => shown.field("partitions", l1),
        };
        shown.finish_non_exhaustive()
    }
}

/// The users are many, and none waits for another.
struct NoLock;

impl StorageLock for NoLock {}

#[cfg(test)]
mod tests;
