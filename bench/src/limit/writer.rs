//! Adding an access token to a file that several processes write: lock, read, parse, write, sync, rename.

use std::fs::{self, File};
use std::path::Path;

use super::document::{AccessToken, Document, replace_file};
use crate::generate::{CLIENT, ENVIRONMENT, TENANT};

/// Adds a token of this user.
pub fn add(path: &Path, home_account_id: &str, target: &str, secret: &str) {
    let lock = File::options().create(true).write(true).truncate(false).open(path.with_extension("lock"));
    let lock = lock.expect("the folder can be written");
    lock.lock().expect("a lock");
    let text = fs::read(path).expect("the file");
    let mut document = Document::parse(&text);
    let key = format!("{home_account_id}-{ENVIRONMENT}-accesstoken-{CLIENT}-{TENANT}-{target}").to_ascii_lowercase();
    document.access_token.insert(
        &key,
        AccessToken {
            home_account_id: home_account_id.into(),
            environment: ENVIRONMENT.into(),
            credential_type: "AccessToken".into(),
            client_id: CLIENT.into(),
            secret: secret.into(),
            realm: TENANT.into(),
            target: target.into(),
            cached_at: "1767225600".into(),
            expires_on: "2051222400".into(),
            extended_expires_on: "2051222400".into(),
            token_type: "Bearer".into(),
        },
    );
    replace_file(path, &serde_json::to_vec(&document).expect("text can be written"));
    lock.unlock().expect("a lock");
}
