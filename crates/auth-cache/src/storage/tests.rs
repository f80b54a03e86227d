use super::*;
use crate::contract;

mod memory {
    use super::*;

    macro_rules! test_each {
        ($($rule:ident)+) => {$(
            #[tokio::test(start_paused = true)]
            async fn $rule() {
                let storage = MemoryStorage::new();
                contract::$rule(storage.clone(), storage).await;
            }
        )+};
    }
    crate::each_rule!(test_each);
}

#[cfg(feature = "file")]
mod file {
    use super::*;

    macro_rules! test_each {
        ($($rule:ident)+) => {$(
            #[tokio::test(start_paused = true)]
            async fn $rule() {
                let folder = tempfile::tempdir().unwrap();
                let at = || FileStorage::at(folder.path().join("cache.json")).unwrap();
                contract::$rule(at(), at()).await;
            }
        )+};
    }
    crate::each_rule!(test_each);
}

#[tokio::test]
async fn memory_passes_the_whole_contract() {
    contract::check(|| {
        let storage = MemoryStorage::new();
        (storage.clone(), storage)
    })
    .await;
}

/// A store that does not compare versions.
#[derive(Clone, Debug, Default)]
struct Careless(MemoryStorage);

impl Storage for Careless {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(&self.0)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        Storage::read(&self.0, observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        _expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        let version = Storage::version(&self.0)?;
        Storage::replace(&self.0, content, version, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        Storage::set_aside(&self.0).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        Storage::lock(&self.0, name, budget, observer).await
    }
}

#[tokio::test]
#[should_panic(expected = "Conflict")]
async fn the_contract_rejects_a_store_that_ignores_versions() {
    contract::check(|| {
        let storage = Careless::default();
        (storage.clone(), storage)
    })
    .await;
}

#[test]
fn messages_name_the_store_if_it_is_known() {
    let error = StorageError::new("read", "/a/b", "it is a folder");
    assert_eq!(error.to_string(), "the token cache /a/b could not be read: it is a folder");
    let error = StorageError::new("written", "", "x");
    assert_eq!(error.to_string(), "the token cache could not be written: x");
}
