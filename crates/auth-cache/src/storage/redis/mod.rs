//! The cache in Redis, for many machines. (Feature `redis`.)

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

/// How many accounts are asked for at once.
const PAGE: usize = 1_000;

/// Keeps each partition of a cache as a value of its own in Redis 6.2 or newer, for
/// [`TokenCache::partitioned`](crate::TokenCache::partitioned).
///
/// Where it is: `rediss://[user]:password@host[:port][/database]`, or `unix:///path?pass=password`. Without TLS, or without a
/// password, only addresses of this machine are taken (S-107). The certificate of the server is always checked: against the
/// authorities that the system trusts (`SSL_CERT_FILE` names others), or [those that are given](Self::trusting).
///
/// A value is replaced only by whoever read what it is, and goes by itself when nothing in it is of use. What others write is
/// seen [30 seconds](Self::staleness) later at the latest, and at once where a token must be redeemed or none is found. Each
/// command has [a second](Self::deadline); a server that does not answer is then left alone for a while, and the cache goes on
/// in memory (S-98). A value that the server evicted is a sign-in that is gone.
///
/// It needs a tokio runtime whose timers and I/O are enabled. With TLS, a program that has chosen no provider of cryptography for
/// rustls ([`CryptoProvider::install_default`](rustls::crypto::CryptoProvider::install_default)) gets aws-lc-rs as that of the
/// whole process with the first connection; one that wants another installs it before.
///
/// One server, or one that stands for several: keys are not made for the slots of Redis Cluster. Keys name home account
/// ids; contents hold secrets, in plain unless they are encrypted (with feature `encrypted`).
///
/// ```
/// use auth_cache::{RedisStorage, TokenCache};
///
/// # fn main() -> Result<(), auth_cache::StorageError> {
/// let storage = RedisStorage::at("redis://127.0.0.1:6379")?.prefix("my-application");
/// let cache = TokenCache::partitioned(storage);
/// assert!(RedisStorage::at("redis://:password@redis.example").is_err(), "in plain over the network");
/// assert!(RedisStorage::at("rediss://redis.example").is_err(), "for everybody");
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
    /// The store at `url`. Nothing is connected before it is used.
    ///
    /// # Errors
    /// [`StorageError`] of the kind [`StorageErrorKind::Insecure`](crate::StorageErrorKind::Insecure) where tokens would go over
    /// the network in plain, or anybody could ask for them; of another one where it is no address of Redis.
    pub fn at(url: &str) -> Result<Self, StorageError> {
        Ok(Self::to(Address::parse(url)?))
    }

    /// The same, also without TLS or without a password on another machine: for networks where nobody else is. Whoever is on
    /// the way reads and changes all tokens.
    ///
    /// # Errors
    /// [`StorageError`] where it is no address of Redis.
    pub fn danger_at(url: &str) -> Result<Self, StorageError> {
        Ok(Self::to(Address::parse_any(url)?))
    }

    fn to(address: Address) -> Self {
        let settings = Settings::default();
        Self { link: Arc::new(Link::new(address.clone(), settings.deadline)), address, settings }
    }

    /// The same, trusting the certificate authorities in this PEM, such as a company's own, and no others: also none that the
    /// system trusts.
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
    /// [`StorageError`] where the PEM holds no certificate, or one that is none, or the address is one without TLS.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, StorageError> {
        self.address = self.address.trusting(pem)?;
        self.link = Arc::new(Link::new(self.address.clone(), self.settings.deadline));
        Ok(self)
    }

    /// What keys begin with; `auth` unless it is said otherwise. Caches with different ones share nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// How long a value that was read is believed, where it has a token to hand out; 30 seconds unless it is said otherwise.
    /// A sign-out elsewhere is seen so late.
    #[must_use]
    pub const fn staleness(mut self, staleness: Duration) -> Self {
        self.settings.staleness = staleness;
        self
    }

    /// How long a user's partition is kept after it was written last; 90 days unless it is said otherwise, which is how long
    /// refresh tokens of Entra live. What has only access tokens is kept until the last of them expires.
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.lifetime = lifetime;
        self
    }

    /// How long a command may take, with connecting; a second unless it is said otherwise.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self.link = Arc::new(Link::new(self.address.clone(), deadline));
        self
    }

    /// The same, encrypted: XChaCha20-Poly1305 with a random nonce for each write. All machines need the same key. What was
    /// changed by somebody else, or belongs to another user, prefix or version, is moved aside, as is what is no JSON.
    ///
    /// What is in plain, or was encrypted with another key, is another cache: with a new key everybody signs in again. Who may
    /// write can put an older value of the same user back.
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
            // What the server evicted, or let expire, goes from the index too.
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

/// Without the address, in which there may be a password.
impl fmt::Debug for RedisStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStorage").field("settings", &self.settings).finish_non_exhaustive()
    }
}
