//! A cache file, and what must be true of it at any time.

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

    /// Creates a scene with an encrypted file.
    pub(crate) fn encrypted() -> Self {
        Self { is_encrypted: true, ..Self::new() }
    }

    /// Returns the argument that names the file to an actor.
    pub(crate) fn argument(&self) -> PathBuf {
        if self.is_encrypted { format!("encrypted:{}", self.file.display()).into() } else { self.file.clone() }
    }

    /// Opens the store in this process.
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

    /// Returns how many stores of the writer `w` are in the file.
    #[track_caller]
    pub(crate) fn stored(&self, context: &str) -> u64 {
        stored(&self.file, "w", context)
    }

    /// Returns the temporary files that dead writers left.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "tmp")).collect()
    }

    /// Stores number `number` as the next program does, which removes the leftovers of dead writers once they are old.
    /// Returns how many there were, and how long the store took.
    pub(crate) async fn store_next(&self, number: u64, context: &str) -> (usize, Duration) {
        let leftovers = self.leftovers();
        for path in &leftovers {
            let long_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
            File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let (cache, events) = listening(TokenCache::from_shared(self.storage()));
        let begun = std::time::Instant::now();
        cache.store(Writer::new("w").update(number)).await.unwrap_or_else(|error| panic!("{context}: {error}"));
        let took = begun.elapsed();
        assert_eq!(self.stored(context), number + 1, "{context}: what the next writer stored");
        assert_eq!(self.leftovers(), Vec::<PathBuf>::new(), "{context}: leftovers");
        let removed = CacheEvent::LeftoversRemoved { count: leftovers.len() };
        assert_eq!(
            events.lock().unwrap().contains(&removed),
            !leftovers.is_empty(),
            "{context}: the removal is reported"
        );
        (leftovers.len(), took)
    }
}

/// Opens a cache over a file in this process. Returns it with its events.
pub(crate) fn cache(file: &Path) -> (TokenCache, Arc<Mutex<Vec<CacheEvent>>>) {
    listening(TokenCache::new(FileStorage::at(file).unwrap()))
}

fn listening(cache: TokenCache) -> (TokenCache, Arc<Mutex<Vec<CacheEvent>>>) {
    let events = Arc::<Mutex<Vec<CacheEvent>>>::default();
    let heard = Arc::clone(&events);
    (cache.on_event(move |event| heard.lock().unwrap().push(event.clone())), events)
}

/// Returns how many stores of a writer are in a file, and asserts that it is intact; 0 if there is no file.
#[track_caller]
pub(crate) fn stored(file: &Path, writer: &str, context: &str) -> u64 {
    let content = match cache::content(file) {
        Ok(content) => content,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return 0,
        Err(error) => panic!("{context}: {error}"),
    };
    let document = document(&content).unwrap_or_else(|error| panic!("{context}: the file is torn: {error}"));
    Writer::new(writer).stored(&document).unwrap_or_else(|error| panic!("{context}: of {writer}: {error}"))
}
