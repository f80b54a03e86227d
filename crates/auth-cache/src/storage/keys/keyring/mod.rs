//! Keys in the user's keyring (S-104, S-105).

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
use super::turn::blocking;
#[cfg(any(target_os = "macos", windows))]
use native as platform;
#[cfg(all(unix, not(target_os = "macos")))]
use session as platform;
use slot::{Secrets, Slot};

/// The user's keyring: the Secret Service of freedesktop.org (gnome-keyring, KWallet, KeePassXC), the Keychain on
/// macOS, the Credential Manager on Windows. The last two are not tested.
///
/// It holds one item per key, and never the cache itself. A locked keyring asks the user, who has ten seconds to unlock
/// it (S-104). Before the first key is stored, a dummy item is written, read back and removed, to detect a keyring that
/// accepts secrets but does not keep them. While the keyring is unlocked, every program of the same user can read it.
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
    /// Creates a source for the keys of an application, whose name users see when they open the keyring.
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
        blocking(move || load(&platform::open()?, &slot)).await
    }

    async fn create(&self, name: &str) -> Result<EncryptionKey, KeyError> {
        let slot = self.slot(name);
        blocking(move || create(&platform::open()?, &slot)).await
    }
}

fn load(keyring: &impl Secrets, slot: &Slot) -> Result<Option<EncryptionKey>, KeyError> {
    let Some(secret) = keyring.load(slot)? else { return Ok(None) };
    let not_a_key = || KeyError::new(KeyErrorKind::NotAKey, "the item in the keyring is not a 256-bit key");
    EncryptionKey::from_slice(&secret).map(Some).ok_or_else(not_a_key)
}

fn create(keyring: &impl Secrets, slot: &Slot) -> Result<EncryptionKey, KeyError> {
    probe(keyring, slot)?;
    // The probe may have unlocked a keyring that hid the key.
    if let Some(key) = load(keyring, slot)? {
        return Ok(key);
    }
    let key = EncryptionKey::generate()?;
    keyring.store(slot, key.expose())?;
    match load(keyring, slot)? {
        Some(kept) if kept.expose() == key.expose() => Ok(key),
        Some(_) | None => Err(forgetful()),
    }
}

/// Checks with a dummy item that the keyring keeps what it is given.
fn probe(keyring: &impl Secrets, slot: &Slot) -> Result<(), KeyError> {
    let mut dummy = Zeroizing::new([0; 16]);
    random(&mut *dummy)?;
    // A random name, because two programs may probe at the same time.
    let digits: String = dummy.iter().map(|byte| format!("{byte:02x}")).collect();
    let slot = Slot { name: format!("probe {digits}"), ..slot.clone() };
    keyring.store(&slot, &*dummy)?;
    let kept = keyring.load(&slot);
    keyring.remove(&slot)?;
    if kept?.is_some_and(|kept| *kept == *dummy) { Ok(()) } else { Err(forgetful()) }
}

fn forgetful() -> KeyError {
    KeyError::new(KeyErrorKind::NoKeyring, "the keyring accepts secrets but does not keep them")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// A keyring that hides its content until something is stored, as a locked one may.
    #[derive(Default)]
    struct Veiled {
        secrets: RefCell<BTreeMap<String, Vec<u8>>>,
        is_open: RefCell<bool>,
        forgets: bool,
    }

    impl Secrets for Veiled {
        fn load(&self, slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
            let found = self.secrets.borrow().get(&slot.name).cloned();
            Ok(found.filter(|_| *self.is_open.borrow()).map(Zeroizing::new))
        }

        fn store(&self, slot: &Slot, secret: &[u8]) -> Result<(), KeyError> {
            *self.is_open.borrow_mut() = true;
            if !self.forgets {
                self.secrets.borrow_mut().insert(slot.name.clone(), secret.to_vec());
            }
            Ok(())
        }

        fn remove(&self, slot: &Slot) -> Result<(), KeyError> {
            self.secrets.borrow_mut().remove(&slot.name);
            Ok(())
        }
    }

    fn slot() -> Slot {
        Keyring::new("app").slot("cache")
    }

    #[test]
    fn creating_a_key_leaves_nothing_but_the_key() {
        let keyring = Veiled::default();
        let key = create(&keyring, &slot()).unwrap();
        assert_eq!(*keyring.secrets.borrow(), BTreeMap::from([("cache".to_owned(), key.expose().to_vec())]));
    }

    #[test]
    fn a_key_that_unlocking_reveals_is_used_and_not_replaced() {
        let keyring = Veiled::default();
        keyring.secrets.borrow_mut().insert("cache".to_owned(), vec![7; 32]);
        assert!(load(&keyring, &slot()).unwrap().is_none());
        assert_eq!(create(&keyring, &slot()).unwrap().expose(), &[7; 32]);
        assert_eq!(keyring.secrets.borrow()["cache"], [7; 32]);
    }

    #[test]
    fn a_keyring_that_keeps_nothing_is_detected() {
        let keyring = Veiled { forgets: true, ..Veiled::default() };
        assert_eq!(create(&keyring, &slot()).unwrap_err().kind, KeyErrorKind::NoKeyring);
    }
}
