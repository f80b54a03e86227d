//! S-90: a document beyond the limits is left alone, and this process works without it.

use super::events::{changed, listening, take};
use super::*;
use crate::limits::Limits;

/// A document with this many entries that belong to nobody.
fn filler(entries: usize) -> Value {
    let entries: serde_json::Map<_, _> = (0..entries).map(|number| (number.to_string(), Value::Null)).collect();
    json!({"AccessToken": entries})
}

const BYTES: &str = "the token cache could not be written: it is larger than the limit; it is left unchanged, and tokens are kept in memory only";
const ENTRIES: &str = "the token cache could not be written: it has more entries than the limit; it is left unchanged, and \
                       tokens are kept in memory only";

const DEPTH: &str = "the token cache could not be written: it is nested more deeply than the limit; it is left unchanged, and tokens are kept in memory only";

/// A document of this many levels, itself included.
fn deep(levels: usize) -> Value {
    json!({"Foreign": (1..levels).fold(json!(0), |inner, _| json!([inner]))})
}

fn cases() -> [(Limits, Value, &'static str); 6] {
    let (bytes, entries) =
        (Limits { document_bytes: 8000, ..Limits::DEFAULT }, Limits { document_entries: 12, ..Limits::DEFAULT });
    let app = |number: usize| (number.to_string(), app_metadata("", &[("client_id", json!(number.to_string()))]));
    [
        (bytes, json!({"Foreign": "x".repeat(8000)}), BYTES),
        (entries, filler(13), ENTRIES),
        (entries, json!({"AppMetadata": (0..13).map(app).collect::<serde_json::Map<_, _>>()}), ENTRIES),
        (entries, content(&vec![("RefreshToken", refresh_token("rt", &[])); 13]), ENTRIES),
        (Limits::DEFAULT, deep(33), DEPTH),
        (Limits { document_depth: 4, ..Limits::DEFAULT }, deep(5), DEPTH),
    ]
}

#[tokio::test]
async fn a_document_beyond_a_limit_is_neither_used_nor_touched() {
    for (limits, large, error) in cases() {
        let storage = MemoryStorage::new();
        overwrite(&storage, &large.to_string()).await;
        let cache = TokenCache::new(storage.clone()).with_limits(limits);
        assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)), "{error}");
        for user in ["ada", "bob"] {
            assert_eq!(store(&cache, user, false).await.unwrap_err().to_string(), error);
        }
        assert_eq!(remove(&cache, "bob").await.unwrap_err().to_string(), error);
        assert!(is_served(&cache, "ada").await && !is_served(&cache, "bob").await, "{error}");
        assert_eq!(store(&cache, "ada", true).await.unwrap_err().to_string(), error, "a refresh for a known user");
        assert_eq!(stored(&storage).await, large, "{error}");
        assert!(!is_persisted(&cache, "ada"), "{error}");

        // Another program makes it smaller: the pending changes are stored.
        overwrite(&storage, r#"{"Foreign":{}}"#).await;
        assert_eq!(store(&cache, "cy", false).await, Ok(true), "{error}");
        assert!(is_persisted(&cache, "ada"), "{error}");
        assert_eq!(names(&TokenCache::new(storage.clone())).await, ["ada", "cy"], "{error}");
        assert_eq!(stored(&storage).await["Foreign"], json!({}), "{error}");
    }
}

// That is no reason to forget what this process knows.
#[tokio::test]
async fn when_the_document_outgrows_a_limit_this_process_continues() {
    for (limits, large, error) in cases() {
        let storage = MemoryStorage::new();
        let cache = TokenCache::new(storage.clone()).with_limits(limits);
        store(&cache, "ada", false).await.unwrap();
        assert!(is_persisted(&cache, "ada"), "{error}");
        overwrite(&storage, &large.to_string()).await;
        assert!(is_served(&cache, "ada").await, "{error}");
        assert!(!is_persisted(&cache, "ada"), "{error}");
        assert_eq!(store(&cache, "ada", true).await.unwrap_err().to_string(), error);
        overwrite(&storage, &with_marker(large.clone()).to_string()).await;
        assert!(is_served(&cache, "ada").await, "{error}, while others keep writing");
        assert_eq!(stored(&storage).await, with_marker(large), "{error}");
    }
}

