//! The Secret Service item in which an MSAL extension library keeps its cache on Linux.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auth_core::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::file::FileForm;
use super::keys::secret_service::{self, Attributes, Deadline};
use super::keys::{KeyError, Turn, blocking};
use super::{
    BoxedLock, FileStorage, LockBudget, LockName, Replaced, Storage, StorageError, StorageErrorKind, Stored, Version,
};
use crate::event::Observer;

/// The attribute in which libsecret stores the name of a schema.
const SCHEMA: &str = "xdg:schema";
/// What MSAL Node writes to its signal file. Only the file's time matters.
const SIGNAL: &[u8] = b"{}";

/// Shares the cache that another application keeps in the user's keyring on Linux, with an MSAL extension library.
/// (Feature `secret-service`.)
///
/// The document is the secret of one item. The modification time of a file signals changes of the item, and the lock of
/// that file is the lock of the cache; its content is never read. A document that was read in base64 is written in
/// base64.
///
/// If a writer dies between writing the item and touching the file, others notice its change only with the next one.
/// For your own application prefer [`EncryptedFileStorage`](crate::EncryptedFileStorage): a keyring is not made for
/// secrets that are large or change often.
///
/// ```no_run
/// use auth_cache::{FileStorage, SecretItemStorage};
///
/// # fn example() -> Result<(), auth_cache::StorageError> {
/// // LibsecretPersistence(path, schema_name="com.contoso.app", attributes={"app": "one"})
/// let file = FileStorage::at("/home/ada/.contoso/msal.cache")?;
/// let of_python = SecretItemStorage::msal_python(file, Some("com.contoso.app"), [("app", "one")]);
/// // LibSecretPersistence.create(path, "contoso", "one")
/// let file = FileStorage::at("/home/ada/.contoso/cache.json")?;
/// let of_node = SecretItemStorage::msal_node(file, "contoso", "one");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SecretItemStorage {
    file: FileStorage,
    attributes: Arc<Attributes>,
    label: Arc<str>,
    /// Whether the document last read was in base64; before the first read, whether the library writes base64.
    base64: Arc<AtomicBool>,
    turn: Arc<Turn>,
}

impl SecretItemStorage {
    /// Opens the item of `LibsecretPersistence` of MSAL Extensions for Python, with the same file, schema name and
    /// attributes. Without a schema name, as with `build_encrypted_persistence`, the schema name is the SHA-256 of the
    /// path; the Python program must then use exactly the path of `file`.
    #[must_use]
    pub fn msal_python(
        file: FileStorage,
        schema_name: Option<&str>,
        attributes: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let digest = Sha256::digest(file.path().as_os_str().as_encoded_bytes());
        let of_path = || digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let schema = schema_name.map_or_else(of_path, str::to_owned);
        Self::with_schema(schema, attributes, "", file)
    }

    /// Opens the item of `LibSecretPersistence` of MSAL Node Extensions, with the same file, service and account name.
    #[must_use]
    pub fn msal_node(file: FileStorage, service: &str, account: &str) -> Self {
        let attributes = [(SCHEMA, "org.freedesktop.Secret.Generic"), ("service", service), ("account", account)];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self::new(attributes.into(), &format!("{service}/{account}"), file)
    }

    /// Opens the item of MSAL Extensions for .NET, Java or Go, which write base64, with the schema name, attributes,
    /// label and file that the application gives to its library.
    ///
    /// ```no_run
    /// use auth_cache::{FileStorage, SecretItemStorage};
    ///
    /// # fn example() -> Result<(), auth_cache::StorageError> {
    /// // WithLinuxKeyring("com.contoso.app", "default", "MSALCache", ("Version", "1"), ("Product", "one"))
    /// let file = FileStorage::at("/home/ada/.contoso/msal.cache")?;
    /// let attributes = [("Version", "1"), ("Product", "one")];
    /// let of_dotnet = SecretItemStorage::msal("com.contoso.app", attributes, "MSALCache", file);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn msal(
        schema_name: &str,
        attributes: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        label: &str,
        file: FileStorage,
    ) -> Self {
        Self { base64: Arc::new(true.into()), ..Self::with_schema(schema_name.to_owned(), attributes, label, file) }
    }

    fn with_schema(
        schema_name: String,
        attributes: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        label: &str,
        file: FileStorage,
    ) -> Self {
        let attributes = attributes.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::new(attributes.chain([(SCHEMA.to_owned(), schema_name)]).collect(), label, file)
    }

    fn new(attributes: Attributes, label: &str, file: FileStorage) -> Self {
        let (attributes, label) = (Arc::new(attributes), label.into());
        Self { file, attributes, label, base64: Arc::default(), turn: Arc::default() }
    }

    /// Returns the secret for a document.
    fn encode(&self, content: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        match self.base64.load(Ordering::Relaxed) {
            true => Zeroizing::new(STANDARD.encode(&content).into_bytes()),
            false => content,
        }
    }

    /// Returns the attributes of the item to which an unreadable document is moved; no library looks for it.
    fn aside(&self) -> Attributes {
        let path = self.file.path().display().to_string();
        [(SCHEMA.to_owned(), "auth.CorruptTokenCache".to_owned()), ("file".to_owned(), path)].into()
    }

    /// Runs `work` on a thread where it may wait for the user.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Self, Deadline) -> Result<T, KeyError> + Send + 'static,
    ) -> Result<T, StorageError> {
        // Held until the work is complete, even if the caller has given up.
        let (storage, lock) = (self.clone(), self.file.held_lock());
        let work = move || {
            let done = work(&storage, Deadline::new());
            drop(lock);
            done
        };
        let done = self.turn.ask(blocking(work)).await;
        done.map_err(|error| self.error(operation, error).with_kind(StorageErrorKind::KeyUnavailable))
    }

    fn error(&self, operation: &'static str, reason: impl fmt::Display) -> StorageError {
        StorageError::new(operation, format!("in the keyring (of {})", self.file.path().display()), reason)
    }
}

