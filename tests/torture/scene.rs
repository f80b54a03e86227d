//! A cache file, and what is to be true of it whatever happened.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use auth::{CacheEvent, FileStorage, TokenCache};
use auth_cache::DynStorage;
use auth_tests::cache;
use auth_tests::numbered::{Writer, document};
use tempfile::TempDir;

/// A folder with a cache file in it.
pub(crate) struct Scene {
    folder: TempDir,
    pub(crate) file: PathBuf,
    is_encrypted: bool,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { file: folder.path().join("cache.json"), folder, is_encrypted: false }
    }

    /// The same of an encrypted file.
    pub(crate) fn encrypted() -> Self {
        Self { is_encrypted: true, ..Self::new() }
    }

    /// The file, as an actor is told of it.
    pub(crate) fn place(&self) -> PathBuf {
        if self.is_encrypted { format!("encrypted:{}", self.file.display()).into() } else { self.file.clone() }
    }

    /// The store in this process.
    pub(crate) fn storage(&self) -> Arc<dyn DynStorage> {
        if self.is_encrypted {
            Arc::new(cache::encrypted(&self.file))
        } else {
            Arc::new(FileStorage::at(&self.file).unwrap())
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many stores of the writer `w` are in the file.
    #[track_caller]
    pub(crate) fn stored(&self, told: &str) -> u64 {
        stored(&self.file, "w", told)
    }

    /// The temporary files that dead writers left.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "tmp")).collect()
    }

    /// Another process goes on: it stores number `number`, and removes what is left of dead writers once it is old.
    /// Tells how many leftovers there were, and how long the store took.
    pub(crate) async fn go_on(&self, number: u64, told: &str) -> (usize, Duration) {
        let leftovers = self.leftovers();
        for path in &leftovers {
            let long_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
            File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let (cache, events) = listening(TokenCache::from_shared(self.storage()));
        let begun = std::time::Instant::now();
        cache.store(Writer::new("w").update(number)).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        let took = begun.elapsed();
        assert_eq!(self.stored(told), number + 1, "{told}: what the next writer stored");
        assert_eq!(self.leftovers(), Vec::<PathBuf>::new(), "{told}: leftovers");
        let removed = CacheEvent::LeftoversRemoved { count: leftovers.len() };
        assert_eq!(
            events.lock().unwrap().contains(&removed),
            !leftovers.is_empty(),
            "{told}: what was removed is told"
        );
        (leftovers.len(), took)
    }
}

/// A cache over a file in this process, and what it tells.
pub(crate) fn cache(file: &Path) -> (TokenCache, Arc<Mutex<Vec<CacheEvent>>>) {
    listening(TokenCache::new(FileStorage::at(file).unwrap()))
}

fn listening(cache: TokenCache) -> (TokenCache, Arc<Mutex<Vec<CacheEvent>>>) {
    let events = Arc::<Mutex<Vec<CacheEvent>>>::default();
    let heard = Arc::clone(&events);
    (cache.on_event(move |event| heard.lock().unwrap().push(event.clone())), events)
}

/// How many stores of a writer are in a file, which is whole; none where there is no file.
#[track_caller]
pub(crate) fn stored(file: &Path, writer: &str, told: &str) -> u64 {
    let content = match cache::content(file) {
        Ok(content) => content,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return 0,
        Err(error) => panic!("{told}: {error}"),
    };
    let document = document(&content).unwrap_or_else(|error| panic!("{told}: the file is torn: {error}"));
    Writer::new(writer).stored(&document).unwrap_or_else(|error| panic!("{told}: of {writer}: {error}"))
}
