//! The cache in Redis, shared by many machines. (Feature `redis`.)

mod address;
mod failure;
mod link;
mod lock;
mod names;
mod partition;
mod scripts;
mod sealing;
mod settings;

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use auth_core::Timestamp;

use self::address::Address;
use self::failure::Failure;
use self::link::Link;
use self::names::Names;
use self::partition::RedisPartition;
#[cfg(feature = "test-util")]
pub(super) use self::partition::stored;
use self::settings::Settings;
use super::{DynStorage, PartitionedStorage, StorageError};
use crate::document::PartitionKey;

/// How many accounts to list at once.
const PAGE: usize = 1_000;

/// Keeps each partition of a cache as a separate value in Redis 6.2 or newer, for
/// [`TokenCache::partitioned`](crate::TokenCache::partitioned).
///
/// The address is `rediss://[user]:password@host[:port][/database]` or `unix:///path?pass=password`. Without TLS or
/// without a password, only addresses on this machine are accepted (S-107). The server's certificate is always checked:
/// against the authorities that the system trusts (`SSL_CERT_FILE` names others), or [the given ones](Self::trusting).
///
/// A writer replaces only the version it has read. A value expires when nothing in it is useful any more. Changes by
/// others are seen after at most [30 seconds](Self::staleness), and at once if a token must be redeemed or none is
/// found. Each command may take [one second](Self::deadline); a server that does not answer is then left alone for a
/// while, and the cache works in memory (S-98). If the server evicts a value, that sign-in is lost.
///
/// Needs a tokio runtime with timers and I/O enabled. With TLS, a program that has not chosen a cryptography provider
/// for rustls ([`CryptoProvider::install_default`](rustls::crypto::CryptoProvider::install_default)) gets aws-lc-rs for
/// the whole process with the first connection; to use another, install it before that.
///
/// Use one server, or one address for several; Redis Cluster is not supported, as keys are not made for its slots. Keys
/// contain home account ids. Values contain secrets, in plain unless encrypted (with feature `encrypted`).
///
/// ```
/// use auth_cache::{RedisStorage, TokenCache};
///
/// # fn main() -> Result<(), auth_cache::StorageError> {
/// let storage = RedisStorage::at("redis://127.0.0.1:6379")?.prefix("my-application");
/// let cache = TokenCache::partitioned(storage);
/// assert!(RedisStorage::at("redis://:password@redis.example").is_err(), "unencrypted");
/// assert!(RedisStorage::at("rediss://redis.example").is_err(), "no password");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStorage {
    address: Address,
    settings: Settings,
    link: Arc<Link>,
}

impl RedisStorage {
    /// Creates a store at `url`. It connects on first use.
    ///
    /// # Errors
    /// Returns [`StorageError`] if `url` is not a Redis address. The kind is
    /// [`StorageErrorKind::Insecure`](crate::StorageErrorKind::Insecure) if tokens would cross the network unencrypted,
    /// or `url` names another machine without a password.
    pub fn at(url: &str) -> Result<Self, StorageError> {
        Ok(Self::to(Address::parse(url)?))
    }

    /// Like [`at`](Self::at), but also accepts another machine without TLS or a password, for networks that no one else
    /// can access. Anyone on the path can read and change all tokens.
    ///
    /// # Errors
    /// Returns [`StorageError`] if `url` is not a Redis address.
    pub fn danger_at(url: &str) -> Result<Self, StorageError> {
        Ok(Self::to(Address::parse_any(url)?))
    }

    fn to(address: Address) -> Self {
        let settings = Settings::default();
        Self { link: Arc::new(Link::new(address.clone(), settings.deadline)), address, settings }
    }

    /// Trusts the certificate authorities in this PEM, such as a company's own, instead of those that the system
    /// trusts.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let authority = std::fs::read("/etc/ssl/company.pem")?;
    /// let storage = auth_cache::RedisStorage::at("rediss://:password@redis.example")?.trusting(&authority)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`StorageError`] if the PEM contains no certificate or an invalid one, or the address does not use TLS.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, StorageError> {
        self.address = self.address.trusting(pem)?;
        self.link = Arc::new(Link::new(self.address.clone(), self.settings.deadline));
        Ok(self)
    }

    /// Sets the prefix of all keys; `auth` by default. Caches with different prefixes share nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// Sets how long a value with a usable token may be used before it is read again; 30 seconds by default. A sign-out
    /// elsewhere may go unnoticed for that long.
    #[must_use]
    pub const fn staleness(mut self, staleness: Duration) -> Self {
        self.settings.staleness = staleness;
        self
    }

    /// Sets how long a user's partition is kept after the last write; 90 days by default, the lifetime of Entra's
    /// refresh tokens. A partition that contains only access tokens is kept until the last one expires.
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.lifetime = lifetime;
        self
    }

    /// Sets how long a command may take, including the connection; one second by default.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self.link = Arc::new(Link::new(self.address.clone(), deadline));
        self
    }

    /// Encrypts values with XChaCha20-Poly1305 and a random nonce for each write. All machines need the same key. A
    /// value that was modified, or belongs to another user, prefix or version, is moved aside, like one that is not
    /// JSON.
    ///
    /// Plain values, and those encrypted with another key, form a separate cache: with a new key, everyone must sign in
    /// again. Anyone with write access can put back an older value of the same user.
    #[cfg(feature = "encrypted")]
    #[must_use]
    pub fn encrypted(mut self, key: super::EncryptionKey) -> Self {
        self.settings.sealing = sealing::Sealing::with(key);
        self
    }

    fn names(&self) -> Names {
        Names::new(&self.settings)
    }

    fn error(&self, operation: &'static str) -> impl FnOnce(Failure) -> StorageError {
        let place = self.names().place();
        move |failure| failure.of(operation, place)
    }
}

impl PartitionedStorage for RedisStorage {
    fn partition(&self, key: &PartitionKey) -> Arc<dyn DynStorage> {
        Arc::new(RedisPartition::new(Arc::clone(&self.link), self.names(), key, &self.settings))
    }

    async fn users(&self) -> Result<Vec<PartitionKey>, StorageError> {
        let (names, mut cursor, mut users) = (self.names(), 0, Vec::new());
        loop {
            let page = names.users_page(cursor, PAGE);
            let (next, found): (u64, Vec<String>) = self.link.command(&page).await.map_err(self.error("listed"))?;
            // Users whose values were evicted or have expired are dropped from the index.
            let stored: Vec<String> =
                self.link.script(scripts::stored(&names, &found)).await.map_err(self.error("listed"))?;
            users.extend(stored.into_iter().map(|name| PartitionKey::User(name.into())));
            if next == 0 {
                return Ok(users);
            }
            cursor = next;
        }
    }

    async fn link(&self, user: &PartitionKey, assertion: &PartitionKey, until: Timestamp) -> Result<(), StorageError> {
        let linking = scripts::link(&self.names(), user, assertion, until.as_unix_seconds());
        self.link.script(linking).await.map_err(self.error("written"))
    }

    async fn linked(&self, user: &PartitionKey) -> Result<Vec<PartitionKey>, StorageError> {
        let linked = scripts::linked(&self.names(), user);
        let found: Vec<String> = self.link.script(linked).await.map_err(self.error("read"))?;
        Ok(found.into_iter().map(|name| PartitionKey::Assertion(name.into())).collect())
    }
}

/// Omits the address, which may contain a password.
impl fmt::Debug for RedisStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStorage").field("settings", &self.settings).finish_non_exhaustive()
    }
}
