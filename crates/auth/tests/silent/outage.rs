//! A token that still works is served through an outage, and the provider is left in peace meanwhile (S-83, R-30, R-31).
#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is wrong")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth::{
    Account, AccountId, AuthResult, Authority, Clock, InMemoryTransport, MemoryStorage, PublicClient, Scopes,
    Storage as _, Timestamp, TokenSource,
};
use serde_json::{Value, json};

const CLIENT: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const NOW: u64 = 1_700_000_000;

/// A clock that the test moves.
#[derive(Clone)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// A client whose provider answers `status` to everything, with a token that lives for `left` seconds.
struct Outage {
    app: PublicClient,
    transport: InMemoryTransport,
    clock: Hand,
    account: Account,
    scopes: Scopes,
}

impl Outage {
    async fn new(status: u16, retry_after: Option<&'static str>, token: &[(&str, u64)]) -> Self {
        let account = format!("u.{TENANT}");
        let entry = |members: &[(&str, String)]| {
            let place = [("home_account_id", account.as_str()), ("environment", "login.windows.net")];
            let place = place.into_iter().chain([("client_id", CLIENT)]).map(|(name, text)| (name, text.to_owned()));
            place.chain(members.iter().cloned()).map(|(name, text)| (name.to_owned(), json!(text))).collect::<Value>()
        };
        let mut members = vec![
            ("secret", "at".to_owned()),
            ("realm", TENANT.to_owned()),
            ("target", "User.Read".to_owned()),
            ("cached_at", (NOW - 60).to_string()),
        ];
        members.extend(token.iter().map(|(name, after)| (*name, (NOW + after).to_string())));
        let access_token = entry(&members);
        let refresh_token = entry(&[("secret", "rt".to_owned())]);
        let document = json!({"AccessToken": {"a": access_token}, "RefreshToken": {"r": refresh_token}});
        let storage = MemoryStorage::new();
        let version = storage.version().unwrap();
        storage.replace(document.to_string().into_bytes().into(), version).await.unwrap();

        let transport = InMemoryTransport::new(move |_| {
            let answer = http::Response::builder().status(status);
            let answer = retry_after.into_iter().fold(answer, |answer, wait| answer.header("retry-after", wait));
            Ok(answer.body(bytes::Bytes::new()).unwrap())
        });
        let clock = Hand(Arc::new(AtomicU64::new(NOW)));
        let app = PublicClient::builder(CLIENT)
            .authority(Authority::tenant(TENANT).unwrap())
            .storage(storage)
            .transport(transport.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
        let account = Account::new(AccountId::new(account), "login.windows.net", "ada@contoso.example");
        Self { app, transport, clock, account, scopes: Scopes::parse("User.Read").unwrap() }
    }

    async fn ask(&self) -> AuthResult {
        let result = self.app.acquire_token_silent(&self.scopes, Some(&self.account)).send().await.unwrap();
        self.app.close().await;
        assert_eq!((result.source, result.access_token.expose()), (TokenSource::Cache, "at"));
        result
    }

    fn requests_since(&self, before: &mut usize) -> usize {
        let all = self.transport.requests().len();
        all - core::mem::replace(before, all)
    }

    fn wait(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_is_not_tried_again_for_half_a_minute_and_then_for_longer() {
    for due in [&[("expires_on", 3000), ("refresh_on", 0)][..], &[("expires_on", 250)]] {
        let (outage, mut seen) = (Outage::new(500, None, due).await, 0);
        // Each try is one request and its one repetition.
        for (after, requests) in [(0, 2), (0, 0), (29, 0), (1, 2), (30, 0), (29, 0), (1, 2)] {
            outage.wait(after);
            outage.ask().await;
            assert_eq!(outage.requests_since(&mut seen), requests, "{due:?} after {after} s more");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_names_a_time_is_left_alone_until_then() {
    let (outage, mut seen) = (Outage::new(429, Some("120"), &[("expires_on", 290)]).await, 0);
    for (after, requests) in [(0, 1), (60, 0), (59, 0), (1, 1)] {
        outage.wait(after);
        outage.ask().await;
        assert_eq!(outage.requests_since(&mut seen), requests, "after {after} s more");
    }
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_failure() {
    let (outage, mut seen) = (Outage::new(500, None, &[("expires_on", 250)]).await, 0);
    let outage = Arc::new(outage);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let outage = Arc::clone(&outage);
        callers.spawn(async move { outage.ask().await });
    }
    assert_eq!(callers.join_all().await.len(), 50);
    assert_eq!(outage.requests_since(&mut seen), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_serves_no_more_is_refreshed_at_once() {
    let (outage, mut seen) = (Outage::new(500, None, &[("expires_on", 40)]).await, 0);
    outage.ask().await;
    assert_eq!(outage.requests_since(&mut seen), 2);
    outage.wait(Duration::from_secs(11).as_secs());
    let result = outage.app.acquire_token_silent(&outage.scopes, Some(&outage.account)).send().await;
    assert!(result.is_err(), "nothing is left to serve");
    assert_eq!(outage.requests_since(&mut seen), 2);
}
