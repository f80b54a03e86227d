//! The client that the flags describe.

use std::path::{Path, PathBuf};

use auth::{
    Authority, EncryptedFileStorage, FileForm, FileStorage, Keyring, Observer, PublicClient, PublicClientBuilder,
    Storage as _, StorageError, StorageErrorKind, Stored,
};
use etcetera::BaseStrategy as _;

use crate::args::{AppArgs, CacheArgs};
use crate::failure::Failure;
use crate::terminal;

impl AppArgs {
    /// Returns a client for `auth token`: an unavailable cache does not prevent a sign-in.
    pub(crate) fn client(&self) -> Result<PublicClientBuilder, Failure> {
        let client = self.without_cache()?;
        if self.no_cache {
            return Ok(client);
        }
        Ok(match self.store() {
            Ok(store) => store.of(client),
            Err(reason) => {
                terminal::say(format_args!("auth: warning: tokens are not cached: {reason}"));
                client
            }
        })
    }

    /// Returns a client for commands that are about the cache.
    pub(crate) fn cache_client(&self) -> Result<PublicClient, Failure> {
        let client = self.without_cache()?;
        let client =
            if self.no_cache { client } else { self.store().map_err(|reason| Failure::cache(&reason))?.of(client) };
        Ok(client.build()?)
    }

    fn without_cache(&self) -> Result<PublicClientBuilder, Failure> {
        let authority = match (&self.tenant, &self.authority, &self.oidc_issuer) {
            (Some(tenant), _, _) => Authority::tenant(tenant)?,
            (None, Some(url), _) => Authority::parse(url)?,
            (None, None, Some(issuer)) => Authority::oidc(issuer)?,
            (None, None, None) => Authority::tenant("common")?,
        };
        let client = PublicClient::builder(&self.client_id).authority(authority).multi_cloud_support(self.multi_cloud);
        Ok(client.application("auth", env!("CARGO_PKG_VERSION")))
    }

    fn store(&self) -> Result<CacheStore, String> {
        match &self.cache_file {
            Some(path) => CacheStore::named(path),
            None => CacheStore::own(&self.client_id, self.allow_plaintext_fallback),
        }
    }
}

impl CacheArgs {
    /// Returns the selected store.
    pub(crate) fn store(&self) -> Result<CacheStore, Failure> {
        let store = match &self.cache_file {
            Some(path) => CacheStore::named(path),
            None => CacheStore::own(self.client_id.as_deref().unwrap_or_default(), false),
        };
        store.map_err(|reason| Failure::cache(&reason))
    }
}

/// The store of the cache.
pub(crate) enum CacheStore {
    /// The plain file that the user named, in any folder.
    Named(FileStorage),
    /// The default file of this user and client.
    Own(EncryptedFileStorage),
}

impl CacheStore {
    fn named(path: &Path) -> Result<Self, String> {
        FileStorage::at(path).map(Self::Named).map_err(|error| error.to_string())
    }

    fn own(client_id: &str, allows_plaintext: bool) -> Result<Self, String> {
        // An existing plain file is used as it is, with a warning: no one loses a sign-in.
        let storage = own_storage(client_id)?.allow_existing_plaintext();
        Ok(Self::Own(if allows_plaintext { storage.allow_plaintext_fallback() } else { storage }))
    }

    /// Returns the file, for its path and state.
    pub(crate) const fn file(&self) -> &FileStorage {
        match self {
            Self::Named(file) => file,
            Self::Own(storage) => storage.file(),
        }
    }

    /// Reads the document, decrypted.
    pub(crate) async fn read(&self) -> Result<Stored, StorageError> {
        let observer = Observer::default();
        match self {
            Self::Named(file) => file.read(&observer).await.map_err(|error| match error.kind {
                StorageErrorKind::Encrypted => {
                    let reason = "it is encrypted; if it is this program's own, omit --cache-file, or decrypt it with \
                                  `auth cache migrate --to plain`";
                    StorageError::new(error.operation, error.place, reason).with_kind(error.kind)
                }
                _ => error,
            }),
            Self::Own(storage) => storage.read(&observer).await,
        }
    }

    fn of(self, client: PublicClientBuilder) -> PublicClientBuilder {
        match self {
            Self::Named(file) => client.storage(file),
            Self::Own(storage) => {
                if storage.file().state().is_ok_and(|state| state.form == FileForm::Plain) {
                    terminal::say("auth: encrypt the cache with `auth cache migrate --to encrypted`");
                }
                client.storage(storage)
            }
        }
    }
}

/// Returns the encrypted file of the client, in a folder to which only the user has access (S-93).
pub(crate) fn own_storage(client_id: &str) -> Result<EncryptedFileStorage, String> {
    let file = FileStorage::private_at(default_path(client_id)?).map_err(|error| error.to_string())?;
    Ok(EncryptedFileStorage::new(file, client_id, Keyring::new("auth")))
}

/// Returns the path of the default file, such as `~/.local/share/auth/CLIENT.json`.
fn default_path(client_id: &str) -> Result<PathBuf, String> {
    let folders = etcetera::choose_base_strategy()
        .map_err(|_| "no home directory was found; name a file with --cache-file".to_owned())?;
    Ok(folders.data_dir().join("auth").join(format!("{}.json", file_name(client_id))))
}

/// Returns the client id with everything but letters, digits, `-`, `_` and `.` in hexadecimal, so that distinct ids
/// stay distinct.
fn file_name(client_id: &str) -> String {
    let mut name = String::new();
    for (index, c) in client_id.char_indices() {
        let plain = c.is_ascii_alphanumeric() || c == '-' || c == '_' || (c == '.' && index > 0);
        if plain {
            name.push(c);
        } else {
            let mut utf8 = [0; 4];
            c.encode_utf8(&mut utf8).bytes().for_each(|byte| name.push_str(&format!("%{byte:02X}")));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_stay_inside_their_folder() {
        for (client_id, name) in [
            ("00001111-aaaa-2222-bbbb-3333cccc4444", "00001111-aaaa-2222-bbbb-3333cccc4444"),
            ("../evil", "%2E.%2Fevil"),
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%252Fb"),
            ("app.one", "app.one"),
        ] {
            assert_eq!(file_name(client_id), name);
        }
    }
}
