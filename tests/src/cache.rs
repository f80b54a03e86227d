//! Inspecting a cache document, and changing it as another program would.

use std::path::Path;

use auth::{Clock as _, EncryptedFileStorage, EncryptionKey, FileStorage, Observer, Storage, SystemClock};
use serde_json::{Map, Value};

/// Returns the current time in Unix seconds, by the clock of the programs under test: another one may be some
/// milliseconds, and so a second, ahead of it.
pub fn now() -> u64 {
    SystemClock.now().as_unix_seconds()
}

/// Sets a time field of every access token in a document, in Unix seconds as text, as other MSALs write it. Also makes
/// the tokens an hour old, because new ones would not be refreshed.
pub fn set_time(document: &mut Value, field: &str, time: u64) {
    for entry in section_mut(document, "AccessToken").values_mut() {
        entry["cached_at"] = (now() - 3_600).to_string().into();
        entry[field] = time.to_string().into();
    }
}

/// Returns the entries of a section, in the order of their keys.
pub fn section<'a>(document: &'a Value, name: &str) -> Vec<&'a Value> {
    document[name].as_object().map(|entries| entries.values().collect()).unwrap_or_default()
}

/// Returns the secrets of a section.
pub fn secrets(document: &Value, name: &str) -> Vec<String> {
    let secret = |entry: &Value| entry["secret"].as_str().unwrap().to_owned();
    section(document, name).into_iter().map(secret).collect()
}

fn section_mut<'a>(document: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    document[name].as_object_mut().unwrap_or_else(|| panic!("no section {name}"))
}

/// Returns the document in a store; `null` if there is none.
pub async fn read(storage: &impl Storage) -> Value {
    let content = storage.read(&Observer::default()).await.unwrap().content;
    if content.is_empty() { Value::Null } else { serde_json::from_slice(&content).unwrap() }
}

/// Changes the document in a store.
pub async fn change(storage: &impl Storage, change: impl FnOnce(&mut Value)) {
    let stored = storage.read(&Observer::default()).await.unwrap();
    let mut document = serde_json::from_slice(&stored.content).unwrap();
    change(&mut document);
    let content = document.to_string().into_bytes();
    storage.replace(content.into(), stored.version, None, &Observer::default()).await.unwrap();
    assert_eq!(read(storage).await, document, "no one else writes");
}

/// Makes every access token in a store expire.
pub async fn expire(storage: &impl Storage) {
    change(storage, |document| set_time(document, "expires_on", now() - 1)).await;
}

/// Opens the encrypted file at `path`, with the key that all tests use.
pub fn encrypted(path: &Path) -> EncryptedFileStorage {
    let key = EncryptionKey::from_slice(&[7; 32]).unwrap();
    EncryptedFileStorage::new(FileStorage::at(path).unwrap(), "tests", key)
}

/// Returns the content of a file, decrypted if it is encrypted.
///
/// # Errors
/// Returns the error of the operating system if the file cannot be read.
pub fn content(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    match is_encrypted(&bytes) {
        true => Ok(apart(async || encrypted(path).read(&Observer::default()).await.unwrap().content.to_vec())),
        false => Ok(bytes),
    }
}

fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(b"auth encrypted cache ")
}

/// Runs `work` to completion on a thread and runtime of its own.
fn apart<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    let run = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work());
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

/// Returns the document in a file, which may be encrypted.
pub fn read_file(path: &Path) -> Value {
    serde_json::from_slice(&content(path).unwrap()).unwrap()
}

/// Changes the document in a file; in place if it is plain, as other libraries do.
pub fn change_file(path: &Path, change_it: impl FnOnce(&mut Value) + Send) {
    if is_encrypted(&std::fs::read(path).unwrap()) {
        return apart(async || change(&encrypted(path), change_it).await);
    }
    let mut document = read_file(path);
    change_it(&mut document);
    std::fs::write(path, document.to_string()).unwrap();
}

/// Makes every access token in a file expire.
pub fn expire_file(path: &Path) {
    change_file(path, |document| set_time(document, "expires_on", now() - 1));
}
