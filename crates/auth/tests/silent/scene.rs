//! A client with cached accounts, a provider in memory and a clock that the test advances.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use auth::{
    Account, AccountId, AuthError, AuthResult, Authority, Broker, Browser, BrowserError, Clock, Event, MemoryStorage,
    PublicClient, PublicClientBuilder, Scopes, Storage, Timestamp, TokenCache,
};
use serde_json::{Map, Value, json};

use crate::dropped::Yielding;
use crate::lockless::Lockless;
use crate::provider::Provider;

pub(crate) const CLIENT: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
pub(crate) const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
pub(crate) const ENVIRONMENT: &str = "login.windows.net";
pub(crate) const NOW: u64 = 1_700_000_000;

/// A clock that the test advances.
#[derive(Clone)]
pub(crate) struct Hand(Arc<AtomicU64>);

/// A browser that is unavailable.
struct NoBrowser;

impl Browser for NoBrowser {
    fn check(&self) -> Result<(), BrowserError> {
        Err(BrowserError::Headless(auth::Headless::NoDisplay))
    }

    async fn open(&self, _: &http::Uri) -> Result<(), BrowserError> {
        self.check()
    }
}

/// A browser that seems available but fails to open.
struct Unopened;

impl Browser for Unopened {
    async fn open(&self, _: &http::Uri) -> Result<(), BrowserError> {
        Err(BrowserError::Other("the browser does not open".to_owned()))
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// The events observed so far.
pub(crate) type Heard = Arc<Mutex<Vec<Event>>>;

/// The times of the cached access tokens: in how many seconds they expire, and how many seconds ago they became due for
/// a refresh.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) expires: u64,
    pub(crate) refresh: Option<u64>,
}

impl Times {
    /// Expired.
    pub(crate) const EXPIRED: Self = Self { expires: 0, refresh: None };
    /// Valid for an hour.
    pub(crate) const GOOD: Self = Self { expires: 3600, refresh: None };
    /// Valid for an hour but due for a refresh, whatever the random delay that spreads refreshes.
    pub(crate) const DUE: Self = Self { expires: 3600, refresh: Some(301) };
}

#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) app: PublicClient,
    pub(crate) provider: Provider,
    pub(crate) storage: MemoryStorage,
    pub(crate) clock: Hand,
}

impl Scene {
    /// A client with this many accounts, `u0`, `u1` and so on, each with an access token for `User.Read`.
    pub(crate) async fn new(accounts: usize, times: Times, provider: Provider) -> Self {
        let storage = MemoryStorage::new();
        let version = storage.version().unwrap();
        storage
            .replace(
                document(accounts, times).to_string().into_bytes().into(),
                version,
                None,
                &auth::Observer::default(),
            )
            .await
            .unwrap();
        let clock = Hand(Arc::new(AtomicU64::new(NOW)));
        let app = client(storage.clone(), &provider, &clock, TENANT);
        Self { app, provider, storage, clock }
    }

    /// The same over a store without locks between processes.
    pub(crate) fn lockless(self) -> Self {
        let storage = Lockless(self.storage.clone());
        self.over(storage)
    }

    /// The same over another store.
    pub(crate) fn over(self, storage: impl Storage) -> Self {
        Self { app: client(storage, &self.provider, &self.clock, TENANT), ..self }
    }

    /// The same over a store that yields in each operation.
    pub(crate) fn yielding(self) -> Self {
        Self { app: client(Yielding(self.storage.clone()), &self.provider, &self.clock, TENANT), ..self }
    }

    /// The same with its events recorded.
    pub(crate) fn listening(self) -> (Self, Heard) {
        let heard = Heard::default();
        let listener = Arc::clone(&heard);
        let builder = builder(self.storage.clone(), &self.provider, &self.clock, TENANT);
        let app = builder.on_event(move |event| listener.lock().unwrap().push(event.clone())).build().unwrap();
        (Self { app, ..self }, heard)
    }

    /// The same with a broker, no usable browser, and its events recorded.
    pub(crate) fn with_broker(self, broker: impl Broker + 'static) -> (Self, Heard) {
        let heard = Heard::default();
        let listener = Arc::clone(&heard);
        let builder = builder(self.storage.clone(), &self.provider, &self.clock, TENANT);
        let builder = builder.on_event(move |event| listener.lock().unwrap().push(event.clone()));
        (Self { app: builder.broker(broker).browser(NoBrowser).build().unwrap(), ..self }, heard)
    }

    /// Another process over the same store, with this provider.
    pub(crate) fn elsewhere(&self, provider: &Provider) -> Self {
        Self {
            app: client(self.storage.clone(), provider, &self.clock, TENANT),
            provider: provider.clone(),
            ..self.clone()
        }
    }

    /// The same at another tenant.
    pub(crate) fn at(&self, tenant: &str) -> Self {
        self.of(Authority::tenant(tenant).unwrap())
    }

