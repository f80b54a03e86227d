//! The answer to a query, and whether it is right.

use auth_tests::authority::{TokenRequest, new_access_token, new_refresh_token};
use auth_tests::cache;
use auth_tests::fixtures::{Fixture, Network, Query, Source};
use auth_tests::loss::Refreshed;
use serde_json::Value;

use crate::choices::{self, Choice};

/// The answer to a query.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// The token requests that were sent.
    pub(crate) requests: Vec<TokenRequest>,
    /// The cache afterwards.
    pub(crate) after: Value,
}

/// The outcome of a query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The cached access token of this step; `None` for any other.
    Cache(Option<usize>),
    /// Whether it is the access token of the first token response.
    Network(bool),
    /// Nothing usable: the user must sign in.
    Nothing,
    /// The provider's error code.
    Error(String),
}

impl Outcome {
    /// This access token came from the cache.
    pub(crate) fn cached(fixture: &Fixture, access_token: &str) -> Self {
        Self::Cache(fixture.meta.steps.iter().position(|step| step.access_token == access_token))
    }

    /// This access token is new.
    pub(crate) fn new(access_token: &str) -> Self {
        Self::Network(access_token == new_access_token(1))
    }
}

/// The problems of an answer; none if it is right.
pub(crate) fn judge(fixture: &Fixture, query: &Query, answer: &Answer) -> Vec<String> {
    let choice = choices::of(fixture, query);
    let mut problems = Vec::new();
    let expected = outcome(query, choice);
    if answer.outcome != expected {
        problems.push(format!("answered {:?}, not {expected:?}", answer.outcome));
    }
    let (least, most) = requests(query, choice);
    let count = answer.requests.len();
    if count < least || count > most {
        problems.push(format!("{count} token requests, not {least} to {most}"));
    }
    for request in &answer.requests {
        problems.extend(misfits(fixture, query, request));
    }
    problems.extend(rewritten(fixture, query, answer));
    problems
}

fn outcome(query: &Query, choice: Choice) -> Outcome {
    match (choice, query.expect.source) {
        (Choice::Nothing, _) | (Choice::AsDescribed, Source::None) => Outcome::Nothing,
        (Choice::CacheAndRefresh, _) => Outcome::Cache(Some(0)),
        (Choice::AsDescribed, Source::Cache) => Outcome::Cache(Some(query.expect.step.unwrap())),
        (Choice::Refresh, _) | (Choice::AsDescribed, Source::Network) => Outcome::Network(true),
        (Choice::AsDescribed, Source::Error) => Outcome::Error(query.expect.error.clone().unwrap()),
    }
}

/// The minimum and maximum number of token requests: a failing provider is asked a second time.
fn requests(query: &Query, choice: Choice) -> (usize, usize) {
    match (choice, query.expect.source, query.network) {
        (Choice::Nothing, ..) => (0, 0),
        (Choice::CacheAndRefresh | Choice::Refresh, ..) => (1, 1),
        (Choice::AsDescribed, Source::Network | Source::Error, _) => (1, 1),
        (Choice::AsDescribed, Source::Cache, Network::Unavailable | Network::Down) => (1, 2),
        (Choice::AsDescribed, Source::Cache | Source::None, _) => (0, 0),
    }
}

/// The problems of the cache afterwards: it should contain the new tokens, with nothing else lost or changed.
fn rewritten(fixture: &Fixture, query: &Query, answer: &Answer) -> Vec<String> {
    let (before, after) = (fixture.document(), &answer.after);
    let new = |section: &str, secret: &str| cache::secrets(after, section).iter().any(|stored| stored == secret);
    let is_stored = new("RefreshToken", &new_refresh_token(1)) && new("AccessToken", &new_access_token(1));
    if !answer.requests.is_empty() && query.network == Network::Answer {
        let refreshed = Refreshed {
            authority: &query.app.authority(),
            client_id: &query.app.client_id,
            account: query.account.as_deref().unwrap(),
            now: fixture.meta.made_at,
        };
        let mut wrong = refreshed.losses(&before, after);
        wrong.extend((!is_stored).then(|| "the new tokens".to_owned()));
        wrong.into_iter().map(|lost| format!("no longer in the cache: {lost}")).collect()
    } else {
        Vec::from_iter((*after != before).then(|| "the cache has changed".to_owned()))
    }
}

/// The problems of a token request.
fn misfits(fixture: &Fixture, query: &Query, request: &TokenRequest) -> Vec<String> {
    let expect = &query.expect;
    let mut misfits = Vec::new();
    let mut check = |name: &str, expected: &str| {
        let value = request.value(name);
        if value != expected {
            misfits.push(format!("{name} is {value:?}, not {expected:?}"));
        }
    };
    check("grant_type", expect.grant_type.as_deref().unwrap_or("refresh_token"));
    check("client_id", expect.client_id.as_deref().unwrap_or(&query.app.client_id));
    if let Some(step) = expect.refresh_token_of_step {
        check("refresh_token", fixture.meta.steps[step].refresh_token.as_deref().unwrap());
    }
    let asked: Vec<_> = request.value("scope").split(' ').collect();
    for scope in expect.scope_contains.iter().chain(&query.scopes) {
        if !asked.contains(&scope.as_str()) {
            misfits.push(format!("the scopes {asked:?} lack {scope}"));
        }
    }
    if let Some(part) = expect.token_url_contains.as_deref().filter(|part| !request.url.contains(part)) {
        misfits.push(format!("sent to {}, without {part}", request.url));
    }
    misfits
}
