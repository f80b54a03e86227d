//! Values in Redis: a version and a document, nothing, or an error that repeats nothing of them (S-107).

use auth_cache::Version;
use auth_cache::untrusted::redis_value;
use redis::Value;

/// Takes `input` as the server's reply, and as a version followed by a document.
pub(crate) fn holds(input: &[u8]) {
    if let Ok(answer) = redis::parse_redis_value(input) {
        let parts = if let Value::Array(parts) = &answer { parts.clone() } else { Vec::new() };
        match redis_value(answer) {
            Ok(stored) if stored.version == Version::NONE => {
                assert!(stored.content.is_empty() && parts.is_empty(), "nothing is stored");
            }
            Ok(stored) => assert_eq!(parts.get(1), Some(&Value::BulkString(stored.content.to_vec()))),
            Err(reason) => assert!(["the value has an unknown format", "it is larger than 16 MiB"].contains(&reason)),
        }
    }
    let (version, document) = input.split_at(input.len().min(32));
    let [version_part, document_part] = [version, document].map(|part| Value::BulkString(part.to_vec()));
    let is_version = version.len() == 32 && [0, u8::MAX].iter().all(|byte| version.iter().any(|other| other != byte));
    match redis_value(Value::Array(vec![version_part, document_part])) {
        Ok(stored) => {
            assert!(is_version && stored.version != Version::NONE && stored.version != Version::UNKNOWN);
            assert_eq!(stored.content.as_slice(), document);
        }
        Err(_) => assert!(!is_version),
    }
}
