//! Caches that other MSAL libraries wrote for every kind of authority, with queries and their expected answers; see
//! `tests/fixtures/README.md` of the workspace.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

use std::path::{Path, PathBuf};

use auth_cache::{LockBudget, Lookup, MemoryStorage, Observer, Query, Storage as _, TokenCache};
use auth_core::{AccountId, Authority, ClientId, Scopes, Timestamp};
use serde_json::Value;

/// A cache and its description.
struct Fixture {
    name: String,
    content: Vec<u8>,
    meta: Value,
}

fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let entries = |folder: &Path| {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let folders = ["msal-go", "msal-node", "msal-python"];
    let files = folders.iter().flat_map(|folder| entries(&root.join(folder)));
    files
        .filter_map(|path| {
            let name = path.to_str().unwrap().strip_suffix(".meta.json")?.to_owned();
            let meta = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let content = std::fs::read(format!("{name}.json")).unwrap();
            let name = name.strip_prefix(root.to_str().unwrap()).unwrap().to_owned();
            Some(Fixture { name, content, meta })
        })
        .collect()
}

impl Fixture {
    async fn open(&self) -> TokenCache {
        let storage = MemoryStorage::new();
        storage
            .replace(self.content.clone().into(), storage.version().unwrap(), None, &Observer::default())
            .await
            .unwrap();
        TokenCache::new(storage)
    }

    /// The queries of a public client that the cache alone must answer.
    fn questions(&self) -> impl Iterator<Item = &Value> {
        let all = self.meta["queries"].as_array().unwrap().iter();
        all.filter(|query| {
            let public = query["do"] == "silent" && query["app"]["confidential"] == false;
            public && query["network"] == "forbid" && query["token_type"].is_null()
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.meta["made_at"].as_u64().unwrap())
    }

    fn account(&self, id: &str) -> &Value {
        let accounts = self.meta["accounts"].as_array().unwrap();
        accounts.iter().find(|account| account["home_account_id"] == id).unwrap()
    }

    /// The token found for a query, and the one that the description expects.
    async fn ask(&self, cache: &TokenCache, question: &Value) -> (Option<String>, Option<String>) {
        let (authority, client_id) = asker(question);
        let id = question["account"].as_str().unwrap();
        let account = AccountId::new(id);
        let scopes: Vec<_> =
            question["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
        let scopes = Scopes::parse(&scopes.join(" ")).unwrap();
        let mut query = Query::new(&authority, &client_id, &account, &scopes);
        let mut found = cache.lookup(&query, self.now()).await.unwrap();
        // Discovery would reveal the tenant's ID.
        if !matches!(found, Lookup::Usable(_)) && authority.wants_tenant_id() {
            query.tenant_id = self.account(id)["tenants"][0].as_str();
            found = cache.lookup(&query, self.now()).await.unwrap();
        }
        let found = match found {
            Lookup::Usable(token) => Some(token.access_token().expose().to_owned()),
            Lookup::Nothing => None,
            other => panic!("{} {}: {other:?}", self.name, question["name"]),
        };
        let expect = &question["expect"];
        let expected = match expect["source"].as_str().unwrap() {
            "cache" => {
                let step = usize::try_from(expect["step"].as_u64().unwrap()).unwrap();
                Some(self.meta["steps"][step]["access_token"].as_str().unwrap().to_owned())
            }
            "none" => None,
            other => panic!("{other}"),
        };
        (found, expected)
    }
}

/// The authority and client of a query.
fn asker(question: &Value) -> (Authority, ClientId) {
    let app = &question["app"];
    let text = app["authority"].as_str().unwrap();
    let authority = if app["authority_kind"] == "oidc" { Authority::oidc(text) } else { Authority::parse(text) };
    (authority.unwrap(), ClientId::new(app["client_id"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn queries_are_answered_as_described() {
    let mut asked = 0;
    for fixture in fixtures() {
        let cache = fixture.open().await;
        for question in fixture.questions() {
            let (found, expected) = fixture.ask(&cache, question).await;
            assert_eq!(found, expected, "{} {}", fixture.name, question["name"]);
            asked += 1;
        }
    }
    assert_eq!(asked, 57, "no query is left out");
}

#[tokio::test]
async fn accounts_are_listed_as_described() {
    for fixture in fixtures() {
        let cache = fixture.open().await;
        for question in fixture.questions().filter(|question| question["expect"]["source"] == "cache") {
            let (authority, client_id) = asker(question);
            let accounts = cache.accounts(&authority, &client_id).await.unwrap();
            let id = question["account"].as_str().unwrap();
            let expected = fixture.account(id);
            let of_id = AccountId::new(id);
            let found: Vec<_> = accounts.iter().filter(|account| account.home_account_id == of_id).collect();
            let [found] = found.as_slice() else { panic!("{} {}: {}", fixture.name, question["name"], found.len()) };
            assert_eq!(found.local_account_id, expected["local_account_id"].as_str().unwrap(), "{}", fixture.name);
            if let Some(username) = expected["username"].as_str() {
                assert_eq!(found.username, username, "{}", fixture.name);
            }
            let environments = expected["environment_any_of"].as_array().unwrap();
            assert!(environments.contains(&Value::from(found.environment.as_str())), "{}", fixture.name);
        }
    }
}

#[tokio::test]
async fn a_rewrite_loses_nothing() {
    let mut rewritten = 0;
    for fixture in fixtures() {
        let storage = MemoryStorage::new();
        storage
            .replace(fixture.content.clone().into(), storage.version().unwrap(), None, &Observer::default())
            .await
            .unwrap();
        let authority = Authority::tenant("common").unwrap();
        let client_id = ClientId::new("another-client").unwrap();
        TokenCache::new(storage.clone())
            .leave_family(&authority, &client_id, &AccountId::new("u.t"), &mut LockBudget::default())
            .await
            .unwrap();
        let mut after: Value =
            serde_json::from_slice(&storage.read(&Observer::default()).await.unwrap().content).unwrap();
        let notes = after["AppMetadata"].as_object_mut().unwrap();
        assert!(notes.remove("appmetadata-login.windows.net-another-client").is_some(), "{}", fixture.name);
        let mut before: Value = serde_json::from_slice(&fixture.content).unwrap();
        // An empty section is equivalent to a missing one.
        for section in ["AccessToken", "RefreshToken", "IdToken", "Account", "AppMetadata"] {
            before.as_object_mut().unwrap().entry(section).or_insert_with(|| serde_json::json!({}));
        }
        assert_eq!(after, before, "{}", fixture.name);
        rewritten += 1;
    }
    assert_eq!(rewritten, 60, "no cache is left out");
}

#[tokio::test]
async fn nothing_is_found_for_a_host_that_only_looks_alike() {
    for fixture in fixtures() {
        let cache = fixture.open().await;
        for question in fixture.questions() {
            let (real, client_id) = asker(question);
            for evil in [format!("{}.evil.example", real.host()), format!("evil-{}", real.host())] {
                let authority = Authority::oidc(&format!("https://{evil}/adfs")).unwrap();
                let account = AccountId::new(question["account"].as_str().unwrap());
                let scopes = Scopes::parse(question["scopes"][0].as_str().unwrap()).unwrap();
                let query = Query::new(&authority, &client_id, &account, &scopes);
                let found = cache.lookup(&query, fixture.now()).await.unwrap();
                assert!(matches!(found, Lookup::Nothing), "{} {evil}", fixture.name);
                assert!(cache.accounts(&authority, &client_id).await.unwrap().is_empty(), "{} {evil}", fixture.name);
            }
        }
    }
}