    /// The same at another authority.
    pub(crate) fn of(&self, authority: Authority) -> Self {
        let builder = builder(self.storage.clone(), &self.provider, &self.clock, TENANT).authority(authority);
        Self { app: builder.browser(Unopened).build().unwrap(), ..self.clone() }
    }

    /// The same at a tenant, with a cache that the application supplies.
    pub(crate) fn keeping(&self, cache: &Arc<TokenCache>, tenant: &str) -> Self {
        let builder = builder(self.storage.clone(), &self.provider, &self.clock, tenant);
        Self { app: builder.cache(Arc::clone(cache)).build().unwrap(), ..self.clone() }
    }

    pub(crate) async fn silent(&self, number: usize) -> Result<AuthResult, AuthError> {
        self.app.acquire_token_silent(&scopes(), Some(&account(number))).send().await
    }

    pub(crate) async fn forced(&self) -> Result<AuthResult, AuthError> {
        self.app.acquire_token_silent(&scopes(), Some(&account(0))).force_refresh(true).send().await
    }

    /// Makes this many calls at once, each in its own task.
    pub(crate) async fn at_once<F>(&self, calls: usize, call: impl Fn(Self, usize) -> F) -> Vec<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let tasks: Vec<_> = (0..calls).map(|number| tokio::spawn(call(self.clone(), number))).collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.clock.0.fetch_sub(seconds, Ordering::SeqCst);
    }

    /// The stored refresh token of an account.
    pub(crate) async fn refresh_token(&self, number: usize) -> String {
        let document: Value =
            serde_json::from_slice(&self.storage.read(&auth::Observer::default()).await.unwrap().content).unwrap();
        let tokens = document["RefreshToken"].as_object().unwrap().values();
        let mut own = tokens.filter(|token| token["home_account_id"] == id(number).as_str());
        let token = own.next().unwrap()["secret"].as_str().unwrap().to_owned();
        assert!(own.next().is_none(), "one refresh token");
        token
    }

    /// Writes the document, as another program would.
    pub(crate) async fn write(&self, document: &Value) {
        let version = self.storage.version().unwrap();
        self.storage
            .replace(document.to_string().into_bytes().into(), version, None, &auth::Observer::default())
            .await
            .unwrap();
    }
}

pub(crate) fn scopes() -> Scopes {
    Scopes::parse("User.Read").unwrap()
}

pub(crate) fn account(number: usize) -> Account {
    Account::new(AccountId::new(id(number)), ENVIRONMENT, format!("u{number}@contoso.example"))
}

/// Describes the outcome of a call in a word.
pub(crate) fn kind(outcome: &Result<AuthResult, AuthError>) -> String {
    match outcome {
        Ok(result) => format!("{:?}", result.source()),
        Err(AuthError::Throttled(error)) => format!("wait {}", error.retry_after.map_or(0, |wait| wait.as_secs())),
        Err(AuthError::UiRequired(ui)) => ui.code().to_owned(),
        Err(AuthError::Server(server)) => server.error.clone(),
        Err(AuthError::Transport(error)) => format!("{:?}", error.fault),
        Err(other) => format!("{other:?}"),
    }
}

pub(crate) fn document(accounts: usize, times: Times) -> Value {
    let (mut access_tokens, mut refresh_tokens, mut profiles) = (Map::new(), Map::new(), Map::new());
    for number in 0..accounts {
        let base = json!({"home_account_id": id(number), "environment": ENVIRONMENT, "client_id": CLIENT});
        let entry = |more: Value| {
            let mut entry = base.clone();
            entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            entry
        };
        let mut access_token = entry(json!({
            "secret": format!("old-{number}"), "realm": TENANT, "target": "User.Read",
            "cached_at": (NOW - 3600).to_string(), "expires_on": (NOW + times.expires).to_string(),
        }));
        if let Some(refresh) = times.refresh {
            access_token["refresh_on"] = (NOW - refresh).to_string().into();
        }
        access_tokens.insert(format!("a{number}"), access_token);
        refresh_tokens.insert(format!("r{number}"), entry(json!({"secret": format!("rt{number}")})));
        profiles.insert(format!("p{number}"), entry(json!({"realm": TENANT, "username": format!("u{number}")})));
    }
    json!({"AccessToken": access_tokens, "RefreshToken": refresh_tokens, "Account": profiles})
}

fn id(number: usize) -> String {
    format!("u{number}.{TENANT}")
}

fn client(storage: impl Storage, provider: &Provider, clock: &Hand, tenant: &str) -> PublicClient {
    builder(storage, provider, clock, tenant).build().unwrap()
}

fn builder(storage: impl Storage, provider: &Provider, clock: &Hand, tenant: &str) -> PublicClientBuilder {
    PublicClient::builder(CLIENT)
        .authority(Authority::tenant(tenant).unwrap())
        .storage(storage)
        .transport(provider.clone())
        .clock(clock.clone())
}
