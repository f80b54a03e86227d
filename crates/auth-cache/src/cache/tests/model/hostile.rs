//! P-04: a token never answers a query that it was not issued for, even if both join or fold to the same key.

use super::*;

const IDS: [&str; 12] =
    ["a", "a-login.windows.net", "k.t", "\u{212a}.t", "K.T", "i", "\u{130}", "i\u{307}", "a-b", "a-", "-a", "a\nb"];
const CLIENTS: [&str; 6] = ["c", "c-d", "accesstoken-c", "C", "k", "c-aaaabbbb"];
const SCOPES: [&str; 5] = ["x", "x-y", "X", "-", "d-x"];
const CLOUDS: [&str; 2] = ["https://login.microsoftonline.com", "https://login.microsoftonline.us"];

/// Account, client, scope, cloud and tenant.
type Tuple = (usize, usize, usize, usize, usize);

/// Tuples for which this is equal are the same.
fn folded((id, client, scope, cloud, realm): Tuple) -> (String, String, String, usize, usize) {
    let fold = str::to_ascii_lowercase;
    (fold(IDS[id]), fold(CLIENTS[client]), fold(SCOPES[scope]), cloud, realm)
}

fn authority((.., cloud, realm): Tuple) -> Authority {
    Authority::parse(&format!("{}/{}", CLOUDS[cloud], REALMS[realm])).unwrap()
}

async fn put(cache: &TokenCache, tuple: Tuple, number: usize) {
    let authority = authority(tuple);
    let answer = [
        ("access_token", json!(format!("at{number}"))),
        ("refresh_token", json!(format!("rt{number}"))),
        ("scope", json!(SCOPES[tuple.2])),
    ];
    let tokens = tokens(&authority, SCOPES[tuple.2], &answer, NOW);
    let account = Account::new(AccountId::new(IDS[tuple.0]), authority.environment(), "ada");
    let client = ClientId::new(CLIENTS[tuple.1]).unwrap();
    let update = TokenUpdate::from_sign_in(Arc::new(authority), client, account, Arc::new(tokens));
    // A collision is an error, but the tokens are served nonetheless.
    let _ = cache.store(update).await;
}

async fn ask(cache: &TokenCache, tuple: Tuple) -> Option<String> {
    let (authority, client) = (authority(tuple), ClientId::new(CLIENTS[tuple.1]).unwrap());
    let (account, wanted) = (AccountId::new(IDS[tuple.0]), scopes(SCOPES[tuple.2]));
    match cache.lookup(&Query::new(&authority, &client, &account, &wanted), NOW).await.unwrap() {
        Lookup::Usable(token) => Some(token.access_token().expose().to_owned()),
        _ => None,
    }
}

/// The refresh tokens that would be sent for a tuple.
async fn sent(cache: &TokenCache, tuple: Tuple) -> Vec<usize> {
    let (authority, client) = (authority(tuple), ClientId::new(CLIENTS[tuple.1]).unwrap());
    let (account, wanted) = (AccountId::new(IDS[tuple.0]), scopes("none-has-this"));
    match cache.lookup(&Query::new(&authority, &client, &account, &wanted), NOW).await.unwrap() {
        Lookup::MustRefresh(refresh, None) => refresh
            .candidates
            .iter()
            .map(|found| found.refresh_token.expose().strip_prefix("rt").unwrap().parse().unwrap())
            .collect(),
        _ => Vec::new(),
    }
}

fn tuple() -> impl Strategy<Value = Tuple> {
    (0..IDS.len(), 0..CLIENTS.len(), 0..SCOPES.len(), 0..CLOUDS.len(), 0..REALMS.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_token_answers_only_its_own_query(
        tuples in proptest::collection::vec(tuple(), 1..14), more in proptest::collection::vec(tuple(), 0..14),
        is_stored in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let cache = if is_stored { TokenCache::new(MemoryStorage::new()) } else { TokenCache::in_memory() };
            for (number, tuple) in tuples.iter().enumerate() {
                put(&cache, *tuple, number).await;
            }
            let last = |tuple: Tuple| tuples.iter().rposition(|other| folded(*other) == folded(tuple));
            let saved = TokenCache::in_memory();
            saved.merge_json(&cache.to_json()).unwrap();
            let mut lost = 0;
            for tuple in tuples.iter().chain(&more) {
                let expected = last(*tuple).map(|number| format!("at{number}"));
                assert_eq!(ask(&cache, *tuple).await, expected, "{tuple:?}");
                let found = ask(&saved, *tuple).await;
                assert!(found.is_none() || found == expected, "{tuple:?}: {found:?} for {expected:?}");
                lost += usize::from(found != expected);
                for cache in [&cache, &saved] {
                    for number in sent(cache, *tuple).await {
                        let ((id, client, _, cloud, _), owner) = (folded(*tuple), folded(tuples[number]));
                        assert_eq!((id, client, cloud), (owner.0, owner.1, owner.3), "{tuple:?}");
                    }
                }
            }
            // Only another entry under the same key keeps a token from being stored.
            let (_, collided) = document::write(&cache.whole().known().document);
            assert!(lost == 0 || !collided.is_empty(), "{lost}");
        });
    }
}
