//! The queries of confidential clients and for tokens of a special type, which the cache answers whatever the flow.

use auth_cache::{
    AppQuery, Assertion, AssertionQuery, CachedToken, Extension, GrantLookup, Lookup, Query as UserQuery, TokenCache,
    TokenKind,
};
use auth_core::{AccountId, ClientId, Scopes};
use auth_tests::fixtures::{self, Call, Fixture, Network, Query, Source};

use crate::choices::{self, Choice};
use crate::known_differences::QUERIES;
use crate::library;

/// The cache's answer.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The access token of this step.
    Usable(Option<usize>),
    /// The access token of this step, while a new one is requested.
    UsableButRefresh(Option<usize>),
    /// A new token must be requested.
    MustRequest,
    /// The user must sign in.
    Nothing,
}

async fn ask(fixture: &Fixture, query: &Query) -> Answer {
    let cache = TokenCache::new(library::store(fixture).await);
    let authority = query.app.authority();
    let client_id = ClientId::new(&*query.app.client_id).unwrap();
    let scopes = Scopes::parse(&query.scopes.join(" ")).unwrap();
    let extension = query.fmi_path.as_deref().map(|path| Extension::new([("fmi_path", path)]));
    let mut kind = match (&query.token_type, &query.key_id) {
        (Some(token_type), Some(key_id)) => TokenKind::bound(token_type, key_id),
        (None, None) => TokenKind::PLAIN,
        other => panic!("{} {}: {other:?}", fixture.name, query.name),
    };
    if let Some(extension) = &extension {
        kind = kind.with_extension(extension);
    }
    let mut app = AppQuery::new(&authority, &client_id, &scopes);
    app.kind = kind;
    let step = |token: &CachedToken| {
        let token = token.access_token().expose();
        fixture.meta.steps.iter().position(|step| step.access_token == token)
    };
    let grant = |found: GrantLookup| match found {
        GrantLookup::Usable(token) => Answer::Usable(step(&token)),
        GrantLookup::UsableButRefresh(token) => Answer::UsableButRefresh(step(&token)),
        GrantLookup::MustRequest(_, None) => Answer::MustRequest,
        other => panic!("{} {}: {other:?}", fixture.name, query.name),
    };
    match query.kind {
        Call::ClientCredentials => grant(cache.lookup_app(&app, fixture.now()).await.unwrap()),
        Call::Obo => {
            let of_step = query.assertion_of_step.and_then(|step| fixture.meta.steps[step].assertion.as_deref());
            let assertion = Assertion::from_token(query.assertion.as_deref().or(of_step).unwrap());
            grant(cache.lookup_assertion(&AssertionQuery::new(&assertion, app), fixture.now()).await.unwrap())
        }
        Call::Silent => {
            let account = AccountId::new(query.account.clone().unwrap());
            let mut user = UserQuery::new(&authority, &client_id, &account, &scopes);
            user.kind = kind;
            match cache.lookup(&user, fixture.now()).await.unwrap() {
                Lookup::Usable(token) => Answer::Usable(step(&token)),
                Lookup::MustRefresh(_, None) => Answer::MustRequest,
                Lookup::Nothing => Answer::Nothing,
                other => panic!("{} {}: {other:?}", fixture.name, query.name),
            }
        }
    }
}

fn expected(fixture: &Fixture, query: &Query) -> Answer {
    match (choices::of(fixture, query), query.expect.source, query.network) {
        (Choice::Nothing, ..) => Answer::Nothing,
        (Choice::Refresh, ..) | (Choice::AsDescribed, Source::Network, _) => Answer::MustRequest,
        (Choice::AsDescribed, Source::Cache, Network::Forbid) => Answer::Usable(Some(query.expect.step.unwrap())),
        (Choice::AsDescribed, Source::Cache, Network::Unavailable) => {
            Answer::UsableButRefresh(Some(query.expect.step.unwrap()))
        }
        other => panic!("{} {}: {other:?}", fixture.name, query.name),
    }
}

#[tokio::test]
async fn every_other_query_is_answered_as_described() {
    let (mut asked, mut different, mut public) = (0, 0, 0);
    for fixture in fixtures::all() {
        for query in &fixture.meta.queries {
            if query.is_public() {
                public += 1;
            } else {
                let answer = ask(&fixture, query).await;
                let is_known = |(name, known, _): &&(&str, &str, &str)| *name == fixture.name && *known == query.name;
                if let Some((_, _, why)) = QUERIES.iter().find(is_known) {
                    assert_ne!(
                        answer,
                        expected(&fixture, query),
                        "{} {} is answered as described now: {why}",
                        fixture.name,
                        query.name
                    );
                    different += 1;
                } else {
                    assert_eq!(answer, expected(&fixture, query), "{} {}", fixture.name, query.name);
                }
                asked += 1;
            }
        }
    }
    assert_eq!((asked, different, public), (35, QUERIES.len(), 101), "no query is left out");
}
