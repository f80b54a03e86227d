//! A program that uses the stores with a keyring: `vault WORD FOLDER`.
//!
//! | word | does |
//! | --- | --- |
//! | `contract-encrypted`, `contract-item` | checks the contract of stores for the encrypted file, or an item of MSAL Python |
//! | `store`, `look` | stores a document in the encrypted file, or reads it |
//! | `put-python`, `get-python`, `put-node`, `get-node` | the same with an item of one of the MSAL extension libraries |
//! | `encrypt`, `decrypt` | migrates the file, with a fixed key |
//! | `add-python` | adds a member to the document under the lock, as a cache does |
//!
//! It stores its standard input, and prints what it has read, or the kind and message of the error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this program is only for tests"
)]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use auth::{
    EncryptedFileStorage, EncryptionKey, FileStorage, Keyring, LockBudget, Observer, SecretItemStorage, Storage,
    StorageError,
};
use auth_cache::{LockName, Replaced, contract};

/// The service or application by which the items of both libraries are found.
const SERVICE: &str = "contoso";

fn encrypted(folder: &Path) -> EncryptedFileStorage {
    let file = FileStorage::at(folder.join("cache")).unwrap();
    EncryptedFileStorage::new(file, folder.display().to_string(), Keyring::new("auth-tests"))
}

fn of_python(folder: &Path) -> SecretItemStorage {
    let file = FileStorage::at(folder.join("msal.cache")).unwrap();
    SecretItemStorage::msal_python(file, Some("com.contoso.app"), [("app", SERVICE)])
}

fn of_node(folder: &Path) -> SecretItemStorage {
    SecretItemStorage::msal_node(FileStorage::at(folder.join("msal.json")).unwrap(), SERVICE, "one")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(&words[1]);
    // Each rule gets a new store.
    let number = AtomicUsize::new(0);
    let next = || folder.join(number.fetch_add(1, Ordering::Relaxed).to_string());
    let said = match words[0].as_str() {
        "contract-encrypted" => {
            let rules = contract::check(|| {
                let folder = next();
                (encrypted(&folder), encrypted(&folder))
            });
            rules.await;
            Ok("kept".to_owned())
        }
        "contract-item" => {
            let rules = contract::check(|| {
                let folder = next();
                let of = || {
                    let file = FileStorage::at(folder.join("msal.cache")).unwrap();
                    SecretItemStorage::msal_python(file, None, [("app", SERVICE)])
                };
                (of(), of())
            });
            rules.await;
            Ok("kept".to_owned())
        }
        "store" => put(&encrypted(&folder)).await,
        "look" => get(&encrypted(&folder)).await,
        "put-python" => put(&of_python(&folder)).await,
        "get-python" => get(&of_python(&folder)).await,
        "put-node" => put(&of_node(&folder)).await,
        "get-node" => get(&of_node(&folder)).await,
        "encrypt" | "decrypt" => migrate(&folder, words[0] == "encrypt").await,
        "add-python" => add(&of_python(&folder)).await,
        other => panic!("{other}"),
    };
    let said = said.unwrap_or_else(|error| format!("{:?}: {error}", error.kind));
    std::io::stdout().write_all(said.as_bytes()).unwrap();
}

async fn migrate(folder: &Path, encrypts: bool) -> Result<String, StorageError> {
    let key = EncryptionKey::from_slice(&[7; 32]).unwrap();
    let storage = EncryptedFileStorage::new(FileStorage::at(folder.join("cache")).unwrap(), "known", key);
    let (mut budget, observer) = (LockBudget::default(), Observer::default());
    let migrated = match encrypts {
        true => storage.encrypt(&mut budget, &observer).await?,
        false => storage.decrypt(&mut budget, &observer).await?,
    };
    assert!(migrated, "the file had the other form");
    Ok("migrated".to_owned())
}

async fn put(storage: &impl Storage) -> Result<String, StorageError> {
    let mut content = Vec::new();
    std::io::stdin().read_to_end(&mut content).unwrap();
    let observer = Observer::default();
    let _lock = storage.lock(LockName::Document, &mut LockBudget::default(), &observer).await?;
    let version = storage.read(&observer).await?.version;
    let replaced = storage.replace(content.into(), version, None, &observer).await?;
    assert!(matches!(replaced, Replaced::Done(_)), "no one else writes");
    Ok("stored".to_owned())
}

async fn get(storage: &impl Storage) -> Result<String, StorageError> {
    let stored = storage.read(&Observer::default()).await?;
    Ok(String::from_utf8(stored.content.to_vec()).unwrap())
}

async fn add(storage: &impl Storage) -> Result<String, StorageError> {
    let observer = Observer::default();
    let _lock = storage.lock(LockName::Document, &mut LockBudget::default(), &observer).await?;
    let stored = storage.read(&observer).await?;
    let mut document: serde_json::Value = serde_json::from_slice(&stored.content).unwrap();
    document["Ours"] = serde_json::json!({"kept": true});
    let replaced = storage.replace(document.to_string().into_bytes().into(), stored.version, None, &observer).await?;
    assert!(matches!(replaced, Replaced::Done(_)), "no one else writes");
    Ok("added".to_owned())
}
