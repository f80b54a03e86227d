//! R-54: months of use in virtual time with all kinds of failures: memory does not grow, and the provider's ledger
//! agrees with the store.
//!
//! `AUTH_TEST_SOAK_DAYS` and `AUTH_TEST_SOAK_SEED` set the length and the random seed; a run can be repeated with its
//! seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth::{
    Account, AccountId, AuthError, Authority, Body, Claims, Clock, MemoryStorage, Observer, PublicClient, Scopes,
    Secret, Storage, StorageError, Timestamp, TokenCache, TokenSource, Transport, TransportError, TransportFault,
};
use auth_cache::{BoxedLock, LockBudget, LockName, Replaced, Stored, TokenUpdate, Version};
use auth_core::{Application, ClientId, CorrelationId, Exchange as _, RefreshRedemption, RequestContext};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;
use tokio::time::Instant;
use zeroize::Zeroizing;

const CLIENT: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
const HOME: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const GUEST: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const USERS: usize = 6;
const SCOPES: [&str; 3] = ["User.Read", "Mail.Read", "User.Read Mail.Read"];
const BEGIN: u64 = 1_700_000_000;
const DAY: u64 = 24 * 60 * 60;

type Dice = Arc<Mutex<StdRng>>;

fn one_in(dice: &Dice, sides: u32) -> bool {
    dice.lock().unwrap().random_range(0..sides) == 0
}

fn below(dice: &Dice, bound: usize) -> usize {
    dice.lock().unwrap().random_range(0..bound)
}

/// Tokio's paused time as the clock.
#[derive(Clone, Copy)]
struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(BEGIN + self.0.elapsed().as_secs())
    }
}

/// Advances paused time, once every task is waiting.
async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// An identity provider whose refresh tokens work once, with a ledger.
#[derive(Clone)]
struct Provider {
    dice: Dice,
    ledger: Arc<Mutex<Ledger>>,
}

#[derive(Default)]
struct Ledger {
    /// For each user, the number of the sign-in and of its latest refresh token.
    newest: [(u64, u64); USERS],
    redeemed: u64,
    faults: u64,
    /// Redemptions of a used refresh token, for which a strict provider would end the session.
    reused: u64,
}

impl Ledger {
    fn sign_in(&mut self, user: usize) -> Value {
        self.newest[user] = (self.newest[user].0 + 1, 0);
        self.tokens(user, HOME, "User.Read", 3600)
    }

    fn refresh_token(&self, user: usize) -> String {
        let (session, number) = self.newest[user];
        format!("rt.{user}.{session}.{number}")
    }

    fn tokens(&self, user: usize, tenant: &str, scope: &str, lifetime: u64) -> Value {
        json!({
            "token_type": "Bearer", "expires_in": lifetime, "refresh_in": lifetime / 2, "scope": scope,
            "access_token": format!("at-{}", self.refresh_token(user)), "refresh_token": self.refresh_token(user),
            "id_token": id_token(user, tenant), "client_info": base64url(&json!({"uid": format!("u{user}"), "utid": HOME})),
        })
    }

    fn redeem(&mut self, refresh_token: &str, tenant: &str, scope: &str, lifetime: u64) -> Value {
        let user: usize = refresh_token.split('.').nth(1).unwrap().parse().unwrap();
        if refresh_token != self.refresh_token(user) {
            self.reused += 1;
            return json!({"error": "invalid_grant"});
        }
        self.redeemed += 1;
        self.newest[user].1 += 1;
        self.tokens(user, tenant, scope, lifetime)
    }
}

