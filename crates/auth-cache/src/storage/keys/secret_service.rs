//! Items of the Secret Service of freedesktop.org, found by their attributes.
//!
//! Each call opens its own connection and session, so that it sees the current keyring even if the last one was killed,
//! locked or replaced. Secrets cross D-Bus encrypted for that session.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use secret_service::{Collection, EncryptionType, Error, Item, SecretService};
use zeroize::Zeroizing;

use super::error::{KeyError, KeyErrorKind};

/// How long all requests of one operation may take together, prompts included (S-104).
const PATIENCE: Duration = Duration::from_secs(10);

/// The attributes by which an item is found.
pub(in crate::storage) type Attributes = BTreeMap<String, String>;

/// When to give up. The requests of one operation share a deadline.
#[derive(Clone, Copy, Debug)]
pub(in crate::storage) struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline of an operation that begins now.
    pub(in crate::storage) fn new() -> Self {
        let now = Instant::now();
        Self(now.checked_add(PATIENCE).unwrap_or(now))
    }
}

/// Runs `work` against the Secret Service and blocks. It uses a runtime of its own, because the caller's may lack I/O
/// or have a paused clock.
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

/// Returns the secret of the item with these attributes; `None` only if the keyring is unlocked and has no such item.
pub(in crate::storage) fn load(
    attributes: &Attributes,
    deadline: Deadline,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    within(deadline, async |service| {
        let found = match item(&service, attributes).await? {
            Some(item) => Some(item),
            None => {
                // KeePassXC finds nothing in a locked database.
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

/// Stores a secret in the item with these attributes, or else in a new item of the default collection.
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

/// Finds and unlocks the item with these attributes.
async fn item<'a>(service: &'a SecretService<'_>, attributes: &Attributes) -> Result<Option<Item<'a>>, Error> {
    let found = service.search_items(borrowed(attributes)).await?;
    if let Some(item) = found.unlocked.into_iter().next() {
        return Ok(Some(item));
    }
    let Some(item) = found.locked.into_iter().next() else { return Ok(None) };
    item.unlock().await?;
    Ok(Some(item))
}

/// Returns the collection for new items, unlocked.
async fn unlocked_default<'a>(service: &'a SecretService<'_>) -> Result<Collection<'a>, Error> {
    let collection = service.get_default_collection().await?;
    if collection.is_locked().await? {
        collection.unlock().await?;
        // Not every keyring reports that the user refused.
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
        Error::NoResult => no_keyring("no default collection"),
        Error::Unavailable | Error::Zbus(_) | Error::ZbusFdo(_) => no_keyring(&text),
        _ => KeyError::new(KeyErrorKind::Other, format!("unexpected answer from the keyring: {text}")),
    }
}

fn locked() -> KeyError {
    KeyError::new(KeyErrorKind::Locked, "the keyring is locked; unlock it and try again")
}

fn no_keyring(why: &str) -> KeyError {
    let reason = format!(
        "no keyring is available ({why}): start one, such as gnome-keyring, KWallet or KeePassXC, or allow a new cache to be \
         plain (`allow_plaintext_fallback`, `--allow-plaintext-fallback`)"
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
            let shown = key_error(&error);
            assert_eq!(shown.kind, kind);
            assert!(shown.reason.contains(named), "{shown}");
        }
    }
}
