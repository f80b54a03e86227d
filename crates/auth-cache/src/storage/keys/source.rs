//! Sources of keys.

use core::future::{Future, ready};

use super::error::KeyError;
use super::key::EncryptionKey;
use crate::storage::BoxFuture;

/// A source of keys, one for each cache name (S-105).
///
/// Keys are secret: an implementation must not log them. If it asks the user, it must give up within seconds (S-104).
///
/// ```
/// use auth_cache::{EncryptionKey, KeyError, KeySource};
///
/// /// A key management service with one key for all caches.
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
    /// Returns the key of the cache `name`; `None` if there is none yet.
    ///
    /// # Errors
    /// Returns [`KeyError`] if the key is unavailable, or if it is unknown whether it exists: after `None`, a file that
    /// was encrypted with it would be moved aside.
    fn key(&self, name: &str) -> impl Future<Output = Result<Option<EncryptionKey>, KeyError>> + Send;

    /// Creates and stores a key for the cache `name`. Called after [`key`](Self::key) has returned `None`, by the
    /// holder of the document's lock.
    ///
    /// # Errors
    /// Returns [`KeyError`] if the key cannot be stored.
    fn create(&self, name: &str) -> impl Future<Output = Result<EncryptionKey, KeyError>> + Send;
}

/// The dyn-compatible form of [`KeySource`], implemented for every source.
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

/// Uses this key for every cache.
impl KeySource for EncryptionKey {
    fn key(&self, _name: &str) -> impl Future<Output = Result<Option<Self>, KeyError>> + Send {
        ready(Ok(Some(self.clone())))
    }

    fn create(&self, _name: &str) -> impl Future<Output = Result<Self, KeyError>> + Send {
        ready(Ok(self.clone()))
    }
}
