//! A cache over a file that other programs use, too.

use core::time::Duration;
use std::fs;
use std::time::UNIX_EPOCH;

use super::events::{changed, listening, take};
use super::*;
use crate::limits::Limits;
use crate::storage::FileStorage;

fn shared() -> (tempfile::TempDir, FileStorage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(folder.path().join("cache.json")).unwrap();
    (folder, storage)
}

#[tokio::test]
async fn two_programs_see_each_others_changes() {
    let (_folder, storage) = shared();
    let (cache, other) = (TokenCache::new(storage.clone()), TokenCache::new(storage.clone()));
    store(&cache, "ada", false).await.unwrap();
    assert!(is_served(&other, "ada").await);
    let (a, b) = tokio::join!(store(&cache, "bob", false), store(&other, "cy", false));
    assert_eq!((a, b), (Ok(true), Ok(true)));
    for cache in [&cache, &other] {
        assert_eq!(names(cache).await, ["ada", "bob", "cy"]);
    }
    remove(&other, "bob").await.unwrap();
    assert!(!is_served(&cache, "bob").await);
    fs::remove_file(storage.path()).unwrap();
    assert!(names(&cache).await.is_empty(), "a missing file is an empty document");
}

// whatever a crash leaves of the file, it is read or moved aside, and sign-in works.
#[tokio::test]
async fn a_truncated_file_is_moved_aside() {
    let (folder, storage) = shared();
    store(&TokenCache::new(storage.clone()), "ada", false).await.unwrap();
    let whole = fs::read(storage.path()).unwrap();
    let corrupt = folder.path().join("cache.json.corrupt");
    for length in [0, 1, 2, 17, whole.len() / 2, whole.len() - 1] {
        fs::write(storage.path(), &whole[..length]).unwrap();
        let cache = TokenCache::new(storage.clone());
        assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)), "{length}");
        if length > 0 {
            assert_eq!(fs::read(&corrupt).unwrap(), &whole[..length], "{length}");
        }
        assert_eq!(store(&cache, "bob", false).await, Ok(true), "{length}");
        assert!(is_served(&TokenCache::new(storage.clone()), "bob").await, "{length}");
    }
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["cache.json", "cache.json.corrupt"]);
}

// a flipped bit spoils at most the entry it is in; nobody is served another user's token.
#[tokio::test]
async fn a_flipped_bit_never_serves_another_users_token() {
    let (_folder, storage) = shared();
    let cache = TokenCache::new(storage.clone());
    store(&cache, "ada", false).await.unwrap();
    let whole = fs::read(storage.path()).unwrap();
    for position in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[position] ^= 1 << (position % 8);
        let Ok(document) = document::parse(bytes.into(), 32) else { continue };
        let (authority, client, wanted) = (entra(T), client(), scopes("User.Read"));
        for account in [format!("bob.{T}"), String::new()] {
            let account = AccountId::new(account);
            let query = Query::new(&authority, &client, &account, &wanted);
            assert!(matches!(lookup::lookup(&document, &query, NOW), Lookup::Nothing), "{position}");
        }
    }
}

// S-101: a call waits ten seconds for another program's lock; then this process keeps the tokens.
#[tokio::test(start_paused = true)]
async fn a_lock_that_is_never_released_defers_the_write() {
    let (folder, storage) = shared();
    let held = fs::File::create(folder.path().join("cache.json.lockfile")).unwrap();
    held.try_lock().unwrap();
    let cache = TokenCache::new(storage.clone());
    let refused = store(&cache, "ada", false).await.unwrap_err();
    assert_eq!(refused.operation, "locked");
    assert!(is_served(&cache, "ada").await && !storage.path().exists());
    // Makes the lock file look old.
    held.set_modified(UNIX_EPOCH).unwrap();
    drop(held);
    store(&cache, "bob", false).await.unwrap();
    assert_eq!(names(&TokenCache::new(storage)).await, ["ada", "bob"]);
}

