//! Makes tokens expire at once. Tokens that live for less than half a minute are never served, so the file is edited
//! instead.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::Failure;

/// Sets the expiry of every access token in the file to the past.
pub(super) fn expire(file: &Path) -> Result<(), Failure> {
    let text = fs::read(file).map_err(|error| Failure::internal(&error))?;
    let mut document: Value = serde_json::from_slice(&text).map_err(|error| Failure::internal(&error))?;
    let tokens = document.get_mut("AccessToken").and_then(Value::as_object_mut);
    for entry in tokens.into_iter().flat_map(|tokens| tokens.values_mut()) {
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("expires_on".to_owned(), json!("1"));
        }
    }
    fs::write(file, document.to_string()).map_err(|error| Failure::internal(&error))
}
