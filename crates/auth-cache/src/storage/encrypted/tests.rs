#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::*;
use crate::cache::TokenCache;
use crate::contract;
use crate::storage::file::tests::listening;
use crate::storage::keys::KeyErrorKind;
use crate::testing::{CLIENT, NOW, T, client, entra, update_of};
use crate::update::TokenUpdate;

/// A keyring that can be made unavailable. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Drawer(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    keys: BTreeMap<String, EncryptionKey>,
    failure: Option<KeyErrorKind>,
    /// Whether new keys are lost.
    forgets: bool,
    made: usize,
}

impl Drawer {
    pub(super) fn fail(&self, kind: Option<KeyErrorKind>) {
        self.0.lock().unwrap().failure = kind;
    }

    pub(super) fn forget(&self) {
        let mut content = self.0.lock().unwrap();
        content.keys.clear();
        content.forgets = true;
    }

    /// Replaces every key with another.
    fn rotate(&self) {
        let key = EncryptionKey::generate().unwrap();
        self.0.lock().unwrap().keys.values_mut().for_each(|old| *old = key.clone());
    }

    fn made(&self) -> usize {
        self.0.lock().unwrap().made
    }
}

impl KeySource for Drawer {
    async fn key(&self, name: &str) -> Result<Option<EncryptionKey>, KeyError> {
        let content = self.0.lock().unwrap();
        match content.failure {
            Some(kind) => Err(KeyError::new(kind, "the drawer is stuck")),
            None => Ok(content.keys.get(name).cloned()),
        }
    }

    async fn create(&self, name: &str) -> Result<EncryptionKey, KeyError> {
        KeySource::key(self, name).await?;
        let (mut content, key) = (self.0.lock().unwrap(), EncryptionKey::generate()?);
        content.made += 1;
        if !content.forgets {
            content.keys.insert(name.to_owned(), key.clone());
        }
        Ok(key)
    }
}

pub(super) struct Scene {
    pub(super) folder: TempDir,
    pub(super) drawer: Drawer,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), drawer: Drawer::default() }
    }

    pub(super) fn plain(&self) -> FileStorage {
        FileStorage::at(self.folder.path().join("cache.json")).unwrap()
    }

    /// The store as a newly started program opens it.
    pub(super) fn start(&self) -> EncryptedFileStorage {
        self.named("cache")
    }

    fn named(&self, name: &str) -> EncryptedFileStorage {
        EncryptedFileStorage::new(self.plain(), name, self.drawer.clone())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        fs::read(self.plain().path()).unwrap()
    }

    pub(super) fn write(&self, bytes: &[u8]) {
        fs::write(self.plain().path(), bytes).unwrap();
    }

    /// The names of the files in the folder.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(super) async fn read(storage: &impl Storage) -> Result<String, StorageError> {
    let stored = storage.read(&Observer::default()).await?;
    Ok(String::from_utf8(stored.content.to_vec()).unwrap())
}

pub(super) async fn put(storage: &impl Storage, text: &str) -> Result<Replaced, StorageError> {
    let version = storage.version()?;
    storage.replace(text.as_bytes().to_vec().into(), version, None, &Observer::default()).await
}

fn kind(result: Result<impl fmt::Debug, StorageError>) -> StorageErrorKind {
    result.unwrap_err().kind
}

fn update(user: &str) -> TokenUpdate {
    let token = format!("secret-{user}");
    update_of(user, &[("access_token", token.as_str().into())], NOW)
}

/// The number of accounts in a cache.
async fn shown(cache: &TokenCache) -> usize {
    cache.accounts(&entra(T), &client()).await.unwrap().len()
}

async fn accounts(storage: EncryptedFileStorage) -> usize {
    shown(&TokenCache::new(storage)).await
}

macro_rules! test_each {
    ($($rule:ident)+) => {$(
        #[tokio::test(start_paused = true)]
        async fn $rule() {
            let scene = Scene::new();
            contract::$rule(scene.start(), scene.start()).await;
        }
    )+};
}
crate::each_rule!(test_each);

// S-105
#[tokio::test]
async fn the_first_write_creates_the_key_and_every_later_start_uses_it() {
    let scene = Scene::new();
    assert_eq!(read(&scene.start()).await.unwrap(), "");
    assert_eq!(scene.drawer.made(), 0, "a reader needs none");
    for text in [r#"{"a": 1}"#, r#"{"b": 2}"#] {
        put(&scene.start(), text).await.unwrap();
        assert_eq!(read(&scene.start()).await.unwrap(), text);
        assert!(scene.bytes().starts_with(b"auth encrypted cache 1\n"));
    }
    assert_eq!((scene.drawer.made(), scene.names()), (1, vec!["cache.json".to_owned()]));
    assert_eq!(scene.plain().state().unwrap().form, FileForm::Encrypted);
}

