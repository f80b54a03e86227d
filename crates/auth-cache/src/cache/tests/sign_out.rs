//! S-87: after a sign-out, nothing of the account is found, whoever else writes. S-98: one that had to wait undoes no
//! later sign-in.

use std::sync::Mutex;

use super::failures::Flaky;
use super::*;
use crate::assertion::Assertion;
use crate::lookup::{AssertionQuery, GrantLookup};
use crate::storage::{Stored, Version};

/// Caches a token on behalf of a user.
async fn act(cache: &TokenCache, user: &str, number: usize) {
    let authority = entra(T);
    let tokens = tokens(&authority, "User.Read", &sign_in(&authority, T, user), NOW);
    let app = AppTokenUpdate::new(Arc::new(authority), client(), Arc::new(tokens));
    cache.store_assertion(AssertionTokenUpdate::new(assertion(user, number), None, app)).await.unwrap();
}

fn assertion(user: &str, number: usize) -> Assertion {
    Assertion::from_token(&format!("{user} {number}"))
}

async fn acts(cache: &TokenCache, user: &str, number: usize) -> bool {
    let (authority, client, wanted, assertion) = (entra(T), client(), scopes("User.Read"), assertion(user, number));
    let query = AssertionQuery::new(&assertion, AppQuery::new(&authority, &client, &wanted));
    matches!(cache.lookup_assertion(&query, NOW).await, Ok(GrantLookup::Usable(_)))
}

// A reader that sees part of it gone finds nothing of the rest.
#[test]
fn an_account_is_removed_as_one() {
    const ACTS: usize = 40;
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..30 {
        let cache = Arc::new(TokenCache::in_memory());
        runtime().block_on(async {
            store(&cache, "ada", false).await.unwrap();
            for number in 0..ACTS {
                act(&cache, "ada", number).await;
            }
        });
        let watchers: Vec<_> = (0..3_usize)
            .map(|watcher| {
                let cache = Arc::clone(&cache);
                std::thread::spawn(move || {
                    runtime().block_on(async {
                        let mut gone = false;
                        for look in 0.. {
                            // Each partition in turn, in a different order for each watcher.
                            let there = match (look * (watcher + 1) + watcher) % (ACTS + 1) {
                                ACTS => is_served(&cache, "ada").await,
                                number => acts(&cache, "ada", number).await,
                            };
                            assert!(!(gone && there), "a part of the account was gone before");
                            gone |= !there;
                            if gone && look % 3 == 2 {
                                break;
                            }
                        }
                        for number in 0..ACTS {
                            assert!(!acts(&cache, "ada", number).await);
                        }
                        assert!(!is_served(&cache, "ada").await);
                    });
                })
            })
            .collect();
        assert_eq!(runtime().block_on(remove(&cache, "ada")), Ok(true));
        watchers.into_iter().for_each(|watcher| watcher.join().unwrap());
    }
}

/// A store where another program writes back what was there before, so quickly that the version does not show it.
#[derive(Clone, Default)]
struct Haunted {
    inner: MemoryStorage,
    ghosts: Arc<Mutex<Vec<String>>>,
    told: Arc<Mutex<Option<Version>>>,
}

impl Storage for Haunted {
    fn version(&self) -> Result<Version, StorageError> {
        let told = *self.told.lock().unwrap();
        told.map_or_else(|| Storage::version(&self.inner), Ok)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        *self.told.lock().unwrap() = None;
        Storage::read(&self.inner, observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        let replaced = Storage::replace(&self.inner, content, expected, keep_until, observer).await?;
        let ghost = self.ghosts.lock().unwrap().pop();
        if let (Replaced::Done(version), Some(ghost)) = (replaced, ghost) {
            overwrite(&self.inner, &ghost).await;
            *self.told.lock().unwrap() = Some(version);
        }
        Ok(replaced)
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        Storage::set_aside(&self.inner).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        Storage::lock(&self.inner, name, budget, observer).await
    }
}

#[tokio::test]
async fn an_account_that_another_program_writes_back_is_removed_again() {
    for (times, succeeds) in [(0, true), (1, true), (4, true), (5, false), (9, false)] {
        let storage = Haunted::default();
        let cache = TokenCache::new(storage.clone());
        store(&cache, "ada", false).await.unwrap();
        store(&cache, "bob", false).await.unwrap();
        act(&cache, "ada", 0).await;
        act(&cache, "bob", 0).await;
        *storage.ghosts.lock().unwrap() = vec![stored(&storage).await.to_string(); times];
        let removed = remove(&cache, "ada").await;
        assert_eq!(removed.is_ok_and(|removed| removed), succeeds, "{times}");
        assert!(!is_served(&cache, "ada").await && !acts(&cache, "ada", 0).await, "{times}");
        assert!(is_served(&cache, "bob").await && acts(&cache, "bob", 0).await, "{times}");
        let other = TokenCache::new(storage.inner.clone());
        assert_eq!(is_served(&other, "ada").await, !succeeds, "{times}");
        // The next change does what was given up.
        storage.ghosts.lock().unwrap().clear();
        store(&cache, "cy", false).await.unwrap();
        assert_eq!((names(&other).await, acts(&other, "ada", 0).await), (vec!["bob".into(), "cy".into()], false));
    }
}

// The user has signed in again in the meantime.
#[tokio::test]
async fn a_sign_in_during_the_sign_out_stays() {
    let storage = Haunted::default();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(MemoryStorage::new()));
    store(&cache, "ada", false).await.unwrap();
    other.store(update_of("ada", &[("access_token", json!("ada"))], at(5))).await.unwrap();
    let back = String::from_utf8(other.to_json().to_vec()).unwrap();
    *storage.ghosts.lock().unwrap() = vec![back];
    assert_eq!(remove(&cache, "ada").await, Ok(true));
    assert_eq!(names(&TokenCache::new(storage.inner)).await, ["ada"]);
}

