//! When the cache is full, tokens in use stay, whoever else writes to the store.

use super::*;

async fn ask(cache: &TokenCache, number: usize, seconds: i64) -> bool {
    let (authority, client, wanted) = (entra(T), client(), scopes(&format!("scope{number}")));
    let account = AccountId::new(format!("ada.{T}"));
    let found = cache.lookup(&Query::new(&authority, &client, &account, &wanted), at(seconds)).await;
    matches!(found, Ok(Lookup::Usable(_)))
}

async fn put(cache: &TokenCache, number: usize, seconds: i64) {
    let scope = [("scope", json!(format!("scope{number}")))];
    assert_eq!(cache.store(update_of("ada", &scope, at(seconds))).await, Ok(true));
}

#[tokio::test]
async fn tokens_in_use_stay_when_the_store_is_read_again() {
    let storage = MemoryStorage::new();
    let limits = Limits { access_tokens: 16, ..Limits::DEFAULT };
    let cache = TokenCache::new(storage.clone()).with_limits(limits);
    for number in 0..16 {
        put(&cache, number, 0).await;
    }
    for number in [0, 7, 11] {
        assert!(ask(&cache, number, 100).await);
    }
    // Another program writes twice, and replaces one of the tokens in use.
    for marker in 0..2 {
        let mut document = stored(&storage).await;
        document["Foreign"] = json!({"marker": marker});
        for (key, entry) in document["AccessToken"].as_object_mut().unwrap() {
            if key.ends_with("scope11") {
                entry["secret"] = json!("another");
            }
        }
        overwrite(&storage, &document.to_string()).await;
        assert!(ask(&cache, 3, 200).await);
    }
    put(&cache, 16, 300).await;
    for (number, stays) in [(0, true), (7, true), (3, true), (16, true)] {
        assert_eq!(ask(&cache, number, 300).await, stays, "{number}");
    }
    let mut left = 0;
    for number in 0..17 {
        left += usize::from(ask(&cache, number, 300).await);
    }
    assert_eq!(left, 14, "an eighth more than needed was dropped");
}

// setting the clock back makes no token younger, even if another program has written in between.
#[tokio::test]
async fn a_token_that_is_read_again_is_as_old_as_before() {
    let storage = MemoryStorage::new();
    let cache = TokenCache::new(storage.clone());
    put(&cache, 0, 0).await;
    let (authority, client, wanted, account) =
        (entra(T), client(), scopes("scope0"), AccountId::new(format!("ada.{T}")));
    for (seconds, passed, serves) in [(0, 0, true), (-600, 3200, true), (-600, 3600, false)] {
        let mut query = Query::new(&authority, &client, &account, &wanted);
        query.uptime = core::time::Duration::from_secs(1000 + passed);
        let found = cache.lookup(&query, at(seconds)).await.unwrap();
        let serving = matches!(found, Lookup::Usable(_) | Lookup::MustRefresh(_, Some(_)));
        assert_eq!(serving, serves, "after {passed} s");
        let mut document = stored(&storage).await;
        document["Foreign"] = json!(passed);
        overwrite(&storage, &document.to_string()).await;
    }
}