impl Transport for Provider {
    async fn send(&self, request: Request<Body>) -> Result<Response<Bytes>, TransportError> {
        pass(Duration::from_millis(below(&self.dice, 5_000) as u64)).await;
        let answer = |status: u16, body: Value| {
            let response = Response::builder().status(status).header("content-type", "application/json");
            Ok(response.body(body.to_string().into()).unwrap())
        };
        let mut ledger = self.ledger.lock().unwrap();
        // None of these failures redeems the token: after a lost response it would be unclear whether it was used.
        if one_in(&self.dice, 4) {
            ledger.faults += 1;
            let host = request.uri().host().unwrap();
            return match below(&self.dice, 8) {
                0 => Err(TransportError::before_send(TransportFault::Connect, host, "down")),
                1 => Err(TransportError::after_send(TransportFault::Timeout, host, "slow")),
                2 => answer(500, json!({})),
                3 => answer(503, json!({"error": "temporarily_unavailable"})),
                4 => {
                    let busy = Response::builder().status(429).header("retry-after", "90");
                    Ok(busy.body(Bytes::new()).unwrap())
                }
                5 => Ok(Response::builder().header("content-type", "text/html").body("<html>".into()).unwrap()),
                6 => answer(400, json!({"error": "interaction_required", "suberror": "basic_action"})),
                _ => answer(400, json!({"error": "invalid_client"})),
            };
        }
        let form: Vec<_> = form_urlencoded::parse(request.body().as_bytes()).into_owned().collect();
        let value = |name: &str| form.iter().find(|(own, _)| own == name).unwrap().1.clone();
        let tenant = request.uri().path().split('/').nth(1).unwrap();
        let scope = value("scope").split(' ').filter(|scope| scope.contains('.')).collect::<Vec<_>>().join(" ");
        let tokens =
            ledger.redeem(&value("refresh_token"), tenant, &scope, if one_in(&self.dice, 3) { 600 } else { 3600 });
        answer(if tokens["error"].is_null() { 200 } else { 400 }, tokens)
    }
}

/// A store whose operations sometimes fail.
struct Moody {
    storage: MemoryStorage,
    dice: Dice,
    /// One in this many operations fails; none if zero.
    sides: Arc<AtomicU32>,
}

impl Moody {
    fn check(&self, operation: &'static str) -> Result<(), StorageError> {
        let sides = self.sides.load(Ordering::Relaxed);
        let fails = sides > 0 && one_in(&self.dice, sides);
        if fails { Err(StorageError::new(operation, "moody", "it is in no mood")) } else { Ok(()) }
    }
}

impl Storage for Moody {
    fn version(&self) -> Result<Version, StorageError> {
        Storage::version(&self.storage)
    }

    async fn read(&self, observer: &Observer) -> Result<Stored, StorageError> {
        self.check("read")?;
        Storage::read(&self.storage, observer).await
    }

    async fn replace(
        &self,
        content: Zeroizing<Vec<u8>>,
        expected: Version,
        keep_until: Option<Timestamp>,
        observer: &Observer,
    ) -> Result<Replaced, StorageError> {
        tokio::task::yield_now().await;
        self.check("written")?;
        Storage::replace(&self.storage, content, expected, keep_until, observer).await
    }

    async fn set_aside(&self) -> Result<String, StorageError> {
        Storage::set_aside(&self.storage).await
    }

    async fn lock(
        &self,
        name: LockName<'_>,
        budget: &mut LockBudget,
        observer: &Observer,
    ) -> Result<BoxedLock, StorageError> {
        self.check("locked")?;
        Storage::lock(&self.storage, name, budget, observer).await
    }
}

/// One program of the soak test.
#[derive(Clone)]
struct Program {
    app: PublicClient,
    cache: Arc<TokenCache>,
}

struct Soak {
    programs: Vec<Program>,
    provider: Provider,
    storage: MemoryStorage,
    dice: Dice,
    sides: Arc<AtomicU32>,
    clock: VirtualClock,
    served: Arc<Mutex<[u64; 4]>>,
}

impl Soak {
    /// Creates this many programs over one store.
    fn new(programs: usize, seed: u64) -> Self {
        let dice: Dice = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
        let (storage, sides, clock) = (MemoryStorage::new(), Arc::default(), VirtualClock(Instant::now()));
        let provider = Provider { dice: Arc::clone(&dice), ledger: Arc::default() };
        let program = |_| {
            let moody = Moody { storage: storage.clone(), dice: Arc::clone(&dice), sides: Arc::clone(&sides) };
            let cache = Arc::new(TokenCache::new(moody));
            let builder = PublicClient::builder(CLIENT).authority(authority()).cache(Arc::clone(&cache));
            let app = builder.transport(provider.clone()).clock(clock).build().unwrap();
            Program { app, cache }
        };
        let programs = (0..programs).map(program).collect();
        Self { programs, provider, storage, dice, sides, clock, served: Arc::default() }
    }