// A sign-out that waits for the store undoes refreshes, but no later sign-in.
#[tokio::test]
async fn a_delayed_sign_out_undoes_no_later_sign_in() {
    for (refreshed, seconds, stays) in [(true, 0, false), (true, 60, false), (false, 0, false), (false, 1, true)] {
        let storage = Flaky::default();
        let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.inner.clone()));
        store(&other, "ada", false).await.unwrap();
        act(&other, "ada", 0).await;
        assert!(is_served(&cache, "ada").await);
        storage.fail(&["lock"]);
        remove(&cache, "ada").await.unwrap_err();
        assert!(!is_served(&cache, "ada").await && !acts(&cache, "ada", 0).await);
        let answer = [("access_token", json!("ada")), ("refresh_token", json!("later"))];
        other.store(update_by(&other, refreshed, update_of("ada", &answer, at(seconds)))).await.unwrap();
        storage.fail(&[]);
        let what = format!("refreshed: {refreshed}, {seconds} s later");
        assert_eq!(is_served(&cache, "ada").await, stays, "{what}, in memory");
        store(&cache, "bob", false).await.unwrap();
        for cache in [&cache, &other] {
            assert_eq!(is_served(cache, "ada").await, stays, "{what}, in the store");
            assert_eq!(acts(cache, "ada", 0).await, stays, "{what}");
        }
    }
}

#[tokio::test]
async fn a_sign_out_and_a_sign_in_that_both_wait_keep_their_order() {
    for back in [false, true] {
        let storage = Flaky::default();
        let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.inner.clone()));
        store(&other, "ada", false).await.unwrap();
        assert!(is_served(&cache, "ada").await);
        storage.fail(&["lock"]);
        remove(&cache, "ada").await.unwrap_err();
        if back {
            store(&cache, "ada", false).await.unwrap_err();
        }
        store(&other, "bob", false).await.unwrap();
        storage.fail(&[]);
        assert_eq!(is_served(&cache, "ada").await, back);
        store(&cache, "cy", false).await.unwrap();
        assert_eq!(names(&other).await.contains(&"ada".to_owned()), back);
    }
}

// If the cache has never seen the account, the account that is passed says when its user last signed in.
#[tokio::test]
async fn a_sign_out_of_an_unknown_account_uses_the_sign_in_time_that_is_passed() {
    let storage = Flaky::default();
    let other = TokenCache::new(storage.inner.clone());
    store(&other, "ada", false).await.unwrap();
    let account = other.accounts(&entra(T), &client()).await.unwrap().remove(0);
    assert_eq!(account.last_sign_in, Some(NOW));
    for (later, stays) in [(false, false), (true, true)] {
        let cache = TokenCache::new(storage.clone());
        storage.fail(&["lock", "read"]);
        cache.remove_account(&entra(T), &client(), &account, RemovalScope::default()).await.unwrap_err();
        if later {
            other.store(update_of("ada", &[], at(9))).await.unwrap();
        }
        storage.fail(&[]);
        store(&cache, "bob", false).await.unwrap();
        assert_eq!(names(&other).await.contains(&"ada".to_owned()), stays);
    }
}

// S-87: while the store cannot be read, it is unknown whether the account was written back.
#[tokio::test]
async fn a_sign_out_that_cannot_be_verified_fails() {
    let storage = Flaky::default();
    let cache = TokenCache::new(storage.clone());
    store(&cache, "ada", false).await.unwrap();
    storage.fail(&["read"]);
    assert_eq!(remove(&cache, "ada").await.unwrap_err().operation, "read");
    assert!(!is_served(&cache, "ada").await, "this process has forgotten it");
    storage.fail(&[]);
    assert!(names(&TokenCache::new(storage)).await.is_empty());
}
