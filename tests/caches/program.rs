//! Every query of a public client, through the program: its flags, its cache file, TLS and this machine's clock.

use auth_tests::authority::FakeAuthority;
use auth_tests::authority::proxy::Proxy;
use auth_tests::cache;
use auth_tests::fixture_home::FixtureHome;
use auth_tests::fixtures::{self, Fixture, Query};
use auth_tests::program::Ended;

use crate::answer::{Answer, Outcome, judge};

/// The arguments for a query.
fn words(query: &Query) -> Vec<&str> {
    let mut words = vec!["--silent", "--account", query.account.as_deref().unwrap()];
    words.extend(query.force_refresh.then_some("--force-refresh"));
    words.push("--scope");
    words.extend(query.scopes.iter().map(String::as_str));
    words
}

async fn ask(fixture: &Fixture, query: &Query) -> Answer {
    let home = FixtureHome::with(fixture);
    let provider = FakeAuthority::new(fixture, query.network);
    let hosts = [query.app.authority().host().to_owned()];
    let proxy = Proxy::start(provider.clone(), &hosts, home.folder.path()).await;
    let ended = proxy.before(home.auth("token", &query.app).args(words(query))).end().await;
    provider.assert_no_strays();
    Answer {
        outcome: outcome(fixture, &ended),
        requests: provider.token_requests(),
        after: cache::read_file(&home.file()),
    }
}

fn outcome(fixture: &Fixture, ended: &Ended) -> Outcome {
    let output = ended.json();
    let text = |name: &str| output[name].as_str().unwrap_or_else(|| panic!("{}: no {name}: {ended:?}", fixture.name));
    match (ended.code, output["source"].as_str(), output["error"].as_str()) {
        (Some(0), Some("cache"), None) => Outcome::cached(fixture, text("access_token")),
        (Some(0), Some("identity_provider"), None) => Outcome::new(text("access_token")),
        (Some(3), None, Some("no_tokens_found" | "no_account_for_login_hint")) => Outcome::Nothing,
        (Some(3), None, Some(error)) => Outcome::Error(error.to_owned()),
        _ => panic!("{}: {ended:?}", fixture.name),
    }
}

/// Asks all queries about the caches of one library, and returns their number.
async fn ask_all(library: &str) -> usize {
    let (mut asked, mut wrong) = (0, Vec::new());
    for fixture in fixtures::all().iter().filter(|fixture| fixture.name.starts_with(library)) {
        for query in fixture.meta.queries.iter().filter(|query| query.is_public()) {
            let fixture = &fixture.moved_to(cache::now());
            let problems = judge(fixture, query, &ask(fixture, query).await);
            wrong.extend(problems.into_iter().map(|problem| format!("{} {}: {problem}", fixture.name, query.name)));
            asked += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    asked
}

#[tokio::test]
async fn queries_about_caches_of_msal_go_are_answered_as_described() {
    assert_eq!(ask_all("msal-go/").await, 41, "no query is left out");
}

#[tokio::test]
async fn queries_about_caches_of_msal_node_are_answered_as_described() {
    assert_eq!(ask_all("msal-node/").await, 30, "no query is left out");
}

#[tokio::test]
async fn queries_about_caches_of_msal_python_are_answered_as_described() {
    assert_eq!(ask_all("msal-python/").await, 30, "no query is left out");
}