    /// Signs a user in at one of the programs, and caches the tokens as a sign-in does.
    async fn sign_in(&self, user: usize) {
        let body = self.provider.ledger.lock().unwrap().sign_in(user).to_string();
        let now = self.clock.now();
        let application = Application::new(ClientId::new(CLIENT).unwrap());
        let context = RequestContext::new(application, CorrelationId::generate(&mut rand::rng()).unwrap());
        let (metadata, scopes) = (authority().metadata().unwrap(), Scopes::parse("User.Read").unwrap());
        let redemption = RefreshRedemption::new(context, metadata, Secret::new(String::new()), scopes, now);
        let response = Response::builder().header("content-type", "application/json").body(body.into()).unwrap();
        let tokens = Arc::new(redemption.complete(response, now).unwrap());
        let (authority, client_id) = (Arc::new(authority()), ClientId::new(CLIENT).unwrap());
        let account = Account::from_tokens(&tokens, &authority).unwrap();
        let program = &self.programs[below(&self.dice, self.programs.len())];
        // If the store fails, the cache stores it later.
        let _ = program.cache.store(TokenUpdate::from_sign_in(authority, client_id, account, tokens)).await;
    }

    /// A random call.
    fn call(&self) -> impl Future<Output = Option<usize>> + Send + 'static {
        let program = self.programs[below(&self.dice, self.programs.len())].clone();
        let (user, scopes) = (below(&self.dice, USERS), SCOPES[below(&self.dice, SCOPES.len())]);
        let (kind, served) = (below(&self.dice, 20), Arc::clone(&self.served));
        async move {
            let (scopes, account) = (Scopes::parse(scopes).unwrap(), account(user));
            let request = program.app.acquire_token_silent(&scopes, Some(&account));
            let request = match kind {
                0 => request.force_refresh(true),
                1 => request.claims(Claims::parse(r#"{"access_token":{"nbf":{"value":"1"}}}"#).unwrap()),
                2 | 3 => request.tenant_id(GUEST),
                _ => request,
            };
            let outcome = request.send().await;
            let place = match &outcome {
                Ok(result) if result.source() == TokenSource::Cache => 0,
                Ok(_) => 1,
                Err(AuthError::UiRequired(_)) => 2,
                Err(_) => 3,
            };
            served.lock().unwrap()[place] += 1;
            matches!(outcome, Err(AuthError::UiRequired(_))).then_some(user)
        }
    }

    /// Simulates some hours, while one in `sides` operations of the store fails.
    async fn live(&self, hours: u64, sides: u32) {
        self.sides.store(sides, Ordering::Relaxed);
        let end = self.clock.now().saturating_add(Duration::from_secs(hours * 3600));
        while self.clock.now() < end {
            pass(Duration::from_secs(below(&self.dice, 5_400) as u64)).await;
            let mut calls = JoinSet::new();
            for _ in 0..=below(&self.dice, 6) {
                calls.spawn(self.call());
            }
            if one_in(&self.dice, 10) {
                // The callers give up.
                pass(Duration::from_millis(below(&self.dice, 3_000) as u64)).await;
                calls.abort_all();
            }
            let mut to_sign_in: Vec<_> = Vec::new();
            while let Some(outcome) = calls.join_next().await {
                to_sign_in.extend(outcome.ok().flatten());
            }
            to_sign_in.sort_unstable();
            to_sign_in.dedup();
            for user in to_sign_in {
                self.settle().await;
                self.sign_in(user).await;
            }
            if one_in(&self.dice, 40) {
                self.settle().await;
                let program = &self.programs[below(&self.dice, self.programs.len())];
                let _ = program.app.remove_account(&account(below(&self.dice, USERS))).await;
                let _ = program.app.accounts().await;
            }
        }
        self.settle().await;
        // Changes that the store refused are stored with the next change.
        self.sides.store(0, Ordering::Relaxed);
        for user in 0..USERS {
            self.sign_in(user).await;
        }
        self.check().await;
    }

    /// Waits until nothing is running.
    async fn settle(&self) {
        for program in &self.programs {
            program.app.close().await;
        }
    }

    /// Checks that no task remains, and that the store has the refresh tokens issued last.
    async fn check(&self) {
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "a task is left");
        let text = Storage::read(&self.storage, &Observer::default()).await.unwrap().content;
        let document: Value = serde_json::from_slice(&text).unwrap();
        let ledger = self.provider.ledger.lock().unwrap();
        let stored = document["RefreshToken"].as_object().unwrap();
        for (key, entry) in stored {
            let user: usize = entry["secret"].as_str().unwrap().split('.').nth(1).unwrap().parse().unwrap();
            assert_eq!(entry["secret"].as_str().unwrap(), ledger.refresh_token(user), "{key}");
        }
        assert_eq!(stored.len(), USERS);
        assert_eq!(ledger.reused, 0, "a refresh token was redeemed twice");
    }
}

