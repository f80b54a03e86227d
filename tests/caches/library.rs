//! Every query of a public client, through the library.

use auth::{Account, AccountId, AuthError, MemoryStorage, PublicClient, Scopes, Storage as _, TokenSource, UiReason};
use auth_tests::authority::FakeAuthority;
use auth_tests::cache;
use auth_tests::fixtures::{self, App, Fixture, Query, Stopped};

use crate::answer::{Answer, Outcome, judge};

/// A store with this cache.
pub(crate) async fn store(fixture: &Fixture) -> MemoryStorage {
    let storage = MemoryStorage::new();
    let version = storage.version().unwrap();
    storage.replace(fixture.content.clone().into(), version, None, &auth::Observer::default()).await.unwrap();
    storage
}

/// The client of an application, with that store and provider.
pub(crate) fn client(app: &App, fixture: &Fixture, storage: &MemoryStorage, provider: &FakeAuthority) -> PublicClient {
    PublicClient::builder(&app.client_id)
        .authority(app.authority())
        .storage(storage.clone())
        .transport(provider.clone())
        .clock(Stopped(fixture.now()))
        .build()
        .unwrap()
}

async fn ask(fixture: &Fixture, query: &Query) -> Answer {
    let provider = FakeAuthority::new(fixture, query.network);
    let storage = store(fixture).await;
    let client = client(&query.app, fixture, &storage, &provider);
    let id = AccountId::new(query.account.clone().unwrap());
    // An account that is not listed is tried all the same.
    let listed = client.accounts().await.unwrap().into_iter().find(|account| account.home_account_id == id);
    let account = listed.unwrap_or_else(|| Account::new(id, "", ""));
    let scopes = Scopes::parse(&query.scopes.join(" ")).unwrap();
    let request = client.acquire_token_silent(&scopes, Some(&account)).force_refresh(query.force_refresh);
    let result = request.send().await;
    client.close().await;
    provider.assert_no_strays();
    let outcome = match result {
        Ok(found) if found.source() == TokenSource::Cache => Outcome::cached(fixture, found.access_token().expose()),
        Ok(found) => Outcome::new(found.access_token().expose()),
        Err(AuthError::UiRequired(ui)) if ui.server.is_none() && ui.reason == UiReason::NoTokensFound => {
            Outcome::Nothing
        }
        Err(AuthError::UiRequired(ui)) => Outcome::Error(ui.code().to_owned()),
        Err(error) => panic!("{} {}: {error:?}", fixture.name, query.name),
    };
    let after = cache::read(&storage).await;
    Answer { outcome, requests: provider.token_requests(), after }
}

// The pause before a failing provider is asked again takes no time.
#[tokio::test(start_paused = true)]
async fn every_query_of_a_public_client_is_answered_as_described() {
    let (mut asked, mut wrong) = (0, Vec::new());
    for fixture in fixtures::all() {
        for query in fixture.meta.queries.iter().filter(|query| query.is_public()) {
            let problems = judge(&fixture, query, &ask(&fixture, query).await);
            wrong.extend(problems.into_iter().map(|problem| format!("{} {}: {problem}", fixture.name, query.name)));
            asked += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asked, 101, "no query is left out");
}
