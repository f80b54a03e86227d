//! A partition in Redis passes the contract of stores.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth::{EncryptionKey, Observer, PartitionedStorage as _, RedisStorage, Storage, StorageError, Timestamp};
use auth_cache::{
    BoxedLock, DynStorage, LockBudget, LockName, PartitionKey, Replaced, Stored, Version, contract, each_rule,
};
use auth_tests::redis::RedisServer;
use zeroize::Zeroizing;

/// A partition as a [`Storage`].
struct Partition {
    storage: RedisStorage,
    inner: Arc<dyn DynStorage>,
}

impl Partition {
    /// Opens a partition that always reads again.
    fn of(storage: RedisStorage) -> Self {
        let storage = storage.staleness(Duration::ZERO);
        let inner = storage.partition(&PartitionKey::User("u.t".into()));
        Self { storage, inner }
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.storage.fmt(f)
    }
}

impl Storage for Partition {
    fn version(&self) -> Result<Version, StorageError> {
        self.inner.version()
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        self.inner.read(observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        self.inner.replace(content, expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        self.inner.set_aside().await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        self.inner.lock(name, budget, observer).await
    }
}

mod plain {
    use super::*;

    macro_rules! test_each {
        ($($rule:ident)+) => {$(
            #[tokio::test]
            async fn $rule() {
                let server = RedisServer::start(&[]);
                let at = || Partition::of(server.storage());
                contract::$rule(at(), at()).await;
            }
        )+};
    }
    each_rule!(test_each);
}

mod encrypted {
    use super::*;

    macro_rules! test_each {
        ($($rule:ident)+) => {$(
            #[tokio::test]
            async fn $rule() {
                let server = RedisServer::start(&[]);
                let key = EncryptionKey::generate().unwrap();
                let at = || Partition::of(server.storage().encrypted(key.clone()));
                contract::$rule(at(), at()).await;
            }
        )+};
    }
    each_rule!(test_each);
}