// S-92
#[tokio::test]
async fn the_file_of_another_cache_with_the_same_key_is_rejected() {
    let (scene, key) = (Scene::new(), EncryptionKey::generate().unwrap());
    let named = |name: &str| EncryptedFileStorage::new(scene.plain(), name, key.clone());
    put(&named("ada"), "{}").await.unwrap();
    assert_eq!(read(&named("ada")).await.unwrap(), "{}");
    assert_eq!(kind(read(&named("bob")).await), StorageErrorKind::Damaged);
}

// S-92: the documented limitation.
#[tokio::test]
async fn an_older_file_of_the_same_cache_is_accepted() {
    let scene = Scene::new();
    put(&scene.start(), "{}").await.unwrap();
    let old = scene.bytes();
    put(&scene.start(), r#"{"new": 1}"#).await.unwrap();
    scene.write(&old);
    assert_eq!(read(&scene.start()).await.unwrap(), "{}");
}

// R-09, S-99
#[tokio::test(start_paused = true)]
async fn a_modified_file_is_moved_aside_and_the_cache_starts_empty() {
    let scene = Scene::new();
    TokenCache::new(scene.start()).store(update("u")).await.unwrap();
    let good = scene.bytes();
    assert_eq!(accounts(scene.start()).await, 1);
    for at in (0..80).chain([good.len() / 2, good.len() - 16, good.len() - 1]) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        scene.write(&bad);
        let (heard, observer) = listening();
        let cache = TokenCache::new(scene.start()).on_event(move |event| observer.tell(event));
        assert_eq!(shown(&cache).await, 0, "byte {at}");
        let place = scene.folder.path().join("cache.json.corrupt");
        assert_eq!(fs::read(&place).unwrap(), bad, "byte {at}");
        let place = place.display().to_string();
        assert!(heard.lock().unwrap().contains(&Event::Quarantined { place }), "byte {at}");
        assert!(!scene.plain().path().exists());
        cache.store(update("v")).await.unwrap();
        assert_eq!(accounts(scene.start()).await, 1, "the store works again");
    }
}

// R-19
#[tokio::test(start_paused = true)]
async fn a_file_whose_key_was_replaced_or_lost_is_moved_aside() {
    for gone in [false, true] {
        let scene = Scene::new();
        TokenCache::new(scene.start()).store(update("u")).await.unwrap();
        let before = scene.bytes();
        match gone {
            true => scene.drawer.0.lock().unwrap().keys.clear(),
            false => scene.drawer.rotate(),
        }
        let error = read(&scene.start()).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Damaged);
        assert!(error.reason.contains("no longer available"), "{error}");
        let cache = TokenCache::new(scene.start());
        cache.store(update("v")).await.unwrap();
        assert_eq!(accounts(scene.start()).await, 1);
        assert_eq!(
            fs::read(scene.folder.path().join("cache.json.corrupt")).unwrap(),
            before,
            "still readable with its key"
        );
    }
}

