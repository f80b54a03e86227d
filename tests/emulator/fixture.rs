//! A client of the facade that has signed in at an emulator of its own.

use auth::{
    Account, AuthError, AuthResult, Authority, Browser, MemoryStorage, PublicClient, Scopes, Storage, Transport,
    UiRequired,
};
use auth_emulator::{Emulator, EmulatorBuilder, GrantType};
use auth_tests::browsers::RobotBrowser;
use auth_tests::cache;
use serde_json::Value;

pub(crate) const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
pub(crate) const ADA: &str = "ada@contoso.example";
pub(crate) const GRACE: &str = "grace@contoso.example";

pub(crate) fn scopes() -> Scopes {
    Scopes::parse("User.Read").unwrap()
}

pub(crate) struct Fixture {
    pub(crate) emulator: Emulator,
    pub(crate) storage: MemoryStorage,
    pub(crate) client: PublicClient,
}

impl Fixture {
    /// A client whose robot is Ada.
    pub(crate) async fn start() -> Self {
        Self::of(Emulator::builder()).await
    }

    pub(crate) async fn of(builder: EmulatorBuilder) -> Self {
        let emulator = builder.start().await.unwrap();
        let storage = MemoryStorage::new();
        let client = client(&emulator, storage.clone(), RobotBrowser::user(ADA));
        Self { emulator, storage, client }
    }

    /// A client that is signed in.
    pub(crate) async fn signed_in() -> Self {
        let fixture = Self::start().await;
        fixture.sign_in().await.unwrap();
        fixture
    }

    /// A client that is signed in, whose token has expired.
    pub(crate) async fn expired() -> Self {
        let fixture = Self::signed_in().await;
        cache::expire(&fixture.storage).await;
        fixture
    }

    pub(crate) async fn sign_in(&self) -> Result<AuthResult, AuthError> {
        self.client.acquire_token_interactive(&scopes()).send().await
    }

    pub(crate) async fn silent(&self) -> Result<AuthResult, AuthError> {
        self.client.acquire_token_silent(&scopes(), None).send().await
    }

    /// Makes a silent call, which must require the user.
    pub(crate) async fn ui_required(&self) -> Box<UiRequired> {
        match self.silent().await {
            Err(AuthError::UiRequired(ui)) => ui,
            other => panic!("{other:?}"),
        }
    }

    /// Another client over the same store and at the same emulator, with another browser.
    pub(crate) fn with_browser(&self, browser: impl Browser + 'static) -> PublicClient {
        client(&self.emulator, self.storage.clone(), browser)
    }

    /// Replaces the client by a new one over the same store, as after a restart of the program: it remembers no
    /// failure.
    pub(crate) fn restart(&mut self) {
        self.client = client(&self.emulator, self.storage.clone(), RobotBrowser::user(ADA));
    }

    pub(crate) async fn account(&self) -> Account {
        self.client.accounts().await.unwrap().pop().unwrap()
    }

    pub(crate) async fn document(&self) -> Value {
        cache::read(&self.storage).await
    }

    pub(crate) async fn set_time(&self, field: &str, time: u64) {
        cache::change(&self.storage, |document| cache::set_time(document, field, time)).await;
    }

    pub(crate) fn codes(&self) -> u64 {
        self.emulator.ledger().token_requests(GrantType::AuthorizationCode)
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.emulator.ledger().token_requests(GrantType::RefreshToken)
    }
}

pub(crate) fn client(emulator: &Emulator, storage: impl Storage, browser: impl Browser + 'static) -> PublicClient {
    client_over(emulator, auth::ReqwestTransport::new(), storage, browser)
}

pub(crate) fn client_over(
    emulator: &Emulator,
    transport: impl Transport,
    storage: impl Storage,
    browser: impl Browser + 'static,
) -> PublicClient {
    PublicClient::builder(CLIENT)
        .authority(Authority::parse(&emulator.authority()).unwrap())
        .transport(transport)
        .storage(storage)
        .browser(browser)
        .build()
        .unwrap()
}
