//! The Keychain of macOS, the Credential Manager of Windows. The stores themselves are not tested here.

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use super::slot::Slot;
use crate::storage::keys::error::{KeyError, KeyErrorKind};

#[cfg(any(target_os = "macos", windows))]
pub(super) fn load(slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    load_from(&*store_of_the_user()?, slot)
}

#[cfg(any(target_os = "macos", windows))]
pub(super) fn store(slot: &Slot, secret: &[u8]) -> Result<(), KeyError> {
    store_in(&*store_of_the_user()?, slot, secret)
}

#[cfg(any(target_os = "macos", windows))]
pub(super) fn remove(slot: &Slot) -> Result<(), KeyError> {
    remove_from(&*store_of_the_user()?, slot)
}

#[cfg(target_os = "macos")]
fn store_of_the_user() -> Result<std::sync::Arc<CredentialStore>, KeyError> {
    Ok(apple_native_keyring_store::keychain::Store::new().map_err(|error| key_error(&error))?)
}

#[cfg(windows)]
fn store_of_the_user() -> Result<std::sync::Arc<CredentialStore>, KeyError> {
    Ok(windows_native_keyring_store::Store::new().map_err(|error| key_error(&error))?)
}

fn entry(store: &CredentialStore, slot: &Slot) -> Result<Entry, KeyError> {
    store.build(&slot.application, &slot.name, None).map_err(|error| key_error(&error))
}

fn load_from(store: &CredentialStore, slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    match entry(store, slot)?.get_secret() {
        Ok(secret) => Ok(Some(secret.into())),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(key_error(&error)),
    }
}

fn store_in(store: &CredentialStore, slot: &Slot, secret: &[u8]) -> Result<(), KeyError> {
    entry(store, slot)?.set_secret(secret).map_err(|error| key_error(&error))
}

fn remove_from(store: &CredentialStore, slot: &Slot) -> Result<(), KeyError> {
    match entry(store, slot)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(key_error(&error)),
    }
}

fn key_error(error: &Error) -> KeyError {
    // Some errors hold what was stored; their texts do not.
    let kind = match error {
        Error::NoStorageAccess(_) => KeyErrorKind::Locked,
        Error::NoDefaultStore | Error::NotSupportedByStore(_) => KeyErrorKind::NoKeyring,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyErrorKind::NotAKey,
        _ => KeyErrorKind::Other,
    };
    let reason = match error {
        Error::BadDataFormat(..) => "what the keyring has is malformed".to_owned(),
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
    fn each_name_has_a_secret_of_its_own() {
        let store: std::sync::Arc<CredentialStore> = mock::Store::new().unwrap();
        let [one, other] = [slot("one"), slot("other")];
        let load = |slot: &Slot| load_from(&*store, slot).unwrap().map(|secret| secret.to_vec());
        assert_eq!(load(&one), None);
        store_in(&*store, &one, &[1; 32]).unwrap();
        store_in(&*store, &one, &[2; 32]).unwrap();
        assert_eq!((load(&one), load(&other)), (Some(vec![2; 32]), None));
        remove_from(&*store, &one).unwrap();
        remove_from(&*store, &one).unwrap();
        assert_eq!(load(&one), None);
    }

    #[test]
    fn errors_are_told_apart_and_hold_no_secret() {
        let secret = b"the key itself".to_vec();
        for (error, kind) in [
            (Error::NoStorageAccess("denied".into()), KeyErrorKind::Locked),
            (Error::NoDefaultStore, KeyErrorKind::NoKeyring),
            (Error::BadEncoding(secret.clone()), KeyErrorKind::NotAKey),
            (Error::BadDataFormat(secret, "the key itself".into()), KeyErrorKind::NotAKey),
            (Error::PlatformFailure("x".into()), KeyErrorKind::Other),
        ] {
            let told = key_error(&error);
            assert_eq!(told.kind, kind);
            assert!(!told.reason.contains("the key itself"), "{told}");
        }
    }
}
