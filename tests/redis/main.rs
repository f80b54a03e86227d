//! The cache in Redis, with a separate server for each test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests report failures by panicking"
)]

mod connections;
mod contract;
mod encrypted;
mod faults;
mod locks;
mod machines;
mod processes;
mod tls;
mod values;

use auth_cache::{Lookup, TokenCache, TokenUpdate};
use auth_tests::cache::now;
use auth_tests::numbered::Writer;

/// Whether a cache finds the access token of store number `number`.
async fn finds(cache: &TokenCache, writer: &Writer, number: u64) -> bool {
    let account = writer.account(number);
    let query = writer.query(&account);
    let now = auth::Timestamp::from_unix_seconds(now());
    let found = match cache.try_lookup(&query, now) {
        Some(found) => found,
        None => match cache.lookup(&query, now).await {
            Ok(found) => found,
            Err(_) => return false,
        },
    };
    matches!(found, Lookup::Usable(token) if token.access_token().expose() == writer.secret(number))
}

fn update(writer: &Writer, number: u64) -> TokenUpdate {
    writer.update(number)
}
