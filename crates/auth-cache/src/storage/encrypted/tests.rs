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
use crate::storage::keys::KeyErrorKind;
use crate::testing::{CLIENT, NOW, T, client, entra, update_of};
use crate::update::TokenUpdate;

/// Keys as a keyring keeps them, which may be out of reach. Clones share it.
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

    /// Puts another key in the place of the one that is there.
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

    /// A new start of a program.
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

    /// What is in the folder, but locks.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What was told, and who hears it.
pub(super) fn listening() -> (Arc<Mutex<Vec<Event>>>, Observer) {
    let heard = Arc::<Mutex<Vec<Event>>>::default();
    let listener = Arc::clone(&heard);
    (heard, Observer::new(move |event| listener.lock().unwrap().push(event.clone())))
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

/// How many accounts a cache shows.
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

// S-105: what is in the file is encrypted, with one key that the first write made.
#[tokio::test]
async fn the_first_write_makes_the_key_and_every_start_finds_it() {
    let scene = Scene::new();
    assert_eq!(read(&scene.start()).await.unwrap(), "");
    assert_eq!(scene.drawer.made(), 0, "who only reads needs none");
    for text in [r#"{"a": 1}"#, r#"{"b": 2}"#] {
        put(&scene.start(), text).await.unwrap();
        assert_eq!(read(&scene.start()).await.unwrap(), text);
        assert!(scene.bytes().starts_with(b"auth encrypted cache 1\n"));
    }
    assert_eq!((scene.drawer.made(), scene.names()), (1, vec!["cache.json".to_owned()]));
    assert_eq!(scene.plain().state().unwrap().form, FileForm::Encrypted);
}

// S-92: one key for two caches, and one's file in the other's place.
#[tokio::test]
async fn a_file_of_another_cache_is_not_believed() {
    let (scene, key) = (Scene::new(), EncryptionKey::generate().unwrap());
    let named = |name: &str| EncryptedFileStorage::new(scene.plain(), name, key.clone());
    put(&named("ada"), "{}").await.unwrap();
    assert_eq!(read(&named("ada")).await.unwrap(), "{}");
    assert_eq!(kind(read(&named("bob")).await), StorageErrorKind::Damaged);
}

// S-92: the limit that is documented.
#[tokio::test]
async fn an_older_file_of_the_same_cache_is_believed() {
    let scene = Scene::new();
    put(&scene.start(), "{}").await.unwrap();
    let old = scene.bytes();
    put(&scene.start(), r#"{"new": 1}"#).await.unwrap();
    scene.write(&old);
    assert_eq!(read(&scene.start()).await.unwrap(), "{}");
}

// R-09, S-99: whatever byte is another, the file is moved aside as it was and the cache begins anew.
#[tokio::test(start_paused = true)]
async fn a_file_that_was_changed_is_moved_aside() {
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
        assert_eq!(accounts(scene.start()).await, 1, "it goes on");
    }
}

// R-19: a key that is another one, or gone.
#[tokio::test(start_paused = true)]
async fn without_its_key_a_file_is_moved_aside() {
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
        assert!(error.reason.contains("not to be had any more"), "{error}");
        let cache = TokenCache::new(scene.start());
        cache.store(update("v")).await.unwrap();
        assert_eq!(accounts(scene.start()).await, 1);
        assert_eq!(
            fs::read(scene.folder.path().join("cache.json.corrupt")).unwrap(),
            before,
            "with its key it is readable"
        );
    }
}

