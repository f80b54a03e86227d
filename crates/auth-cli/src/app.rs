//! The client that the flags describe.

use std::path::{Path, PathBuf};

use auth::{Authority, FileStorage, PublicClient, PublicClientBuilder};
use etcetera::BaseStrategy as _;

use crate::args::{AppArgs, CacheArgs};
use crate::failure::Failure;
use crate::terminal;

impl AppArgs {
    /// A client for `auth token`: a cache that cannot be had stops no sign-in.
    pub(crate) fn client(&self) -> Result<PublicClientBuilder, Failure> {
        let client = self.without_cache()?;
        if self.no_cache {
            return Ok(client);
        }
        Ok(match self.storage() {
            Ok(storage) => client.storage(storage),
            Err(reason) => {
                terminal::say(format_args!("auth: warning: nothing is cached: {reason}"));
                client
            }
        })
    }

    /// A client for commands whose job is the cache.
    pub(crate) fn cache_client(&self) -> Result<PublicClient, Failure> {
        let client = self.without_cache()?;
        let client = if self.no_cache {
            client
        } else {
            client.storage(self.storage().map_err(|reason| Failure::cache(&reason))?)
        };
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

    fn storage(&self) -> Result<FileStorage, String> {
        storage(self.cache_file.as_deref(), &self.client_id)
    }
}

impl CacheArgs {
    /// The file that is meant.
    pub(crate) fn storage(&self) -> Result<FileStorage, Failure> {
        let client_id = self.client_id.as_deref().unwrap_or_default();
        storage(self.cache_file.as_deref(), client_id).map_err(|reason| Failure::cache(&reason))
    }
}

/// The file that was named, in whatever folder; else that of the client, in a folder that must be the user's alone (S-93).
fn storage(named: Option<&Path>, client_id: &str) -> Result<FileStorage, String> {
    let storage = match named {
        Some(path) => FileStorage::at(path),
        None => FileStorage::private_at(default_path(client_id)?),
    };
    storage.map_err(|error| error.to_string())
}

/// One file per user and client, such as `~/.local/share/auth/CLIENT.json`.
fn default_path(client_id: &str) -> Result<PathBuf, String> {
    let folders = etcetera::choose_base_strategy()
        .map_err(|_| "there is no home directory; name a file with --cache-file".to_owned())?;
    Ok(folders.data_dir().join("auth").join(format!("{}.json", file_name(client_id))))
}

/// The client id with everything but letters, digits, `-`, `_` and `.` as hexadecimal: distinct ids stay distinct.
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
