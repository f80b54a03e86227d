//! A silent cache hit through the facade: `cargo bench -p auth`.
//!
//! The cache holds 1, 100 or 10,000 accounts; one of them is asked for again and again, and no
//! request is made.
#![allow(missing_docs, reason = "divan's macros make items of their own")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends at the first thing that is wrong")]

use auth::{Account, Authority, InMemoryTransport, MemoryStorage, PublicClient, Scopes, Storage as _, TokenSource};
use divan::{Bencher, black_box};
use serde_json::{Map, Value, json};

const CLIENT: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";

fn main() {
    divan::main();
}

/// A cache document as MSAL writes it, with so many accounts of one tenant.
fn document(accounts: usize) -> Vec<u8> {
    let environment = "login.windows.net";
    let (mut access_tokens, mut account_entries) = (Map::new(), Map::new());
    for number in 0..accounts {
        let id = format!("user-{number}.{TENANT}");
        let target = "Mail.Read openid profile User.Read Calendars.Read";
        access_tokens.insert(
            format!("{id}-{environment}-accesstoken-{CLIENT}-{TENANT}-{target}"),
            json!({
                "home_account_id": id, "environment": environment, "credential_type": "AccessToken",
                "client_id": CLIENT, "secret": format!("{number:->1500}"), "realm": TENANT, "target": target,
                "token_type": "Bearer", "cached_at": "1700000000", "expires_on": "2000000000",
            }),
        );
        account_entries.insert(
            format!("{id}-{environment}-{TENANT}"),
            json!({
                "home_account_id": id, "environment": environment, "realm": TENANT, "local_account_id": "o",
                "username": format!("user{number}@contoso.example"), "authority_type": "MSSTS",
            }),
        );
    }
    json!({"AccessToken": Value::Object(access_tokens), "Account": Value::Object(account_entries)})
        .to_string()
        .into_bytes()
}

#[divan::bench(args = [1, 100, 10_000])]
fn silent_hit(bencher: Bencher<'_, '_>, accounts: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let storage = MemoryStorage::new();
    let version = storage.version().unwrap();
    runtime.block_on(storage.replace(document(accounts).into(), version)).unwrap();
    let transport = InMemoryTransport::new(|_| Ok(http::Response::default()));
    let app = PublicClient::builder(CLIENT)
        .authority(Authority::tenant(TENANT).unwrap())
        .storage(storage)
        .transport(transport.clone())
        .build()
        .unwrap();
    let scopes = Scopes::parse("User.Read Mail.Read Calendars.Read").unwrap();
    let name = format!("user{}@contoso.example", accounts / 2);
    let account: Account = runtime.block_on(app.account(&name)).unwrap().expect("the account is in the document");

    let hit = || runtime.block_on(app.acquire_token_silent(black_box(&scopes), Some(&account)).send()).unwrap();
    let first = hit();
    assert_eq!(first.source, TokenSource::Cache);
    assert!(first.access_token.expose().ends_with(&(accounts / 2).to_string()), "another user's token");
    bencher.bench_local(hit);
    assert!(transport.requests().is_empty(), "a hit makes no request");
}
