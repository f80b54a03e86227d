//! Listing and removing the accounts of every cache, through the library and through the program.

use auth::{Account, AccountId, AuthError, Scopes, UiReason};
use auth_tests::authority::FakeAuthority;
use auth_tests::cache::{self, section};
use auth_tests::fixture_home::FixtureHome;
use auth_tests::fixtures::{self, App, Fixture, Network, Person, Source};
use auth_tests::loss::without;
use serde_json::{Value, json};

use crate::library;

/// The applications of a cache: those that wrote it, and those that find something in it.
pub(crate) fn apps(fixture: &Fixture) -> Vec<&App> {
    let meta = &fixture.meta;
    let found = meta.queries.iter().filter(|query| query.expect.source != Source::None).map(|query| &query.app);
    let mut apps: Vec<&App> = Vec::new();
    for app in meta.steps.iter().map(|step| &step.app).chain(found) {
        let same = |known: &&App| (&known.client_id, &known.authority) == (&app.client_id, &app.authority);
        if !apps.iter().any(same) {
            apps.push(app);
        }
    }
    apps
}

/// The people whom an application should find.
pub(crate) fn people<'a>(fixture: &'a Fixture, app: &App) -> Vec<&'a Person> {
    let authority = app.authority();
    let here = |person: &&Person| person.environment_any_of.iter().any(|name| authority.is_environment(name));
    fixture.meta.accounts.iter().filter(here).collect()
}

fn check(fixture: &Fixture, listed: &[Value], people: &[&Person]) {
    let ids: Vec<_> = listed.iter().map(|account| account["home_account_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), people.len(), "{}: {ids:?}", fixture.name);
    for person in people {
        let found: Vec<_> = listed.iter().filter(|one| one["home_account_id"] == *person.home_account_id).collect();
        let [found] = found.as_slice() else { panic!("{}: {} among {ids:?}", fixture.name, person.home_account_id) };
        if let Some(username) = &person.username {
            assert_eq!(found["username"], **username, "{}", fixture.name);
        }
        let environment = found["environment"].as_str().unwrap().to_owned();
        assert!(person.environment_any_of.contains(&environment), "{}: {environment}", fixture.name);
    }
}

/// The cache without an account's entries for this application or, if a family shares the account, for any.
fn forgotten(before: &Value, app: &App, person: &Person) -> Value {
    let authority = app.authority();
    let here = |entry: &Value| authority.is_environment(entry["environment"].as_str().unwrap());
    let is_account = |entry: &Value| entry["home_account_id"] == *person.home_account_id && here(entry);
    let is_familys = |entry: &&Value| is_account(entry) && entry["family_id"].as_str().is_some_and(|id| !id.is_empty());
    let all_clients = section(before, "RefreshToken").iter().any(is_familys);
    without(before, |section, entry| match section {
        "Account" => is_account(entry),
        "AccessToken" | "IdToken" | "RefreshToken" => {
            is_account(entry) && (all_clients || entry["client_id"] == *app.client_id)
        }
        _ => false,
    })
}

#[track_caller]
fn check_forgotten(fixture: &Fixture, after: &Value, before: &Value, app: &App, person: &Person) {
    assert_eq!(*after, forgotten(before, app, person), "{}", fixture.name);
}

fn json_of(account: &Account) -> Value {
    json!({
        "home_account_id": account.home_account_id.as_str(),
        "username": account.login_hint(),
        "environment": account.environment,
    })
}

#[tokio::test]
async fn the_library_lists_and_removes_accounts_as_described() {
    let (mut listed, mut removed) = (0, 0);
    for fixture in fixtures::all() {
        let provider = FakeAuthority::new(&fixture, Network::Answer);
        for app in apps(&fixture) {
            let storage = library::store(&fixture).await;
            let client = library::client(app, &fixture, &storage, &provider);
            let accounts = client.accounts().await.unwrap();
            let people = people(&fixture, app);
            check(&fixture, &accounts.iter().map(json_of).collect::<Vec<_>>(), &people);
            for person in &people {
                let id = AccountId::new(person.home_account_id.as_str());
                let account = accounts.iter().find(|account| account.home_account_id == id).unwrap();
                assert_eq!(account.local_account_id, person.local_account_id, "{}", fixture.name);
                listed += 1;

                let storage = library::store(&fixture).await;
                let client = library::client(app, &fixture, &storage, &provider);
                assert!(client.remove_account(account).await.unwrap(), "{}", fixture.name);
                check_forgotten(&fixture, &cache::read(&storage).await, &fixture.document(), app, person);
                for scopes in fixture.meta.steps.iter().map(|step| step.scopes.join(" ")) {
                    let scopes = Scopes::parse(&scopes).unwrap();
                    match client.acquire_token_silent(&scopes, Some(account)).send().await {
                        Err(AuthError::UiRequired(ui)) => assert_eq!(ui.reason, UiReason::NoTokensFound),
                        other => panic!("{}: {other:?}", fixture.name),
                    }
                }
                removed += 1;
            }
        }
        assert_eq!(provider.token_requests().len(), 0, "{}: no token is requested for a removed account", fixture.name);
    }
    assert_eq!((listed, removed), (76, 76), "no account is left out");
}

#[tokio::test]
async fn the_program_lists_and_removes_accounts_as_described() {
    let (mut lists, mut removed) = (0, 0);
    for fixture in fixtures::all().iter().map(|fixture| fixture.moved_to(cache::now())) {
        for app in apps(&fixture) {
            let home = FixtureHome::with(&fixture);
            let people = people(&fixture, app);
            let listed = home.auth("accounts", app).end().await.expect(0).json();
            check(&fixture, listed.as_array().unwrap(), &people);
            assert_eq!(cache::read_file(&home.file()), fixture.document(), "{}: reading changes nothing", fixture.name);
            lists += 1;
            let mut left = fixture.document();
            for person in &people {
                let id = person.home_account_id.as_str();
                let told = home.auth("logout", app).args(["--account", id]).end().await.expect(0).json();
                assert_eq!(told, json!({"removed": 1}), "{}", fixture.name);
                let after = cache::read_file(&home.file());
                check_forgotten(&fixture, &after, &left, app, person);
                left = after;
                removed += 1;
            }
            let listed = home.auth("accounts", app).end().await.expect(0).json();
            assert_eq!(listed, json!([]), "{}", fixture.name);
        }
    }
    assert_eq!((lists, removed), (83, 76), "no account is left out");
}