// R-19
#[tokio::test(start_paused = true)]
async fn a_running_program_fetches_a_key_that_was_replaced() {
    let scene = Scene::new();
    let running = scene.start();
    put(&running, r#"{"a": 1}"#).await.unwrap();
    scene.drawer.rotate();
    put(&scene.start(), r#"{"b": 2}"#).await.unwrap();
    assert_eq!(read(&running).await.unwrap(), r#"{"b": 2}"#);
    put(&running, r#"{"c": 3}"#).await.unwrap();
    assert_eq!(read(&scene.start()).await.unwrap(), r#"{"c": 3}"#);
}

// S-104, R-19
#[tokio::test(start_paused = true)]
async fn an_unavailable_keyring_loses_no_token_and_leaves_the_file_alone() {
    for failure in [KeyErrorKind::NoKeyring, KeyErrorKind::Locked, KeyErrorKind::TimedOut, KeyErrorKind::NotAKey] {
        let scene = Scene::new();
        scene.drawer.fail(Some(failure));
        assert_eq!(kind(put(&scene.start(), "{}").await), StorageErrorKind::KeyUnavailable);
        assert_eq!(scene.names().len(), 0, "nothing was written");
        scene.drawer.fail(None);
        let running = TokenCache::new(scene.start());
        running.store(update("u")).await.unwrap();
        let before = scene.bytes();
        scene.drawer.fail(Some(failure));
        running.store(update("v")).await.unwrap();
        assert_ne!(scene.bytes(), before, "a program that has the key continues");

        let before = scene.bytes();
        let error = TokenCache::new(scene.start()).store(update("w")).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::KeyUnavailable);
        assert!(error.to_string().contains("the drawer is stuck"), "{error}");
        assert_eq!((scene.bytes(), scene.names().len()), (before, 1), "neither written nor moved aside");

        // The change is stored once the keyring is back.
        let cache = TokenCache::new(scene.start());
        assert!(cache.store(update("w")).await.is_err());
        scene.drawer.fail(None);
        tokio::time::advance(Duration::from_secs(30)).await;
        cache.flush().await.unwrap();
        assert_eq!(accounts(scene.start()).await, 3);
    }
}

/// A keyring whose dialog is never answered.
#[derive(Clone, Default)]
struct Unanswered(Arc<AtomicUsize>);

impl Unanswered {
    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl KeySource for Unanswered {
    async fn key(&self, _name: &str) -> Result<Option<EncryptionKey>, KeyError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        drop(timeout(Duration::from_secs(10), pending::<()>()).await);
        Err(KeyError::new(KeyErrorKind::TimedOut, "no answer"))
    }

    async fn create(&self, name: &str) -> Result<EncryptionKey, KeyError> {
        self.key(name).await.map(|_| unreachable!("there is none"))
    }
}

// S-104
#[tokio::test(start_paused = true)]
async fn an_unanswered_dialog_is_shown_and_waited_for_once() {
    let scene = Scene::new();
    put(&scene.start(), "{}").await.unwrap();
    let keyring = Unanswered::default();
    let storage = EncryptedFileStorage::new(scene.plain(), "cache", keyring.clone());
    let cache = Arc::new(TokenCache::new(storage));
    let begun = Instant::now();
    assert!(cache.store(update("u")).await.is_err(), "in memory only");
    let lookups: Vec<_> = (0..100)
        .map(|_| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { shown(&cache).await })
        })
        .collect();
    for lookup in lookups {
        assert_eq!(lookup.await.unwrap(), 1, "cached tokens remain usable");
    }
    assert_eq!((keyring.asked(), begun.elapsed()), (1, Duration::from_secs(10)));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!((shown(&cache).await, keyring.asked()), (1, 2), "asked again later");
}

// S-101
#[tokio::test(start_paused = true)]
async fn no_lock_is_held_while_the_keyring_asks_the_user() {
    for content in ["", "sealed"] {
        let scene = Scene::new();
        if !content.is_empty() {
            put(&scene.start(), "{}").await.unwrap();
        }
        let (asking, observer) =
            (EncryptedFileStorage::new(scene.plain(), "cache", Unanswered::default()), Observer::default());
        let mut budget = LockBudget::new(Duration::from_secs(4));
        let waiting = asking.lock(LockName::Document, &mut budget, &observer);
        let other = async {
            drop(timeout(Duration::from_secs(2), pending::<()>()).await);
            scene.start().lock(LockName::Document, &mut LockBudget::new(Duration::ZERO), &observer).await.map(drop)
        };
        let (waited, locked) = tokio::join!(waiting, other);
        locked.unwrap();
        let (_lock, begun) = (waited.unwrap(), Instant::now());
        assert_eq!(budget.left(), Duration::ZERO, "the time waited is deducted");
        assert_eq!(kind(put(&asking, "{}").await), StorageErrorKind::KeyUnavailable, "{content}");
        assert_eq!(begun.elapsed(), Duration::ZERO, "not asked under the lock");
    }
}

// R-19: the keyring was reset while this program runs.
#[tokio::test(start_paused = true)]
async fn a_new_file_is_never_sealed_with_a_key_that_the_keyring_has_lost() {
    let scene = Scene::new();
    let running = TokenCache::new(scene.start());
    running.store(update("u")).await.unwrap();
    scene.drawer.0.lock().unwrap().keys.clear();
    assert_eq!(accounts(scene.start()).await, 0, "another program moves the file aside");
    running.store(update("v")).await.unwrap();
    assert_eq!(accounts(scene.start()).await, 1, "sealed with a key that is kept");
}

// S-92
#[tokio::test(start_paused = true)]
async fn a_plain_file_is_refused_and_left_unchanged() {
    for plain in ["{}", "\u{feff} {}", r#"{"AccessToken": {"#] {
        let scene = Scene::new();
        scene.write(plain.as_bytes());
        for result in [read(&scene.start()).await.map(drop), put(&scene.start(), "{}").await.map(drop)] {
            let error = result.unwrap_err();
            assert_eq!(error.kind, StorageErrorKind::NotEncrypted);
            assert!(error.to_string().contains("EncryptedFileStorage::encrypt"), "{error}");
        }
        assert!(TokenCache::new(scene.start()).store(update("u")).await.is_err());
        assert_eq!((scene.bytes(), scene.names().len()), (plain.into(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_store_refuses_an_encrypted_file_and_leaves_it_unchanged() {
    let scene = Scene::new();
    put(&scene.start(), "{}").await.unwrap();
    let before = scene.bytes();
    let error = read(&scene.plain()).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Encrypted);
    assert!(error.to_string().contains("EncryptedFileStorage"), "{error}");
    assert!(TokenCache::new(scene.plain()).store(update("u")).await.is_err());
    assert_eq!((scene.bytes(), scene.names().len()), (before, 1));
}

// S-104
#[tokio::test(start_paused = true)]
async fn without_a_key_the_fallback_writes_in_plain_and_every_start_reports_it() {
    let scene = Scene::new();
    scene.drawer.fail(Some(KeyErrorKind::NoKeyring));
    for start in 0..3 {
        let (heard, observer) = listening();
        let storage = scene.start().allow_plaintext_fallback();
        for _ in 0..2 {
            let stored = storage.read(&observer).await.unwrap();
            storage.replace(b"{}".to_vec().into(), stored.version, None, &observer).await.unwrap();
        }
        let heard = heard.lock().unwrap();
        let [Event::NotEncrypted { place, reason }] = heard.as_slice() else { panic!("once per start: {heard:?}") };
        assert_eq!(*place, scene.plain().path().display().to_string());
        assert!(reason.contains(if start == 0 { "the drawer is stuck" } else { "already plain" }), "{reason}");
        assert_eq!(scene.bytes(), b"{}");
    }
    // A keyring that appears later does not encrypt an existing file.
    scene.drawer.fail(None);
    put(&scene.start().allow_plaintext_fallback(), r#"{"a": 1}"#).await.unwrap();
    assert_eq!(scene.bytes(), br#"{"a": 1}"#);
}

// S-104: allowing an existing plain file does not allow a new one.
#[tokio::test(start_paused = true)]
async fn a_damaged_plain_file_is_not_replaced_with_a_plain_one() {
    for damaged in [false, true] {
        let scene = Scene::new();
        scene.drawer.fail(Some(KeyErrorKind::NoKeyring));
        scene.write(if damaged { b"{\"AccessToken\": {".as_slice() } else { b"{}" });
        let stored = TokenCache::new(scene.start().allow_existing_plaintext()).store(update("u")).await;
        let kinds = stored.map_err(|error| error.kind);
        assert_eq!(kinds, if damaged { Err(StorageErrorKind::KeyUnavailable) } else { Ok(true) });
        assert_eq!(scene.names(), [if damaged { "cache.json.corrupt" } else { "cache.json" }]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_fallback_is_for_new_files_only() {
    let scene = Scene::new();
    put(&scene.start().allow_plaintext_fallback(), "{}").await.unwrap();
    let before = scene.bytes();
    assert!(before.starts_with(b"auth encrypted"), "encrypted if there is a key");
    scene.drawer.fail(Some(KeyErrorKind::Locked));
    let storage = scene.start().allow_plaintext_fallback();
    assert_eq!(kind(read(&storage).await), StorageErrorKind::KeyUnavailable);
    assert_eq!(kind(put(&storage, "{}").await), StorageErrorKind::KeyUnavailable);
    assert_eq!(scene.bytes(), before);
}

// S-111
#[tokio::test(start_paused = true)]
async fn no_file_contains_a_secret_in_plain() {
    let scene = Scene::new();
    let cache = TokenCache::new(scene.start());
    cache.store(update("u")).await.unwrap();
    let json = String::from_utf8(cache.to_json().to_vec()).unwrap();
    let secrets: Vec<_> = json.split('"').filter(|word| *word == "secret-u" || *word == "new-rt").collect();
    assert_eq!(secrets.len(), 2, "{json}");
    let mut bad = scene.bytes();
    bad[90] ^= 1;
    scene.write(&bad);
    TokenCache::new(scene.start()).store(update("v")).await.unwrap();
    for name in scene.names() {
        let bytes = fs::read(scene.folder.path().join(&name)).unwrap();
        for word in secrets.iter().copied().chain([CLIENT, "AccessToken", "login.microsoftonline.com"]) {
            assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word} in {name}");
        }
    }
    assert!(scene.names().contains(&"cache.json.corrupt".to_owned()));
    let shown = format!("{:?} {cache:?}", scene.start());
    assert!(shown.contains("EncryptedFileStorage") && !secrets.iter().any(|secret| shown.contains(secret)));
}