// R-19: another program had to make a new key while this one runs.
#[tokio::test(start_paused = true)]
async fn a_key_that_was_rotated_is_asked_for_again() {
    let scene = Scene::new();
    let running = scene.start();
    put(&running, r#"{"a": 1}"#).await.unwrap();
    scene.drawer.rotate();
    put(&scene.start(), r#"{"b": 2}"#).await.unwrap();
    assert_eq!(read(&running).await.unwrap(), r#"{"b": 2}"#);
    put(&running, r#"{"c": 3}"#).await.unwrap();
    assert_eq!(read(&scene.start()).await.unwrap(), r#"{"c": 3}"#);
}

// S-104, R-19: what is out of reach is an error, leaves the file alone and costs no token.
#[tokio::test(start_paused = true)]
async fn a_keyring_out_of_reach_costs_nothing_but_the_store() {
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
        assert_ne!(scene.bytes(), before, "who has the key goes on");

        let before = scene.bytes();
        let error = TokenCache::new(scene.start()).store(update("w")).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::KeyUnavailable);
        assert!(error.to_string().contains("the drawer is stuck"), "{error}");
        assert_eq!((scene.bytes(), scene.names().len()), (before, 1), "it is neither written nor moved aside");

        // And without a word it is stored once the keyring is back.
        let cache = TokenCache::new(scene.start());
        assert!(cache.store(update("w")).await.is_err());
        scene.drawer.fail(None);
        tokio::time::advance(Duration::from_secs(30)).await;
        cache.flush().await.unwrap();
        assert_eq!(accounts(scene.start()).await, 3);
    }
}

/// A keyring whose dialog nobody answers.
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
        Err(KeyError::new(KeyErrorKind::TimedOut, "nobody answered"))
    }

    async fn create(&self, name: &str) -> Result<EncryptionKey, KeyError> {
        self.key(name).await.map(|_| unreachable!("there is none"))
    }
}

// S-104: whoever looks waits once at most, and the user sees one dialog.
#[tokio::test(start_paused = true)]
async fn a_dialog_that_nobody_answers_is_shown_once() {
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
        assert_eq!(lookup.await.unwrap(), 1, "what this process knows is served");
    }
    assert_eq!((keyring.asked(), begun.elapsed()), (1, Duration::from_secs(10)));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!((shown(&cache).await, keyring.asked()), (1, 2), "later it is asked again");
}

// S-101: nobody waits for the user of another program.
#[tokio::test(start_paused = true)]
async fn no_lock_is_held_while_a_keyring_is_asked() {
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
        assert_eq!(budget.left(), Duration::ZERO, "what was waited is taken off");
        assert_eq!(kind(put(&asking, "{}").await), StorageErrorKind::KeyUnavailable, "{content}");
        assert_eq!(begun.elapsed(), Duration::ZERO, "nobody is asked under the lock");
    }
}

// R-19: a keyring that was made anew while this program runs.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_lost_seals_no_new_file() {
    let scene = Scene::new();
    let running = TokenCache::new(scene.start());
    running.store(update("u")).await.unwrap();
    scene.drawer.0.lock().unwrap().keys.clear();
    assert_eq!(accounts(scene.start()).await, 0, "another program moves aside what it cannot read");
    running.store(update("v")).await.unwrap();
    assert_eq!(accounts(scene.start()).await, 1, "what was stored then stays");
}

// S-92: nothing of it is believed, and it is left as it is.
#[tokio::test(start_paused = true)]
async fn a_plain_file_is_refused_where_an_encrypted_one_is_expected() {
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

// The other way round.
#[tokio::test(start_paused = true)]
async fn an_encrypted_file_is_refused_where_a_plain_one_is_expected() {
    let scene = Scene::new();
    put(&scene.start(), "{}").await.unwrap();
    let before = scene.bytes();
    let error = read(&scene.plain()).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Encrypted);
    assert!(error.to_string().contains("EncryptedFileStorage"), "{error}");
    assert!(TokenCache::new(scene.plain()).store(update("u")).await.is_err());
    assert_eq!((scene.bytes(), scene.names().len()), (before, 1));
}

// S-104: only on demand, and told at every start.
#[tokio::test(start_paused = true)]
async fn the_fallback_is_plain_where_there_is_no_key_and_tells_it() {
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
        let [Event::NotEncrypted { place, reason }] = heard.as_slice() else { panic!("once a start: {heard:?}") };
        assert_eq!(*place, scene.plain().path().display().to_string());
        assert!(reason.contains(if start == 0 { "the drawer is stuck" } else { "plain before" }), "{reason}");
        assert_eq!(scene.bytes(), b"{}");
    }
    // A keyring that comes later changes nothing by itself.
    scene.drawer.fail(None);
    put(&scene.start().allow_plaintext_fallback(), r#"{"a": 1}"#).await.unwrap();
    assert_eq!(scene.bytes(), br#"{"a": 1}"#);
}

// S-104: a plain file that is there gives no leave for another one.
#[tokio::test(start_paused = true)]
async fn a_plain_file_that_is_damaged_is_not_begun_anew_in_plain() {
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
    assert!(before.starts_with(b"auth encrypted"), "where there is a key it is encrypted");
    scene.drawer.fail(Some(KeyErrorKind::Locked));
    let storage = scene.start().allow_plaintext_fallback();
    assert_eq!(kind(read(&storage).await), StorageErrorKind::KeyUnavailable);
    assert_eq!(kind(put(&storage, "{}").await), StorageErrorKind::KeyUnavailable);
    assert_eq!(scene.bytes(), before);
}

// S-111: whatever is on the disk after all of it, no secret is.
#[tokio::test(start_paused = true)]
async fn no_secret_is_on_the_disk() {
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
