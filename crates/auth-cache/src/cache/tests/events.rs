//! The events that an application gets from its cache.

use std::sync::Mutex;

use super::*;
use crate::assertion::Assertion;
use crate::extension::Extension;

pub(super) type Heard = Arc<Mutex<Vec<Event>>>;

pub(super) fn listening(cache: TokenCache) -> (TokenCache, Heard) {
    let heard = Heard::default();
    let listener = Arc::clone(&heard);
    (cache.on_event(move |event| listener.lock().unwrap().push(event.clone())), heard)
}

pub(super) fn take(heard: &Heard) -> Vec<Event> {
    core::mem::take(&mut *heard.lock().unwrap())
}

pub(super) fn changed(key: Option<&str>) -> Event {
    Event::Changed { suggested_key: key.map(str::to_owned) }
}

fn app(tenant: &str, extension: Extension) -> AppTokenUpdate {
    let authority = entra(tenant);
    let tokens = tokens(&authority, "User.Read", &[], NOW);
    AppTokenUpdate { extension, ..AppTokenUpdate::new(Arc::new(authority), client(), Arc::new(tokens)) }
}

// The key under which a distributed cache would store the change.
#[tokio::test]
async fn each_change_names_its_key() {
    for cache in [TokenCache::in_memory(), TokenCache::new(MemoryStorage::new())] {
        let (cache, heard) = listening(cache);
        let home = format!("ada.{T}");
        store(&cache, "ada", false).await.unwrap();
        assert_eq!(take(&heard), [changed(Some(&home))]);
        store(&cache, "ada", true).await.unwrap();
        assert_eq!(take(&heard), [changed(Some(&home))]);
        assert_eq!(store(&cache, "bob", true).await, Ok(false));
        assert_eq!(take(&heard), [], "nothing changed");
        let plain = format!("{CLIENT}_{T}_AppTokenCache");
        cache.store_app(app(T, Extension::default())).await.unwrap();
        assert_eq!(take(&heard), [changed(Some(&plain))]);
        let extension = Extension::new([("fmi_path", "SomeFmiPath/FmiCredentialPath")]);
        cache.store_app(app(T, extension)).await.unwrap();
        let key = format!("{CLIENT}_{T}_zm2n0E62zwTsnNsozptLsoOoB_C7i-GfpxHYQQINJUw_AppTokenCache");
        assert_eq!(take(&heard), [changed(Some(&key))]);
        for assertion in
            [Assertion::from_token("token"), Assertion::session("a-session-key-of-mine-0123456789").unwrap()]
        {
            let key = assertion.as_str().to_owned();
            let update = AssertionTokenUpdate::new(assertion, None, app(T, Extension::default()));
            cache.store_assertion(update).await.unwrap();
            assert_eq!(take(&heard), [changed(Some(&key))]);
        }
        cache.leave_family(&entra(T), &client(), &AccountId::new("u.t"), &mut LockBudget::default()).await.unwrap();
        assert_eq!(take(&heard), [changed(None)]);
        remove(&cache, "ada").await.unwrap();
        assert_eq!(take(&heard), [changed(Some(&home))]);
        assert_eq!(remove(&cache, "ada").await, Ok(false));
        assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)));
        cache.merge_json(b"{}").unwrap();
        assert_eq!(take(&heard), [], "nothing changed, and the application knows what it merges");
    }
}

// Entries of a known partition that cannot be used.
#[tokio::test]
async fn entries_without_a_required_member_are_counted() {
    let with = crate::testing::with;
    let (at, rt) = (|changes: &[_]| crate::testing::access_token("at", changes), refresh_token("rt", &[]));
    let (id_token, account) = (crate::testing::id_token("x", &[]), crate::testing::account("ada", &[]));
    for (section, entry, is_skipped) in [
        ("AccessToken", at(&[]), false),
        ("AccessToken", at(&[("ext", json!({"a": "b"})), ("expires_on", json!(7)), ("x", json!([]))]), false),
        ("AccessToken", at(&[("secret", json!({}))]), true),
        ("AccessToken", at(&[("secret", Value::Null)]), true),
        ("AccessToken", at(&[("secret", json!(""))]), true),
        ("AccessToken", at(&[("target", json!(["User.Read"]))]), true),
        ("AccessToken", at(&[("environment", json!(true))]), true),
        ("RefreshToken", with(rt.clone(), &[("family_id", json!({}))]), true),
        ("RefreshToken", with(rt, &[("target", json!({}))]), false),
        ("IdToken", with(id_token, &[("realm", json!(false))]), true),
        ("Account", account.clone(), false),
        ("Account", with(account, &[("username", json!([]))]), true),
        ("AppMetadata", app_metadata("1", &[("family_id", json!([1]))]), true),
        ("AppMetadata", app_metadata("1", &[]), false),
    ] {
        let (cache, heard) = listening(TokenCache::in_memory());
        cache.merge_json(content(&[(section, entry.clone())]).to_string().as_bytes()).unwrap();
        let expected = if is_skipped { vec![Event::EntriesSkipped { count: 1 }] } else { vec![] };
        assert_eq!(take(&heard), expected, "{section} {entry}");
    }
}

