//! Items of the Secret Service of freedesktop.org, each found by its attributes.
//!
//! Each call has a connection and a session of its own, so that a keyring that was killed, locked or exchanged in between is
//! met as it is. Secrets go over D-Bus encrypted for that session.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use secret_service::{Collection, EncryptionType, Error, Item, SecretService};
use zeroize::Zeroizing;

use super::error::{KeyError, KeyErrorKind};

/// How long all of what is asked of a keyring together may take, prompts included (S-104).
const PATIENCE: Duration = Duration::from_secs(10);

/// What an item is found by.
pub(in crate::storage) type Attributes = BTreeMap<String, String>;

/// When whoever asks gives up. What is asked one after the other shares one.
#[derive(Clone, Copy, Debug)]
pub(in crate::storage) struct Deadline(Instant);

impl Deadline {
    /// For what begins now.
    pub(in crate::storage) fn new() -> Self {
        let now = Instant::now();
        Self(now.checked_add(PATIENCE).unwrap_or(now))
    }
}

/// Runs `work` against the Secret Service, on a runtime of its own: the one of the caller may have no I/O, and its clock may
/// be a test's. It blocks.
fn within<T>(
    Deadline(deadline): Deadline,
    work: impl AsyncFnOnce(SecretService<'_>) -> Result<T, Error>,
) -> Result<T, KeyError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| KeyError::new(KeyErrorKind::Other, error.to_string()))?;
    let work = async { work(SecretService::connect(EncryptionType::Dh).await?).await };
    match runtime.block_on(async { tokio::time::timeout_at(deadline.into(), work).await }) {
        Ok(done) => done.map_err(|error| key_error(&error)),
        Err(_) => Err(KeyError::new(
            KeyErrorKind::TimedOut,
            format!("the keyring did not answer within {} s; it may be waiting to be unlocked", PATIENCE.as_secs()),
        )),
    }
}

/// The secret of the item with these attributes. That there is none is believed only of a keyring that is unlocked.
pub(in crate::storage) fn load(
    attributes: &Attributes,
    deadline: Deadline,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    within(deadline, async |service| {
        let found = match item(&service, attributes).await? {
            Some(item) => Some(item),
            None => {
                // KeePassXC finds nothing in a database that is locked.
                unlocked_default(&service).await?;
                item(&service, attributes).await?
            }
        };
        match found {
            Some(item) => item.get_secret().await.map(|secret| Some(secret.into())),
            None => Ok(None),
        }
    })
}

/// Stores a secret in the place of the one that has these attributes, or as a new item of the default collection.
pub(in crate::storage) fn store(
    attributes: &Attributes,
    label: &str,
    secret: &[u8],
    content_type: &str,
    deadline: Deadline,
) -> Result<(), KeyError> {
    within(deadline, async |service| {
        if let Some(item) = item(&service, attributes).await? {
            return item.set_secret(secret, content_type).await;
        }
        let collection = unlocked_default(&service).await?;
        collection.create_item(label, borrowed(attributes), secret, true, content_type).await.map(drop)
    })
}

/// Removes the item with these attributes, if there is one.
pub(in crate::storage) fn remove(attributes: &Attributes, deadline: Deadline) -> Result<(), KeyError> {
    within(deadline, async |service| match item(&service, attributes).await? {
        Some(item) => item.delete().await,
        None => Ok(()),
    })
}

/// The item, unlocked.
async fn item<'a>(service: &'a SecretService<'_>, attributes: &Attributes) -> Result<Option<Item<'a>>, Error> {
    let found = service.search_items(borrowed(attributes)).await?;
    if let Some(item) = found.unlocked.into_iter().next() {
        return Ok(Some(item));
    }
    let Some(item) = found.locked.into_iter().next() else { return Ok(None) };
    item.unlock().await?;
    Ok(Some(item))
}

/// The collection in which new items are, unlocked.
async fn unlocked_default<'a>(service: &'a SecretService<'_>) -> Result<Collection<'a>, Error> {
    let collection = service.get_default_collection().await?;
    if collection.is_locked().await? {
        collection.unlock().await?;
        // Not every keyring says that its user has refused.
        if collection.is_locked().await? {
            return Err(Error::Locked);
        }
    }
    Ok(collection)
}

fn borrowed(attributes: &Attributes) -> HashMap<&str, &str> {
    attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn key_error(error: &Error) -> KeyError {
    let text = error.to_string();
    match error {
        Error::Locked | Error::Prompt | Error::PromptDisconnected => locked(),
        Error::Zbus(_) | Error::ZbusFdo(_) if text.contains("IsLocked") => locked(),
        Error::NoResult => no_keyring("it has no default collection"),
        Error::Unavailable | Error::Zbus(_) | Error::ZbusFdo(_) => no_keyring(&text),
        _ => KeyError::new(KeyErrorKind::Other, format!("the keyring answered what it should not: {text}")),
    }
}

fn locked() -> KeyError {
    KeyError::new(KeyErrorKind::Locked, "the keyring is locked, and was not unlocked")
}

fn no_keyring(why: &str) -> KeyError {
    let reason = format!(
        "there is no keyring here ({why}): start one, such as gnome-keyring, KWallet or KeePassXC, or have a new cache plain \
         (`allow_plaintext_fallback`, `--allow-plaintext-fallback`)"
    );
    KeyError::new(KeyErrorKind::NoKeyring, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_do() {
        for (error, kind, named) in [
            (Error::Unavailable, KeyErrorKind::NoKeyring, "gnome-keyring"),
            (Error::NoResult, KeyErrorKind::NoKeyring, "default collection"),
            (Error::Locked, KeyErrorKind::Locked, "locked"),
            (Error::Prompt, KeyErrorKind::Locked, "locked"),
            (Error::Crypto("x"), KeyErrorKind::Other, "x"),
        ] {
            let told = key_error(&error);
            assert_eq!(told.kind, kind);
            assert!(told.reason.contains(named), "{told}");
        }
    }
}
