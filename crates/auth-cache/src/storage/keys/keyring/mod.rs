//! Keys in the keyring of the user (S-104, S-105).

#[cfg(any(target_os = "macos", windows, test))]
mod native;
#[cfg(all(unix, not(target_os = "macos")))]
mod session;
mod slot;

use std::sync::Arc;

use zeroize::Zeroizing;

use super::error::{KeyError, KeyErrorKind};
use super::key::{EncryptionKey, random};
use super::source::KeySource;
#[cfg(any(target_os = "macos", windows))]
use native as platform;
#[cfg(all(unix, not(target_os = "macos")))]
use session as platform;
use slot::Slot;

/// The keyring of the user: the Secret Service of freedesktop.org (gnome-keyring, KWallet, KeePassXC), the Keychain on macOS,
/// the Credential Manager on Windows. The last two are not tested.
///
/// Only keys lie there, each as an item of its own, never the cache. A keyring that is locked asks its user, who has ten
/// seconds (S-104). Before the first key is kept, another item of no value is written, read and removed: a keyring that takes what
/// it does not keep is found out then. Whatever runs as the same user while the keyring is unlocked can read it.
///
/// ```no_run
/// use auth_cache::{EncryptedFileStorage, FileStorage, Keyring};
///
/// # fn example() -> Result<(), auth_cache::StorageError> {
/// let file = FileStorage::at("/home/ada/.local/share/my-application/cache")?;
/// let storage = EncryptedFileStorage::new(file, "my-client-id", Keyring::new("my-application"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Keyring {
    application: Arc<str>,
}

impl Keyring {
    /// The keyring, with the keys of an application. Its name is shown to the user who looks into the keyring.
    #[must_use]
    pub fn new(application: impl Into<Arc<str>>) -> Self {
        Self { application: application.into() }
    }

    fn slot(&self, name: &str) -> Slot {
        Slot { application: Arc::clone(&self.application), name: name.to_owned() }
    }
}

impl KeySource for Keyring {
    async fn key(&self, name: &str) -> Result<Option<EncryptionKey>, KeyError> {
        let slot = self.slot(name);
        blocking(move || load(&slot)).await
    }

    async fn create(&self, name: &str) -> Result<EncryptionKey, KeyError> {
        let slot = self.slot(name);
        blocking(move || create(&slot)).await
    }
}

/// Runs `work` where it may wait for a user.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(KeyError::new(KeyErrorKind::Other, format!("the keyring was not asked: {error}"))))
}

fn load(slot: &Slot) -> Result<Option<EncryptionKey>, KeyError> {
    let Some(secret) = platform::load(slot)? else { return Ok(None) };
    let not_a_key =
        || KeyError::new(KeyErrorKind::NotAKey, "what the keyring has under its name is no key of 256 bits");
    EncryptionKey::from_slice(&secret).map(Some).ok_or_else(not_a_key)
}

fn create(slot: &Slot) -> Result<EncryptionKey, KeyError> {
    probe(slot)?;
    let key = EncryptionKey::generate()?;
    platform::store(slot, key.expose())?;
    match load(slot)? {
        Some(kept) if kept.expose() == key.expose() => Ok(key),
        Some(_) | None => Err(forgetful()),
    }
}

/// Finds out with an item of no value whether the keyring keeps what it is given.
fn probe(slot: &Slot) -> Result<(), KeyError> {
    let mut dummy = Zeroizing::new([0; 16]);
    random(&mut *dummy)?;
    // Two programs may do this at the same time.
    let digits: String = dummy.iter().map(|byte| format!("{byte:02x}")).collect();
    let slot = Slot { name: format!("probe {digits}"), ..slot.clone() };
    platform::store(&slot, &*dummy)?;
    let kept = platform::load(&slot);
    platform::remove(&slot)?;
    if kept?.is_some_and(|kept| *kept == *dummy) { Ok(()) } else { Err(forgetful()) }
}

fn forgetful() -> KeyError {
    KeyError::new(KeyErrorKind::NoKeyring, "the keyring takes secrets, and does not keep them")
}
