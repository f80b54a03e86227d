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
use super::turn::blocking;
#[cfg(any(target_os = "macos", windows))]
use native as platform;
#[cfg(all(unix, not(target_os = "macos")))]
use session as platform;
use slot::{Secrets, Slot};

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
        blocking(move || load(&platform::open()?, &slot)).await
    }

    async fn create(&self, name: &str) -> Result<EncryptionKey, KeyError> {
        let slot = self.slot(name);
        blocking(move || create(&platform::open()?, &slot)).await
    }
}

fn load(keyring: &impl Secrets, slot: &Slot) -> Result<Option<EncryptionKey>, KeyError> {
    let Some(secret) = keyring.load(slot)? else { return Ok(None) };
    let not_a_key =
        || KeyError::new(KeyErrorKind::NotAKey, "what the keyring has under its name is no key of 256 bits");
    EncryptionKey::from_slice(&secret).map(Some).ok_or_else(not_a_key)
}

fn create(keyring: &impl Secrets, slot: &Slot) -> Result<EncryptionKey, KeyError> {
    probe(keyring, slot)?;
    // The probe may have unlocked what hid it.
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

/// Finds out with an item of no value whether the keyring keeps what it is given.
fn probe(keyring: &impl Secrets, slot: &Slot) -> Result<(), KeyError> {
    let mut dummy = Zeroizing::new([0; 16]);
    random(&mut *dummy)?;
    // Two programs may do this at the same time.
    let digits: String = dummy.iter().map(|byte| format!("{byte:02x}")).collect();
    let slot = Slot { name: format!("probe {digits}"), ..slot.clone() };
    keyring.store(&slot, &*dummy)?;
    let kept = keyring.load(&slot);
    keyring.remove(&slot)?;
    if kept?.is_some_and(|kept| *kept == *dummy) { Ok(()) } else { Err(forgetful()) }
}

fn forgetful() -> KeyError {
    KeyError::new(KeyErrorKind::NoKeyring, "the keyring takes secrets, and does not keep them")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// A keyring that shows nothing of what it has before something is stored, as a locked one may.
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
    fn a_new_key_is_kept_alone() {
        let keyring = Veiled::default();
        let key = create(&keyring, &slot()).unwrap();
        assert_eq!(*keyring.secrets.borrow(), BTreeMap::from([("cache".to_owned(), key.expose().to_vec())]));
    }

    #[test]
    fn a_key_that_shows_late_is_used_and_not_replaced() {
        let keyring = Veiled::default();
        keyring.secrets.borrow_mut().insert("cache".to_owned(), vec![7; 32]);
        assert!(load(&keyring, &slot()).unwrap().is_none());
        assert_eq!(create(&keyring, &slot()).unwrap().expose(), &[7; 32]);
        assert_eq!(keyring.secrets.borrow()["cache"], [7; 32]);
    }

    #[test]
    fn a_keyring_that_keeps_nothing_is_found_out() {
        let keyring = Veiled { forgets: true, ..Veiled::default() };
        assert_eq!(create(&keyring, &slot()).unwrap_err().kind, KeyErrorKind::NoKeyring);
    }
}