/// Simulates this many days in ten parts, and returns the memory in use after each.
fn levels(runtime: &Runtime, soak: &Soak, days: u64, sides: u32) -> Vec<i64> {
    let mut grown = 0;
    let mut levels = Vec::new();
    for _ in 0..10 {
        let used = allocation_counter::measure(|| runtime.block_on(soak.live(days * 24 / 10, sides)));
        grown += used.bytes_current;
        levels.push(grown);
    }
    levels
}

fn soak(programs: usize, sides: u32) {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let (days, seed) = (number("AUTH_TEST_SOAK_DAYS", 30), number("AUTH_TEST_SOAK_SEED", 1));
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let soak = runtime.block_on(async { Soak::new(programs, seed) });
    runtime.block_on(async {
        for user in 0..USERS {
            soak.sign_in(user).await;
        }
    });
    let levels = levels(&runtime, &soak, days, sides);
    let elapsed = runtime.block_on(async { soak.clock.now() }).as_unix_seconds() - BEGIN;
    let ledger = soak.provider.ledger.lock().unwrap();
    let [hits, fresh, user, failed] = *soak.served.lock().unwrap();
    let what = format!(
        "seed {seed}, {days} days: {hits} hits, {fresh} fresh, {user} to sign in, {failed} failed; {} redeemed, {} faults; {levels:?}",
        ledger.redeemed, ledger.faults
    );
    assert!(elapsed >= (days - 1) * DAY, "{elapsed} s: {what}");
    assert!(hits > 0 && fresh > 0 && user > 0 && failed > 0 && fresh <= ledger.redeemed, "{what}");
    let median = |part: &[i64]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part[part.len() / 2]
    };
    let (middle, end) = (median(&levels[2..6]), median(&levels[6..]));
    // The number of cached tokens and remembered failures varies, by some tens of KiB.
    assert!(end - middle < 128 * 1024, "memory grows from {middle} to {end} bytes: {what}");
}

#[test]
fn programs_that_share_a_store_run_for_months_without_growing() {
    soak(3, 0);
}

#[test]
fn a_program_with_a_failing_store_runs_for_months_without_growing() {
    soak(1, 20);
}

fn authority() -> Authority {
    Authority::tenant(HOME).unwrap()
}

fn account(user: usize) -> Account {
    Account::new(AccountId::new(format!("u{user}.{HOME}")), "login.windows.net", format!("u{user}@contoso.example"))
}

fn base64url(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn id_token(user: usize, tenant: &str) -> String {
    let claims = json!({
        "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"), "tid": tenant, "sub": format!("s{user}"),
        "aud": CLIENT, "exp": 99_999_999_999_u64, "iat": BEGIN, "preferred_username": format!("u{user}"),
    });
    format!("{}.{}.c2ln", base64url(&json!({"alg": "RS256"})), base64url(&claims))
}
