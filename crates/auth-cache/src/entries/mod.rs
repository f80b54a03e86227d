//! Entries as typed values. Their identity is their fields, never a joined key (S-77).

mod access_token;
mod account;
mod app_metadata;
mod id_token;
mod refresh_token;

pub(crate) use access_token::{AccessToken, Life, Seen};
pub(crate) use account::AccountEntry;
pub(crate) use app_metadata::AppMetadata;
pub(crate) use id_token::IdTokenEntry;
pub(crate) use refresh_token::RefreshToken;

use crate::members::{Members, Text};

/// The members that name an assertion.
pub(crate) const ASSERTION: [&str; 2] = ["user_assertion_hash", "userAssertionHash"];

/// The hash of the assertion that an on-behalf-of entry was acquired with, in any library's spelling; `""` if there is
/// none, `None` if it is broken.
pub(crate) fn assertion(members: &Members<'_>) -> Option<Box<str>> {
    match members.first(&ASSERTION) {
        // Some libraries pad the hash, others do not.
        Text::Is(hash) => Some(hash.trim_end_matches('=').into()),
        Text::Absent => Some("".into()),
        Text::Broken => None,
    }
}