// S-101: a reader looks for half a second, then waits only briefly for a writer in place that does not finish.
#[tokio::test(start_paused = true)]
async fn a_reader_does_not_wait_long_for_a_writer_in_place() {
    let (folder, storage) = shared();
    store(&TokenCache::new(storage.clone()), "ada", false).await.unwrap();
    let cache = TokenCache::new(storage.clone());
    assert!(is_served(&cache, "ada").await);
    let held = fs::File::create(folder.path().join("cache.json.lockfile")).unwrap();
    held.try_lock().unwrap();
    for half in ["", "{\"AccessToken\": {"] {
        fs::write(storage.path(), half).unwrap();
        let begun = tokio::time::Instant::now();
        assert!(is_served(&cache, "ada").await, "as before");
        let waited = begun.elapsed();
        assert!((Duration::from_millis(1500)..Duration::from_millis(1600)).contains(&waited), "{waited:?}");
        assert!(look(&TokenCache::new(storage.clone()), "ada").await.is_err(), "a cache that knows nothing reports it");
        assert_eq!(fs::read_to_string(storage.path()).unwrap(), half, "nothing is moved aside without the lock");
    }
    drop(held);
}

// S-102: MSAL Python, .NET and Node write in place, possibly twice in one tick of the file's clock.
#[tokio::test]
async fn the_second_of_two_writes_in_one_tick_is_seen() {
    let (_folder, storage) = shared();
    let document = |user: &'static str| async move {
        let memory = MemoryStorage::new();
        store(&TokenCache::new(memory.clone()), user, false).await.unwrap();
        stored(&memory).await.to_string()
    };
    let (ada, bob) = (document("ada").await, document("bob").await);
    assert_eq!(ada.len(), bob.len());
    let cache = TokenCache::new(storage.clone());
    // A file system with timestamps in whole seconds.
    let tick = UNIX_EPOCH + Duration::from_secs(UNIX_EPOCH.elapsed().unwrap().as_secs() + 2);
    let write = |text: String| {
        fs::write(storage.path(), text).unwrap();
        fs::File::options().write(true).open(storage.path()).unwrap().set_modified(tick).unwrap();
    };
    write(ada);
    assert!(is_served(&cache, "ada").await);
    write(bob);
    assert!(is_served(&cache, "bob").await && !is_served(&cache, "ada").await);
    assert_eq!(store(&cache, "cy", false).await, Ok(true));
    assert_eq!(names(&TokenCache::new(storage)).await, ["bob", "cy"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_path_that_is_not_a_file_only_prevents_sharing() {
    for folder_in_place in [true, false] {
        let (folder, storage) = shared();
        if folder_in_place {
            fs::create_dir(storage.path()).unwrap();
        } else {
            std::os::unix::fs::symlink(folder.path().join("elsewhere"), storage.path()).unwrap();
        }
        let cache = TokenCache::new(storage);
        assert!(look(&cache, "ada").await.is_err());
        assert!(store(&cache, "ada", false).await.is_err());
        assert!(is_served(&cache, "ada").await);
    }
}

// S-90: the store's own limit has the same consequences as those of the cache.
#[tokio::test]
async fn a_file_beyond_the_limit_of_its_store_is_left_alone_and_this_process_continues() {
    let (_folder, storage) = shared();
    let storage = storage.with_size_limit(4000);
    let (cache, heard) = listening(TokenCache::new(storage.clone()));
    store(&cache, "ada", false).await.unwrap();
    take(&heard);
    let error = store(&cache, "bob", false).await.unwrap_err();
    assert_eq!((error.kind, error.operation), (StorageErrorKind::TooLarge, "written"));
    let refused = Event::Refused { reason: Limits::TOO_LARGE };
    assert_eq!(take(&heard), [refused.clone(), changed(Some(&format!("bob.{T}")))], "our change would outgrow it");
    assert!(is_served(&cache, "bob").await && !is_persisted(&cache, "bob"));
    assert_eq!(names(&TokenCache::new(storage.clone())).await, ["ada"]);

    let large = json!({"Foreign": "x".repeat(4000)}).to_string();
    fs::write(storage.path(), &large).unwrap();
    assert!(is_served(&cache, "ada").await && is_served(&cache, "bob").await, "another program's change outgrew it");
    assert_eq!(take(&heard), [refused]);
    assert_eq!(store(&cache, "cy", false).await.unwrap_err().kind, StorageErrorKind::TooLarge);
    assert!(is_served(&cache, "cy").await);
    assert_eq!(fs::read_to_string(storage.path()).unwrap(), large);

    let other = TokenCache::new(storage.clone());
    assert!(matches!(look(&other, "ada").await, Ok(Lookup::Nothing)), "a new process works in memory");
    fs::write(storage.path(), "{}").unwrap();
    assert_eq!(store(&other, "dee", false).await, Ok(true), "and in the file again once it is small enough");
}