#[tokio::test]
async fn unusable_entries_are_counted() {
    let odd = json!({
        "AccessToken": {"a": null, "b": 7, "c": {"home_account_id": []}, "good": {"home_account_id": "x", "secret": "s"}},
        "RefreshToken": {"d": {"secret": "of nobody"}}, "AppMetadata": {"e": null}, "IdToken": "no map",
    });
    let storage = MemoryStorage::new();
    overwrite(&storage, &odd.to_string()).await;
    let (cache, heard) = listening(TokenCache::new(storage.clone()));
    let skipped = |count| Event::EntriesSkipped { count };
    assert!(names(&cache).await.is_empty());
    assert_eq!(take(&heard), [skipped(5)]);
    assert!(names(&cache).await.is_empty());
    assert_eq!(take(&heard), [], "reported once per reading");
    overwrite(&storage, r#"{"Account":{"a":7}}"#).await;
    store(&cache, "ada", false).await.unwrap();
    assert_eq!(take(&heard), [skipped(1), changed(Some(&format!("ada.{T}")))]);
    cache.merge_json(odd.to_string().as_bytes()).unwrap();
    assert_eq!(take(&heard), [skipped(5)]);
    assert_eq!(cache.merge_json(b"[]"), Err(NotACache));
    for broken in [&b"null"[..], b"{\"AccessToken\":", b"\xff\xfe", b"{} {}"] {
        assert_eq!(cache.merge_json(broken), Err(NotACache));
    }
    assert_eq!(take(&heard), []);
}

// S-79: reported when it begins, not with every write. Other users' changes do not fail.
#[tokio::test]
async fn a_collision_is_reported_once() {
    let storage = MemoryStorage::new();
    let key = format!("ada.{T}-login.windows.net-refreshtoken-{CLIENT}--");
    let stranger = refresh_token("strangers", &[("home_account_id", json!("another"))]);
    overwrite(&storage, &json!({"RefreshToken": {&key: stranger}}).to_string()).await;
    let (cache, heard) = listening(TokenCache::new(storage.clone()));
    assert!(store(&cache, "ada", false).await.is_err());
    assert_eq!(take(&heard), [Event::KeyCollision, changed(Some(&format!("ada.{T}")))]);
    assert!(!is_persisted(&cache, "ada"), "not all of it");
    assert_eq!(store(&cache, "bob", false).await, Ok(true));
    assert_eq!(take(&heard), [changed(Some(&format!("bob.{T}")))]);
    assert!(is_served(&cache, "ada").await && is_served(&TokenCache::new(storage.clone()), "bob").await);
    assert_eq!(stored(&storage).await["RefreshToken"][&key], stranger);
    // Removed, and back again.
    remove(&cache, "ada").await.unwrap();
    assert!(is_persisted(&cache, "bob"));
    take(&heard);
    assert!(store(&cache, "ada", false).await.is_err());
    assert_eq!(take(&heard), [Event::KeyCollision, changed(Some(&format!("ada.{T}")))]);
}

#[tokio::test]
async fn evictions_are_reported_with_their_numbers() {
    let limits = Limits { access_tokens: 8, ..Limits::DEFAULT };
    for cache in [TokenCache::in_memory(), TokenCache::new(MemoryStorage::new())] {
        let (cache, heard) = listening(cache.with_limits(limits));
        let update = |number: usize, now| {
            let tenant = entra(&format!("{number:08}-0000-0000-0000-000000000000"));
            let tokens = tokens(&tenant, "x", &[], now);
            AppTokenUpdate::new(Arc::new(tenant), client(), Arc::new(tokens))
        };
        for number in 0..8 {
            cache.store_app(update(number, if number < 2 { at(-3595) } else { NOW })).await.unwrap();
        }
        assert!(take(&heard).iter().all(|event| matches!(event, Event::Changed { .. })), "the limit is not exceeded");
        for (number, expired, least_recently_used) in [(8, 2, 0), (9, 0, 0), (10, 0, 2)] {
            cache.store_app(update(number, at(10))).await.unwrap();
            let evicted: Vec<_> =
                take(&heard).into_iter().filter(|event| !matches!(event, Event::Changed { .. })).collect();
            let expected = crate::limits::Evicted { expired, least_recently_used };
            let event = (expired + least_recently_used > 0).then_some(Event::Evicted(expected));
            assert_eq!(evicted, event.into_iter().collect::<Vec<_>>(), "{number}");
        }
        let document: Value = serde_json::from_slice(&cache.to_json()).unwrap();
        assert_eq!(document["AccessToken"].as_object().unwrap().len(), 7);
    }
}

// A listener may call any method of the cache.
#[tokio::test]
async fn a_listener_may_use_the_cache() {
    let storage = failures::Flaky::default();
    storage.fail(&["lock"]);
    let slot = Arc::new(std::sync::OnceLock::<Arc<TokenCache>>::new());
    let listener = Arc::clone(&slot);
    let kept = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&kept);
    let limits = Limits { access_tokens: 2, ..Limits::DEFAULT };
    let cache = TokenCache::new(storage.clone()).with_limits(limits).on_event(move |_| {
        let cache = listener.get().unwrap();
        cache.merge_json(br#"{"Foreign":1}"#).unwrap();
        *counter.lock().unwrap() += usize::from(!cache.to_json().is_empty());
    });
    let cache = Arc::new(cache);
    assert!(slot.set(Arc::clone(&cache)).is_ok());
    for user in ["ada", "bob", "cy", "dee"] {
        assert!(store(&cache, user, false).await.is_err());
    }
    storage.fail(&[]);
    overwrite(&storage.inner, r#"{"Account":{"a":null}}"#).await;
    assert_eq!(store(&cache, "eve", false).await, Ok(true));
    assert!(*kept.lock().unwrap() > 4);
}

#[tokio::test]
async fn moving_a_document_aside_is_reported() {
    let storage = MemoryStorage::new();
    overwrite(&storage, "nonsense").await;
    let (cache, heard) = listening(TokenCache::new(storage));
    assert!(names(&cache).await.is_empty());
    assert_eq!(take(&heard), [Event::Quarantined { place: "memory".to_owned() }]);
}

// S-98: reported each time it begins.
#[tokio::test]
async fn a_failing_store_is_reported_once() {
    let storage = failures::Flaky::default();
    let (cache, heard) = listening(TokenCache::new(storage.clone()));
    let failures = |heard: &Heard| {
        take(heard).into_iter().filter(|event| !matches!(event, Event::Changed { .. })).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        storage.fail(&["replace"]);
        store(&cache, "ada", false).await.unwrap_err();
        let reason = "the token cache flaky could not be replace: it was told to fail".to_owned();
        assert_eq!(failures(&heard), [Event::Deferred { reason }]);
        storage.fail(&["lock"]);
        store(&cache, "bob", false).await.unwrap_err();
        cache.flush().await.unwrap_err();
        assert!(is_served(&cache, "ada").await);
        assert_eq!(failures(&heard), [], "only once");
        storage.fail(&[]);
        store(&cache, "cy", false).await.unwrap();
        assert_eq!(failures(&heard), []);
    }
}

// S-101
#[tokio::test]
async fn a_lock_timeout_is_reported() {
    let storage = MemoryStorage::new();
    let (cache, heard) = listening(TokenCache::new(storage.clone()));
    let nothing = || LockBudget::new(core::time::Duration::ZERO);
    let (authority, client, account) = (entra(T), client(), AccountId::new("ada"));
    let refresh = cache.refresh_lock(&authority, &client, &account, &mut nothing()).await.unwrap();
    assert!(cache.refresh_lock(&authority, &client, &account, &mut nothing()).await.is_err());
    assert_eq!(take(&heard), [Event::LockTimedOut { refresh: true }]);
    let document = Storage::lock(&storage, LockName::Document, &mut nothing(), &Observer::default()).await.unwrap();
    cache.store_within(update_of("ada", &[], NOW), &mut nothing()).await.unwrap_err();
    let events = take(&heard);
    assert_eq!(events[0], Event::LockTimedOut { refresh: false });
    assert!(matches!(events[1], Event::Deferred { .. }), "{events:?}");
    assert!(look(&cache, "ada").await.is_ok(), "reads need no lock");
    drop((refresh, document));
}

#[tokio::test]
async fn an_unreadable_store_is_reported_once() {
    let storage = failures::Flaky::default();
    let (cache, heard) = listening(TokenCache::new(storage.clone()));
    overwrite(&storage.inner, "{}").await;
    storage.fail(&["read"]);
    assert!(look(&cache, "ada").await.is_err());
    assert_eq!(take(&heard), [], "the error says so");
    storage.fail(&[]);
    assert!(look(&cache, "ada").await.is_ok());
    for _ in 0..2 {
        overwrite(&storage.inner, "{}").await;
        storage.fail(&["read"]);
        assert!(look(&cache, "ada").await.is_ok() && look(&cache, "ada").await.is_ok());
        let reason = "the token cache flaky could not be read: it was told to fail".to_owned();
        assert_eq!(take(&heard), [Event::Unreadable { reason }]);
        storage.fail(&[]);
        assert!(look(&cache, "ada").await.is_ok());
        assert_eq!(take(&heard), []);
    }
}