// Reported once for each state of the document, and for each change of ours that is not written.
#[tokio::test]
async fn each_refusal_is_reported() {
    for (limits, large, error) in cases() {
        let storage = MemoryStorage::new();
        overwrite(&storage, &large.to_string()).await;
        let (cache, heard) = listening(TokenCache::new(storage.clone()).with_limits(limits));
        let reason = error.strip_prefix("the token cache could not be written: ").unwrap();
        for _ in 0..3 {
            assert!(matches!(look(&cache, "ada").await, Ok(Lookup::Nothing)));
        }
        assert_eq!(take(&heard), [Event::Refused { reason }]);
        store(&cache, "ada", false).await.unwrap_err();
        assert_eq!(take(&heard), [changed(Some(&format!("ada.{T}")))]);
        overwrite(&storage, &with_marker(large.clone()).to_string()).await;
        assert!(is_served(&cache, "ada").await);
        assert_eq!(take(&heard), [Event::Refused { reason }]);
        overwrite(&storage, "{}").await;
        assert!(is_served(&cache, "ada").await);
        assert_eq!(take(&heard), [], "a document that can be read again is no event");
    }
    let limits = Limits { document_entries: 6, ..Limits::DEFAULT };
    let (cache, heard) = listening(TokenCache::new(MemoryStorage::new()).with_limits(limits));
    store(&cache, "ada", false).await.unwrap();
    take(&heard);
    store(&cache, "bob", false).await.unwrap_err();
    let reason = ENTRIES.strip_prefix("the token cache could not be written: ").unwrap();
    assert_eq!(take(&heard), [Event::Refused { reason }, changed(Some(&format!("bob.{T}")))]);
    assert!(is_served(&cache, "bob").await);
    assert_eq!(take(&heard), [], "reading does not try again");
}

// A document that is merged would be refused once it is stored.
#[test]
fn a_document_that_is_too_deep_is_not_merged() {
    let cache = TokenCache::in_memory();
    assert_eq!(cache.merge_json(deep(32).to_string().as_bytes()), Ok(()));
    assert_eq!(cache.merge_json(deep(33).to_string().as_bytes()), Err(NotACache));
    assert_eq!(serde_json::from_slice::<Value>(&cache.to_json()).unwrap()["Foreign"], deep(32)["Foreign"]);
}

fn with_marker(mut document: Value) -> Value {
    document["Marker"] = json!(1);
    document
}

// One of our own changes exceeds the limit.
#[tokio::test]
async fn a_document_that_would_outgrow_a_limit_stays_as_it_was() {
    let entries = Limits { document_entries: 10, ..Limits::DEFAULT };
    let bytes = Limits { document_bytes: 5500, ..Limits::DEFAULT };
    for (limits, error) in [(entries, ENTRIES), (bytes, BYTES)] {
        let storage = MemoryStorage::new();
        let cache = TokenCache::new(storage.clone()).with_limits(limits);
        store(&cache, "ada", false).await.unwrap();
        store(&cache, "bob", false).await.unwrap();
        let before = stored(&storage).await;
        for user in ["cy", "dee"] {
            assert_eq!(store(&cache, user, false).await.unwrap_err().to_string(), error);
            assert!(is_served(&cache, user).await && is_served(&cache, "ada").await);
        }
        assert_eq!(stored(&storage).await, before);
        // When there is room again, everything is stored.
        for user in ["ada", "bob"] {
            let _ = remove(&cache, user).await;
        }
        assert_eq!(names(&TokenCache::new(storage)).await, ["cy", "dee"]);
    }
}
