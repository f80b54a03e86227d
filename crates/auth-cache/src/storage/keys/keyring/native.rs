//! The Keychain of macOS and the Credential Manager of Windows. The tests use a mock store.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use super::slot::{Secrets, Slot};
use crate::storage::keys::error::{KeyError, KeyErrorKind};

/// The keyring of the operating system.
pub(super) struct Native(Arc<CredentialStore>);

#[cfg(target_os = "macos")]
pub(super) fn open() -> Result<Native, KeyError> {
    Ok(Native(apple_native_keyring_store::keychain::Store::new().map_err(|error| key_error(&error))?))
}

#[cfg(windows)]
pub(super) fn open() -> Result<Native, KeyError> {
    Ok(Native(windows_native_keyring_store::Store::new().map_err(|error| key_error(&error))?))
}

impl Native {
    fn entry(&self, slot: &Slot) -> Result<Entry, KeyError> {
        self.0.build(&slot.application, &slot.name, None).map_err(|error| key_error(&error))
    }
}

impl Secrets for Native {
    fn load(&self, slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        match self.entry(slot)?.get_secret() {
            Ok(secret) => Ok(Some(secret.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(key_error(&error)),
        }
    }

    fn store(&self, slot: &Slot, secret: &[u8]) -> Result<(), KeyError> {
        self.entry(slot)?.set_secret(secret).map_err(|error| key_error(&error))
    }

    fn remove(&self, slot: &Slot) -> Result<(), KeyError> {
        match self.entry(slot)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(key_error(&error)),
        }
    }
}

fn key_error(error: &Error) -> KeyError {
    // Some errors contain what was stored; their messages do not.
    let kind = match error {
        Error::NoStorageAccess(_) => KeyErrorKind::Locked,
        Error::NoDefaultStore | Error::NotSupportedByStore(_) => KeyErrorKind::NoKeyring,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyErrorKind::NotAKey,
        _ => KeyErrorKind::Other,
    };
    let reason = match error {
        Error::BadDataFormat(..) => "the item in the keyring is malformed".to_owned(),
        error => error.to_string(),
    };
    KeyError::new(kind, reason)
}

#[cfg(test)]
mod tests {
    use keyring_core::mock;

    use super::*;

    fn slot(name: &str) -> Slot {
        Slot { application: "auth".into(), name: name.to_owned() }
    }

    #[test]
    fn each_name_has_its_own_secret() {
        let store = Native(mock::Store::new().unwrap());
        let [one, other] = [slot("one"), slot("other")];
        let load = |slot: &Slot| store.load(slot).unwrap().map(|secret| secret.to_vec());
        assert_eq!(load(&one), None);
        store.store(&one, &[1; 32]).unwrap();
        store.store(&one, &[2; 32]).unwrap();
        assert_eq!((load(&one), load(&other)), (Some(vec![2; 32]), None));
        store.remove(&one).unwrap();
        store.remove(&one).unwrap();
        assert_eq!(load(&one), None);
    }

    #[test]
    fn errors_have_their_kind_and_contain_no_secret() {
        let secret = b"the key itself".to_vec();
        for (error, kind) in [
            (Error::NoStorageAccess("denied".into()), KeyErrorKind::Locked),
            (Error::NoDefaultStore, KeyErrorKind::NoKeyring),
            (Error::BadEncoding(secret.clone()), KeyErrorKind::NotAKey),
            (Error::BadDataFormat(secret, "the key itself".into()), KeyErrorKind::NotAKey),
            (Error::PlatformFailure("x".into()), KeyErrorKind::Other),
        ] {
            let shown = key_error(&error);
            assert_eq!(shown.kind, kind);
            assert!(!shown.reason.contains("the key itself"), "{shown}");
        }
    }
}
