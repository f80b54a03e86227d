//! The cache document, parsed without copying, and serialized again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use ahash::RandomState;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::now;

/// A section: the entries by key.
pub type Section<'a, E> = HashMap<&'a str, E, RandomState>;

/// A cache document, borrowed from its text.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, missing_debug_implementations, reason = "the members are those of the unified cache document")]
pub struct Document<'a> {
    #[serde(borrow)]
    pub account: Section<'a, Account<'a>>,
    #[serde(borrow)]
    pub id_token: Section<'a, IdToken<'a>>,
    #[serde(borrow)]
    pub access_token: Section<'a, AccessToken<'a>>,
    #[serde(borrow)]
    pub refresh_token: Section<'a, RefreshToken<'a>>,
    #[serde(borrow)]
    pub app_metadata: Section<'a, AppMetadata<'a>>,
}

/// Defines an entry whose members are all text.
macro_rules! entries {
    ($($name:ident { $($member:ident),* })*) => {$(
        /// An entry of the document.
        #[derive(Serialize, Deserialize)]
        #[allow(missing_docs, missing_debug_implementations, reason = "the members are those of the unified cache document")]
        pub struct $name<'a> {
            $(#[serde(borrow)] pub $member: Cow<'a, str>,)*
        }
    )*};
}

entries! {
    Account {
        home_account_id, environment, realm, local_account_id, username, authority_type, name, client_info
    }
    IdToken { home_account_id, environment, credential_type, client_id, secret, realm }
    AccessToken {
        home_account_id, environment, credential_type, client_id, secret, realm, target, cached_at, expires_on,
        extended_expires_on, token_type
    }
    RefreshToken { home_account_id, environment, credential_type, client_id, secret }
    AppMetadata { client_id, environment, family_id }
}

impl<'a> Document<'a> {
    /// Parses the text.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Self {
        serde_json::from_slice(text).expect("a generated document is well-formed")
    }

    /// Returns the access token with this key, if it grants the scopes and is valid for five minutes.
    #[must_use]
    pub fn hit(&self, key: &str, scopes: &[&str]) -> Option<String> {
        let token = self.access_token.get(key)?;
        let grants = |scope: &&str| token.target.split(' ').any(|own| own.eq_ignore_ascii_case(scope));
        let expires_on: u64 = token.expires_on.parse().ok()?;
        (scopes.iter().all(grants) && expires_on > now() + 300).then(|| token.secret.to_string())
    }

    /// Replaces the secret of the access token with this key, and returns the whole document as text.
    #[must_use]
    pub fn changed(&mut self, key: &str, secret: String) -> Vec<u8> {
        if let Some(token) = self.access_token.get_mut(key) {
            token.secret = secret.into();
        }
        serde_json::to_vec(self).expect("text can be written")
    }
}

/// The position of an access token in the text.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    from: usize,
    to: usize,
}

impl Span {
    /// Finds the access token with this key.
    #[must_use]
    pub fn find(text: &[u8], key: &str) -> Self {
        #[derive(Deserialize)]
        struct Sections<'a> {
            #[serde(borrow, rename = "AccessToken")]
            access_token: Section<'a, &'a RawValue>,
        }
        let sections: Sections<'_> = serde_json::from_slice(text).expect("a generated document is well-formed");
        let raw = sections.access_token[key].get();
        let from = raw.as_ptr().addr() - text.as_ptr().addr();
        Self { from, to: from + raw.len() }
    }

    /// Replaces the secret of the token, and leaves every other byte unchanged.
    #[must_use]
    pub fn splice(self, text: &[u8], secret: String) -> Vec<u8> {
        let mut token: AccessToken<'_> = serde_json::from_slice(&text[self.from..self.to]).expect("an entry");
        token.secret = secret.into();
        let token = serde_json::to_vec(&token).expect("text can be written");
        [&text[..self.from], &token, &text[self.to..]].concat()
    }
}

/// Replaces a file atomically and durably, as every store must.
pub fn replace_file(path: &Path, content: &[u8]) {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary).expect("the folder can be written");
    file.write_all(content).expect("there is room");
    file.sync_all().expect("the disk works");
    fs::rename(&temporary, path).expect("the file can be replaced");
    File::open(path.parent().expect("a file is in a folder")).and_then(|folder| folder.sync_all()).expect("a folder");
}
