//! The whole life of a sign-in, written once and run over every transport and store.

use auth::{
    Account, AuthError, AuthResult, Authority, FileStorage, MemoryStorage, PublicClient, RefreshReason,
    ReqwestTransport, Scopes, Storage, TokenSource, Transport, UiReason,
};
use auth_emulator::{CredentialKind, Emulator, Endpoint, GrantType};
use auth_tests::browsers::RobotBrowser;
use auth_tests::cache;
use auth_tests::transports::UreqTransport;

const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
const ADA: &str = "ada@contoso.example";

fn scopes() -> Scopes {
    Scopes::parse("User.Read Mail.Read").unwrap()
}

struct Story<S> {
    emulator: Emulator,
    storage: S,
    client: PublicClient,
}

impl<S: Storage + Clone> Story<S> {
    async fn begin<T: Transport>(tenant: &str, transport: T, storage: S) -> Self {
        let emulator = Emulator::start().await.unwrap();
        let client = client(&emulator.authority_for(tenant), transport, storage.clone());
        Self { emulator, storage, client }
    }

    async fn silent(&self, account: Option<&Account>) -> Result<AuthResult, AuthError> {
        self.client.acquire_token_silent(&scopes(), account).send().await
    }

    /// The numbers of token requests of each kind.
    fn asked(&self) -> (u64, u64) {
        let ledger = self.emulator.ledger();
        let count = |grant| ledger.token_requests(grant);
        (count(GrantType::AuthorizationCode), count(GrantType::RefreshToken))
    }

    async fn tell(self) {
        let ui = match self.silent(None).await.unwrap_err() {
            AuthError::UiRequired(ui) => ui,
            other => panic!("{other}"),
        };
        assert_eq!((ui.reason, ui.code()), (UiReason::NoTokensFound, "no_tokens_found"));
        assert_eq!(self.asked(), (0, 0));

        let request = self.client.acquire_token_interactive(&scopes()).satisfying(&ui);
        let signed_in = request.send().await.unwrap();
        let account = signed_in.account().unwrap();
        assert_eq!((account.username.as_str(), self.asked()), (ADA, (1, 0)));
        assert_eq!(signed_in.source(), TokenSource::IdentityProvider);
        assert_eq!(signed_in.correlation_id(), ui.correlation_id, "to the user it is one call, so it has one id");
        assert_eq!(signed_in.tenant_id().as_deref(), Some(self.emulator.tenant_id()));
        assert!(signed_in.scopes().iter().any(|scope| scope == "Mail.Read"), "{}", signed_in.scopes());
        assert!(signed_in.persistence_error().is_none());

        let cached = self.silent(Some(account)).await.unwrap();
        assert_eq!((cached.source(), self.asked()), (TokenSource::Cache, (1, 0)));
        assert!(cached.access_token().ct_eq(signed_in.access_token().expose()));
        assert_eq!(cached.expires_on(), signed_in.expires_on());
        assert_eq!((cached.tenant_id(), cached.unique_id()), (signed_in.tenant_id(), signed_in.unique_id()));

        let mut newest = cached;
        for refreshes in 1..=2 {
            let wanted = scopes();
            let request = self.client.acquire_token_silent(&wanted, None).force_refresh(true);
            let forced = request.send().await.unwrap();
            assert_eq!((forced.source(), self.asked()), (TokenSource::IdentityProvider, (1, refreshes)));
            assert!(!forced.access_token().ct_eq(newest.access_token().expose()));
            newest = forced;
        }
        let redemptions = self.emulator.ledger().redemptions(CredentialKind::RefreshToken);
        assert_eq!(redemptions.len(), 2, "the rotated token was redeemed the second time");
        assert!(redemptions.iter().all(|seen| (seen.attempts, seen.successes) == (1, 1)));
        assert_eq!(cache::section(&cache::read(&self.storage).await, "RefreshToken").len(), 1);

        cache::expire(&self.storage).await;
        let refreshed = self.silent(Some(account)).await.unwrap();
        assert_eq!((refreshed.source(), self.asked()), (TokenSource::IdentityProvider, (1, 3)));
        assert_eq!(refreshed.refresh_reason(), RefreshReason::Expired);
        assert_eq!(self.silent(Some(account)).await.unwrap().source(), TokenSource::Cache);

        self.tell_another_client(account, &refreshed).await;
        assert!(self.client.remove_account(account).await.unwrap());
        assert!(!self.client.remove_account(account).await.unwrap());
        assert!(self.client.accounts().await.unwrap().is_empty());
        assert!(matches!(self.silent(Some(account)).await, Err(AuthError::UiRequired(_))));
        let document = cache::read(&self.storage).await;
        for name in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
            assert!(cache::section(&document, name).is_empty(), "{name} after signing out");
        }
        assert_eq!(self.asked(), (1, 3));
        self.emulator.shutdown().await;
    }

    /// Another client over the same store, as after a restart of the program, knows what the first one learned.
    async fn tell_another_client(&self, account: &Account, newest: &AuthResult) {
        let authority = self.client.authority().to_string();
        let other = client(&authority, ReqwestTransport::new(), self.storage.clone());
        assert_eq!(other.accounts().await.unwrap().len(), 1);
        let found = other.account(&ADA.to_uppercase()).await.unwrap().unwrap();
        assert_eq!(found.home_account_id, account.home_account_id);
        for _ in 0..3 {
            let again = other.acquire_token_silent(&scopes(), Some(&found)).send().await.unwrap();
            assert_eq!(again.source(), TokenSource::Cache);
            assert!(again.access_token().ct_eq(newest.access_token().expose()));
        }
        for discovery in [Endpoint::Discovery, Endpoint::InstanceDiscovery] {
            assert_eq!(self.emulator.ledger().count(discovery), 0, "the tokens reveal the tenant of a domain name");
        }
    }
}

fn client(authority: &str, transport: impl Transport, storage: impl Storage) -> PublicClient {
    PublicClient::builder(CLIENT)
        .authority(Authority::parse(authority).unwrap())
        .transport(transport)
        .storage(storage)
        .browser(RobotBrowser::user(ADA))
        .build()
        .unwrap()
}

/// Each way to name the tenant.
const TENANTS: [&str; 4] = ["4f1c2b7e-93d8-4c65-a1b0-6d2e8f3a9c17", "contoso.example", "common", "organizations"];

async fn tell_for_every_tenant<T: Transport, S: Storage + Clone>(
    transport: impl Fn() -> T,
    storage: impl Fn(&str) -> S,
) {
    for tenant in TENANTS {
        Story::begin(tenant, transport(), storage(tenant)).await.tell().await;
    }
}

/// Every transport with every store.
macro_rules! matrix {
    ($($name:ident: $transport:expr, $storage:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let folder = tempfile::tempdir().unwrap();
            let storage = $storage;
            tell_for_every_tenant($transport, |tenant| storage(&folder.path().join(tenant))).await;
        })*
    };
}

fn file(path: &std::path::Path) -> FileStorage {
    FileStorage::at(path.join("tokens.json")).unwrap()
}

fn memory(_: &std::path::Path) -> MemoryStorage {
    MemoryStorage::new()
}

matrix! {
    silent_interactive_cached_refreshed_signed_out_over_reqwest_and_memory: ReqwestTransport::new, memory;
    silent_interactive_cached_refreshed_signed_out_over_reqwest_and_a_file: ReqwestTransport::new, file;
    silent_interactive_cached_refreshed_signed_out_over_ureq_and_memory: UreqTransport::default, memory;
    silent_interactive_cached_refreshed_signed_out_over_ureq_and_a_file: UreqTransport::default, file;
}
