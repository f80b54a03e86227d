//! Every part that an application can supply can be implemented with the facade's exports alone.
#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is wrong")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth::{
    Body, BoxedLock, Browser, BrowserError, Clock, DynBrowser, DynPartitionedStorage, DynStorage, DynTransport,
    LockBudget, LockName, Observer, PartitionKey, PartitionedStorage, PasteError, PublicClient, Replaced, Scopes,
    Secret, Storage, StorageError, StorageErrorKind, StorageLock, Stored, Timestamp, Transport, TransportError,
    TransportFault, Version,
};
use bytes::Bytes;
use zeroize::Zeroizing;

/// A store for one document, in memory.
#[derive(Clone, Default)]
struct Drawer(Arc<Mutex<(u64, Vec<u8>)>>);

struct Held;

impl StorageLock for Held {}

impl Storage for Drawer {
    fn version(&self) -> Result<Version, StorageError> {
        Ok(version(self.0.lock().unwrap().0))
    }

    async fn read(&self, _: &Observer) -> Result<Stored, StorageError> {
        let kept = self.0.lock().unwrap();
        Ok(Stored { content: kept.1.clone().into(), version: version(kept.0) })
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        _keep_until: Option<Timestamp>,
        _: &Observer,
    ) -> Result<Replaced, StorageError> {
        let mut kept = self.0.lock().unwrap();
        if version(kept.0) != expected {
            return Ok(Replaced::Conflict);
        }
        *kept = (kept.0 + 1, content.to_vec());
        Ok(Replaced::Done(version(kept.0)))
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        Err(StorageError::new("move", "the drawer", "there is only one").with_kind(StorageErrorKind::Other))
    }

    async fn lock(&self, name: LockName<'_>, _: &mut LockBudget, _: &Observer) -> Result<BoxedLock, StorageError> {
        match name {
            LockName::Document | LockName::Refresh(_) | LockName::SignIn(_) => Ok(Box::new(Held)),
        }
    }
}

fn version(number: u64) -> Version {
    if number == 0 { Version::NONE } else { Version::new([number, 0, 0, 0]) }
}

/// A store with a drawer for each partition.
#[derive(Default)]
struct Cabinet(Mutex<BTreeMap<PartitionKey, Drawer>>);

impl PartitionedStorage for Cabinet {
    fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage> {
        Arc::new(self.0.lock().unwrap().entry(key.clone()).or_default().clone())
    }

    async fn users(&self) -> Result<Vec<PartitionKey>, StorageError> {
        Ok(self.0.lock().unwrap().keys().filter(|key| matches!(key, PartitionKey::User(_))).cloned().collect())
    }

    async fn link(&self, _: &PartitionKey, _: &PartitionKey, _until: Timestamp) -> Result<(), StorageError> {
        Ok(())
    }

    async fn linked(&self, _: &PartitionKey) -> Result<Vec<PartitionKey>, StorageError> {
        Ok(Vec::new())
    }
}

struct Offline;

impl Transport for Offline {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        Err(TransportError::before_send(TransportFault::Connect, host, "offline"))
    }
}

struct Pasting;

impl Browser for Pasting {
    async fn open(&self, _: &http::Uri) -> Result<(), BrowserError> {
        Ok(())
    }

    async fn pasted(&self, refused: Option<PasteError>) -> Secret {
        match refused {
            Some(_) => std::future::pending().await,
            None => Secret::new(String::new()),
        }
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000)
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn a_client_can_be_built_from_custom_parts() {
    let (drawer, cabinet) = (Drawer::default(), Cabinet::default());
    let parts: (&dyn DynStorage, &dyn DynPartitionedStorage, &dyn DynTransport, &dyn DynBrowser) =
        (&drawer, &cabinet, &Offline, &Pasting);
    assert_eq!(parts.0.version(), Ok(Version::NONE));

    let builder = || PublicClient::builder("client").transport(Offline).browser(Pasting).clock(Stopped);
    let scopes = Scopes::parse("User.Read").unwrap();
    for app in [builder().storage(drawer).build().unwrap(), builder().partitioned_storage(cabinet).build().unwrap()] {
        assert_eq!(app.accounts().await.unwrap(), []);
        assert!(app.acquire_token_silent(&scopes, None).send().await.is_err());
    }
}