/// Returns the document in a secret, and whether it was in base64.
fn decode(secret: Zeroizing<Vec<u8>>) -> (Zeroizing<Vec<u8>>, bool) {
    // Any four letters could be base64; it counts only if it decodes to a document.
    match STANDARD.decode(secret.trim_ascii()).map(Zeroizing::new) {
        Ok(decoded) if FileForm::of(&decoded) == FileForm::Plain => (decoded, true),
        Ok(_) | Err(_) => (secret, false),
    }
}

impl Storage for SecretItemStorage {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(&self.file)
    }

    async fn read(&self, _observer: &Observer) -> Result<Stored, StorageError> {
        // Before the item is read: a writer touches the file after it changes the item.
        let Some(signal) = self.file.signal()? else {
            return Ok(Stored { content: Zeroizing::default(), version: Version::NONE });
        };
        let secret =
            self.blocking("read", |storage, deadline| secret_service::load(&storage.attributes, deadline)).await?;
        let (content, base64) = decode(secret.unwrap_or_default());
        if !content.is_empty() {
            self.base64.store(base64, Ordering::Relaxed);
        }
        let version = signal.version(&content);
        Ok(Stored { content, version })
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        if !self.file.is_still(expected)? {
            return Ok(Replaced::Conflict);
        }
        let content = self.encode(content);
        let store = move |storage: &Self, deadline| {
            secret_service::store(&storage.attributes, &storage.label, &content, "text/plain", deadline)
        };
        self.blocking("written", store).await?;
        self.file.replace(SIGNAL.to_vec().into(), expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        let move_aside = |storage: &Self, deadline| {
            if let Some(secret) = secret_service::load(&storage.attributes, deadline)? {
                let label = format!("unreadable token cache of {}", storage.file.path().display());
                secret_service::store(&storage.aside(), &label, &secret, "text/plain", deadline)?;
                secret_service::remove(&storage.attributes, deadline)?;
            }
            Ok(())
        };
        self.blocking("set aside", move_aside).await?;
        let now = Storage::version(&self.file)?;
        self.file.replace(SIGNAL.to_vec().into(), now, None, &Observer::default()).await?;
        Ok(format!("the keyring, as auth.CorruptTokenCache of {}", self.file.path().display()))
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        self.file.lock(name, budget, observer).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_be_plain_or_in_base64() {
        for (secret, content, base64) in [
            ("{}", "{}", false),
            ("e30=", "{}", true),
            ("e30=\n", "{}", true),
            ("", "", false),
            ("nonsense!", "nonsense!", false),
            ("anew", "anew", false),
        ] {
            let (decoded, was_base64) = decode(secret.as_bytes().to_vec().into());
            assert_eq!((decoded.as_slice(), was_base64), (content.as_bytes(), base64), "{secret}");
        }
    }

    #[test]
    fn items_have_the_attributes_of_their_library() {
        let file = || FileStorage::at("/tmp/msal.cache").unwrap();
        let python = SecretItemStorage::msal_python(file(), None, [("a", "b")]);
        let hash = "519591cbf15920aa25d1ee9d32390c585ae6e2582e3308a0b46eb6c8b1ad7631";
        assert_eq!((python.attributes["a"].as_str(), python.attributes[SCHEMA].as_str()), ("b", hash));
        let python = SecretItemStorage::msal_python(file(), Some("s"), [("a", "b")]);
        assert_eq!(python.attributes[SCHEMA], "s");
        let node = SecretItemStorage::msal_node(file(), "s", "a");
        assert_eq!((node.attributes["service"].as_str(), node.attributes["account"].as_str()), ("s", "a"));
        assert_eq!((&*node.label, node.attributes.len()), ("s/a", 3));
        let dotnet = SecretItemStorage::msal("s", [("a", "b")], "MSALCache", file());
        assert_eq!((dotnet.attributes["a"].as_str(), dotnet.attributes[SCHEMA].as_str()), ("b", "s"));
        assert_eq!((&*dotnet.label, dotnet.attributes.len()), ("MSALCache", 2));
    }

    #[test]
    fn a_document_is_written_as_it_was_read_or_else_as_the_library_writes_it() {
        let file = || FileStorage::at("/tmp/msal.cache").unwrap();
        let document = || Zeroizing::new(b"{}".to_vec());
        for (storage, written) in [
            (SecretItemStorage::msal_python(file(), Some("s"), [("a", "b")]), "{}"),
            (SecretItemStorage::msal_node(file(), "s", "a"), "{}"),
            (SecretItemStorage::msal("s", [("a", "b")], "l", file()), "e30="),
        ] {
            assert_eq!(storage.encode(document()).as_slice(), written.as_bytes());
            storage.base64.store(true, Ordering::Relaxed);
            assert_eq!(storage.encode(document()).as_slice(), b"e30=", "as it was read");
        }
    }
}
