//! A forced refresh of every account in every cache, by every application that wrote it. The new tokens are stored, and
//! nothing else is lost or changed.

use auth::{AccountId, Scopes, TokenSource};
use auth_tests::authority::{FakeAuthority, new_access_token, new_refresh_token};
use auth_tests::cache;
use auth_tests::fixtures::{self, App, Fixture, Network, Person, Step};
use auth_tests::loss::Refreshed;

use crate::accounts::{apps, people};
use crate::library;

async fn refresh(fixture: &Fixture, app: &App, step: &Step, person: &Person) {
    let provider = FakeAuthority::new(fixture, Network::Answer);
    let storage = library::store(fixture).await;
    let client = library::client(app, fixture, &storage, &provider);
    let id = AccountId::new(person.home_account_id.as_str());
    let account = client.accounts().await.unwrap().into_iter().find(|account| account.home_account_id == id);
    let scopes = Scopes::parse(&step.scopes.join(" ")).unwrap();
    let request = client.acquire_token_silent(&scopes, account.as_ref()).force_refresh(true);
    let result = request.send().await.unwrap_or_else(|error| panic!("{}: {error:?}", fixture.name));
    assert_eq!(result.source(), TokenSource::IdentityProvider, "{}", fixture.name);
    assert_eq!(provider.token_requests().len(), 1, "{}", fixture.name);

    let after = cache::read(&storage).await;
    for (section, secret) in [("AccessToken", new_access_token(1)), ("RefreshToken", new_refresh_token(1))] {
        assert!(cache::secrets(&after, section).contains(&secret), "{}: {section}", fixture.name);
    }
    let authority = app.authority();
    let rewrite =
        Refreshed { authority: &authority, client_id: &app.client_id, account: id.as_str(), now: fixture.meta.made_at };
    assert_eq!(rewrite.losses(&fixture.document(), &after), [""; 0], "{}", fixture.name);
}

#[tokio::test]
async fn a_refresh_changes_only_its_own_entries() {
    let mut refreshed = 0;
    for fixture in fixtures::all() {
        for app in apps(&fixture).into_iter().filter(|app| !app.confidential) {
            let Some(step) = fixture.meta.steps.iter().find(|step| step.app == *app) else { continue };
            for person in people(&fixture, app) {
                refresh(&fixture, app, step, person).await;
                refreshed += 1;
            }
        }
    }
    assert_eq!(refreshed, 63, "no account is left out");
}
