//! Where keys come from.

use core::future::{Future, ready};

use super::error::KeyError;
use super::key::EncryptionKey;
use crate::storage::BoxFuture;

/// A place for keys, each under the name of the cache that it is for (S-105).
///
/// Keys are secrets: an implementation must not log them, and must give up within seconds where it asks a user (S-104).
///
/// ```
/// use auth_cache::{EncryptionKey, KeyError, KeySource};
///
/// /// A source that has one key for all caches.
/// struct Kms(EncryptionKey);
///
/// impl KeySource for Kms {
///     async fn key(&self, _name: &str) -> Result<Option<EncryptionKey>, KeyError> {
///         Ok(Some(self.0.clone()))
///     }
///
///     async fn create(&self, _name: &str) -> Result<EncryptionKey, KeyError> {
///         Ok(self.0.clone())
///     }
/// }
/// ```
pub trait KeySource: Send + Sync + 'static {
    /// The key of the cache `name`; `None` where there is none yet.
    ///
    /// # Errors
    /// [`KeyError`] when that cannot be told, or the key cannot be had. A key that may be there is never `None`: what was
    /// encrypted with it would be moved aside.
    fn key(&self, name: &str) -> impl Future<Output = Result<Option<EncryptionKey>, KeyError>> + Send;

    /// Makes a key for the cache `name`, and keeps it. It is called where [`key`](Self::key) found none, by whoever holds
    /// the lock of the document.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be kept.
    fn create(&self, name: &str) -> impl Future<Output = Result<EncryptionKey, KeyError>> + Send;
}

/// [`KeySource`] behind a pointer; every source is one.
pub trait DynKeySource: Send + Sync {
    /// See [`KeySource::key`].
    fn key<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<EncryptionKey>, KeyError>>;
    /// See [`KeySource::create`].
    fn create<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<EncryptionKey, KeyError>>;
}

impl<K: KeySource> DynKeySource for K {
    fn key<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<EncryptionKey>, KeyError>> {
        Box::pin(KeySource::key(self, name))
    }

    fn create<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<EncryptionKey, KeyError>> {
        Box::pin(KeySource::create(self, name))
    }
}

/// The key that an application has, for every cache.
impl KeySource for EncryptionKey {
    fn key(&self, _name: &str) -> impl Future<Output = Result<Option<Self>, KeyError>> + Send {
        ready(Ok(Some(self.clone())))
    }

    fn create(&self, _name: &str) -> impl Future<Output = Result<Self, KeyError>> + Send {
        ready(Ok(self.clone()))
    }
}
