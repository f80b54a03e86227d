//! One account in several tenants: a guest has one home, one refresh token serves all, and no tenant gets the token of
//! another.

use auth::{AuthResult, Authority, MemoryStorage, PublicClient, TokenSource};
use auth_emulator::{Emulator, Endpoint};
use auth_tests::browsers::{Nobody, RobotBrowser};
use auth_tests::cache;

use crate::fixture::{ADA, CLIENT, scopes};

fn client(authority: &str, storage: &MemoryStorage) -> PublicClient {
    PublicClient::builder(CLIENT)
        .authority(Authority::parse(authority).unwrap())
        .storage(storage.clone())
        .browser(Nobody)
        .build()
        .unwrap()
}

async fn silent(client: &PublicClient) -> AuthResult {
    client.acquire_token_silent(&scopes(), None).send().await.unwrap()
}

#[tokio::test]
async fn a_guest_gets_a_token_for_the_other_tenant_without_signing_in_again() {
    let emulator = Emulator::start().await.unwrap();
    let storage = MemoryStorage::new();
    let home = PublicClient::builder(CLIENT)
        .authority(Authority::parse(&emulator.authority()).unwrap())
        .storage(storage.clone())
        .browser(RobotBrowser::user(ADA))
        .build()
        .unwrap();
    let at_home = home.acquire_token_interactive(&scopes()).send().await.unwrap();

    let abroad = client(&emulator.authority_for(emulator.second_tenant_id()), &storage);
    let as_guest = silent(&abroad).await;
    assert_eq!(as_guest.source(), TokenSource::IdentityProvider);
    assert_eq!(as_guest.tenant_id().as_deref(), Some(emulator.second_tenant_id()));
    let asked = emulator.ledger().requests_to(Endpoint::Token).pop().unwrap();
    assert_eq!(asked.tenant(), Some(emulator.second_tenant_id()));
    assert_ne!(as_guest.unique_id(), at_home.unique_id(), "each tenant has its own id");
    let (guest, owner) = (as_guest.account().unwrap(), at_home.account().unwrap());
    assert_eq!(guest.home_account_id, owner.home_account_id, "one home");

    let asked = emulator.ledger().requests().len();
    let named = |tenant: &str| client(&emulator.authority_for(tenant), &storage);
    for (app, expected) in [
        (home.clone(), &at_home),
        (abroad.clone(), &as_guest),
        (named("common"), &at_home),
        (named("organizations"), &at_home),
    ] {
        let found = silent(&app).await;
        assert_eq!((found.source(), found.tenant_id()), (TokenSource::Cache, expected.tenant_id()));
        assert!(found.access_token().ct_eq(expected.access_token().expose()));
        assert_eq!(found.unique_id(), expected.unique_id());
        assert_eq!(app.accounts().await.unwrap().len(), 1, "one account, however many tenants");
    }
    assert_eq!(emulator.ledger().requests().len(), asked, "the cache answers for each tenant");

    assert!(home.remove_account(owner).await.unwrap());
    let document = cache::read(&storage).await;
    for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
        assert!(cache::section(&document, section).is_empty(), "{section}: a sign-out applies everywhere");
    }
}

#[tokio::test]
async fn a_refresh_at_a_multi_tenant_authority_goes_to_the_home_tenant() {
    for tenant in ["common", "organizations"] {
        let emulator = Emulator::start().await.unwrap();
        let storage = MemoryStorage::new();
        let app = PublicClient::builder(CLIENT)
            .authority(Authority::parse(&emulator.authority_for(tenant)).unwrap())
            .storage(storage.clone())
            .browser(RobotBrowser::user(ADA))
            .build()
            .unwrap();
        app.acquire_token_interactive(&scopes()).send().await.unwrap();
        cache::expire(&storage).await;
        assert_eq!(silent(&app).await.tenant_id().as_deref(), Some(emulator.tenant_id()));
        let asked = emulator.ledger().requests_to(Endpoint::Token);
        let tenants: Vec<_> = asked.iter().map(|request| request.tenant().unwrap().to_owned()).collect();
        assert_eq!(tenants, [tenant, emulator.tenant_id()]);
    }
}
